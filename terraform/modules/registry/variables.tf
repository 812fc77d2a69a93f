variable "name" {
  description = "Name of the image repository."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9._/-]{1,255}$", var.name))
    error_message = "A repository's name has 2 to 256 lower-case letters, digits, dots, hyphens, underscores and slashes."
  }
}

variable "keep_images" {
  description = "How many tagged images are kept; older ones are deleted, even if an old task definition names them."
  type        = number
  default     = 30

  validation {
    condition     = var.keep_images >= 5 && var.keep_images <= 1000
    error_message = "Keep 5 to 1000 images; with fewer, there would soon be nothing to roll back to."
  }
}

variable "force_delete" {
  description = "Whether destroying the repository also deletes its images."
  type        = bool
  default     = false
}
