data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  name         = "${var.project}-${var.environment}"
  short        = var.environment == "production" ? "prod" : var.environment
  account_id   = data.aws_caller_identity.current.account_id
  secrets_path = coalesce(var.secrets_path, "${var.project}/${var.environment}")

  # Known before the bucket exists, because its policy, which speaks of it, must stand before it is used.
  bucket_name = "${var.project}-${local.short}-${local.account_id}"
  bucket_arn  = "arn:${data.aws_partition.current.partition}:s3:::${local.bucket_name}"

  # Staging may live in production's account, where the plain name is taken.
  repository_name = var.environment == "production" ? "${var.project}-backend" : "${local.name}-backend"
}

module "network" {
  source = "../../modules/network"

  name                 = local.name
  cidr                 = var.network.cidr
  availability_zones   = [for letter in var.network.zones : "${var.region}${letter}"]
  flow_log_destination = module.storage.arn
}

module "security_groups" {
  source = "../../modules/security_groups"

  name         = local.name
  vpc_id       = module.network.vpc_id
  service_port = var.task.port
}

module "domain" {
  source = "../../modules/domain"

  name    = var.domain.name
  zone_id = var.domain.zone_id
  target  = { dns_name = module.load_balancer.dns_name, zone_id = module.load_balancer.zone_id }
}

module "load_balancer" {
  source = "../../modules/load_balancer"

  name                = local.name
  subnet_ids          = module.network.public_subnet_ids
  security_group_ids  = [module.security_groups.ids["alb"]]
  certificate_arn     = module.domain.certificate_arn
  access_log_bucket   = module.storage.name
  deletion_protection = var.deletion_protection

  # The rule below takes every path, so nothing comes here. While it is replaced (another port), everything does.
  default_target = { arn = module.routing.first_target_group_arn }
}

module "routing" {
  source = "../../modules/routing"

  name              = local.name
  vpc_id            = module.network.vpc_id
  port              = var.task.port
  health_check_path = var.task.health_check_path
  drain_seconds     = var.drain_seconds
  listener_arn      = module.load_balancer.listener_arn
  preview_header    = var.deployment.preview_header
}

module "registry" {
  source = "../../modules/registry"

  name         = local.repository_name
  force_delete = var.delete_contents_on_destroy
}

# Load balancer and flow logs write below AWSLogs/<account>/, which is closed to the application.
data "aws_iam_policy_document" "log_delivery" {
  statement {
    sid       = "LoadBalancerAndFlowLogs"
    actions   = ["s3:PutObject"]
    resources = ["${local.bucket_arn}/AWSLogs/${local.account_id}/*"]

    principals {
      type        = "Service"
      identifiers = ["logdelivery.elasticloadbalancing.amazonaws.com", "delivery.logs.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }

  statement {
    sid       = "FlowLogsCheckTheBucket"
    actions   = ["s3:GetBucketAcl"]
    resources = [local.bucket_arn]

    principals {
      type        = "Service"
      identifiers = ["delivery.logs.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account_id]
    }
  }
}

locals {
  glacier_after = {
    workflows = var.retention_days.workflows_to_glacier
    uploads   = var.retention_days.uploads_to_glacier
    exports   = var.retention_days.exports_to_glacier
  }

  # The folders stand below tenants/<customer>/, and S3 compares prefixes letter by letter.
  customer_rules = merge([
    for customer in var.customer_ids : {
      for folder, days in local.glacier_after :
      "${folder}-${customer}" => { prefix = "tenants/${customer}/${folder}/", glacier_after = days }
    }
  ]...)
}

module "storage" {
  source = "../../modules/bucket"

  name             = local.bucket_name
  force_destroy    = var.delete_contents_on_destroy
  policy_documents = [data.aws_iam_policy_document.log_delivery.json]

  lifecycle_rules = merge(local.customer_rules, {
    # Dumps and logs leave nothing worth a second life: their old versions go after a week.
    delete-dumps       = { prefix = "backups/", expire_after = var.retention_days.delete_dumps, expire_noncurrent_after = 7 }
    delete-access-logs = { prefix = "AWSLogs/", expire_after = var.retention_days.delete_access_logs, expire_noncurrent_after = 7 }
    tidy-up = {
      abort_multipart_after       = 7
      expire_noncurrent_after     = var.retention_days.delete_old_versions
      remove_orphan_deletemarkers = true
    }
  })
}

module "database" {
  source = "../../modules/database"

  name                = local.name
  settings            = var.database
  password            = var.db_password
  subnet_ids          = module.network.private_subnet_ids
  security_group_ids  = [module.security_groups.ids["rds"]]
  log_retention_days  = var.log_retention_days
  deletion_protection = var.deletion_protection
  final_snapshot      = var.final_snapshot
}

module "cache" {
  source = "../../modules/cache"

  name               = local.name
  settings           = var.cache
  auth_token         = var.redis_auth_token
  subnet_ids         = module.network.private_subnet_ids
  security_group_ids = [module.security_groups.ids["redis"]]
  log_retention_days = var.log_retention_days
}

module "database_secret" {
  source = "../../modules/secret"

  name          = "${local.secrets_path}/database"
  description   = "How the application reaches its database"
  recovery_days = var.deletion_protection ? 30 : 0

  values = {
    host     = module.database.address
    port     = module.database.port
    dbname   = var.database.name
    username = var.database.username
    password = var.db_password
    url      = "postgresql://${var.database.username}:${urlencode(var.db_password)}@${module.database.address}:${module.database.port}/${var.database.name}?sslmode=require"
  }
}

module "cache_secret" {
  source = "../../modules/secret"

  name          = "${local.secrets_path}/redis"
  description   = "How the application reaches Redis"
  recovery_days = var.deletion_protection ? 30 : 0

  values = {
    host       = module.cache.address
    port       = module.cache.port
    auth_token = var.redis_auth_token
    url        = "rediss://:${urlencode(var.redis_auth_token)}@${module.cache.address}:${module.cache.port}/0"
  }
}

module "task_roles" {
  source = "../../modules/task_roles"

  name                 = local.name
  injected_secret_arns = [module.database_secret.arn, module.cache_secret.arn]
  secrets_path         = local.secrets_path
  bucket_arn           = module.storage.arn
  bucket_folders       = ["tenants/", "shared/"]
  database             = { resource_id = module.database.resource_id, username = "${var.database.name}_task" }
  metrics_namespace    = "${var.project}/${var.environment}"
  execute_command      = var.task.execute_command
}

module "cluster" {
  source = "../../modules/ecs_cluster"

  name = local.name
}

module "service" {
  source = "../../modules/ecs_service"

  name               = local.name
  cluster_arn        = module.cluster.arn
  container_name     = "backend"
  image              = coalesce(var.image, "${module.registry.url}:latest")
  task               = { cpu = var.task.cpu, memory = var.task.memory, port = var.task.port, execute_command = var.task.execute_command }
  desired_count      = var.scaling.min_tasks
  stop_timeout       = var.drain_seconds
  subnet_ids         = module.network.private_subnet_ids
  security_group_ids = [module.security_groups.ids["ecs"]]
  target_group_arn   = module.routing.target_group_arn
  execution_role_arn = module.task_roles.execution_role_arn
  task_role_arn      = module.task_roles.task_role_arn
  log_retention_days = var.log_retention_days

  environment = merge(
    {
      AWS_REGION           = var.region
      CLOUDWATCH_NAMESPACE = "${var.project}/${var.environment}"
      ENVIRONMENT          = var.environment
      S3_BUCKET_NAME       = module.storage.name
      SECRETS_PATH         = local.secrets_path
    },
    var.environment_variables,
  )

  secrets = {
    DATABASE_URL = "${module.database_secret.arn}:url::"
    REDIS_URL    = "${module.cache_secret.arn}:url::"
  }
}

module "autoscaling" {
  source = "../../modules/autoscaling"

  name         = "${local.name}-backend"
  cluster_name = module.cluster.name
  service_name = module.service.service_name
  scaling      = var.scaling
}

module "notifications" {
  source = "../../modules/notifications"

  name   = local.name
  emails = var.alarm_emails
}

module "monitoring" {
  source = "../../modules/monitoring"

  name           = local.name
  topic_arn      = module.notifications.topic_arn
  load_balancer  = { arn_suffix = module.load_balancer.arn_suffix, target_group_arn_suffixes = module.routing.target_group_arn_suffixes }
  service        = { cluster_name = module.cluster.name, service_name = module.service.service_name, min_tasks = var.scaling.min_tasks }
  database       = { identifier = module.database.identifier, storage_gb = var.database.storage_gb }
  cache_node_ids = module.cache.node_ids
  thresholds     = var.alarm_thresholds
}

module "deletion_guard" {
  source = "../../modules/deletion_guard"

  protected = var.deletion_protection

  depends_on = [
    module.autoscaling,
    module.cache,
    module.cache_secret,
    module.cluster,
    module.database,
    module.database_secret,
    module.domain,
    module.load_balancer,
    module.monitoring,
    module.network,
    module.notifications,
    module.registry,
    module.routing,
    module.security_groups,
    module.service,
    module.storage,
    module.task_roles,
  ]
}

# Where things stood before deployments had a room of their own.
moved {
  from = module.service.aws_ecs_cluster.this
  to   = module.cluster.aws_ecs_cluster.this
}

moved {
  from = module.load_balancer.aws_lb_target_group.this
  to   = module.routing.aws_lb_target_group.this["first"]
}
