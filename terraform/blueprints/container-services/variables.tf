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
