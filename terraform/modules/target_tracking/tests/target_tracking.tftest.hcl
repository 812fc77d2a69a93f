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
  name         = "onno-production-api"
  cluster_name = "onno-production-cluster"
  service_name = "onno-production-api-service"
  scaling      = { min_tasks = 2, max_tasks = 10, cpu = 70, scale_in_cooldown_seconds = 300, scale_out_cooldown_seconds = 60 }
}

run "quick_out_and_slow_in" {
  command = plan

  assert {
    condition     = aws_appautoscaling_target.this.min_capacity == 2 && aws_appautoscaling_target.this.max_capacity == 10
    error_message = "Two to ten tasks."
  }

  assert {
    condition = (
      one(aws_appautoscaling_policy.this.target_tracking_scaling_policy_configuration).target_value == 70
      && one(aws_appautoscaling_policy.this.target_tracking_scaling_policy_configuration).scale_in_cooldown == 300
      && one(aws_appautoscaling_policy.this.target_tracking_scaling_policy_configuration).scale_out_cooldown == 60
    )
    error_message = "70 % CPU; out after a minute, in after five."
  }
}

run "bad_values_are_refused" {
  command = plan
  variables {
    name         = "API"
    cluster_name = ""
    service_name = ""
    scaling      = { min_tasks = 3, max_tasks = 2, cpu = 100, scale_in_cooldown_seconds = 300, scale_out_cooldown_seconds = 60 }
  }
  expect_failures = [var.name, var.cluster_name, var.service_name, var.scaling]
}
