# Each service's alarms look at its own target groups: another service's errors do not roll its deployment back.
locals {
  groups = { for name, routing in module.routing : name => {
    for index, suffix in routing.target_group_arn_suffixes :
    "group${index + 1}" => { LoadBalancer = module.load_balancer.arn_suffix, TargetGroup = suffix }
  } }

  both = { sum = "FILL(group1, 0) + FILL(group2, 0)", worst = "MAX([FILL(group1, 0), FILL(group2, 0)])" }

  service_alarms = [for name, service in var.services : {
    "${name}-5xx-high" = {
      description = "Requests to ${name} end in server errors."
      series      = { for id, group in local.groups[name] : id => { namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", dimensions = group } }
      expression  = local.both.sum
      statistic   = "Sum"
      threshold   = var.alarm_thresholds.alb_5xx_per_5_minutes
      period      = 300
      periods     = 1
      missing     = "notBreaching"
    }
    "${name}-latency-high" = {
      description = "One request in twenty to ${name} is slow."
      series      = { for id, group in local.groups[name] : id => { namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = group } }
      expression  = local.both.worst
      statistic   = "p95"
      threshold   = var.alarm_thresholds.alb_latency_p95_seconds
      missing     = "notBreaching"
    }
    "${name}-unhealthy" = {
      description = "A task of ${name} fails its health check."
      series      = { for id, group in local.groups[name] : id => { namespace = "AWS/ApplicationELB", metric = "UnHealthyHostCount", dimensions = group } }
      expression  = local.both.sum
      statistic   = "Maximum"
      threshold   = 0
      periods     = 3
      missing     = "notBreaching"
    }
    "${name}-tasks-low" = {
      description = "Fewer healthy tasks of ${name} than it needs; with none, every request gets 503."
      series      = { for id, group in local.groups[name] : id => { namespace = "AWS/ApplicationELB", metric = "HealthyHostCount", dimensions = group } }
      expression  = local.both.sum
      statistic   = "Minimum"
      comparison  = "LessThanThreshold"
      threshold   = service.scaling.min_tasks
      missing     = "breaching"
    }
    "${name}-cpu-high" = {
      description = "Tasks of ${name} stay busy although scaling out had its time: the maximum may be reached."
      series      = { value = { namespace = "AWS/ECS", metric = "CPUUtilization", dimensions = { ClusterName = module.cluster.name, ServiceName = module.service[name].service_name } } }
      statistic   = "Average"
      threshold   = var.alarm_thresholds.ecs_cpu_percent
      periods     = 15
    }
    "${name}-memory-high" = {
      description = "Tasks of ${name} near their memory limit; above it they are killed (exit code 137)."
      series      = { value = { namespace = "AWS/ECS", metric = "MemoryUtilization", dimensions = { ClusterName = module.cluster.name, ServiceName = module.service[name].service_name } } }
      statistic   = "Maximum"
      threshold   = var.alarm_thresholds.ecs_memory_percent
    }
  }]

  database = { DBInstanceIdentifier = module.database.identifier }
  nodes    = { for index, node in module.cache.node_ids : "node${index + 1}" => { CacheClusterId = node } }

  data_alarms = {
    rds-cpu-high = {
      description = "The database's processor is busy. Look for slow queries (Performance Insights, slow query log)."
      series      = { value = { namespace = "AWS/RDS", metric = "CPUUtilization", dimensions = local.database } }
      statistic   = "Average"
      threshold   = var.alarm_thresholds.rds_cpu_percent
      period      = 300
      periods     = 2
    }
    rds-storage-low = {
      description = "The database's disk is filling up; a full disk stops all writes."
      series      = { value = { namespace = "AWS/RDS", metric = "FreeStorageSpace", dimensions = local.database } }
      statistic   = "Minimum"
      comparison  = "LessThanThreshold"
      threshold   = floor(var.database.storage_gb * 1024 * 1024 * 1024 * var.alarm_thresholds.rds_storage_free_percent / 100)
      period      = 300
      periods     = 1
    }
    rds-connections-high = {
      description = "The database runs out of connections. Look at the pools of the tasks."
      series      = { value = { namespace = "AWS/RDS", metric = "DatabaseConnections", dimensions = local.database } }
      statistic   = "Maximum"
      threshold   = var.alarm_thresholds.rds_connections
    }
    redis-cpu-high = {
      description = "Redis runs its commands on one processor core; when that is full, everybody waits."
      series      = { for id, node in local.nodes : id => { namespace = "AWS/ElastiCache", metric = "EngineCPUUtilization", dimensions = node } }
      expression  = "MAX(METRICS())"
      statistic   = "Average"
      threshold   = var.alarm_thresholds.redis_cpu_percent
    }
    redis-memory-high = {
      description = "Redis runs out of memory and will soon drop sessions and cached answers."
      series      = { for id, node in local.nodes : id => { namespace = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", dimensions = node } }
      expression  = "MAX(METRICS())"
      statistic   = "Maximum"
      threshold   = var.alarm_thresholds.redis_memory_percent
    }
  }
}
