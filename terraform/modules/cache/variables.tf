variable "name" {
  description = "Prefix of every name, for instance triflow-ai-production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]+[a-z0-9]$", var.name))
    error_message = "Use lower-case letters, digits and hyphens."
  }
}

variable "settings" {
  description = "Size, version and times. Two nodes or more: a primary and replicas that take over. Windows are in UTC."
  type = object({
    engine_version          = string
    node_type               = string
    nodes                   = number
    snapshot_retention_days = number
    snapshot_window         = string
    maintenance_window      = string
  })

  validation {
    condition     = var.settings.nodes >= 1 && var.settings.nodes <= 6
    error_message = "A replication group has 1 to 6 nodes."
  }

  validation {
    condition     = can(regex("^7\\.[0-9]+$", var.settings.engine_version))
    error_message = "Use Redis 7, for instance 7.1."
  }
}

variable "auth_token" {
  description = "Password that clients present."
  type        = string
  sensitive   = true

  validation {
    condition     = can(regex("^[A-Za-z0-9!&#$^<>-]{16,128}$", var.auth_token))
    error_message = "The token has 16 to 128 letters, digits and the characters ! & # $ ^ < > -."
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

