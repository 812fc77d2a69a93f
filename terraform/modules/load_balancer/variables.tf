variable "name" {
  description = "Prefix of every name, for instance triflow-ai-production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,24}[a-z0-9]$", var.name))
    error_message = "Use at most 26 lower-case letters, digits and hyphens: AWS allows 32 with the port behind it."
  }
}

variable "vpc_id" {
  description = "Network of the targets."
  type        = string

  validation {
    condition     = length(var.vpc_id) > 0
    error_message = "Give the id of a network."
  }
}

variable "subnet_ids" {
  description = "Public subnets, in two zones or more."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "A load balancer needs subnets in at least two zones."
  }
}

variable "security_group_ids" {
  description = "Security groups of the load balancer."
  type        = list(string)

  validation {
    condition     = length(var.security_group_ids) > 0
    error_message = "Name at least one security group."
  }
}

variable "certificate_arn" {
  description = "Issued certificate of the HTTPS listener."
  type        = string

  validation {
    condition     = length(var.certificate_arn) > 0
    error_message = "HTTPS needs a certificate."
  }
}

variable "target_port" {
  description = "Port of the tasks. Changing it builds a new target group beside the old one."
  type        = number

  validation {
    condition     = var.target_port >= 1024 && var.target_port <= 65535
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

variable "idle_timeout" {
  description = "Seconds after which a silent request is answered with 504."
  type        = number
  default     = 60

  validation {
    condition     = var.idle_timeout >= 1 && var.idle_timeout <= 4000
    error_message = "The timeout is 1 to 4000 seconds."
  }
}

variable "access_log_bucket" {
  description = "Bucket that receives the access logs, below AWSLogs/<account>/."
  type        = string

  validation {
    condition     = length(var.access_log_bucket) > 0
    error_message = "Name the bucket."
  }
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the load balancer."
  type        = bool
  default     = true
}
