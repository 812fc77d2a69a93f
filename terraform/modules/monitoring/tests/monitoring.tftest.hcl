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
  name           = "triflow-ai-production"
  topic_arn      = "arn:aws:sns:ap-northeast-2:123456789012:triflow-ai-production-alarms"
  load_balancer  = { arn_suffix = "app/triflow-ai-production-alb/1", target_group_arn_suffixes = ["targetgroup/triflow-ai-production-8000/2", "targetgroup/triflow-ai-production-8000b/3"] }
  service        = { cluster_name = "triflow-ai-production-cluster", service_name = "triflow-ai-production-backend-service", min_tasks = 2 }
  database       = { identifier = "triflow-ai-production-db", storage_gb = 100 }
  cache_node_ids = ["triflow-ai-production-redis-001", "triflow-ai-production-redis-002"]
  thresholds = {
    rds_cpu_percent          = 80
    rds_storage_free_percent = 20
    rds_connections          = 80
    alb_5xx_per_5_minutes    = 10
    alb_latency_p95_seconds  = 2
    ecs_cpu_percent          = 85
    ecs_memory_percent       = 85
    redis_cpu_percent        = 80
    redis_memory_percent     = 80
  }
}

run "eleven_alarms_that_somebody_hears" {
  command = plan

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) == 11
    error_message = "The completion report promises eleven alarms."
  }

  assert {
    condition = alltrue([
      for alarm in aws_cloudwatch_metric_alarm.this :
      alarm.alarm_actions == toset([var.topic_arn]) && alarm.ok_actions == toset([var.topic_arn]) && alarm.actions_enabled != false
    ])
    error_message = "Every alarm tells the topic when it starts and when it ends."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["rds-cpu-high"].alarm_name == "triflow-ai-production-rds-cpu-high"
    error_message = "The one alarm that the documents name."
  }

  assert {
    condition = { for name, alarm in aws_cloudwatch_metric_alarm.this : name => alarm.threshold } == {
      rds-cpu-high         = 80
      rds-storage-low      = 21474836480
      rds-connections-high = 80
      alb-5xx-high         = 10
      alb-latency-high     = 2
      alb-unhealthy-hosts  = 0
      ecs-tasks-low        = 2
      ecs-cpu-high         = 85
      ecs-memory-high      = 85
      redis-cpu-high       = 80
      redis-memory-high    = 80
    }
    error_message = "Thresholds; a fifth of 100 GB is 21474836480 bytes."
  }

  assert {
    condition     = [for name, alarm in aws_cloudwatch_metric_alarm.this : name if alarm.treat_missing_data == "breaching"] == ["ecs-tasks-low"]
    error_message = "Silence about healthy tasks is an outage; silence about errors is not."
  }

  assert {
    condition     = [for name, alarm in aws_cloudwatch_metric_alarm.this : name if alarm.comparison_operator == "LessThanThreshold"] == ["ecs-tasks-low", "rds-storage-low"]
    error_message = "Two alarms fire when something runs low."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["alb-latency-high"].extended_statistic == "p95"
    error_message = "Latency is judged by the slowest twentieth, as on the dashboard."
  }
}

run "every_redis_node_is_watched" {
  command = plan

  assert {
    condition = alltrue([
      for name in ["redis-cpu-high", "redis-memory-high"] : toset(flatten([
        for query in aws_cloudwatch_metric_alarm.this[name].metric_query : [for metric in query.metric : metric.dimensions["CacheClusterId"]]
      ])) == toset(var.cache_node_ids)
    ])
    error_message = "After a failover the primary is another node."
  }
}

run "both_target_groups_are_watched" {
  command = plan

  assert {
    condition = alltrue([
      for name in ["alb-unhealthy-hosts", "ecs-tasks-low"] : toset(flatten([
        for query in aws_cloudwatch_metric_alarm.this[name].metric_query : [for metric in query.metric : metric.dimensions["TargetGroup"]]
      ])) == toset(var.load_balancer.target_group_arn_suffixes)
    ])
    error_message = "After a blue/green deployment the tasks are in the other group; the first one is empty for good."
  }
}

run "dashboard_shows_the_documented_tiles" {
  assert {
    condition = length(setsubtract(
      ["Healthy tasks", "Database CPU %", "Latency p95 (s)", "Requests per minute", "Database connections", "Task CPU and memory %", "Alarms"],
      [for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : widget.properties.title],
    )) == 0
    error_message = "The tiles of the architecture document's dashboard."
  }

  assert {
    condition = alltrue([
      for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets :
      widget.x + widget.width <= 24
    ])
    error_message = "The grid is 24 wide."
  }
}

run "failover_is_told" {
  command = plan

  assert {
    condition     = contains(aws_db_event_subscription.this.event_categories, "failover") && contains(aws_db_event_subscription.this.event_categories, "failure")
    error_message = "The failover flow of the architecture document starts with a message."
  }
}

run "threshold_that_never_fires_is_refused" {
  command = plan
  variables {
    thresholds = merge(var.thresholds, { rds_cpu_percent = 101 })
  }
  expect_failures = [var.thresholds]
}
