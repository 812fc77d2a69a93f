# Monitoring
variable "alarm_emails" {
  description = "Addresses that hear the alarms. Each must follow the link in AWS's mail once before anything arrives. A Slack channel has an address, too."
  type        = list(string)

  validation {
    condition     = length(var.alarm_emails) > 0 && alltrue([for address in var.alarm_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "Write at least one e-mail address, one per entry."
  }

  validation {
    condition     = length(distinct(var.alarm_emails)) == length(var.alarm_emails)
    error_message = "Each address once."
  }
}

variable "alarm_thresholds" {
  description = "Where each alarm starts: per cent, a count, or seconds as the name says."
  type = object({
    rds_cpu_percent          = optional(number, 80)
    rds_storage_free_percent = optional(number, 20)
    rds_connections          = optional(number, 80)
    alb_5xx_per_5_minutes    = optional(number, 10)
    alb_latency_p95_seconds  = optional(number, 2)
    ecs_cpu_percent          = optional(number, 85)
    ecs_memory_percent       = optional(number, 85)
    redis_cpu_percent        = optional(number, 80)
    redis_memory_percent     = optional(number, 80)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for value in values(var.alarm_thresholds) : value > 0])
    error_message = "Every threshold is above zero."
  }

  validation {
    condition     = alltrue([for key, value in var.alarm_thresholds : !endswith(key, "_percent") || value <= 100])
    error_message = "A per cent threshold is at most 100; higher it would never fire."
  }
}

variable "log_retention_days" {
  description = "How long log lines are kept. CloudWatch knows only certain numbers of days; 15 is not one of them."
  type        = number
  default     = 14

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_retention_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 or 731 days."
  }
}

# What a destroy may take with it
variable "deletion_protection" {
  description = "Whether a destroy is refused, AWS refuses to delete the database and the load balancer, and deleted secrets are kept for 30 days. Switch it off in a run of its own before a destroy."
  type        = bool
  default     = true
}

variable "final_snapshot" {
  description = "Whether a last snapshot of the database is taken when it is deleted. It stays, and is billed, until somebody deletes it."
  type        = bool
  default     = true

  validation {
    condition     = var.final_snapshot || var.environment != "production"
    error_message = "The production database is never deleted without a final snapshot."
  }
}

variable "delete_contents_on_destroy" {
  description = "Whether a destroy also deletes the files in the bucket and the images in the repository. Refused for production."
  type        = bool
  default     = false

  validation {
    condition     = !(var.delete_contents_on_destroy && var.environment == "production")
    error_message = "Production's files and images are never deleted together with the environment; empty bucket and repository by hand first."
  }
}
