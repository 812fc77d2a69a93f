variable "name" {
  description = "Prefix of every name, for instance triflow-ai-production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]+[a-z0-9]$", var.name))
    error_message = "Use lower-case letters, digits and hyphens."
  }
}

variable "vpc_id" {
  description = "Network the groups belong to."
  type        = string

  validation {
    condition     = length(var.vpc_id) > 0
    error_message = "Give the id of a network."
  }
}

variable "service_port" {
  description = "Port on which the service's tasks listen."
  type        = number

  validation {
    condition     = var.service_port >= 1024 && var.service_port <= 65535
    error_message = "The port is between 1024 and 65535."
  }
}

variable "further_service_ports" {
  description = "Ports of further services behind the same load balancer."
  type        = list(number)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for port in var.further_service_ports : port >= 1024 && port <= 65535]) && length(distinct(var.further_service_ports)) == length(var.further_service_ports)
    error_message = "Each port once, between 1024 and 65535."
  }
}

variable "database_port" {
  description = "Port of the database."
  type        = number
  default     = 5432

  validation {
    condition     = var.database_port >= 1024 && var.database_port <= 65535
    error_message = "The port is between 1024 and 65535."
  }
}

variable "cache_port" {
  description = "Port of the cache."
  type        = number
  default     = 6379

  validation {
    condition     = var.cache_port >= 1024 && var.cache_port <= 65535
    error_message = "The port is between 1024 and 65535."
  }
}
