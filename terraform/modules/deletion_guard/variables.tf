variable "protected" {
  description = "Whether a destroy is refused."
  type        = bool
}
