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
  name              = "triflow-ai-production"
  vpc_id            = "vpc-1"
  port              = 8000
  health_check_path = "/health"
  drain_seconds     = 30
  listener_arn      = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:listener/app/a/1/2"
}

run "two_groups_and_everything_on_the_first" {
  command = plan

  assert {
    condition     = { for place, group in aws_lb_target_group.this : place => group.name } == { first = "triflow-ai-production-8000", second = "triflow-ai-production-8000b" }
    error_message = "The first keeps the name it always had."
  }

  assert {
    condition     = alltrue([for group in aws_lb_target_group.this : group.port == 8000 && group.health_check[0].path == "/health" && tonumber(group.deregistration_delay) == 30])
    error_message = "Tasks on port 8000, checked at /health, drained for 30 s: in both."
  }

  assert {
    condition     = toset([for group in aws_lb_listener_rule.this["production"].action[0].forward[0].target_group : group.weight]) == toset([0, 100])
    error_message = "Both groups belong to the load balancer, one of them with all requests."
  }

  assert {
    condition     = aws_lb_listener_rule.this["production"].priority == 100 && keys(aws_lb_listener_rule.this) == ["production"]
    error_message = "One rule, and no preview unless somebody asks for it."
  }
}

run "preview_goes_first" {
  command = plan

  variables {
    hosts          = ["api.onno.app"]
    preview_header = { name = "X-Preview", value = "blue-whale-7" }
  }

  assert {
    condition     = aws_lb_listener_rule.this["preview"].priority < aws_lb_listener_rule.this["production"].priority
    error_message = "A request with the header would otherwise never get to the preview's rule."
  }

  assert {
    condition     = length(aws_lb_listener_rule.this["preview"].condition) == 3 && length(aws_lb_listener_rule.this["production"].condition) == 2
    error_message = "Path, host and, for the preview, the header."
  }
}

run "bad_values_are_refused" {
  command = plan
  variables {
    name              = "a-name-that-is-much-too-long-for-aws"
    port              = 80
    health_check_path = "health"
    drain_seconds     = 4000
    priority          = 1
    hosts             = ["https://api.onno.app"]
    paths             = ["api"]
    preview_header    = { name = "X Preview", value = "short" }
  }
  expect_failures = [
    var.name, var.port, var.health_check_path, var.drain_seconds, var.priority, var.hosts, var.paths, var.preview_header,
  ]
}
