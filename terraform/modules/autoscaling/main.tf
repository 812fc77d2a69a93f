locals {
  steps = {
    out = {
      description = "CPU above ${var.scaling.scale_out_cpu} % for ${var.scaling.scale_out_minutes} min: one task more"
      adjustment  = 1
      comparison  = "GreaterThanThreshold"
      threshold   = var.scaling.scale_out_cpu
      minutes     = var.scaling.scale_out_minutes
    }
    in = {
      description = "CPU below ${var.scaling.scale_in_cpu} % for ${var.scaling.scale_in_minutes} min: one task fewer"
      adjustment  = -1
      comparison  = "LessThanThreshold"
      threshold   = var.scaling.scale_in_cpu
      minutes     = var.scaling.scale_in_minutes
    }
  }
}

resource "aws_appautoscaling_target" "this" {
  service_namespace  = "ecs"
  resource_id        = "service/${var.cluster_name}/${var.service_name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.scaling.min_tasks
  max_capacity       = var.scaling.max_tasks

  # Where scaling starts; afterwards the bounds are set by deployments ("scale"), and a run does not set them back.
  lifecycle {
    ignore_changes = [min_capacity, max_capacity]
  }
}

resource "aws_appautoscaling_policy" "this" {
  for_each = local.steps

  name               = "${var.name}-scale-${each.key}"
  policy_type        = "StepScaling"
  service_namespace  = aws_appautoscaling_target.this.service_namespace
  resource_id        = aws_appautoscaling_target.this.resource_id
  scalable_dimension = aws_appautoscaling_target.this.scalable_dimension

  step_scaling_policy_configuration {
    adjustment_type         = "ChangeInCapacity"
    cooldown                = var.scaling.cooldown_seconds
    metric_aggregation_type = "Average"

    # Bounds count from the alarm's threshold: upwards when scaling out, downwards when scaling in.
    step_adjustment {
      scaling_adjustment          = each.value.adjustment
      metric_interval_lower_bound = each.value.adjustment > 0 ? 0 : null
      metric_interval_upper_bound = each.value.adjustment > 0 ? null : 0
    }
  }
}

# These two move tasks and wake nobody; the alarms for people are a module of their own.
resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.steps

  alarm_name          = "${var.name}-scale-${each.key}"
  alarm_description   = each.value.description
  namespace           = "AWS/ECS"
  metric_name         = "CPUUtilization"
  dimensions          = { ClusterName = var.cluster_name, ServiceName = var.service_name }
  statistic           = "Average"
  period              = 60
  evaluation_periods  = each.value.minutes
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  alarm_actions       = [aws_appautoscaling_policy.this[each.key].arn]
}
