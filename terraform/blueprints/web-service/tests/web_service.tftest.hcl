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
  project          = "triflow-ai"
  environment      = "production"
  domain           = { name = "triflow-ai.com" }
  database         = { name = "triflow", username = "triflow_admin" }
  customer_ids     = ["7d0f3c52-9a64-4c0b-8a0e-5f1c2b6d9e31", "c2b8a9d4-41e7-4f6a-9c35-0b7e8d1f2a60"]
  secrets_path     = "triflow/prod"
  alarm_emails     = ["tech-lead@company.com"]
  db_password      = "correct-horse-battery"
  redis_auth_token = "a-token-of-twenty-characters"
}

run "production" {
  command = plan

  assert {
    condition = {
      cluster = output.ecs_cluster_name
      service = output.ecs_service_name
      logs    = output.ecs_log_group_name
      rds     = output.rds_identifier
      bucket  = output.s3_bucket_name
      url     = output.url
      } == {
      cluster = "triflow-ai-production-cluster"
      service = "triflow-ai-production-backend-service"
      logs    = "/aws/ecs/triflow-ai-production-backend"
      rds     = "triflow-ai-production-db"
      bucket  = "triflow-ai-prod-123456789012"
      url     = "https://triflow-ai.com"
    }
    error_message = "Names follow the documents."
  }

  assert {
    condition     = module.registry.name == "triflow-ai-backend"
    error_message = "The repository of the troubleshooting guide."
  }

  assert {
    condition     = length(output.alarm_arns) == 11
    error_message = "Eleven alarms."
  }

  assert {
    condition     = length(module.cache.node_ids) == 2
    error_message = "A Redis primary and a replica."
  }

  assert {
    condition     = length(local.customer_rules) == 6
    error_message = "Three folders for each of two customers."
  }

  assert {
    condition     = alltrue([for rule in local.customer_rules : can(regex("^tenants/[0-9a-f-]{36}/(workflows|uploads|exports)/$", rule.prefix))])
    error_message = "Rules reach the folders where they really are, below tenants/<customer>/."
  }

  assert {
    condition     = { for name, rule in local.customer_rules : split("-", name)[0] => rule.glacier_after... } == { exports = [90, 90], uploads = [180, 180], workflows = [90, 90] }
    error_message = "90, 180 and 90 days, as the architecture document says."
  }

  assert {
    condition     = module.database_secret.name == "triflow/prod/database" && module.cache_secret.name == "triflow/prod/redis"
    error_message = "Secrets are below the documented path."
  }
}

run "deployments_know_what_is_theirs" {
  command = plan

  variables {
    deployment = {
      owns              = ["image", "environment.LOG_LEVEL", "environment.FEATURE_*"]
      migration_command = ["alembic", "upgrade", "head"]
      checks            = [{ name = "extension exists", command = ["python", "-m", "app.check_vector"] }]
    }
  }

  assert {
    condition     = output.deployments.backend.container == "backend" && output.deployments.backend.repository == "triflow-ai-backend"
    error_message = "The container and the repository that images are for."
  }

  assert {
    condition     = join(" ", output.deployments.backend.deployment_owns) == "image environment.LOG_LEVEL environment.FEATURE_*" && output.deployments.backend.bake_minutes == 5
    error_message = "What the blueprint leaves to deployments, and five minutes of watching."
  }

  assert {
    condition     = output.deployments.backend.alarms == ["triflow-ai-production-alb-5xx-high", "triflow-ai-production-alb-latency-high"]
    error_message = "The alarms of the requests, by their full names."
  }

  assert {
    condition     = output.deployments.backend.before.name == "migrate" && join(" ", output.deployments.backend.before.command) == "alembic upgrade head"
    error_message = "The migration runs before the new image."
  }

  assert {
    condition = (
      output.deployments.backend.checks[0].url == "https://triflow-ai.com/health" && output.deployments.backend.checks[0].status == 200
      && join(" ", output.deployments.backend.checks[1].command) == "python -m app.check_vector" && output.deployments.backend.checks[1].container == "backend"
    )
    error_message = "The service's own health address, then what the blueprint's user adds."
  }
}

run "staging_is_smaller" {
  command = plan

  variables {
    environment                = "staging"
    domain                     = { name = "staging.triflow-ai.com" }
    network                    = { cidr = "10.1.0.0/16" }
    task                       = { cpu = 512, memory = 1024 }
    scaling                    = { min_tasks = 1, max_tasks = 2 }
    database                   = { instance_class = "db.t4g.small", storage_gb = 20, multi_az = false, backup_retention_days = 1 }
    cache                      = { node_type = "cache.t4g.micro", nodes = 1 }
    customer_ids               = []
    secrets_path               = null
    deletion_protection        = false
    final_snapshot             = false
    delete_contents_on_destroy = true
  }

  assert {
    condition     = length(module.cache.node_ids) == 1 && length(local.customer_rules) == 0
    error_message = "One Redis node, no customers."
  }

  assert {
    condition     = output.s3_bucket_name == "triflow-ai-staging-123456789012" && module.registry.name == "triflow-ai-staging-backend"
    error_message = "Bucket and repository do not collide with production's in the same account."
  }

  assert {
    condition     = module.database_secret.name == "triflow-ai/staging/database"
    error_message = "Without a path, project and environment."
  }

  assert {
    condition     = length(output.alarm_arns) == 11
    error_message = "Staging is watched as production is."
  }
}

run "existing_zone" {
  command = plan
  variables {
    domain = { name = "triflow-ai.com", zone_id = "Z0123456789ABC" }
  }
  assert {
    condition     = length(output.name_servers) == 0
    error_message = "Nothing to delegate when the zone was there before."
  }
}

run "given_image" {
  command = plan
  variables {
    image = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/triflow-ai-backend@sha256:0000000000000000000000000000000000000000000000000000000000000000"
  }
}

run "production_is_not_thrown_away" {
  command = plan
  variables {
    final_snapshot             = false
    delete_contents_on_destroy = true
  }
  expect_failures = [var.final_snapshot, var.delete_contents_on_destroy]
}

run "bad_names" {
  command = plan
  variables {
    project     = "TriFlow AI"
    environment = "a-very-long-environment"
    region      = "Seoul"
    tags        = { "aws:owner" = "me" }
    domain      = { name = "https://triflow-ai.com" }
  }
  expect_failures = [var.project, var.environment, var.region, var.tags, var.domain]
}

run "bad_network" {
  command = plan
  variables {
    network = { cidr = "10.0.0.0/24", zones = ["a", "a"] }
  }
  expect_failures = [var.network]
}

run "bad_service" {
  command = plan
  variables {
    image                 = "backend"
    task                  = { cpu = 300, port = 80 }
    environment_variables = { DATABASE_URL = "postgresql://here" }
    scaling               = { min_tasks = 4, max_tasks = 3 }
    drain_seconds         = 300
    deployment            = { owns = ["image", "secrets"], bake_minutes = 5000, checks = [{ name = "neither" }] }
  }
  expect_failures = [
    var.image, var.task, var.environment_variables, var.scaling, var.drain_seconds, var.deployment,
  ]
}

run "bad_data" {
  command = plan
  variables {
    database         = { maintenance_window = "mon-19:00", username = "postgres", backup_retention_days = 0 }
    cache            = { nodes = 0 }
    customer_ids     = ["customer-a"]
    retention_days   = { delete_old_versions = 30 }
    secrets_path     = "/triflow/prod/"
    db_password      = "with a space"
    redis_auth_token = "short"
  }
  expect_failures = [
    var.database, var.cache, var.customer_ids, var.retention_days, var.secrets_path, var.db_password, var.redis_auth_token,
  ]
}

run "bad_monitoring" {
  command = plan
  variables {
    alarm_emails       = []
    alarm_thresholds   = { rds_cpu_percent = 120 }
    log_retention_days = 15
  }
  expect_failures = [var.alarm_emails, var.alarm_thresholds, var.log_retention_days]
}
