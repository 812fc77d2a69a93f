# Naming and place
variable "project" {
  description = "Short name of the system; the first part of every name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}[a-z0-9]$", var.project))
    error_message = "Use 3 to 13 lower-case letters, digits and hyphens, starting with a letter and not ending in a hyphen."
  }
}

variable "environment" {
  description = "Name of the environment, for instance production or staging; the second part of every name."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,9}[a-z0-9]$", var.environment))
    error_message = "Use 2 to 11 lower-case letters, digits and hyphens, starting with a letter and not ending in a hyphen."
  }
}

variable "region" {
  description = "AWS region to build in."
  type        = string
  default     = "ap-northeast-2"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "Write a region such as ap-northeast-2."
  }
}

variable "tags" {
  description = "Tags for every resource, besides Project, Environment and ManagedBy."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:") && length(key) <= 128])
    error_message = "A tag's name has at most 128 characters and does not start with aws:."
  }
}

# Network and domain
variable "network" {
  description = "Address range (a /16) and the letters of the availability zones. The NAT gateway stands in the first zone."
  type = object({
    cidr  = optional(string, "10.0.0.0/16")
    zones = optional(list(string), ["a", "c"])
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(cidrsubnet(var.network.cidr, 8, 255)) && endswith(var.network.cidr, "/16")
    error_message = "The address range is a /16 such as 10.0.0.0/16."
  }

  validation {
    condition     = length(var.network.zones) >= 2 && length(var.network.zones) <= 4 && length(distinct(var.network.zones)) == length(var.network.zones) && alltrue([for zone in var.network.zones : can(regex("^[a-f]$", zone))])
    error_message = "Name two to four different zones by their letters, for instance a and c."
  }
}

variable "domain" {
  description = "Domain name the service answers under. With the id of the hosted zone that holds it, if there is one; otherwise a zone is created, and the certificate waits until the registrar points to its name servers."
  type = object({
    name    = string
    zone_id = optional(string)
  })

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain.name))
    error_message = "Write the domain name in lower case, such as triflow-ai.com."
  }
}

# Service
variable "image" {
  description = "Image that the service starts with: repository with a tag or a digest. Without one, the tag latest of this environment's own repository. Later images come by deployments."
  type        = string
  default     = null

  validation {
    condition     = var.image == null || can(regex("^[^\\s:@]+(:[0-9]+/[^\\s:@]+)?(:[A-Za-z0-9_][A-Za-z0-9_.-]*|@sha256:[0-9a-f]{64})$", var.image))
    error_message = "Name the image with a tag or a digest, for instance registry/backend:1.4.2."
  }
}

variable "task" {
  description = "Size of a task (1024 CPU units are one vCPU, memory in MiB), port and health check path of the application, and whether an operator may open a shell in it (ECS Exec)."
  type = object({
    cpu               = optional(number, 1024)
    memory            = optional(number, 2048)
    port              = optional(number, 8000)
    health_check_path = optional(string, "/health")
    execute_command   = optional(bool, true)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.task.cpu) && var.task.memory >= var.task.cpu * 2 && var.task.memory <= var.task.cpu * 8
    error_message = "Fargate gives 256, 512, 1024, 2048 or 4096 CPU units, each with two to eight times as many MiB of memory."
  }

  validation {
    condition     = var.task.port >= 1024 && var.task.port <= 65535
    error_message = "The port is between 1024 and 65535."
  }
}

variable "environment_variables" {
  description = "Further environment variables of the application. Not for secrets: whoever may read a task definition reads these."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.environment_variables) : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", key))])
    error_message = "A variable's name has letters, digits and underscores and does not start with a digit."
  }

  validation {
    condition     = length(setintersection(keys(var.environment_variables), ["DATABASE_URL", "REDIS_URL"])) == 0
    error_message = "DATABASE_URL and REDIS_URL are made here and injected as secrets."
  }
}

variable "scaling" {
  description = "How many tasks run, and when one is added or taken away: CPU in per cent, for how many minutes in a row, and the rest in seconds after each step."
  type = object({
    min_tasks         = optional(number, 2)
    max_tasks         = optional(number, 5)
    scale_out_cpu     = optional(number, 70)
    scale_out_minutes = optional(number, 3)
    scale_in_cpu      = optional(number, 30)
    scale_in_minutes  = optional(number, 10)
    cooldown_seconds  = optional(number, 300)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.scaling.min_tasks >= 1 && var.scaling.min_tasks <= var.scaling.max_tasks && var.scaling.max_tasks <= 100
    error_message = "At least one task, at most a hundred, and the smallest number not above the largest."
  }

  validation {
    condition     = var.scaling.scale_in_cpu >= 1 && var.scaling.scale_out_cpu <= 100 && var.scaling.scale_in_cpu < var.scaling.scale_out_cpu
    error_message = "Scaling in starts at a lower CPU than scaling out, both between 1 and 100 per cent."
  }
}

variable "drain_seconds" {
  description = "How long a task that is being replaced may finish its requests before it is stopped."
  type        = number
  default     = 30

  validation {
    condition     = var.drain_seconds >= 2 && var.drain_seconds <= 120 && floor(var.drain_seconds) == var.drain_seconds
    error_message = "Draining takes 2 to 120 whole seconds; Fargate waits no longer."
  }
}

variable "deployment" {
  description = "How images are deployed: what of the task definition deployments own besides the image (cpu, memory, environment.NAME or environment.*), a command that runs before each new image (database migration), how many minutes the alarms are watched afterwards, further checks (a URL, or a command in a task of its own), and a request header that reaches new tasks first."
  type = object({
    owns              = optional(list(string), ["image"])
    migration_command = optional(list(string))
    bake_minutes      = optional(number, 5)
    checks = optional(list(object({
      name    = string
      url     = optional(string)
      status  = optional(number, 200)
      command = optional(list(string))
    })), [])
    preview_header = optional(object({
      name  = string
      value = string
    }))
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(var.deployment.owns, "image") && alltrue([for field in var.deployment.owns : can(regex("^(image|cpu|memory|environment\\.([A-Za-z_][A-Za-z0-9_]*\\*?|\\*))$", field))])
    error_message = "Deployments own image, and may own cpu, memory, environment.NAME, environment.FEATURE_* or environment.*."
  }

  validation {
    condition     = var.deployment.migration_command == null || length(coalesce(var.deployment.migration_command, [])) > 0
    error_message = "A command has at least one word, for instance alembic, upgrade and head."
  }

  validation {
    condition     = var.deployment.bake_minutes >= 0 && var.deployment.bake_minutes <= 1440
    error_message = "Alarms are watched for 0 to 1440 minutes."
  }

  validation {
    condition     = alltrue([for check in var.deployment.checks : (check.url == null) != (check.command == null) && (check.url == null || can(regex("^https?://[^\\s]+$", check.url)))])
    error_message = "A check has either a URL (https://...) or a command."
  }
}
