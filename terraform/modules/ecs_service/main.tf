data "aws_region" "current" {}

locals {
  family = "${var.name}-${var.container_name}"

  # Left out, not null: AWS does not give back what was never said, and a plan would see a difference.
  health_check = var.task.health_check == null ? {} : {
    healthCheck = {
      command     = var.task.health_check.command
      interval    = var.task.health_check.interval
      timeout     = var.task.health_check.timeout
      retries     = var.task.health_check.retries
      startPeriod = var.task.health_check.start_period
    }
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/ecs/${local.family}"
  retention_in_days = var.log_retention_days
}

resource "aws_ecs_task_definition" "this" {
  family                   = local.family
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.task.cpu
  memory                   = var.task.memory
  execution_role_arn       = var.execution_role_arn
  task_role_arn            = var.task_role_arn

  # Old revisions stay: a rollback goes back to one, and a service may still run one.
  skip_destroy = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  container_definitions = jsonencode([
    merge(local.health_check, {
      name        = var.container_name
      image       = var.image
      essential   = true
      stopTimeout = var.stop_timeout

      portMappings = [{ containerPort = var.task.port, hostPort = var.task.port, protocol = "tcp" }]

      # AWS keeps both lists sorted by name; written so here, a plan shows what really changes.
      environment = [for key in sort(keys(var.environment)) : { name = key, value = var.environment[key] }]
      secrets     = [for key in sort(keys(var.secrets)) : { name = key, valueFrom = var.secrets[key] }]

      logConfiguration = {
        logDriver = "awslogs"
        options = {
          "awslogs-group"         = aws_cloudwatch_log_group.this.name
          "awslogs-region"        = data.aws_region.current.name
          "awslogs-stream-prefix" = var.container_name
        }
      }
    })
  ])
}

resource "terraform_data" "target" {
  input = { port = var.task.port, target_group_arn = var.target_group_arn }
}

resource "aws_ecs_service" "this" {
  name                              = "${local.family}-service"
  cluster                           = var.cluster_arn
  task_definition                   = aws_ecs_task_definition.this.arn
  launch_type                       = "FARGATE"
  desired_count                     = var.desired_count
  enable_execute_command            = var.task.execute_command
  health_check_grace_period_seconds = 60
  propagate_tags                    = "SERVICE"

  # New tasks first, old ones go once the new ones are healthy; if they never are, back to the old revision.
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = var.security_group_ids
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = var.target_group_arn
    container_name   = var.container_name
    container_port   = var.task.port
  }

  # Autoscaling owns the number of tasks once the service runs; deployments own which revision runs and the alarms
  # they watch. What else ECS moves in a deployment (the listener rules' weights) is no part of this resource.
  lifecycle {
    ignore_changes = [desired_count, task_definition, alarms]

    # Another port needs another revision and another target group in one step, which only a new service takes.
    replace_triggered_by = [terraform_data.target]
  }
}
