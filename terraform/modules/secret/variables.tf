variable "name" {
  description = "Name of the secret, with its path, for instance triflow/prod/database."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9/_+=.@-]{1,200}$", var.name))
    error_message = "A secret's name has letters, digits and the characters / _ + = . @ -."
  }
}

variable "description" {
  description = "What the secret is for and who reads it."
  type        = string

  validation {
    condition     = length(var.description) > 0
    error_message = "Say what the secret is for."
  }
}

variable "values" {
  description = "The secret's fields, stored together as one JSON object."
  type        = map(string)
  sensitive   = true

  validation {
    condition     = length(var.values) > 0
    error_message = "A secret holds at least one field."
  }
}

variable "recovery_days" {
  description = "How long a deleted secret can be brought back. Its name stays taken that long; 0 deletes at once."
  type        = number
  default     = 30

  validation {
    condition     = var.recovery_days == 0 || (var.recovery_days >= 7 && var.recovery_days <= 30)
    error_message = "Give 0, or 7 to 30 days."
  }
}
