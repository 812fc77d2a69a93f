locals {
  # Port and letter are part of the names: a target group in use cannot be deleted, so on a change of port
  # the new pair must be able to stand beside the old one.
  names = { first = "${var.name}-${var.port}", second = "${var.name}-${var.port}b" }

  # How a rule starts. From then on ECS moves the weights, in every deployment that shifts traffic.
  weights = { first = 100, second = 0 }

  rules = merge(
    { production = { priority = var.priority, header = null } },
    var.preview_header == null ? {} : { preview = { priority = var.priority - 1, header = var.preview_header } },
  )
}

# The second one is empty until a deployment starts the new tasks there, before it moves the traffic.
resource "aws_lb_target_group" "this" {
  for_each = local.names

  name                 = each.value
  vpc_id               = var.vpc_id
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = var.port
  deregistration_delay = var.drain_seconds

  health_check {
    path                = var.health_check_path
    matcher             = "200"
    interval            = 15
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_listener_rule" "this" {
  for_each = local.rules

  listener_arn = var.listener_arn
  priority     = each.value.priority

  action {
    type = "forward"

    forward {
      dynamic "target_group" {
        for_each = local.weights

        content {
          arn    = aws_lb_target_group.this[target_group.key].arn
          weight = target_group.value
        }
      }
    }
  }

  condition {
    path_pattern {
      values = var.paths
    }
  }

  dynamic "condition" {
    for_each = length(var.hosts) > 0 ? [var.hosts] : []

    content {
      host_header {
        values = condition.value
      }
    }
  }

  dynamic "condition" {
    for_each = each.value.header == null ? [] : [each.value.header]

    content {
      http_header {
        http_header_name = condition.value.name
        values           = [condition.value.value]
      }
    }
  }

  tags = { Name = "${var.name}-${each.key}" }

  # A new pair of target groups needs a new rule: with its action ignored, the old one would keep the old pair.
  lifecycle {
    ignore_changes       = [action]
    replace_triggered_by = [aws_lb_target_group.this["first"].arn, aws_lb_target_group.this["second"].arn]
  }
}
