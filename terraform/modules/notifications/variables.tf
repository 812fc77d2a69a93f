variable "name" {
  description = "Prefix of every name, for instance triflow-ai-production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]+[a-z0-9]$", var.name))
    error_message = "Use lower-case letters, digits and hyphens."
  }
}

variable "emails" {
  description = "Addresses that hear every alarm. Each must follow the link in AWS's mail once before anything arrives."
  type        = list(string)

  validation {
    condition     = alltrue([for address in var.emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "Write e-mail addresses, one per entry."
  }

  validation {
    condition     = length(distinct(var.emails)) == length(var.emails)
    error_message = "Each address once."
  }
}
