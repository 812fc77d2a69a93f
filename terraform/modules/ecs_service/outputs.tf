output "service_arn" {
  description = "ARN of the service."
  value       = aws_ecs_service.this.id
}

output "service_name" {
  description = "Name of the service."
  value       = aws_ecs_service.this.name
}

output "task_definition_arn" {
  description = "Revision of the task definition that this configuration describes; another one may be running."
  value       = aws_ecs_task_definition.this.arn
}

output "log_group_name" {
  description = "Where the containers' output is."
  value       = aws_cloudwatch_log_group.this.name
}
