output "policy_arn" {
  description = "Policy that moves the number of tasks; AWS makes its two alarms itself."
  value       = aws_appautoscaling_policy.this.arn
}
