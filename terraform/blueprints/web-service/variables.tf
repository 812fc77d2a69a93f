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

# Data
variable "database" {
  description = "PostgreSQL: version, size, a standby in the second zone, database and master user, days of backups, and the daily backup and weekly maintenance windows in UTC. Changes that need a restart wait for the maintenance window unless apply_immediately is set."
  type = object({
    engine_version        = optional(string, "14")
    instance_class        = optional(string, "db.t4g.medium")
    storage_gb            = optional(number, 100)
    multi_az              = optional(bool, true)
    name                  = optional(string, "app")
    username              = optional(string, "app_admin")
    backup_retention_days = optional(number, 7)
    backup_window         = optional(string, "18:00-18:59")
    maintenance_window    = optional(string, "mon:19:00-mon:20:00")
    slow_query_ms         = optional(number, 1000)
    apply_immediately     = optional(bool, false)
  })
  default  = {}
  nullable = false

  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.database.instance_class))
    error_message = "An instance class is written like db.t4g.medium."
  }

  validation {
    condition     = var.database.storage_gb >= 20 && var.database.storage_gb <= 16384
    error_message = "gp3 storage is 20 to 16384 GB."
  }

  validation {
    condition     = var.database.backup_retention_days >= 1 && var.database.backup_retention_days <= 35
    error_message = "Backups are kept 1 to 35 days; without any there is no point-in-time recovery."
  }

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,62}$", var.database.name)) && can(regex("^[a-z][a-z0-9_]{0,62}$", var.database.username)) && var.database.username != "postgres"
    error_message = "Database and user have lower-case letters, digits and underscores, starting with a letter; the user is not postgres."
  }

  validation {
    condition     = can(regex("^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$", var.database.backup_window))
    error_message = "The backup window is written hh:mm-hh:mm in UTC, for instance 18:00-18:59 (03:00 to 03:59 in Seoul)."
  }

  validation {
    condition     = can(regex("^((mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9])-((mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9])$", var.database.maintenance_window))
    error_message = "The maintenance window is written day:hh:mm-day:hh:mm in UTC with colons, for instance mon:19:00-mon:20:00."
  }
}

variable "db_password" {
  description = "Password of the database's master user."
  type        = string
  sensitive   = true

  validation {
    condition     = can(regex("^[!-~]{8,128}$", var.db_password)) && !can(regex("[/@\"]", var.db_password))
    error_message = "The password has 8 to 128 printable characters, without spaces, slashes, at signs and double quotes."
  }
}

variable "cache" {
  description = "Redis: version, size, and the number of nodes: 1, or a primary with replicas that take over. Changes take effect at once. Windows are in UTC."
  type = object({
    engine_version          = optional(string, "7.1")
    node_type               = optional(string, "cache.t4g.small")
    nodes                   = optional(number, 2)
    snapshot_retention_days = optional(number, 1)
    snapshot_window         = optional(string, "17:00-18:00")
    maintenance_window      = optional(string, "mon:20:00-mon:21:00")
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.cache.nodes >= 1 && var.cache.nodes <= 6
    error_message = "A replication group has 1 to 6 nodes."
  }

  validation {
    condition     = can(regex("^cache\\.[a-z0-9]+\\.[a-z0-9]+$", var.cache.node_type))
    error_message = "A node type is written like cache.t4g.small."
  }
}

variable "redis_auth_token" {
  description = "Password that clients of Redis present."
  type        = string
  sensitive   = true

  validation {
    condition     = can(regex("^[A-Za-z0-9!&#$^<>-]{16,128}$", var.redis_auth_token))
    error_message = "The token has 16 to 128 letters, digits and the characters ! & # $ ^ < > -."
  }
}

variable "customer_ids" {
  description = "Customers (UUIDs) whose folders in the bucket are moved to Glacier as they age. S3 needs each folder by name."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.customer_ids : can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", id))])
    error_message = "A customer is named by a UUID in lower case."
  }

  validation {
    condition     = length(distinct(var.customer_ids)) == length(var.customer_ids) && length(var.customer_ids) <= 300
    error_message = "Each customer once, and at most 300: a bucket has at most 1000 lifecycle rules."
  }
}

variable "retention_days" {
  description = "Days until a customer's results, uploads and exports move to Glacier, until database dumps, access logs and replaced or deleted versions are removed."
  type = object({
    workflows_to_glacier = optional(number, 90)
    uploads_to_glacier   = optional(number, 180)
    exports_to_glacier   = optional(number, 90)
    delete_dumps         = optional(number, 30)
    delete_access_logs   = optional(number, 15)
    delete_old_versions  = optional(number, 90)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for days in values(var.retention_days) : days >= 1 && floor(days) == days])
    error_message = "Times are whole days, 1 or more."
  }

  validation {
    condition     = var.retention_days.delete_old_versions >= 90
    error_message = "An old version may have moved to Glacier, which bills at least 90 days: keep old versions 90 days or longer."
  }
}

variable "secrets_path" {
  description = "Path of the secrets in Secrets Manager; the application may read everything below it. Without one, <project>/<environment>."
  type        = string
  default     = null

  validation {
    condition     = var.secrets_path == null || can(regex("^[A-Za-z0-9][A-Za-z0-9/_-]+[A-Za-z0-9]$", var.secrets_path))
    error_message = "Write a path such as triflow/prod, without a slash at either end."
  }
}

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
