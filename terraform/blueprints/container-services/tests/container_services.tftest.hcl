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
  project     = "onno"
  environment = "production"
  domain      = { name = "onno.app" }
  services = {
    api = {
      order        = 1
      port         = 3000
      hosts        = ["api.onno.app"]
      health_check = { command = ["CMD-SHELL", "wget -q -O /dev/null http://localhost:3000/health || exit 1"] }
      environment  = { NODE_ENV = "production", PORT = "3000" }
      secrets      = ["DATABASE_URL", "REDIS_URL", "JWT_SECRET"]
      deployment   = { migration_command = ["npx", "prisma", "migrate", "deploy"] }
    }
    ws = { order = 2, port = 3001, hosts = ["ws.onno.app"], scaling = { max_tasks = 4 } }
  }
  database            = { name = "onno", username = "onno_admin" }
  alarm_emails        = ["devops@onno.app"]
  db_password         = "correct-horse-battery"
  redis_auth_token    = "a-token-of-twenty-characters"
  application_secrets = "{\"JWT_SECRET\": \"0123456789abcdef\"}"
}

run "two_services_in_one_cluster" {
  command = plan

  assert {
    condition     = output.ecs_cluster_name == "onno-production-cluster" && output.ecs_service_names == { api = "onno-production-api-service", ws = "onno-production-ws-service" }
    error_message = "Both services run in the environment's cluster."
  }

  assert {
    condition     = output.urls == { api = ["https://api.onno.app"], ws = ["https://ws.onno.app"] }
    error_message = "Each service has its own name."
  }

  assert {
    condition     = length(output.alarm_arns) == 17
    error_message = "Six alarms for each service and five for database and Redis."
  }
}

run "deployments_go_in_order" {
  command = plan

  assert {
    condition     = { for name, service in output.deployments : name => service.order } == { onno-api = 1, onno-ws = 2 }
    error_message = "The API first, then the WebSocket server."
  }

  assert {
    condition     = output.deployments["onno-api"].repository == "onno-api" && output.deployments["onno-ws"].container == "ws"
    error_message = "Each service with its own repository and container."
  }

  assert {
    condition     = join(" ", output.deployments["onno-api"].before.command) == "npx prisma migrate deploy" && output.deployments["onno-ws"].before == null
    error_message = "The API brings the migration; the WebSocket server has none."
  }

  assert {
    condition     = join(" ", output.deployments["onno-ws"].alarms) == "onno-production-ws-5xx-high onno-production-ws-latency-high"
    error_message = "Each deployment is judged by the service's own alarms."
  }

  assert {
    condition     = output.deployments["onno-api"].checks[0].url == "https://api.onno.app/health"
    error_message = "The health address through the load balancer."
  }
}

run "names_of_staging_do_not_collide" {
  command = plan
  variables {
    environment = "staging"
    domain      = { name = "staging.onno.app" }
    services    = { api = { order = 1, port = 3000 } }
  }
  assert {
    condition     = output.deployments["onno-api"].repository == "onno-staging-api" && length(output.deployments["onno-api"].checks) == 0
    error_message = "Another repository in the same account, and no health address without a host."
  }
}

run "bad_services" {
  command = plan
  variables {
    services = {
      api = { order = 1, port = 80, hosts = ["api.example.org"], cpu = 300, secrets = ["PORT"], environment = { PORT = "80" } }
      ws  = { order = 1, port = 3001, scaling = { min_tasks = 5, max_tasks = 4 }, drain_seconds = 300, deployment = { owns = [], bake_minutes = 5000 } }
    }
  }
  expect_failures = [var.services]
}

run "a_secret_that_nobody_gave" {
  command = plan
  variables {
    application_secrets = "{}"
  }
  expect_failures = [var.application_secrets]
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
    project        = "Onno"
    environment    = "a-very-long-environment"
    region         = "Seoul"
    tags           = { "aws:owner" = "me" }
    network        = { cidr = "10.0.0.0/24", zones = ["a", "a"] }
    retention_days = { delete_old_versions = 0 }
    secrets_path   = "/onno/"
  }
  expect_failures = [var.project, var.environment, var.region, var.tags, var.network, var.retention_days, var.secrets_path]
}

run "bad_secrets" {
  command = plan
  variables {
    application_secrets = "correct horse"
  }
  expect_failures = [var.application_secrets]
}
