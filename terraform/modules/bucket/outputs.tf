output "name" {
  description = "Name of the bucket, known once services may write to it."
  value       = aws_s3_bucket.this.bucket

  # Load balancers and flow logs are refused by a bucket that does not allow them yet.
  depends_on = [aws_s3_bucket_policy.this]
}

output "arn" {
  description = "ARN of the bucket, known once services may write to it."
  value       = aws_s3_bucket.this.arn

  depends_on = [aws_s3_bucket_policy.this]
}
