variable "name" {
  description = "Prefix of every name, for instance triflow-ai-production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]+[a-z0-9]$", var.name))
    error_message = "Use lower-case letters, digits and hyphens."
  }
}

variable "settings" {
  description = "Size, version, times and database of the instance. Windows are in UTC."
  type = object({
    engine_version        = string
    instance_class        = string
    storage_gb            = number
    multi_az              = bool
    name                  = string
    username              = string
    backup_retention_days = number
    backup_window         = string
    maintenance_window    = string
    slow_query_ms         = number
    apply_immediately     = bool
  })

  validation {
    condition     = can(regex("^[0-9]+(\\.[0-9]+)?$", var.settings.engine_version))
    error_message = "The version is a major version such as 14 (newest minor version, kept up to date) or a full one such as 14.18."
  }

  validation {
    condition     = can(regex("^[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}$", var.settings.backup_window))
    error_message = "The backup window is written hh:mm-hh:mm in UTC, for instance 18:00-18:59."
  }

  validation {
    condition     = can(regex("^(mon|tue|wed|thu|fri|sat|sun):[0-9]{2}:[0-9]{2}-(mon|tue|wed|thu|fri|sat|sun):[0-9]{2}:[0-9]{2}$", var.settings.maintenance_window))
    error_message = "The maintenance window is written day:hh:mm-day:hh:mm in UTC, for instance mon:19:00-mon:20:00."
  }
}

variable "password" {
  description = "Password of the database's master user."
  type        = string
  sensitive   = true

  validation {
    condition     = can(regex("^[!-~]{8,128}$", var.password)) && !can(regex("[/@\"]", var.password))
    error_message = "The password has 8 to 128 printable characters, without spaces, slashes, at signs and double quotes."
  }
}

variable "subnet_ids" {
  description = "Private subnets, in two zones or more."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "Give subnets in at least two zones."
  }
}

variable "security_group_ids" {
  description = "Security groups to place it in."
  type        = list(string)

  validation {
    condition     = length(var.security_group_ids) > 0
    error_message = "Name at least one security group."
  }
}

variable "log_retention_days" {
  description = "How long log lines are kept. CloudWatch knows only certain numbers of days."
  type        = number

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731], var.log_retention_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545 or 731 days."
  }
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the database."
  type        = bool
  default     = true
}

variable "final_snapshot" {
  description = "Whether a last snapshot is taken when the database is deleted. It stays, and is billed, until somebody deletes it."
  type        = bool
  default     = true
}
