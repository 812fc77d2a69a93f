variable "label" {
  description = "What the steps are called."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+$", var.label))
    error_message = "Use small letters only."
  }
}

variable "steps" {
  description = "How many there are."
  type        = number
  default     = 2
}

variable "seconds" {
  description = "How long each takes."
  type        = number
  default     = 0
}

variable "counter" {
  description = "The file that each step adds a line to."
  type        = string
}

variable "password" {
  description = "Something secret."
  type        = string
  sensitive   = true
}
