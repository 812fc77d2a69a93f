locals {
  family = "postgres${split(".", var.settings.engine_version)[0]}"
}

resource "aws_db_subnet_group" "this" {
  name        = "${var.name}-db"
  description = "Private subnets of ${var.name}"
  subnet_ids  = var.subnet_ids
}

resource "aws_db_parameter_group" "this" {
  # The family is part of the name, so that a major upgrade can bring its own group beside the old one.
  name        = "${var.name}-${local.family}"
  description = "Slow queries to the log, encrypted connections only"
  family      = local.family

  parameter {
    name  = "log_min_duration_statement"
    value = tostring(var.settings.slow_query_ms)
  }

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  lifecycle {
    create_before_destroy = true
  }
}

# RDS would make the group itself, and keep its lines forever.
resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/rds/instance/${var.name}-db/postgresql"
  retention_in_days = var.log_retention_days
}

data "aws_iam_policy_document" "monitoring" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["monitoring.rds.amazonaws.com"]
    }
  }
}

data "aws_partition" "current" {}

resource "aws_iam_role" "monitoring" {
  name               = "${var.name}-rds-monitoring-role"
  description        = "Lets RDS write its operating system metrics"
  assume_role_policy = data.aws_iam_policy_document.monitoring.json
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

resource "aws_db_instance" "this" {
  identifier     = "${var.name}-db"
  engine         = "postgres"
  engine_version = var.settings.engine_version
  instance_class = var.settings.instance_class
  multi_az       = var.settings.multi_az

  db_name  = var.settings.name
  username = var.settings.username
  password = var.password

  storage_type      = "gp3"
  allocated_storage = var.settings.storage_gb
  storage_encrypted = true

  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = var.security_group_ids
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.this.name

  # Besides the password: tasks may also sign in with their role (see the task role's rds-connect policy).
  iam_database_authentication_enabled = true

  backup_retention_period = var.settings.backup_retention_days
  backup_window           = var.settings.backup_window
  maintenance_window      = var.settings.maintenance_window
  copy_tags_to_snapshot   = true

  auto_minor_version_upgrade = true
  apply_immediately          = var.settings.apply_immediately

  monitoring_interval                   = 60
  monitoring_role_arn                   = aws_iam_role.monitoring.arn
  performance_insights_enabled          = true
  performance_insights_retention_period = 7
  enabled_cloudwatch_logs_exports       = ["postgresql"]

  deletion_protection = var.deletion_protection
  skip_final_snapshot = !var.final_snapshot
  # Snapshot names are unique in an account, and the snapshot outlives the database: an environment that is
  # destroyed and built again must not be refused its second final snapshot. Its subnets are new each time.
  final_snapshot_identifier = "${var.name}-db-final-${substr(sha1(join(",", var.subnet_ids)), 0, 8)}"

  depends_on = [
    aws_cloudwatch_log_group.this,
    aws_iam_role_policy_attachment.monitoring,
  ]
}
