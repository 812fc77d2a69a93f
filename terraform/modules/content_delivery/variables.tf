variable "name" {
  description = "Name of the site, for instance sesami-development."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,62}[a-z0-9]$", var.name))
    error_message = "Use at most 64 lower-case letters, digits and hyphens."
  }
}

variable "bucket_domain_name" {
  description = "Regional domain name of the bucket with the files."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9-]+\\.s3\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?$", var.bucket_domain_name))
    error_message = "Write <bucket>.s3.<region>.amazonaws.com."
  }
}

variable "index_document" {
  description = "File that answers for the site's root."
  type        = string
  default     = "index.html"

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9._-]*$", var.index_document))
    error_message = "Name a file such as index.html, without a path."
  }
}

variable "single_page" {
  description = "Whether the index document also answers for every path that is no file (an application in the browser)."
  type        = bool
  default     = true
}

variable "custom_domain" {
  description = "Name the site answers under, and its certificate, which CloudFront takes from us-east-1 only. Without one, CloudFront's own name."
  type = object({
    name            = string
    certificate_arn = string
  })
  default = null

  validation {
    condition     = var.custom_domain == null || can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.custom_domain.name))
    error_message = "Write a domain name in lower case, such as app.sesami.dev."
  }
}

variable "price_class" {
  description = "Where CloudFront answers from: PriceClass_100 is cheapest, PriceClass_200 adds Asia, PriceClass_All is everywhere."
  type        = string
  default     = "PriceClass_200"

  validation {
    condition     = contains(["PriceClass_100", "PriceClass_200", "PriceClass_All"], var.price_class)
    error_message = "One of PriceClass_100, PriceClass_200 and PriceClass_All."
  }
}
