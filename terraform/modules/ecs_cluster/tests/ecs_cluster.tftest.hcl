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
  name = "triflow-ai-production"
}

run "cluster_without_paid_metrics" {
  command = plan

  assert {
    condition     = aws_ecs_cluster.this.name == "triflow-ai-production-cluster" && one(aws_ecs_cluster.this.setting).value == "disabled"
    error_message = "The documented name, and nothing that is billed by itself."
  }
}

run "ecs_may_move_traffic" {
  command = plan

  assert {
    condition     = endswith(aws_iam_role_policy_attachment.load_balancers.policy_arn, "policy/AmazonECSInfrastructureRolePolicyForLoadBalancers")
    error_message = "The one policy AWS made for it."
  }

  assert {
    condition     = aws_iam_role.load_balancers.name == "triflow-ai-production-ecs-load-balancer-role"
    error_message = "The role has the environment's name."
  }
}

run "bad_values_are_refused" {
  command = plan
  variables {
    name = "Production cluster"
  }
  expect_failures = [var.name]
}
