data "aws_region" "current" {}

locals {
  balancer = { LoadBalancer = var.load_balancer.arn_suffix }
  # Deployments decide which of the target groups has the tasks: what counts is the sum.
  targets     = { for index, suffix in var.load_balancer.target_group_arn_suffixes : "group${index + 1}" => { LoadBalancer = var.load_balancer.arn_suffix, TargetGroup = suffix } }
  all_targets = join(" + ", [for id in keys(local.targets) : "FILL(${id}, 0)"])

  service  = { ClusterName = var.service.cluster_name, ServiceName = var.service.service_name }
  database = { DBInstanceIdentifier = var.database.identifier }
  nodes    = { for index, node in var.cache_node_ids : "node${index + 1}" => { CacheClusterId = node } }

  # What an alarm is unless it says otherwise. "missing" is what silence means.
  usual = {
    expression = null
    label      = null
    statistic  = null
    percentile = null
    comparison = "GreaterThanThreshold"
    period     = 60
    periods    = 5
    missing    = "missing"
  }

  # "series" holds the metrics an alarm watches, by id; with more than one, "expression" says how they become one.
  alarms = { for name, alarm in local.definitions : name => merge(local.usual, alarm) }
  definitions = {
    rds-cpu-high = {
      description = "The database's processor is busy. Look for slow queries (Performance Insights, slow query log)."
      series      = { value = { namespace = "AWS/RDS", metric = "CPUUtilization", dimensions = local.database } }
      statistic   = "Average"
      threshold   = var.thresholds.rds_cpu_percent
      period      = 300
      periods     = 2
    }
    rds-storage-low = {
      description = "The database's disk is filling up; a full disk stops all writes."
      series      = { value = { namespace = "AWS/RDS", metric = "FreeStorageSpace", dimensions = local.database } }
      statistic   = "Minimum"
      comparison  = "LessThanThreshold"
      threshold   = floor(var.database.storage_gb * 1024 * 1024 * 1024 * var.thresholds.rds_storage_free_percent / 100)
      period      = 300
      periods     = 1
    }
    rds-connections-high = {
      description = "The database runs out of connections. Look at the pools of the tasks."
      series      = { value = { namespace = "AWS/RDS", metric = "DatabaseConnections", dimensions = local.database } }
      statistic   = "Maximum"
      threshold   = var.thresholds.rds_connections
    }
    alb-5xx-high = {
      description = "Requests end in server errors: 502 and 504 of the load balancer, 500s of the application."
      series = {
        balancer = { namespace = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", dimensions = local.balancer }
        tasks    = { namespace = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", dimensions = local.balancer }
      }
      expression = "FILL(balancer, 0) + FILL(tasks, 0)"
      label      = "Server errors"
      statistic  = "Sum"
      threshold  = var.thresholds.alb_5xx_per_5_minutes
      period     = 300
      periods    = 1
      missing    = "notBreaching"
    }
    alb-latency-high = {
      description = "One request in twenty is slow. After 60 seconds the load balancer gives up with 504."
      series      = { value = { namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = local.balancer } }
      percentile  = "p95"
      threshold   = var.thresholds.alb_latency_p95_seconds
      missing     = "notBreaching"
    }
    alb-unhealthy-hosts = {
      description = "A task fails its health check."
      series      = { for id, group in local.targets : id => { namespace = "AWS/ApplicationELB", metric = "UnHealthyHostCount", dimensions = group } }
      expression  = local.all_targets
      label       = "Unhealthy tasks"
      statistic   = "Maximum"
      threshold   = 0
      periods     = 3
      missing     = "notBreaching"
    }
    ecs-tasks-low = {
      description = "Fewer healthy tasks than the service needs; with none, every request gets 503."
      series      = { for id, group in local.targets : id => { namespace = "AWS/ApplicationELB", metric = "HealthyHostCount", dimensions = group } }
      expression  = local.all_targets
      label       = "Healthy tasks"
      statistic   = "Minimum"
      comparison  = "LessThanThreshold"
      threshold   = var.service.min_tasks
      missing     = "breaching"
    }
    ecs-cpu-high = {
      description = "Tasks stay busy although scaling out had its time: the maximum may be reached."
      series      = { value = { namespace = "AWS/ECS", metric = "CPUUtilization", dimensions = local.service } }
      statistic   = "Average"
      threshold   = var.thresholds.ecs_cpu_percent
      periods     = 15
    }
    ecs-memory-high = {
      description = "Tasks near their memory limit; above it they are killed (exit code 137)."
      series      = { value = { namespace = "AWS/ECS", metric = "MemoryUtilization", dimensions = local.service } }
      statistic   = "Maximum"
      threshold   = var.thresholds.ecs_memory_percent
    }
    redis-cpu-high = {
      description = "Redis runs its commands on one processor core; when that is full, everybody waits."
      series      = { for id, node in local.nodes : id => { namespace = "AWS/ElastiCache", metric = "EngineCPUUtilization", dimensions = node } }
      expression  = "MAX(METRICS())"
      label       = "Busiest node"
      statistic   = "Average"
      threshold   = var.thresholds.redis_cpu_percent
    }
    redis-memory-high = {
      description = "Redis runs out of memory and will soon drop sessions and cached answers."
      series      = { for id, node in local.nodes : id => { namespace = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", dimensions = node } }
      expression  = "MAX(METRICS())"
      label       = "Fullest node"
      statistic   = "Maximum"
      threshold   = var.thresholds.redis_memory_percent
    }
  }

  # The tiles of the architecture document's dashboard, on a grid 24 wide and each 6 high.
  tiles = {
    "Healthy tasks" = {
      x       = 0, y = 0, width = 8
      metrics = [for group in values(local.targets) : { namespace = "AWS/ApplicationELB", metric = "HealthyHostCount", dimensions = group, stat = "Minimum" }]
    }
    "Database CPU %" = {
      x       = 8, y = 0, width = 8
      metrics = [{ namespace = "AWS/RDS", metric = "CPUUtilization", dimensions = local.database, stat = "Average" }]
    }
    "Latency p95 (s)" = {
      x       = 16, y = 0, width = 8
      metrics = [{ namespace = "AWS/ApplicationELB", metric = "TargetResponseTime", dimensions = local.balancer, stat = "p95" }]
    }
    "Requests per minute" = {
      x       = 0, y = 6, width = 12
      metrics = [{ namespace = "AWS/ApplicationELB", metric = "RequestCount", dimensions = local.balancer, stat = "Sum" }]
    }
    "Server errors per minute" = {
      x       = 12, y = 6, width = 12
      metrics = [for series in local.alarms["alb-5xx-high"].series : merge(series, { stat = "Sum" })]
    }
    "Database connections" = {
      x       = 0, y = 12, width = 8
      metrics = [{ namespace = "AWS/RDS", metric = "DatabaseConnections", dimensions = local.database, stat = "Maximum" }]
    }
    "Database latency (s)" = {
      x       = 8, y = 12, width = 8
      metrics = [for metric in ["ReadLatency", "WriteLatency"] : { namespace = "AWS/RDS", metric = metric, dimensions = local.database, stat = "Average" }]
    }
    "Database free storage (bytes)" = {
      x       = 16, y = 12, width = 8
      metrics = [{ namespace = "AWS/RDS", metric = "FreeStorageSpace", dimensions = local.database, stat = "Minimum" }]
    }
    "Task CPU and memory %" = {
      x = 0, y = 18, width = 12
      metrics = [for metric in ["CPUUtilization", "MemoryUtilization"] :
      { namespace = "AWS/ECS", metric = metric, dimensions = local.service, stat = "Average" }]
    }
    "Redis CPU and memory %" = {
      x = 12, y = 18, width = 12
      metrics = flatten([for alarm in ["redis-cpu-high", "redis-memory-high"] :
      [for series in local.alarms[alarm].series : merge(series, { stat = "Maximum" })]])
    }
  }

  widgets = concat(
    [for title, tile in local.tiles : {
      type = "metric", x = tile.x, y = tile.y, width = tile.width, height = 6
      properties = {
        title  = title
        region = data.aws_region.current.name
        period = 60
        metrics = [for series in tile.metrics : concat(
          [series.namespace, series.metric],
          flatten([for key, value in series.dimensions : [key, value]]),
          [{ stat = series.stat }],
        )]
      }
    }],
    [{
      type       = "alarm", x = 0, y = 24, width = 24, height = 4
      properties = { title = "Alarms", alarms = [for alarm in aws_cloudwatch_metric_alarm.this : alarm.arn] }
    }],
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  evaluation_periods  = each.value.periods
  treat_missing_data  = each.value.missing
  alarm_actions       = [var.topic_arn]
  ok_actions          = [var.topic_arn]

  namespace          = each.value.expression == null ? each.value.series["value"].namespace : null
  metric_name        = each.value.expression == null ? each.value.series["value"].metric : null
  dimensions         = each.value.expression == null ? each.value.series["value"].dimensions : null
  period             = each.value.expression == null ? each.value.period : null
  statistic          = each.value.expression == null ? each.value.statistic : null
  extended_statistic = each.value.percentile

  dynamic "metric_query" {
    for_each = each.value.expression == null ? [] : [each.value]

    content {
      id          = "value"
      expression  = metric_query.value.expression
      label       = metric_query.value.label
      return_data = true
    }
  }

  dynamic "metric_query" {
    for_each = each.value.expression == null ? {} : each.value.series

    content {
      id = metric_query.key

      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.metric
        dimensions  = metric_query.value.dimensions
        period      = each.value.period
        stat        = each.value.statistic
      }
    }
  }
}

# What no metric tells in time: a failover, a restart, a full disk, a failed backup.
resource "aws_db_event_subscription" "this" {
  name             = "${var.name}-rds-events"
  sns_topic        = var.topic_arn
  source_type      = "db-instance"
  source_ids       = [var.database.identifier]
  event_categories = ["availability", "failover", "failure", "low storage", "recovery"]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "${var.name}-monitoring"
  dashboard_body = jsonencode({ widgets = local.widgets })
}
