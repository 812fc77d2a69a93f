mock_provider "aws" {
  mock_data "aws_region" {
    defaults = { name = "ap-northeast-2" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
}

variables {
  name         = "triflow-ai-production-backend"
  cluster_name = "triflow-ai-production-cluster"
  service_name = "triflow-ai-production-backend-service"
  scaling = {
    min_tasks    = 2, max_tasks = 5, scale_out_cpu = 70, scale_out_minutes = 3
    scale_in_cpu = 30, scale_in_minutes = 10, cooldown_seconds = 300
  }
}

run "steps_of_the_architecture_document" {
  command = plan

  assert {
    condition     = aws_appautoscaling_target.this.min_capacity == 2 && aws_appautoscaling_target.this.max_capacity == 5
    error_message = "Two to five tasks."
  }

  assert {
    condition = {
      for way, policy in aws_appautoscaling_policy.this :
      way => one(one(policy.step_scaling_policy_configuration).step_adjustment).scaling_adjustment
    } == { in = -1, out = 1 }
    error_message = "One task more, one task fewer."
  }

  assert {
    condition     = alltrue([for policy in aws_appautoscaling_policy.this : one(policy.step_scaling_policy_configuration).cooldown == 300])
    error_message = "Five minutes of rest after each step."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["out"].threshold == 70
      && aws_cloudwatch_metric_alarm.this["out"].comparison_operator == "GreaterThanThreshold"
      && aws_cloudwatch_metric_alarm.this["out"].evaluation_periods * aws_cloudwatch_metric_alarm.this["out"].period == 180
    )
    error_message = "Out above 70 % for 3 minutes."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["in"].threshold == 30
      && aws_cloudwatch_metric_alarm.this["in"].comparison_operator == "LessThanThreshold"
      && aws_cloudwatch_metric_alarm.this["in"].evaluation_periods * aws_cloudwatch_metric_alarm.this["in"].period == 600
    )
    error_message = "In below 30 % for 10 minutes."
  }
}

run "swinging_is_refused" {
  command = plan
  variables {
    scaling = {
      min_tasks    = 6, max_tasks = 5, scale_out_cpu = 40, scale_out_minutes = 3
      scale_in_cpu = 50, scale_in_minutes = 10, cooldown_seconds = 300
    }
  }
  expect_failures = [var.scaling]
}
