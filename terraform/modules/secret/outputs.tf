output "arn" {
  description = "ARN of the secret, known once it has a value."
  value       = aws_secretsmanager_secret.this.arn

  # A task that names a secret without a value cannot start.
  depends_on = [aws_secretsmanager_secret_version.this]
}

output "name" {
  description = "Name of the secret."
  value       = aws_secretsmanager_secret.this.name
}
