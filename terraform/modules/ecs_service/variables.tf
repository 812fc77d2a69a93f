variable "name" {
  description = "Prefix of every name, for instance triflow-ai-production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]+[a-z0-9]$", var.name))
    error_message = "Use lower-case letters, digits and hyphens."
  }
}

variable "cluster_arn" {
  description = "Cluster that the service runs in."
  type        = string

  validation {
    condition     = length(var.cluster_arn) > 0
    error_message = "Give the ARN of a cluster."
  }
}

variable "container_name" {
  description = "Name of the container; also the last part of the task family and the log stream prefix."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]*$", var.container_name))
    error_message = "Use lower-case letters, digits and hyphens."
  }
}

variable "image" {
  description = "Image of the first revision: repository with a tag or a digest. Later ones are deployed."
  type        = string

  validation {
    condition     = can(regex("^[^\\s:@]+(:[0-9]+/[^\\s:@]+)?(:[A-Za-z0-9_][A-Za-z0-9_.-]*|@sha256:[0-9a-f]{64})$", var.image))
    error_message = "Name the image with a tag or a digest, for instance registry/backend:1.4.2."
  }
}

variable "task" {
  description = "Size of a task (CPU units, MiB of memory), the port it listens on, whether a shell may be opened in it, and a command inside the container that tells whether it is well."
  type = object({
    cpu             = number
    memory          = number
    port            = number
    execute_command = bool
    health_check = optional(object({
      command      = list(string)
      interval     = optional(number, 30)
      timeout      = optional(number, 5)
      retries      = optional(number, 3)
      start_period = optional(number, 60)
    }))
  })

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.task.cpu) && var.task.memory >= var.task.cpu * 2 && var.task.memory <= var.task.cpu * 8
    error_message = "Fargate gives 256, 512, 1024, 2048 or 4096 CPU units, each with two to eight times as many MiB of memory."
  }
}

variable "environment" {
  description = "Environment variables of the container, readable by everyone who may read the task definition."
  type        = map(string)
  default     = {}
}

variable "secrets" {
  description = "Environment variables that ECS fills from a secret at start: name to ARN of the secret, or of a field in it."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for arn in var.secrets : can(regex("^arn:", arn))])
    error_message = "A secret is named by its ARN."
  }
}

variable "desired_count" {
  description = "Tasks to start with. Autoscaling moves the number afterwards, and a later run leaves it alone."
  type        = number

  validation {
    condition     = var.desired_count >= 0 && var.desired_count <= 100
    error_message = "Start with 0 to 100 tasks."
  }
}

variable "stop_timeout" {
  description = "Seconds between the request to stop and the kill."
  type        = number

  validation {
    condition     = var.stop_timeout >= 2 && var.stop_timeout <= 120
    error_message = "Fargate waits 2 to 120 seconds."
  }
}

variable "subnet_ids" {
  description = "Private subnets of the tasks."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) > 0
    error_message = "Give at least one subnet."
  }
}

variable "security_group_ids" {
  description = "Security groups of the tasks."
  type        = list(string)

  validation {
    condition     = length(var.security_group_ids) > 0
    error_message = "Name at least one security group."
  }
}

variable "target_group_arn" {
  description = "Target group that sends the requests."
  type        = string

  validation {
    condition     = length(var.target_group_arn) > 0
    error_message = "Give the ARN of a target group."
  }
}

variable "execution_role_arn" {
  description = "Role of ECS itself: image, log, injected secrets."
  type        = string

  validation {
    condition     = length(var.execution_role_arn) > 0
    error_message = "Give the ARN of a role."
  }
}

variable "task_role_arn" {
  description = "Role of the application."
  type        = string

  validation {
    condition     = length(var.task_role_arn) > 0
    error_message = "Give the ARN of a role."
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
