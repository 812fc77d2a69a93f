variable "name" {
  description = "Prefix of every name, for instance triflow-ai-production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]+[a-z0-9]$", var.name))
    error_message = "Use lower-case letters, digits and hyphens."
  }
}

variable "topic_arn" {
  description = "Topic that hears when an alarm starts and when it ends."
  type        = string

  validation {
    condition     = length(var.topic_arn) > 0
    error_message = "An alarm nobody hears is of no use; give a topic."
  }
}

variable "load_balancer" {
  description = "Load balancer and the target groups that the tasks may be in, as CloudWatch names them (ARN suffixes)."
  type = object({
    arn_suffix                = string
    target_group_arn_suffixes = list(string)
  })

  validation {
    condition     = length(var.load_balancer.arn_suffix) > 0 && length(var.load_balancer.target_group_arn_suffixes) > 0
    error_message = "Give the load balancer's ARN suffix and those of its target groups."
  }
}

variable "service" {
  description = "ECS cluster and service, and the number of tasks below which too few are running."
  type = object({
    cluster_name = string
    service_name = string
    min_tasks    = number
  })

  validation {
    condition     = var.service.min_tasks >= 1
    error_message = "A service with an alarm runs at least one task."
  }
}

variable "database" {
  description = "Database instance and its storage in GB."
  type = object({
    identifier = string
    storage_gb = number
  })

  validation {
    condition     = var.database.storage_gb > 0
    error_message = "Give the storage in GB."
  }
}

variable "cache_node_ids" {
  description = "Nodes of the cache; an alarm fires for whichever of them is worst."
  type        = list(string)

  validation {
    condition     = length(var.cache_node_ids) > 0
    error_message = "Name at least one node."
  }
}

variable "thresholds" {
  description = "Where each alarm starts: per cent, a count, or seconds as the name says."
  type = object({
    rds_cpu_percent          = number
    rds_storage_free_percent = number
    rds_connections          = number
    alb_5xx_per_5_minutes    = number
    alb_latency_p95_seconds  = number
    ecs_cpu_percent          = number
    ecs_memory_percent       = number
    redis_cpu_percent        = number
    redis_memory_percent     = number
  })

  validation {
    condition     = alltrue([for value in values(var.thresholds) : value > 0])
    error_message = "Every threshold is above zero."
  }

  validation {
    condition     = alltrue([for key, value in var.thresholds : !endswith(key, "_percent") || value <= 100])
    error_message = "A per cent threshold is at most 100; higher it would never fire."
  }
}
