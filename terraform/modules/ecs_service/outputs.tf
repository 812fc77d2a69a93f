output "cluster_name" {
  description = "Name of the cluster."
  value       = aws_ecs_cluster.this.name
}

output "service_name" {
  description = "Name of the service."
  value       = aws_ecs_service.this.name
}

output "task_definition_arn" {
  description = "Revision of the task definition that this configuration describes."
  value       = aws_ecs_task_definition.this.arn
}

output "log_group_name" {
  description = "Where the containers' output is."
  value       = aws_cloudwatch_log_group.this.name
}
