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
  name               = "triflow-ai-production"
  cluster_arn        = "arn:aws:ecs:ap-northeast-2:123456789012:cluster/triflow-ai-production-cluster"
  container_name     = "backend"
  image              = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com/triflow-ai-backend:latest"
  task               = { cpu = 1024, memory = 2048, port = 8000, execute_command = true }
  environment        = { ZONE = "b", ALPHA = "a" }
  secrets            = { DATABASE_URL = "arn:aws:secretsmanager:ap-northeast-2:123456789012:secret:triflow/prod/database-abc:url::" }
  desired_count      = 2
  stop_timeout       = 30
  subnet_ids         = ["subnet-1", "subnet-2"]
  security_group_ids = ["sg-1"]
  target_group_arn   = "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:targetgroup/t/1"
  execution_role_arn = "arn:aws:iam::123456789012:role/execution"
  task_role_arn      = "arn:aws:iam::123456789012:role/task"
  log_retention_days = 14
}

run "documented_names_and_size" {
  command = plan

  assert {
    condition     = aws_ecs_service.this.name == "triflow-ai-production-backend-service" && aws_ecs_task_definition.this.family == "triflow-ai-production-backend"
    error_message = "Service and family are called as in the documents."
  }

  assert {
    condition     = aws_ecs_task_definition.this.cpu == "1024" && aws_ecs_task_definition.this.memory == "2048"
    error_message = "One vCPU and 2 GB."
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.name == "/aws/ecs/triflow-ai-production-backend" && aws_cloudwatch_log_group.this.retention_in_days == 14
    error_message = "The log group of the troubleshooting guide."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].logConfiguration.options["awslogs-stream-prefix"] == "backend"
    error_message = "Streams start with backend."
  }
}

run "a_bad_deployment_comes_back_by_itself" {
  command = plan

  assert {
    condition     = aws_ecs_service.this.deployment_circuit_breaker[0].enable && aws_ecs_service.this.deployment_circuit_breaker[0].rollback
    error_message = "Circuit breaker with rollback."
  }

  assert {
    condition     = aws_ecs_service.this.deployment_minimum_healthy_percent == 100 && aws_ecs_service.this.deployment_maximum_percent == 200
    error_message = "New tasks first."
  }

  assert {
    condition     = !aws_ecs_service.this.network_configuration[0].assign_public_ip
    error_message = "Tasks have no public address."
  }
}

run "secrets_stay_out_of_the_definition" {
  command = plan

  assert {
    condition = (
      [for item in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment : item.name] == ["ALPHA", "ZONE"]
      && [for item in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].secrets : item.name] == ["DATABASE_URL"]
    )
    error_message = "Plain variables by value and sorted, secrets by reference."
  }
}

run "old_revisions_stay_to_go_back_to" {
  command = plan

  assert {
    condition     = aws_ecs_task_definition.this.skip_destroy
    error_message = "A deregistered revision cannot be rolled back to, and a service that runs one cannot start a task."
  }
}

run "a_health_check_inside_the_container" {
  command = plan

  variables {
    task = {
      cpu             = 512
      memory          = 1024
      port            = 3000
      execute_command = true
      health_check    = { command = ["CMD-SHELL", "wget -qO- http://localhost:3000/health || exit 1"] }
    }
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].healthCheck.startPeriod == 60 && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].healthCheck.retries == 3
    error_message = "Three misses after a minute's start."
  }
}

run "without_a_health_check_nothing_is_said_of_it" {
  command = plan

  assert {
    condition     = !can(jsondecode(aws_ecs_task_definition.this.container_definitions)[0].healthCheck)
    error_message = "An empty health check would differ from what AWS gives back."
  }
}

run "bad_values_are_refused" {
  command = plan
  variables {
    image              = "backend"
    task               = { cpu = 1024, memory = 512, port = 8000, execute_command = true }
    secrets            = { DATABASE_URL = "postgresql://user:password@host/db" }
    stop_timeout       = 300
    log_retention_days = 15
  }
  expect_failures = [var.image, var.task, var.secrets, var.stop_timeout, var.log_retention_days]
}
