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
  description = "AWS region of the bucket."
  type        = string
  default     = "ap-northeast-2"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "Write a region such as ap-northeast-2."
  }
}

variable "domain" {
  description = "Domain name the site answers under, with the id of the hosted zone that holds it, if there is one; otherwise a zone is created, and the certificate waits until the registrar points to its name servers. Without a domain, CloudFront's own name."
  type = object({
    name    = string
    zone_id = optional(string)
  })
  default = null

  validation {
    condition     = var.domain == null || can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain.name))
    error_message = "Write the domain name in lower case, such as app.sesami.dev."
  }
}

variable "index_document" {
  description = "File that answers for the site's root."
  type        = string
  default     = "index.html"

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._-]*$", var.index_document))
    error_message = "Name a file such as index.html, without a path."
  }
}

variable "single_page" {
  description = "Whether the index document also answers for every path that is no file (an application in the browser)."
  type        = bool
  default     = true
}

variable "price_class" {
  description = "Where CloudFront answers from: PriceClass_100 is cheapest, PriceClass_200 adds Asia, PriceClass_All is everywhere."
  type        = string
  default     = "PriceClass_200"

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.price_class)
    error_message = "One of PriceClass_100, PriceClass_200 and PriceClass_All."
  }
}

variable "keep_replaced_days" {
  description = "Days that S3 keeps files which a later build replaced or left out."
  type        = number
  default     = 30

  validation {
    condition     = var.keep_replaced_days >= 1 && var.keep_replaced_days <= 3650 && floor(var.keep_replaced_days) == var.keep_replaced_days
    error_message = "Replaced files are kept 1 to 3650 whole days."
  }
}

variable "delete_contents_on_destroy" {
  description = "Whether destroying the environment also deletes the files. Refused for production."
  type        = bool
  default     = false

  validation {
    condition     = !(var.delete_contents_on_destroy && var.environment == "production")
    error_message = "A production site's files are never deleted together with it; empty the bucket by hand first."
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
