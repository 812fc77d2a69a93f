variable "name" {
  description = "Prefix of every name, for instance onno-production-api."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]+[a-z0-9]$", var.name))
    error_message = "Use lower-case letters, digits and hyphens."
  }
}

variable "cluster_name" {
  description = "Cluster of the service."
  type        = string

  validation {
    condition     = length(var.cluster_name) > 0
    error_message = "Name the cluster."
  }
}

variable "service_name" {
  description = "Service whose number of tasks is moved."
  type        = string

  validation {
    condition     = length(var.service_name) > 0
    error_message = "Name the service."
  }
}

variable "scaling" {
  description = "Bounds to start with, the CPU per cent to keep to, and seconds of rest after a step in each direction."
  type = object({
    min_tasks                  = number
    max_tasks                  = number
    cpu                        = number
    scale_in_cooldown_seconds  = number
    scale_out_cooldown_seconds = number
  })

  validation {
    condition     = var.scaling.min_tasks <= var.scaling.max_tasks
    error_message = "The smallest number of tasks is above the largest."
  }

  validation {
    condition     = var.scaling.cpu >= 10 && var.scaling.cpu <= 95
    error_message = "Keep to 10 to 95 per cent; beyond that nothing would ever be added, or taken away."
  }
}
