variable "name" {
  description = "Name of the bucket. Bucket names are shared by all AWS accounts of the world, so let it end in the account id."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "A bucket name has 3 to 63 lower-case letters, digits and hyphens, and starts and ends with a letter or a digit."
  }
}

variable "force_destroy" {
  description = "Whether destroying the bucket also deletes every object and version in it. Never where the contents matter."
  type        = bool
  default     = false
}

variable "versioning" {
  description = "Whether earlier versions of overwritten and deleted objects are kept."
  type        = bool
  default     = true
}

variable "lifecycle_rules" {
  description = <<-EOT
    What happens to objects as they age, by rule name. A rule without a prefix covers the whole bucket, and may
    therefore only tidy up: noncurrent versions, uploads that were never finished, orphaned delete markers.
    All times are in days.
  EOT
  type = map(object({
    prefix                      = optional(string, "")
    glacier_after               = optional(number)
    expire_after                = optional(number)
    expire_noncurrent_after     = optional(number)
    abort_multipart_after       = optional(number)
    remove_orphan_deletemarkers = optional(bool, false)
  }))
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for rule in var.lifecycle_rules :
      rule.prefix != "" || (rule.expire_after == null && rule.glacier_after == null)
    ])
    error_message = "A rule that moves or deletes current objects needs a prefix: without one it would cover the whole bucket."
  }

  validation {
    condition     = alltrue([for rule in var.lifecycle_rules : !can(regex("[*?]", rule.prefix))])
    error_message = "A prefix is compared letter by letter; S3 knows no wildcards here. Write tenants/<id>/exports/, not exports/*."
  }

  validation {
    condition     = alltrue([for rule in var.lifecycle_rules : rule.prefix == "" || endswith(rule.prefix, "/")])
    error_message = "A prefix ends in a slash, or it would also match its longer neighbours (backups also matches backups-old)."
  }

  validation {
    condition = alltrue([
      for rule in var.lifecycle_rules :
      rule.glacier_after == null || rule.expire_after == null || try(rule.expire_after - rule.glacier_after >= 90, false)
    ])
    error_message = "Objects moved to Glacier are billed for at least 90 days there: expire them 90 days after the move or later."
  }

  validation {
    condition = alltrue([
      for rule in var.lifecycle_rules : !(rule.expire_after != null && rule.remove_orphan_deletemarkers)
    ])
    error_message = "One rule cannot both expire objects by age and remove orphaned delete markers; use two rules."
  }

  validation {
    condition = alltrue(flatten([
      for rule in var.lifecycle_rules : [
        for days in [rule.glacier_after, rule.expire_after, rule.expire_noncurrent_after, rule.abort_multipart_after] :
        try(days >= 1 && floor(days) == days, days == null)
      ]
    ]))
    error_message = "Lifecycle times are whole days, 1 or more."
  }
}

variable "policy_documents" {
  description = "Further bucket policy documents (JSON) to merge with the one that refuses unencrypted connections."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for document in var.policy_documents : can(jsondecode(document).Statement)])
    error_message = "Each policy document is JSON with a Statement."
  }
}
