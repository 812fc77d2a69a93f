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
  name         = "triflow-ai-production"
  vpc_id       = "vpc-1"
  service_port = 8000
}

run "exactly_the_documented_ways" {
  assert {
    condition = {
      for name, rule in aws_vpc_security_group_ingress_rule.this : name => "${rule.from_port}-${rule.to_port}"
    } == { alb-https-from-anywhere = "443-443", ecs-from-alb = "8000-8000", rds-from-ecs = "5432-5432", redis-from-ecs = "6379-6379" }
    error_message = "Four ways in: HTTPS, the application, the database, Redis."
  }

  assert {
    condition = {
      for name, rule in aws_vpc_security_group_egress_rule.this : name => "${rule.from_port}-${rule.to_port}"
    } == { alb-to-ecs = "8000-8000", ecs-to-rds = "5432-5432", ecs-to-redis = "6379-6379", ecs-https-to-anywhere = "443-443" }
    error_message = "Four ways out; database and Redis have none."
  }

  assert {
    condition     = [for name, rule in aws_vpc_security_group_ingress_rule.this : name if rule.cidr_ipv4 != null] == ["alb-https-from-anywhere"]
    error_message = "Only the load balancer is open to the world."
  }

  assert {
    condition = alltrue([
      for name, peers in { rds-from-ecs = ["rds", "ecs"], redis-from-ecs = ["redis", "ecs"], ecs-from-alb = ["ecs", "alb"] } :
      aws_vpc_security_group_ingress_rule.this[name].security_group_id == aws_security_group.this[peers[0]].id
      && aws_vpc_security_group_ingress_rule.this[name].referenced_security_group_id == aws_security_group.this[peers[1]].id
    ])
    error_message = "Each group lets in the one before it and nobody else."
  }
}

run "another_port_moves_both_ends" {
  command = plan
  variables {
    service_port = 9000
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.this["ecs-from-alb"].from_port == 9000 && aws_vpc_security_group_egress_rule.this["alb-to-ecs"].from_port == 9000
    error_message = "Way out of the load balancer and way into the tasks belong together."
  }
}

run "privileged_port_is_refused" {
  command = plan
  variables {
    service_port = 80
  }
  expect_failures = [var.service_port]
}
