variable "name" {
  description = "Prefix of every name, for instance triflow-ai-production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,23}[a-z0-9]$", var.name))
    error_message = "Use at most 25 lower-case letters, digits and hyphens: AWS allows 32 with the port and a letter behind it."
  }
}

variable "vpc_id" {
  description = "Network of the tasks."
  type        = string

  validation {
    condition     = length(var.vpc_id) > 0
    error_message = "Give the id of a network."
  }
}

variable "port" {
  description = "Port of the tasks. Changing it builds new target groups beside the old ones, and new rules."
  type        = number

  validation {
    condition     = var.port >= 1024 && var.port <= 65535
    error_message = "The port is between 1024 and 65535."
  }
}

variable "health_check_path" {
  description = "Path that answers 200 while a task is well."
  type        = string

  validation {
    condition     = can(regex("^/[!-~]*$", var.health_check_path))
    error_message = "A path starts with a slash and has no spaces."
  }
}

variable "drain_seconds" {
  description = "How long a leaving task may finish its requests."
  type        = number

  validation {
    condition     = var.drain_seconds >= 0 && var.drain_seconds <= 3600
    error_message = "Draining takes 0 to 3600 seconds."
  }
}

variable "listener_arn" {
  description = "Listener whose requests are routed."
  type        = string

  validation {
    condition     = length(var.listener_arn) > 0
    error_message = "Give the ARN of a listener."
  }
}

variable "priority" {
  description = "Place of the rule among the listener's: lower goes first. The preview's rule stands right before it."
  type        = number
  default     = 100

  validation {
    condition     = var.priority >= 2 && var.priority <= 50000 && floor(var.priority) == var.priority
    error_message = "A priority is a whole number from 2 to 50000."
  }
}

variable "hosts" {
  description = "Host names whose requests come here; none means every name."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.hosts) <= 3 && alltrue([for host in var.hosts : can(regex("^[a-z0-9*?.-]{1,128}$", host))])
    error_message = "At most three host names in lower case."
  }
}

variable "paths" {
  description = "Path patterns whose requests come here."
  type        = list(string)
  default     = ["/*"]
  nullable    = false

  validation {
    condition     = length(var.paths) >= 1 && length(var.paths) <= 3 && alltrue([for path in var.paths : can(regex("^/[!-~]{0,127}$", path))])
    error_message = "One to three patterns, each starting with a slash, such as /api/*."
  }
}

variable "preview_header" {
  description = "A request header, with its value, that reaches the new tasks of a blue/green deployment before everybody else does. Without one there is no such rule."
  type = object({
    name  = string
    value = string
  })
  default = null

  validation {
    condition     = var.preview_header == null || can(regex("^[A-Za-z0-9-]{1,40}$", var.preview_header.name))
    error_message = "A header's name has letters, digits and hyphens."
  }

  validation {
    condition     = var.preview_header == null || can(regex("^[A-Za-z0-9-]{8,128}$", var.preview_header.value))
    error_message = "The value has 8 to 128 letters, digits and hyphens, so that nobody meets it by chance."
  }
}
