data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  name         = "${var.project}-${var.environment}"
  account_id   = data.aws_caller_identity.current.account_id
  secrets_path = coalesce(var.secrets_path, "${var.project}/${var.environment}")

  # Known before the bucket exists, because its policy, which speaks of it, must stand before it is used.
  bucket_name = "${local.name}-${local.account_id}"
  bucket_arn  = "arn:${data.aws_partition.current.partition}:s3:::${local.bucket_name}"

  ports = sort(distinct([for service in var.services : tostring(service.port)]))
  hosts = distinct(flatten([for service in var.services : service.hosts]))

  # Where each secret is found by the name under which a service asks for it. Names are no secrets.
  application_names = nonsensitive(keys(jsondecode(var.application_secrets)))
  secrets = merge(
    { for name in local.application_names : name => "${module.application_secret[0].arn}:${name}::" },
    {
      DATABASE_URL = "${module.database_secret.arn}:url::"
      REDIS_URL    = "${module.cache_secret.arn}:url::"
    },
  )
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

  name                  = local.name
  vpc_id                = module.network.vpc_id
  service_port          = tonumber(local.ports[0])
  further_service_ports = [for port in slice(local.ports, 1, length(local.ports)) : tonumber(port)]
}

module "domain" {
  source = "../../modules/domain"

  name          = var.domain.name
  further_names = [for host in local.hosts : host if host != var.domain.name]
  zone_id       = var.domain.zone_id
  target        = { dns_name = module.load_balancer.dns_name, zone_id = module.load_balancer.zone_id }
}

module "load_balancer" {
  source = "../../modules/load_balancer"

  name                = local.name
  subnet_ids          = module.network.public_subnet_ids
  security_group_ids  = [module.security_groups.ids["alb"]]
  certificate_arn     = module.domain.certificate_arn
  access_log_bucket   = module.storage.name
  deletion_protection = var.deletion_protection
}

module "routing" {
  source   = "../../modules/routing"
  for_each = var.services

  name              = "${local.name}-${each.key}"
  vpc_id            = module.network.vpc_id
  port              = each.value.port
  health_check_path = each.value.health_check_path
  drain_seconds     = each.value.drain_seconds
  listener_arn      = module.load_balancer.listener_arn
  priority          = each.value.order * 10
  hosts             = each.value.hosts
  paths             = each.value.paths
  preview_header    = each.value.deployment.preview_header
}

# Staging may live in production's account, where the plain names are taken.
module "registry" {
  source   = "../../modules/registry"
  for_each = var.services

  name         = var.environment == "production" ? "${var.project}-${each.key}" : "${local.name}-${each.key}"
  force_delete = var.delete_contents_on_destroy
}

# Load balancer and flow logs write below AWSLogs/<account>/, which is closed to the services.
data "aws_iam_policy_document" "log_delivery" {
  dynamic "statement" {
    for_each = {
      LoadBalancerAndFlowLogs = { action = "s3:PutObject", resource = "${local.bucket_arn}/AWSLogs/${local.account_id}/*", services = ["logdelivery.elasticloadbalancing.amazonaws.com", "delivery.logs.amazonaws.com"] }
      FlowLogsCheckTheBucket  = { action = "s3:GetBucketAcl", resource = local.bucket_arn, services = ["delivery.logs.amazonaws.com"] }
    }

    content {
      sid       = statement.key
      actions   = [statement.value.action]
      resources = [statement.value.resource]

      principals {
        type        = "Service"
        identifiers = statement.value.services
      }

      condition {
        test     = "StringEquals"
        variable = "aws:SourceAccount"
        values   = [local.account_id]
      }
    }
  }
}

module "storage" {
  source = "../../modules/bucket"

  name             = local.bucket_name
  force_destroy    = var.delete_contents_on_destroy
  policy_documents = [data.aws_iam_policy_document.log_delivery.json]

  lifecycle_rules = {
    delete-access-logs = { prefix = "AWSLogs/", expire_after = var.retention_days.delete_access_logs, expire_noncurrent_after = 7 }
    tidy-up = {
      abort_multipart_after       = 7
      expire_noncurrent_after     = var.retention_days.delete_old_versions
      remove_orphan_deletemarkers = true
    }
  }
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
  description   = "How the services reach their database"
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
  description   = "How the services reach Redis"
  recovery_days = var.deletion_protection ? 30 : 0

  values = {
    host       = module.cache.address
    port       = module.cache.port
    auth_token = var.redis_auth_token
    url        = "rediss://:${urlencode(var.redis_auth_token)}@${module.cache.address}:${module.cache.port}/0"
  }
}

module "application_secret" {
  source = "../../modules/secret"
  count  = length(local.application_names) > 0 ? 1 : 0

  name          = "${local.secrets_path}/application"
  description   = "What the services need besides database and Redis"
  recovery_days = var.deletion_protection ? 30 : 0
  values        = jsondecode(var.application_secrets)
}

module "task_roles" {
  source = "../../modules/task_roles"

  name                 = local.name
  injected_secret_arns = concat([module.database_secret.arn, module.cache_secret.arn], module.application_secret[*].arn)
  secrets_path         = local.secrets_path
  bucket_arn           = module.storage.arn
  bucket_folders       = ["files/"]
  database             = { resource_id = module.database.resource_id, username = "${var.database.name}_task" }
  metrics_namespace    = "${var.project}/${var.environment}"
  execute_command      = anytrue([for service in values(var.services) : service.execute_command])
}

module "cluster" {
  source = "../../modules/ecs_cluster"

  name = local.name
}

module "service" {
  source   = "../../modules/ecs_service"
  for_each = var.services

  name               = local.name
  cluster_arn        = module.cluster.arn
  container_name     = each.key
  image              = coalesce(each.value.image, "${module.registry[each.key].url}:latest")
  task               = { cpu = each.value.cpu, memory = each.value.memory, port = each.value.port, execute_command = each.value.execute_command, health_check = each.value.health_check }
  desired_count      = each.value.scaling.min_tasks
  stop_timeout       = each.value.drain_seconds
  subnet_ids         = module.network.private_subnet_ids
  security_group_ids = [module.security_groups.ids["ecs"]]
  target_group_arn   = module.routing[each.key].target_group_arn
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
    each.value.environment,
  )

  secrets = { for name in each.value.secrets : name => local.secrets[name] }
}

module "scaling" {
  source   = "../../modules/target_tracking"
  for_each = var.services

  name         = "${local.name}-${each.key}"
  cluster_name = module.cluster.name
  service_name = module.service[each.key].service_name
  scaling      = each.value.scaling
}

module "notifications" {
  source = "../../modules/notifications"

  name   = local.name
  emails = var.alarm_emails
}

module "alarms" {
  source = "../../modules/alarms"

  name      = local.name
  topic_arn = module.notifications.topic_arn
  alarms    = merge(local.data_alarms, local.service_alarms...)
}

module "deletion_guard" {
  source = "../../modules/deletion_guard"

  protected = var.deletion_protection

  depends_on = [
    module.alarms,
    module.application_secret,
    module.cache,
    module.cache_secret,
    module.cluster,
    module.database,
    module.database_secret,
    module.domain,
    module.load_balancer,
    module.network,
    module.notifications,
    module.registry,
    module.routing,
    module.scaling,
    module.security_groups,
    module.service,
    module.storage,
    module.task_roles,
  ]
}
