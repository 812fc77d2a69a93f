variable "label" {
  type = string
}

variable "kept_days" {
  type    = number
  default = 7

  validation {
    condition     = var.kept_days <= 35
    error_message = "At most 35 days."
  }
}

variable "settings" {
  type = object({
    size = optional(number, 20)
    name = optional(string, "main")
  })
  default = {}
}

variable "password" {
  type      = string
  default   = ""
  sensitive = true
}
