output "url" {
  description = "Address of the service."
  value       = "https://${var.domain.name}"
}

output "name_servers" {
  description = "Name servers to enter at the registrar, if the zone was created here."
  value       = module.domain.name_servers
}

output "alb_arn" {
  description = "ARN of the load balancer."
  value       = module.load_balancer.arn
}

output "alb_dns_name" {
  description = "AWS's own name of the load balancer; HTTPS works under the service's domain only."
  value       = module.load_balancer.dns_name
}

output "alb_target_group_arn" {
  description = "First target group of the tasks; after a blue/green deployment they may be in the other one."
  value       = module.routing.target_group_arn
}

output "alb_security_group_id" {
  description = "Security group of the load balancer."
  value       = module.security_groups.ids["alb"]
}

output "ecs_security_group_id" {
  description = "Security group of the tasks."
  value       = module.security_groups.ids["ecs"]
}

output "ecs_cluster_name" {
  description = "ECS cluster."
  value       = module.cluster.name
}

output "ecs_service_name" {
  description = "ECS service."
  value       = module.service.service_name
}

output "ecs_log_group_name" {
  description = "Log group of the tasks."
  value       = module.service.log_group_name
}

output "ecr_repository_url" {
  description = "Where images are pushed."
  value       = module.registry.url
}

output "rds_identifier" {
  description = "Name of the database instance."
  value       = module.database.identifier
}

output "rds_address" {
  description = "Host name of the database."
  value       = module.database.address
}

output "redis_address" {
  description = "Host name of the Redis primary."
  value       = module.cache.address
}

output "s3_bucket_name" {
  description = "Bucket of all customers."
  value       = module.storage.name
}

output "sns_topic_arn" {
  description = "Topic of the alarms."
  value       = module.notifications.topic_arn
}

output "alarm_arns" {
  description = "The alarms, by short name."
  value       = module.monitoring.alarm_arns
}

output "dashboard_name" {
  description = "CloudWatch dashboard."
  value       = module.monitoring.dashboard_name
}

output "vpc_id" {
  description = "Network."
  value       = module.network.vpc_id
}

output "private_subnet_ids" {
  description = "Subnets of tasks, database and cache."
  value       = module.network.private_subnet_ids
}

output "nat_public_ip" {
  description = "The address under which the tasks appear on the internet, for others' allow lists."
  value       = module.network.nat_public_ip
}

output "deployments" {
  description = "What the portal's deployments need to know of the service, and what of its task definition is theirs."
  value = {
    backend = {
      service_arn     = module.service.service_arn
      container       = "backend"
      repository      = module.registry.name
      task_definition = module.service.task_definition_arn
      deployment_owns = var.deployment.owns
      order           = 1
      strategies      = ["rolling", "blue_green", "canary", "linear"]
      blue_green      = merge(module.routing.blue_green, { role_arn = module.cluster.load_balancer_role_arn })
      alarms          = [for name in ["alb-5xx-high", "alb-latency-high"] : module.monitoring.alarm_names[name]]
      bake_minutes    = var.deployment.bake_minutes
      before          = var.deployment.migration_command == null ? null : { name = "migrate", container = "backend", command = var.deployment.migration_command }
      checks = concat(
        [{ name = "health", url = "https://${var.domain.name}${var.task.health_check_path}", status = 200, container = null, command = null }],
        [for check in var.deployment.checks : merge(check, { container = check.command == null ? null : "backend" })],
      )
    }
  }
}

output "dotenv" {
  description = "The settings as a .env file, for running the application against this environment by hand."
  sensitive   = true
  value = join("\n", [
    "ENVIRONMENT=${var.environment}",
    "AWS_REGION=${var.region}",
    "S3_BUCKET_NAME=${module.storage.name}",
    "CLOUDWATCH_NAMESPACE=${var.project}/${var.environment}",
    "SECRETS_PATH=${local.secrets_path}",
    "SNS_TOPIC_ARN=${module.notifications.topic_arn}",
    "DATABASE_URL=postgresql://${var.database.username}:${urlencode(var.db_password)}@${module.database.address}:${module.database.port}/${var.database.name}?sslmode=require",
    "REDIS_URL=rediss://:${urlencode(var.redis_auth_token)}@${module.cache.address}:${module.cache.port}/0",
    "",
  ])
}
