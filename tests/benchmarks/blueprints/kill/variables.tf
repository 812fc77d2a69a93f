variable "label" {
  description = "What the steps are called."
  type        = string
  default     = "step"
}

variable "steps" {
  description = "How many there are."
  type        = number
  default     = 3
}

variable "seconds" {
  description = "How long each takes."
  type        = number
  default     = 1
}

variable "bulk" {
  description = "How many resources there are beside the steps."
  type        = number
  default     = 60
}

variable "counter" {
  description = "The file that each step adds a line to."
  type        = string
}
