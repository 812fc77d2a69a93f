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
  name               = "triflow-ai-production"
  subnet_ids         = ["subnet-1", "subnet-2"]
  security_group_ids = ["sg-1"]
  certificate_arn    = "arn:aws:acm:ap-northeast-2:123456789012:certificate/1"
  access_log_bucket  = "triflow-ai-prod-123456789012"
}

run "https_only_with_a_modern_policy" {
  command = plan

  assert {
    condition     = aws_lb_listener.https.port == 443 && aws_lb_listener.https.protocol == "HTTPS" && startswith(aws_lb_listener.https.ssl_policy, "ELBSecurityPolicy-TLS13-")
    error_message = "One listener: HTTPS with TLS 1.2 or newer."
  }

  assert {
    condition     = aws_lb.this.idle_timeout == 60 && aws_lb.this.drop_invalid_header_fields && aws_lb.this.enable_deletion_protection
    error_message = "60 s timeout, invalid headers dropped, protected."
  }

  assert {
    condition     = aws_lb.this.access_logs[0].enabled && aws_lb.this.access_logs[0].bucket == "triflow-ai-prod-123456789012"
    error_message = "Access logs are kept."
  }

  assert {
    condition     = aws_lb_listener.https.default_action[0].type == "fixed-response" && aws_lb_listener.https.default_action[0].fixed_response[0].status_code == "404"
    error_message = "What no service asks for is not found."
  }
}

run "with_a_target_for_the_rest" {
  command = plan
  variables {
    default_target = { arn = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/t/1" }
  }
  assert {
    condition     = aws_lb_listener.https.default_action[0].type == "forward" && endswith(aws_lb_listener.https.default_action[0].target_group_arn, "targetgroup/t/1")
    error_message = "The rest goes to the given target group."
  }
}

run "bad_values_are_refused" {
  command = plan
  variables {
    name           = "a-name-that-is-much-too-long-for-aws"
    subnet_ids     = ["subnet-1"]
    default_target = { arn = "" }
  }
  expect_failures = [var.name, var.subnet_ids, var.default_target]
}
