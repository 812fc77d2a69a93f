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
  name      = "onno-production"
  topic_arn = "arn:aws:sns:ap-northeast-2:123456789012:onno-production-alarms"
  alarms = {
    slow = {
      description = "One request in twenty is slow."
      series      = { value = { namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = { LoadBalancer = "app/a/1" } } }
      statistic   = "p95"
      threshold   = 2
    }
    few = {
      description = "Too few tasks."
      series = {
        group1 = { namespace = "AWS/ApplicationELB", metric = "HealthyHostCount", dimensions = { TargetGroup = "targetgroup/a/1" } }
        group2 = { namespace = "AWS/ApplicationELB", metric = "HealthyHostCount", dimensions = { TargetGroup = "targetgroup/b/2" } }
      }
      expression = "FILL(group1, 0) + FILL(group2, 0)"
      statistic  = "Minimum"
      comparison = "LessThanThreshold"
      threshold  = 2
      missing    = "breaching"
    }
  }
}

run "somebody_hears_them" {
  command = plan

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_actions == toset([var.topic_arn]) && alarm.ok_actions == toset([var.topic_arn])])
    error_message = "Every alarm tells the topic when it starts and when it ends."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["slow"].extended_statistic == "p95" && aws_cloudwatch_metric_alarm.this["slow"].statistic == null
    error_message = "A percentile is an extended statistic."
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this["few"].metric_query) == 3 && aws_cloudwatch_metric_alarm.this["few"].metric_name == null
    error_message = "Two metrics and what becomes of them."
  }
}

run "bad_values_are_refused" {
  command = plan
  variables {
    name      = "Alarms"
    topic_arn = ""
    alarms = {
      two = {
        description = "Two metrics and nothing that joins them."
        series = {
          a = { namespace = "AWS/ECS", metric = "CPUUtilization", dimensions = {} }
          b = { namespace = "AWS/ECS", metric = "MemoryUtilization", dimensions = {} }
        }
        statistic = "Average"
        threshold = 1
        missing   = "quiet"
      }
    }
  }
  expect_failures = [var.name, var.topic_arn, var.alarms]
}
