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
  name        = "triflow/prod/database"
  description = "How the application reaches its database"
  values      = { username = "triflow_admin", password = "correct-horse-battery" }
}

run "one_object_recoverable" {
  command = plan

  assert {
    condition     = aws_secretsmanager_secret.this.recovery_window_in_days == 30
    error_message = "A deleted secret can be brought back for 30 days."
  }

  assert {
    condition     = jsondecode(nonsensitive(aws_secretsmanager_secret_version.this.secret_string)) == { username = "triflow_admin", password = "correct-horse-battery" }
    error_message = "The fields are stored as one JSON object."
  }
}

run "bad_values_are_refused" {
  command = plan
  variables {
    name          = "no spaces please"
    recovery_days = 3
  }
  expect_failures = [var.name, var.recovery_days]
}
