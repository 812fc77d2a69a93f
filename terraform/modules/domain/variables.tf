variable "name" {
  description = "Domain name the service answers under, for instance triflow-ai.com."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.name))
    error_message = "Write a domain name in lower case, such as triflow-ai.com."
  }
}

variable "further_names" {
  description = "Further names in the same zone that answer here, on the same certificate."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.further_names : can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", name))]) && length(distinct(var.further_names)) == length(var.further_names)
    error_message = "Write each domain name once, in lower case, such as api.onno.app."
  }
}

variable "zone_id" {
  description = "Hosted zone that already holds the domain. Without one, a zone is created here and must be delegated to."
  type        = string
  default     = null

  validation {
    condition     = var.zone_id == null || can(regex("^Z[A-Z0-9]{5,31}$", var.zone_id))
    error_message = "A hosted zone's id starts with Z and has capital letters and digits."
  }
}

variable "target" {
  description = "Load balancer the name points to: its DNS name and the id of its zone."
  type = object({
    dns_name = string
    zone_id  = string
  })

  validation {
    condition     = length(var.target.dns_name) > 0 && length(var.target.zone_id) > 0
    error_message = "Both the DNS name and the zone id of the load balancer are needed."
  }
}
