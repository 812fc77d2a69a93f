output "name" {
  description = "Name of the bucket."
  value       = aws_s3_bucket.this.bucket
}

output "arn" {
  description = "ARN of the bucket."
  value       = aws_s3_bucket.this.arn
}

output "policy_id" {
  description = "The bucket policy's id: depend on it where a service must be allowed to write before it is told to."
  value       = aws_s3_bucket_policy.this.id
}
