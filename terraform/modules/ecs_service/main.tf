data "aws_region" "current" {}

locals {
  family = "${var.name}-${var.container_name}"
}

resource "aws_ecs_cluster" "this" {
  name = "${var.name}-cluster"

  # The service's own CPU and memory metrics come free; Container Insights is billed per metric.
  setting {
    name  = "containerInsights"
    value = "disabled"
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

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  container_definitions = jsonencode([
    {
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
    }
  ])
}

resource "aws_ecs_service" "this" {
  name                              = "${local.family}-service"
  cluster                           = aws_ecs_cluster.this.arn
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

  # Autoscaling owns the number of tasks once the service runs.
  lifecycle {
    ignore_changes = [desired_count]
  }
}
