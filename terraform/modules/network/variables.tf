variable "name" {
  description = "Prefix of every name, for instance triflow-ai-production."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]+[a-z0-9]$", var.name))
    error_message = "Use lower-case letters, digits and hyphens."
  }
}

variable "cidr" {
  description = "Address range of the network, a /16."
  type        = string

  validation {
    condition     = can(cidrsubnet(var.cidr, 8, 255)) && endswith(var.cidr, "/16")
    error_message = "Write a /16 range such as 10.0.0.0/16."
  }
}

variable "availability_zones" {
  description = "Zones to spread over; each gets a public and a private subnet. The NAT gateway stands in the first one."
  type        = list(string)

  validation {
    condition     = length(var.availability_zones) >= 2 && length(var.availability_zones) <= 4 && length(distinct(var.availability_zones)) == length(var.availability_zones)
    error_message = "Name two to four different zones; a load balancer and a database subnet group need at least two."
  }
}

variable "flow_log_destination" {
  description = "ARN of the bucket that receives the flow logs, below AWSLogs/<account>/."
  type        = string

  validation {
    condition     = can(regex("^arn:[a-z-]+:s3:::[a-z0-9-]+$", var.flow_log_destination))
    error_message = "Give the ARN of an S3 bucket."
  }
}
