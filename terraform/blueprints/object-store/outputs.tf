output "bucket_name" {
  description = "Name of the bucket."
  value       = module.bucket.name
}

output "bucket_arn" {
  description = "ARN of the bucket."
  value       = module.bucket.arn
}

output "api_key_parameter" {
  description = "Name of the parameter that holds the key."
  value       = aws_ssm_parameter.api_key.name
}

output "client_settings" {
  description = "All that a client needs, the key included."
  sensitive   = true
  value = {
    region  = var.region
    bucket  = module.bucket.name
    api_key = aws_ssm_parameter.api_key.value
  }
}
