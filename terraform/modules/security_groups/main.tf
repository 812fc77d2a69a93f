locals {
  groups = {
    alb   = "Load balancer: HTTPS from the internet, on to the tasks"
    ecs   = "Tasks: from the load balancer, to database, cache and HTTPS services"
    rds   = "Database: from the tasks only"
    redis = "Cache: from the tasks only"
  }

  # Either a peer group or an address range. Rules are resources of their own: groups that name each
  # other in inline rules are a cycle, and an inline rule cannot be reviewed by itself in a plan.
  # The key becomes the rule's name tag, the first column of the console's list of rules.
  further = { for port in var.further_service_ports : tostring(port) => port }

  ingress = merge({ for name, port in local.further : "ecs-${name}-from-alb" => { group = "ecs", port = port, peer = "alb", cidr = null } }, {
    alb-https-from-anywhere = { group = "alb", port = 443, peer = null, cidr = "0.0.0.0/0" }
    ecs-from-alb            = { group = "ecs", port = var.service_port, peer = "alb", cidr = null }
    rds-from-ecs            = { group = "rds", port = var.database_port, peer = "ecs", cidr = null }
    redis-from-ecs          = { group = "redis", port = var.cache_port, peer = "ecs", cidr = null }
  })

  egress = merge({ for name, port in local.further : "alb-to-ecs-${name}" => { group = "alb", port = port, peer = "ecs", cidr = null } }, {
    alb-to-ecs            = { group = "alb", port = var.service_port, peer = "ecs", cidr = null }
    ecs-to-rds            = { group = "ecs", port = var.database_port, peer = "rds", cidr = null }
    ecs-to-redis          = { group = "ecs", port = var.cache_port, peer = "redis", cidr = null }
    ecs-https-to-anywhere = { group = "ecs", port = 443, peer = null, cidr = "0.0.0.0/0" }
  })
}

resource "aws_security_group" "this" {
  for_each = local.groups

  name        = "${var.name}-${each.key}"
  description = each.value
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  for_each = local.ingress

  security_group_id            = aws_security_group.this[each.value.group].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  cidr_ipv4                    = each.value.cidr
  referenced_security_group_id = each.value.peer == null ? null : aws_security_group.this[each.value.peer].id

  tags = { Name = each.key }
}

resource "aws_vpc_security_group_egress_rule" "this" {
  for_each = local.egress

  security_group_id            = aws_security_group.this[each.value.group].id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
  cidr_ipv4                    = each.value.cidr
  referenced_security_group_id = each.value.peer == null ? null : aws_security_group.this[each.value.peer].id

  tags = { Name = each.key }
}
