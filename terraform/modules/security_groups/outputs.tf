output "ids" {
  description = "Group ids by role: alb, ecs, rds, redis."
  value       = { for role, group in aws_security_group.this : role => group.id }
}
