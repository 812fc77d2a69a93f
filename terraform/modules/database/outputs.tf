output "identifier" {
  description = "Name of the instance."
  value       = aws_db_instance.this.identifier
}

output "resource_id" {
  description = "The instance's unchangeable id, as IAM policies for database sign-in name it."
  value       = aws_db_instance.this.resource_id
}

output "arn" {
  description = "ARN of the instance."
  value       = aws_db_instance.this.arn
}

output "address" {
  description = "Host name, stays the same over a failover."
  value       = aws_db_instance.this.address
}

output "port" {
  description = "Port of the database."
  value       = aws_db_instance.this.port
}

output "log_group_name" {
  description = "Where the slow queries are."
  value       = aws_cloudwatch_log_group.this.name
}

output "final_snapshot_name" {
  description = "Name of the snapshot that a deletion leaves behind."
  value       = aws_db_instance.this.final_snapshot_identifier
}
