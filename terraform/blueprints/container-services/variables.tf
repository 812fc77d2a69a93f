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
  description = "Domain whose names the services answer under. With the id of the hosted zone that holds it, if there is one; otherwise a zone is created, and the certificate waits until the registrar points to its name servers."
  type = object({
    name    = string
    zone_id = optional(string)
  })

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.domain.name))
    error_message = "Write the domain name in lower case, such as onno.app."
  }
}

# Services
variable "services" {
  description = "The services by short name: their order in a deployment (also of the load balancer's rules), image to start with, size (1024 CPU units are one vCPU, memory in MiB), port, the host names and paths they answer, health checks (path from the load balancer; command inside the container), settings, names of secrets, bounds of scaling, and how images are deployed."
  type = map(object({
    order             = number
    image             = optional(string)
    cpu               = optional(number, 512)
    memory            = optional(number, 1024)
    port              = number
    hosts             = optional(list(string), [])
    paths             = optional(list(string), ["/*"])
    health_check_path = optional(string, "/health")
    health_check = optional(object({
      command      = list(string)
      interval     = optional(number, 30)
      timeout      = optional(number, 5)
      retries      = optional(number, 3)
      start_period = optional(number, 60)
    }))
    environment     = optional(map(string), {})
    secrets         = optional(list(string), ["DATABASE_URL", "REDIS_URL"])
    execute_command = optional(bool, true)
    drain_seconds   = optional(number, 30)
    scaling = optional(object({
      min_tasks                  = optional(number, 2)
      max_tasks                  = optional(number, 10)
      cpu                        = optional(number, 70)
      scale_in_cooldown_seconds  = optional(number, 300)
      scale_out_cooldown_seconds = optional(number, 60)
    }), {})
    deployment = optional(object({
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
    }), {})
  }))

  validation {
    condition     = length(var.services) >= 1 && length(var.services) <= 20 && alltrue([for name in keys(var.services) : can(regex("^[a-z][a-z0-9-]*$", name)) && length("${var.project}-${var.environment}-${name}") <= 25])
    error_message = "One to twenty services. A name has lower-case letters, digits and hyphens, and with project and environment at most 25 characters."
  }

  validation {
    condition     = alltrue([for service in values(var.services) : service.order >= 1 && service.order <= 99 && floor(service.order) == service.order]) && length(distinct([for service in values(var.services) : service.order])) == length(var.services)
    error_message = "Each service has an order of its own, from 1 to 99."
  }

  validation {
    condition     = alltrue([for service in values(var.services) : contains([256, 512, 1024, 2048, 4096], service.cpu) && service.memory >= service.cpu * 2 && service.memory <= service.cpu * 8])
    error_message = "Fargate gives 256, 512, 1024, 2048 or 4096 CPU units, each with two to eight times as many MiB of memory."
  }

  validation {
    condition     = alltrue([for service in values(var.services) : service.port >= 1024 && service.port <= 65535])
    error_message = "A port is between 1024 and 65535."
  }

  validation {
    condition     = alltrue([for service in values(var.services) : alltrue([for host in service.hosts : host == var.domain.name || endswith(host, ".${var.domain.name}")])])
    error_message = "A host is the domain or a name below it."
  }

  validation {
    condition     = alltrue([for service in values(var.services) : length(setintersection(keys(service.environment), service.secrets)) == 0 && alltrue([for key in keys(service.environment) : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", key))])])
    error_message = "A setting's name has letters, digits and underscores and does not start with a digit, and is no secret's name."
  }

  validation {
    condition     = alltrue([for service in values(var.services) : service.scaling.min_tasks >= 1 && service.scaling.min_tasks <= service.scaling.max_tasks && service.scaling.max_tasks <= 100])
    error_message = "At least one task, at most a hundred, and the smallest number not above the largest."
  }

  validation {
    condition     = alltrue([for service in values(var.services) : service.drain_seconds >= 2 && service.drain_seconds <= 120])
    error_message = "Draining takes 2 to 120 seconds; Fargate waits no longer."
  }

  validation {
    condition     = alltrue([for service in values(var.services) : contains(service.deployment.owns, "image") && alltrue([for field in service.deployment.owns : can(regex("^(image|cpu|memory|environment\\.([A-Za-z_][A-Za-z0-9_]*\\*?|\\*))$", field))])])
    error_message = "Deployments own image, and may own cpu, memory, environment.NAME, environment.FEATURE_* or environment.*."
  }

  validation {
    condition     = alltrue([for service in values(var.services) : service.deployment.bake_minutes >= 0 && service.deployment.bake_minutes <= 1440 && alltrue([for check in service.deployment.checks : (check.url == null) != (check.command == null)])])
    error_message = "Alarms are watched for 0 to 1440 minutes, and a check has either a URL or a command."
  }
}

variable "application_secrets" {
  description = "Further secrets of the services, as a JSON object of names and values; {} for none. A service gets those that its list of secrets names."
  type        = string
  sensitive   = true

  validation {
    condition     = can(keys(jsondecode(var.application_secrets))) && alltrue([for name in try(keys(jsondecode(var.application_secrets)), []) : can(regex("^[A-Za-z_][A-Za-z0-9_]*$", name))])
    error_message = "Write a JSON object of names and values, such as {\"JWT_SECRET\": \"...\"}."
  }

  validation {
    condition     = alltrue([for service in values(var.services) : alltrue([for name in service.secrets : contains(concat(["DATABASE_URL", "REDIS_URL"], try(keys(jsondecode(var.application_secrets)), [])), name)])])
    error_message = "A service asks for a secret that is neither DATABASE_URL, REDIS_URL nor one of these."
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

variable "retention_days" {
  description = "Days until access logs, and replaced or deleted versions of files, are removed."
  type = object({
    delete_access_logs  = optional(number, 15)
    delete_old_versions = optional(number, 90)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for days in values(var.retention_days) : days >= 1 && floor(days) == days])
    error_message = "Times are whole days, 1 or more."
  }
}

variable "secrets_path" {
  description = "Path of the secrets in Secrets Manager; the application may read everything below it. Without one, <project>/<environment>."
  type        = string
  default     = null

  validation {
    condition     = var.secrets_path == null || can(regex("^[A-Za-z0-9][A-Za-z0-9/_-]+[A-Za-z0-9]$", var.secrets_path))
    error_message = "Write a path such as onno/prod, without a slash at either end."
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
