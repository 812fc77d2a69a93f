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
  name   = "triflow-ai-production"
  emails = ["tech-lead@company.com", "devops@company.com"]
}

run "services_of_this_account_may_publish" {
  command = plan

  assert {
    condition     = length(aws_sns_topic_subscription.email) == 2 && alltrue([for subscription in aws_sns_topic_subscription.email : subscription.protocol == "email"])
    error_message = "One subscription per address."
  }

  assert {
    condition = anytrue([
      for statement in data.aws_iam_policy_document.this.statement :
      anytrue([for principal in statement.principals : contains(principal.identifiers, "cloudwatch.amazonaws.com")])
      && anytrue([for condition in statement.condition : condition.variable == "aws:SourceAccount"])
    ])
    error_message = "CloudWatch may publish, for this account only."
  }

  assert {
    condition     = aws_sns_topic.this.kms_master_key_id == null
    error_message = "With AWS's own key CloudWatch could not publish."
  }
}

run "bad_addresses_are_refused" {
  command = plan
  variables {
    emails = ["#triflow-alerts"]
  }
  expect_failures = [var.emails]
}

run "the_same_address_twice_is_refused" {
  command = plan
  variables {
    emails = ["a@company.com", "a@company.com"]
  }
  expect_failures = [var.emails]
}
