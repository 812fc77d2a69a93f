variable "name" {
  description = "Prefix of every name, for instance triflow-ai-production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,38}[a-z0-9]$", var.name))
    error_message = "Use at most 40 lower-case letters, digits and hyphens: a role's name has room for 64 with what follows."
  }
}

variable "container_insights" {
  description = "Whether CloudWatch collects Container Insights of the cluster, billed per metric."
  type        = bool
  default     = false
}
