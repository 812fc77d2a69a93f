output "alarm_names" {
  description = "The alarms that move the number of tasks."
  value       = [for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name]
}
