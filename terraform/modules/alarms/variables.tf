variable "name" {
  description = "Prefix of every name, for instance onno-production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]+[a-z0-9]$", var.name))
    error_message = "Use lower-case letters, digits and hyphens."
  }
}

variable "topic_arn" {
  description = "Topic that hears when an alarm starts and when it ends."
  type        = string

  validation {
    condition     = length(var.topic_arn) > 0
    error_message = "An alarm nobody hears is of no use; give a topic."
  }
}

variable "alarms" {
  description = "The alarms by short name: the metrics each watches, by id, and with more than one, the expression that makes them one number; when it fires; and what silence means."
  type = map(object({
    description = string
    series = map(object({
      namespace  = string
      metric     = string
      dimensions = map(string)
    }))
    expression = optional(string)
    statistic  = string
    threshold  = number
    comparison = optional(string, "GreaterThanThreshold")
    period     = optional(number, 60)
    periods    = optional(number, 5)
    missing    = optional(string, "missing")
  }))

  validation {
    condition     = alltrue([for alarm in var.alarms : alarm.expression != null || length(alarm.series) == 1])
    error_message = "With several metrics, an expression says how they become one number."
  }

  validation {
    condition     = alltrue([for alarm in var.alarms : contains(["missing", "breaching", "notBreaching", "ignore"], alarm.missing)])
    error_message = "Silence is missing, breaching, notBreaching or ignored."
  }
}
