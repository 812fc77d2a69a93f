variable "name" {
  description = "Prefix of every name, for instance triflow-ai-production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]+[a-z0-9]$", var.name))
    error_message = "Use lower-case letters, digits and hyphens."
  }
}

variable "injected_secret_arns" {
  description = "Secrets that ECS itself reads to hand them to a starting task."
  type        = list(string)

  validation {
    condition     = length(var.injected_secret_arns) > 0
    error_message = "Name at least one secret."
  }
}

variable "secrets_path" {
  description = "The application may read the secrets below this path, and no others."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9/_-]+[A-Za-z0-9]$", var.secrets_path))
    error_message = "Write a path such as triflow/prod, without a slash at either end."
  }
}

variable "bucket_arn" {
  description = "Bucket of the application."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:s3:::", var.bucket_arn))
    error_message = "Give the ARN of an S3 bucket."
  }
}

variable "bucket_folders" {
  description = "Folders of the bucket that the application works in; the rest of the bucket is closed to it."
  type        = list(string)

  validation {
    condition     = alltrue([for folder in var.bucket_folders : can(regex("^[a-z0-9-]+(/[a-z0-9-]+)*/$", folder))])
    error_message = "A folder ends in a slash and does not start with one, for instance tenants/."
  }
}

variable "database" {
  description = "Database that the application may sign in to with its role: the instance's resource id and the database user."
  type = object({
    resource_id = string
    username    = string
  })

  validation {
    condition     = can(regex("^[a-z_][a-z0-9_]*$", var.database.username))
    error_message = "A database user has lower-case letters, digits and underscores."
  }
}

variable "metrics_namespace" {
  description = "The one CloudWatch namespace into which the application may write its own metrics."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9/_.-]*$", var.metrics_namespace)) && !startswith(var.metrics_namespace, "AWS/")
    error_message = "A namespace has letters, digits and / _ . -, and does not start with AWS/."
  }
}

variable "execute_command" {
  description = "Whether an operator may open a shell in a running task (ECS Exec)."
  type        = bool
  default     = true
}
