output "arn" {
  description = "ARN of the cluster."
  value       = aws_ecs_cluster.this.arn
}

output "name" {
  description = "Name of the cluster."
  value       = aws_ecs_cluster.this.name
}

output "load_balancer_role_arn" {
  description = "Role with which ECS moves traffic between target groups, known once it may."
  value       = aws_iam_role.load_balancers.arn

  depends_on = [aws_iam_role_policy_attachment.load_balancers]
}
