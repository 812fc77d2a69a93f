variable "project" {
  description = "Short name of the system; the first part of every name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.project))
    error_message = "Use 3 to 20 lower-case letters, digits and hyphens, starting with a letter and not ending in a hyphen."
  }
}

variable "environment" {
  description = "Name of the environment; the second part of every name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,14}[a-z0-9]$", var.environment))
    error_message = "Use 2 to 16 lower-case letters, digits and hyphens, starting with a letter and not ending in a hyphen."
  }
}

variable "region" {
  description = "AWS region to build in."
  type        = string
  default     = "ap-northeast-2"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "Write a region such as ap-northeast-2."
  }
}

variable "versioning" {
  description = "Whether earlier versions of overwritten and deleted objects are kept."
  type        = bool
  default     = true
}

variable "api_key" {
  description = "Key that clients of the bucket present to the application. Stored encrypted in Parameter Store."
  type        = string
  sensitive   = true

  validation {
    condition     = length(var.api_key) >= 16 && length(var.api_key) <= 256
    error_message = "The key has 16 to 256 characters."
  }
}

variable "delete_contents_on_destroy" {
  description = "Whether destroying the environment also deletes every object in the bucket. Refused for production."
  type        = bool
  default     = false

  validation {
    condition     = !(var.delete_contents_on_destroy && var.environment == "production")
    error_message = "The contents of a production bucket are never deleted together with it; empty it by hand first."
  }
}

variable "tags" {
  description = "Tags for every resource, besides Project, Environment and ManagedBy."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:") && length(key) <= 128])
    error_message = "A tag's name has at most 128 characters and does not start with aws:."
  }
}
