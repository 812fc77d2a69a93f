variable "files" {
  description = "A folder of secrets that nobody marks."
  type        = string
}

variable "out" {
  description = "A folder for what the test wants to know."
  type        = string
}

variable "round" {
  description = "Another number tells everything again."
  type        = number
  default     = 1
}

variable "fail" {
  description = "The phase that fails: plan, apply or none."
  type        = string
  default     = "none"
}

variable "seconds" {
  description = "How long each pause takes."
  type        = number
  default     = 0
}

variable "password" {
  description = "With every sign that somebody escapes."
  type        = string
  sensitive   = true
}

variable "token" {
  description = "Plain letters and digits."
  type        = string
  sensitive   = true
}

variable "key" {
  description = "Of several lines."
  type        = string
  sensitive   = true
}

variable "logins" {
  description = "Secrets inside."
  type        = map(object({ password = string, spare = list(string) }))
  sensitive   = true
}

variable "pin" {
  description = "A number."
  type        = number
  sensitive   = true
}

variable "container" {
  description = "For a container, whose provider marks nothing."
  type        = string
  sensitive   = true
}

variable "split" {
  description = "Written in two pieces."
  type        = string
  sensitive   = true
}
