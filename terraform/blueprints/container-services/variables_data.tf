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
