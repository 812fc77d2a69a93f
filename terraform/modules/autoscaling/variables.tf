variable "name" {
  description = "Prefix of every name, for instance triflow-ai-production."
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
  description = "Bounds to start with, and when to take a step: CPU per cent and for how many minutes in a row; seconds of rest after a step."
  type = object({
    min_tasks         = number
    max_tasks         = number
    scale_out_cpu     = number
    scale_out_minutes = number
    scale_in_cpu      = number
    scale_in_minutes  = number
    cooldown_seconds  = number
  })

  validation {
    condition     = var.scaling.min_tasks <= var.scaling.max_tasks
    error_message = "The smallest number of tasks is above the largest."
  }

  validation {
    condition     = var.scaling.scale_in_cpu < var.scaling.scale_out_cpu
    error_message = "Scaling in must start at a lower CPU than scaling out, or the service would swing to and fro."
  }
}
