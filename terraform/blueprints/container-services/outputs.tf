output "urls" {
  description = "Addresses of the services, by their short names; none for a service that answers every host name."
  value       = { for name, service in var.services : name => [for host in service.hosts : "https://${host}"] }
}

output "name_servers" {
  description = "Name servers to enter at the registrar, if the zone was created here."
  value       = module.domain.name_servers
}

output "alb_dns_name" {
  description = "AWS's own name of the load balancer; HTTPS works under the services' names only."
  value       = module.load_balancer.dns_name
}

output "ecs_cluster_name" {
  description = "ECS cluster."
  value       = module.cluster.name
}

output "ecs_service_names" {
  description = "ECS services, by their short names."
  value       = { for name, service in module.service : name => service.service_name }
}

output "ecs_log_group_names" {
  description = "Log groups of the tasks, by the services' short names."
  value       = { for name, service in module.service : name => service.log_group_name }
}

output "ecr_repository_urls" {
  description = "Where images are pushed, by the services' short names."
  value       = { for name, registry in module.registry : name => registry.url }
}

output "deployments" {
  description = "What the portal's deployments need to know of each service, and what of its task definition is theirs."
  value = {
    for name, service in var.services : "${var.project}-${name}" => {
      service_arn     = module.service[name].service_arn
      container       = name
      repository      = module.registry[name].name
      task_definition = module.service[name].task_definition_arn
      deployment_owns = service.deployment.owns
      order           = service.order
      strategies      = ["rolling", "blue_green", "canary", "linear"]
      blue_green      = merge(module.routing[name].blue_green, { role_arn = module.cluster.load_balancer_role_arn })
      alarms          = [for alarm in ["5xx-high", "latency-high"] : module.alarms.names["${name}-${alarm}"]]
      bake_minutes    = service.deployment.bake_minutes
      before          = service.deployment.migration_command == null ? null : { name = "migrate", container = name, command = service.deployment.migration_command }
      checks = concat(
        [for host in slice(service.hosts, 0, min(1, length(service.hosts))) : { name = "health", url = "https://${host}${service.health_check_path}", status = 200, container = null, command = null }],
        [for check in service.deployment.checks : merge(check, { container = check.command == null ? null : name })],
      )
    }
  }
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
  description = "Bucket of the services' files, below files/."
  value       = module.storage.name
}

output "sns_topic_arn" {
  description = "Topic of the alarms."
  value       = module.notifications.topic_arn
}

output "alarm_arns" {
  description = "The alarms, by short name."
  value       = module.alarms.arns
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
