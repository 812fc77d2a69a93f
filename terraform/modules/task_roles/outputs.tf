output "execution_role_arn" {
  description = "Role of ECS itself, known once it may pull and read."
  value       = aws_iam_role.this["execution"].arn

  # A task started too early fails with a permission it will have a second later.
  depends_on = [aws_iam_role_policy_attachment.execution, aws_iam_role_policy.execution]
}

output "task_role_arn" {
  description = "Role of the application, known once its policies stand."
  value       = aws_iam_role.this["task"].arn

  depends_on = [aws_iam_role_policy.task]
}
