resource "aws_db_subnet_group" "this" {
  name       = "stack"
  subnet_ids = [for subnet in aws_subnet.this : subnet.id]
}

resource "aws_db_parameter_group" "this" {
  name   = "stack"
  family = "postgres16"
  parameter {
    name  = "log_min_duration_statement"
    value = "500"
  }
}

resource "aws_db_instance" "this" {
  for_each                              = toset(["stack-one", "stack-two"])
  identifier                            = each.key
  engine                                = "postgres"
  engine_version                        = "16.3"
  instance_class                        = "db.t4g.medium"
  allocated_storage                     = 20
  storage_type                          = "gp3"
  storage_encrypted                     = true
  kms_key_id                            = aws_kms_key.this.arn
  multi_az                              = true
  username                              = "stack"
  password                              = "not-a-secret-1"
  db_subnet_group_name                  = aws_db_subnet_group.this.name
  parameter_group_name                  = aws_db_parameter_group.this.name
  vpc_security_group_ids                = [aws_security_group.this.id]
  backup_retention_period               = 7
  backup_window                         = "18:00-19:00"
  maintenance_window                    = "sun:19:30-sun:20:30"
  performance_insights_enabled          = true
  performance_insights_kms_key_id       = aws_kms_key.this.arn
  performance_insights_retention_period = 7
  monitoring_interval                   = 60
  monitoring_role_arn                   = aws_iam_role.this.arn
  enabled_cloudwatch_logs_exports       = ["postgresql"]
  copy_tags_to_snapshot                 = true
  final_snapshot_identifier             = "${each.key}-final"
}

resource "aws_elasticache_subnet_group" "this" {
  name       = "stack"
  subnet_ids = [for subnet in aws_subnet.this : subnet.id]
}

resource "aws_elasticache_parameter_group" "this" {
  name   = "stack"
  family = "redis7"
  parameter {
    name  = "maxmemory-policy"
    value = "allkeys-lru"
  }
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id       = "stack"
  description                = "The stack's cache"
  engine                     = "redis"
  engine_version             = "7.0"
  node_type                  = "cache.t4g.small"
  num_cache_clusters         = 2
  automatic_failover_enabled = true
  multi_az_enabled           = true
  at_rest_encryption_enabled = true
  transit_encryption_enabled = true
  parameter_group_name       = aws_elasticache_parameter_group.this.name
  subnet_group_name          = aws_elasticache_subnet_group.this.name
  security_group_ids         = [aws_security_group.this.id]
  snapshot_retention_limit   = 5
  snapshot_window            = "17:00-18:00"
  maintenance_window         = "sun:20:30-sun:21:30"
}

resource "aws_elasticache_cluster" "single" {
  cluster_id           = "stack-single"
  engine               = "redis"
  engine_version       = "7.0"
  node_type            = "cache.t4g.micro"
  num_cache_nodes      = 1
  parameter_group_name = "default.redis7"
  subnet_group_name    = aws_elasticache_subnet_group.this.name
}

resource "aws_s3_bucket" "this" {
  for_each      = toset(["source", "copy"])
  bucket        = "stack-${each.key}-${data.aws_caller_identity.me.account_id}"
  force_destroy = true
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = aws_s3_bucket.this
  bucket   = each.value.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this["source"].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyOverTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.this["source"].arn, "${aws_s3_bucket.this["source"].arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

resource "aws_s3_object" "this" {
  bucket     = aws_s3_bucket.this["source"].id
  key        = "hello.txt"
  content    = "hello"
  depends_on = [aws_s3_bucket_policy.this, aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this["source"].id
  rule {
    id     = "old"
    status = "Enabled"
    filter {
      prefix = "logs/"
    }
    expiration {
      days = 90
    }
    noncurrent_version_expiration {
      noncurrent_days = 30
    }
  }
}

resource "aws_s3_bucket_replication_configuration" "this" {
  bucket = aws_s3_bucket.this["source"].id
  role   = aws_iam_role.this.arn
  rule {
    id       = "all"
    status   = "Enabled"
    priority = 1
    filter {
      prefix = "documents/"
    }
    delete_marker_replication {
      status = "Enabled"
    }
    destination {
      bucket = aws_s3_bucket.this["copy"].arn
    }
  }
  depends_on = [aws_s3_bucket_versioning.this]
}
