resource "aws_elasticache_subnet_group" "this" {
  name        = "${var.name}-redis"
  description = "Private subnets of ${var.name}"
  subnet_ids  = var.subnet_ids
}

resource "aws_elasticache_parameter_group" "this" {
  name        = "${var.name}-redis7"
  description = "Sessions and cached answers in one store"
  family      = "redis7"

  # Sessions and cached answers carry an expiry; when memory runs out, only such keys may go.
  parameter {
    name  = "maxmemory-policy"
    value = "volatile-lru"
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/elasticache/${var.name}-redis"
  retention_in_days = var.log_retention_days
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id = "${var.name}-redis"
  description          = "Sessions and cache of ${var.name}"
  engine               = "redis"
  engine_version       = var.settings.engine_version
  node_type            = var.settings.node_type
  num_cache_clusters   = var.settings.nodes
  port                 = 6379

  automatic_failover_enabled = var.settings.nodes > 1
  multi_az_enabled           = var.settings.nodes > 1

  subnet_group_name    = aws_elasticache_subnet_group.this.name
  security_group_ids   = var.security_group_ids
  parameter_group_name = aws_elasticache_parameter_group.this.name

  at_rest_encryption_enabled = true
  transit_encryption_enabled = true
  auth_token                 = var.auth_token

  snapshot_retention_limit = var.settings.snapshot_retention_days
  snapshot_window          = var.settings.snapshot_window
  maintenance_window       = var.settings.maintenance_window

  # ElastiCache rotates a token only at once, never in the maintenance window.
  apply_immediately = true

  dynamic "log_delivery_configuration" {
    for_each = ["engine-log", "slow-log"]

    content {
      log_type         = log_delivery_configuration.value
      destination_type = "cloudwatch-logs"
      destination      = aws_cloudwatch_log_group.this.name
      log_format       = "json"
    }
  }
}
