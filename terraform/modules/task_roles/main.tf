data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  partition = data.aws_partition.current.partition
  here      = "${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}"

  roles = {
    execution = { name = "${var.name}-ecs-task-execution-role", description = "ECS itself: pull the image, write the log, read the secrets it injects" }
    task      = { name = "${var.name}-ecs-task-role", description = "The application while it runs" }
  }

  # One policy per service that the application uses: each can be reviewed, and taken away, by itself.
  task_policies = merge(
    {
      "s3-access-policy"          = data.aws_iam_policy_document.storage.json
      "secrets-read-policy"       = data.aws_iam_policy_document.secrets.json
      "rds-connect-policy"        = data.aws_iam_policy_document.database.json
      "cloudwatch-metrics-policy" = data.aws_iam_policy_document.metrics.json
    },
    var.execute_command ? { "ecs-exec-policy" = data.aws_iam_policy_document.execute_command.json } : {},
  )
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }

    # Only tasks of this account, so that nobody else's service can borrow the role.
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.current.account_id]
    }
  }
}

resource "aws_iam_role" "this" {
  for_each = local.roles

  name               = each.value.name
  description        = each.value.description
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.this["execution"].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

# Injected secrets are read by ECS before the application runs: the execution role needs the right, not the task role.
data "aws_iam_policy_document" "injected_secrets" {
  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = var.injected_secret_arns
  }
}

resource "aws_iam_role_policy" "execution" {
  name   = "${var.name}-secrets-injection-policy"
  role   = aws_iam_role.this["execution"].id
  policy = data.aws_iam_policy_document.injected_secrets.json
}

data "aws_iam_policy_document" "storage" {
  statement {
    sid       = "WorkInItsFolders"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    resources = [for folder in var.bucket_folders : "${var.bucket_arn}/${folder}*"]
  }

  # Listing is a right on the bucket, not on its objects; the condition keeps it inside the folders.
  statement {
    sid       = "ListItsFolders"
    actions   = ["s3:ListBucket"]
    resources = [var.bucket_arn]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = [for folder in var.bucket_folders : "${folder}*"]
    }
  }
}

data "aws_iam_policy_document" "secrets" {
  statement {
    actions   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    resources = ["arn:${local.partition}:secretsmanager:${local.here}:secret:${var.secrets_path}/*"]
  }
}

data "aws_iam_policy_document" "database" {
  statement {
    actions   = ["rds-db:connect"]
    resources = ["arn:${local.partition}:rds-db:${local.here}:dbuser:${var.database.resource_id}/${var.database.username}"]
  }
}

data "aws_iam_policy_document" "metrics" {
  statement {
    actions   = ["cloudwatch:PutMetricData"]
    resources = ["*"]

    condition {
      test     = "StringEquals"
      variable = "cloudwatch:namespace"
      values   = [var.metrics_namespace]
    }
  }
}

# The channel of ECS Exec; these actions take no narrower resource.
data "aws_iam_policy_document" "execute_command" {
  statement {
    actions = [
      "ssmmessages:CreateControlChannel",
      "ssmmessages:CreateDataChannel",
      "ssmmessages:OpenControlChannel",
      "ssmmessages:OpenDataChannel",
    ]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "task" {
  for_each = local.task_policies

  name   = "${var.name}-${each.key}"
  role   = aws_iam_role.this["task"].id
  policy = each.value
}
