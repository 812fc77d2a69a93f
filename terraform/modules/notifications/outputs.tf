output "topic_arn" {
  description = "Topic of the alarms, known once CloudWatch may publish to it."
  value       = aws_sns_topic.this.arn

  depends_on = [aws_sns_topic_policy.this]
}
