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
  name = "triflow-ai-production"
  settings = {
    engine_version          = "7.1"
    node_type               = "cache.t4g.small"
    nodes                   = 2
    snapshot_retention_days = 1
    snapshot_window         = "17:00-18:00"
    maintenance_window      = "mon:20:00-mon:21:00"
  }
  auth_token         = "a-token-of-twenty-characters"
  subnet_ids         = ["subnet-1", "subnet-2"]
  security_group_ids = ["sg-1"]
  log_retention_days = 14
}

run "primary_and_replica" {
  command = plan

  assert {
    condition     = aws_elasticache_replication_group.this.num_cache_clusters == 2 && aws_elasticache_replication_group.this.automatic_failover_enabled && aws_elasticache_replication_group.this.multi_az_enabled
    error_message = "Two nodes in two zones; the second takes over."
  }

  assert {
    condition     = tobool(aws_elasticache_replication_group.this.at_rest_encryption_enabled) && aws_elasticache_replication_group.this.transit_encryption_enabled
    error_message = "Encrypted at rest and on the way."
  }

  assert {
    condition     = output.node_ids == ["triflow-ai-production-redis-001", "triflow-ai-production-redis-002"]
    error_message = "Nodes are named as ElastiCache names them."
  }
}

run "single_node_has_nothing_to_fail_over_to" {
  command = plan
  variables {
    settings = merge(var.settings, { nodes = 1 })
  }
  assert {
    condition     = !aws_elasticache_replication_group.this.automatic_failover_enabled && !aws_elasticache_replication_group.this.multi_az_enabled && length(output.node_ids) == 1
    error_message = "AWS refuses failover with one node."
  }
}

run "bad_values_are_refused" {
  command = plan
  variables {
    settings   = merge(var.settings, { nodes = 0 })
    auth_token = "short"
  }
  expect_failures = [var.settings, var.auth_token]
}
