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
  name                 = "triflow-ai-production"
  injected_secret_arns = ["arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:triflow/prod/database-abc"]
  secrets_path         = "triflow/prod"
  bucket_arn           = "arn:aws:s3:::triflow-ai-prod-123456789012"
  bucket_folders       = ["tenants/", "shared/"]
  database             = { resource_id = "db-ABC", username = "triflow_task" }
  metrics_namespace    = "triflow-ai/production"
}

run "documented_names" {
  command = plan

  assert {
    condition     = { for key, role in aws_iam_role.this : key => role.name } == { execution = "triflow-ai-production-ecs-task-execution-role", task = "triflow-ai-production-ecs-task-role" }
    error_message = "Roles are called as in the documents."
  }

  assert {
    condition     = contains([for policy in aws_iam_role_policy.task : policy.name], "triflow-ai-production-s3-access-policy")
    error_message = "The policy that the troubleshooting guide asks for by name."
  }

  assert {
    condition     = aws_iam_role_policy_attachment.execution.policy_arn == "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    error_message = "ECS itself gets AWS's own policy for it."
  }
}

run "least_privilege" {
  command = plan

  assert {
    condition = toset(flatten([for statement in data.aws_iam_policy_document.storage.statement : statement.resources])) == toset([
      "arn:aws:s3:::triflow-ai-prod-123456789012",
      "arn:aws:s3:::triflow-ai-prod-123456789012/tenants/*",
      "arn:aws:s3:::triflow-ai-prod-123456789012/shared/*",
    ])
    error_message = "Objects of two folders, and the bucket itself for listing."
  }

  assert {
    condition = alltrue([
      for statement in data.aws_iam_policy_document.storage.statement :
      toset(statement.actions) == toset(["s3:ListBucket"]) && length(statement.condition) == 1
      if contains(statement.resources, "arn:aws:s3:::triflow-ai-prod-123456789012")
    ])
    error_message = "On the bucket itself only listing, and only of its folders."
  }

  assert {
    condition     = alltrue([for statement in data.aws_iam_policy_document.secrets.statement : !anytrue([for action in statement.actions : can(regex("Put|Create|Delete|Update", action))])])
    error_message = "Secrets are read only."
  }

  assert {
    condition     = one(data.aws_iam_policy_document.secrets.statement).resources == toset(["arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:triflow/prod/*"])
    error_message = "Only the secrets of this environment."
  }

  assert {
    condition     = one(one(data.aws_iam_policy_document.metrics.statement).condition).values == tolist(["triflow-ai/production"])
    error_message = "Metrics only in its own namespace."
  }

  assert {
    condition     = one(data.aws_iam_policy_document.database.statement).resources == toset(["arn:aws:rds-db:ap-northeast-2:123456789012:dbuser:db-ABC/triflow_task"])
    error_message = "Sign-in to one database as one user."
  }
}

run "no_shell_no_channel" {
  command = plan
  variables {
    execute_command = false
  }
  assert {
    condition     = length(aws_iam_role_policy.task) == 4
    error_message = "Without ECS Exec the role has no right to its channel."
  }
}

run "bad_values_are_refused" {
  command = plan
  variables {
    secrets_path      = "/triflow/prod/"
    bucket_folders    = ["tenants/*"]
    metrics_namespace = "AWS/ECS"
  }
  expect_failures = [var.secrets_path, var.bucket_folders, var.metrics_namespace]
}
