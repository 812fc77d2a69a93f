variable "name" {
  description = "Prefix of every name, for instance triflow-ai-production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,26}[a-z0-9]$", var.name))
    error_message = "Use at most 28 lower-case letters, digits and hyphens: AWS allows 32 with -alb behind it."
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

variable "default_target" {
  description = "Target group (its ARN) of requests that no rule asks for. Without one they get 404."
  type = object({
    arn = string
  })
  default = null

  validation {
    condition     = var.default_target == null || length(try(var.default_target.arn, "")) > 0
    error_message = "Give the ARN of a target group."
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
