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
    engine_version        = "14"
    instance_class        = "db.t4g.medium"
    storage_gb            = 100
    multi_az              = true
    name                  = "triflow"
    username              = "triflow_admin"
    backup_retention_days = 7
    backup_window         = "18:00-18:59"
    maintenance_window    = "mon:19:00-mon:20:00"
    slow_query_ms         = 1000
    apply_immediately     = false
  }
  password           = "correct-horse-battery"
  subnet_ids         = ["subnet-1", "subnet-2"]
  security_group_ids = ["sg-1"]
  log_retention_days = 14
}

run "production_as_documented" {
  command = plan

  assert {
    condition     = aws_db_instance.this.identifier == "triflow-ai-production-db" && aws_db_instance.this.multi_az && aws_db_instance.this.storage_type == "gp3" && aws_db_instance.this.allocated_storage == 100
    error_message = "100 GB of gp3 in two zones."
  }

  assert {
    condition     = aws_db_instance.this.storage_encrypted && !aws_db_instance.this.publicly_accessible
    error_message = "Encrypted and private."
  }

  assert {
    condition     = aws_db_instance.this.performance_insights_enabled && aws_db_instance.this.monitoring_interval == 60 && aws_db_instance.this.enabled_cloudwatch_logs_exports == toset(["postgresql"])
    error_message = "Performance Insights, enhanced monitoring and exported logs."
  }

  assert {
    condition = {
      for parameter in aws_db_parameter_group.this.parameter : parameter.name => parameter.value
    } == { log_min_duration_statement = "1000", "rds.force_ssl" = "1" }
    error_message = "Queries over a second are logged, unencrypted connections refused."
  }

  assert {
    condition     = aws_db_parameter_group.this.family == "postgres14" && aws_cloudwatch_log_group.this.name == "/aws/rds/instance/triflow-ai-production-db/postgresql"
    error_message = "Family and log group follow from version and name."
  }

  assert {
    condition     = aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot && startswith(aws_db_instance.this.final_snapshot_identifier, "triflow-ai-production-db-final-")
    error_message = "Protected, and never deleted without a snapshot."
  }

  assert {
    condition     = !aws_db_instance.this.apply_immediately
    error_message = "Restarts wait for the maintenance window."
  }
}

run "a_rebuilt_environment_takes_another_final_snapshot" {
  command = plan
  variables {
    subnet_ids = ["subnet-3", "subnet-4"]
  }
  assert {
    condition     = aws_db_instance.this.final_snapshot_identifier != run.production_as_documented.final_snapshot_name
    error_message = "The name of the first snapshot is taken."
  }
}

run "family_of_a_full_version" {
  command = plan
  variables {
    settings = merge(var.settings, { engine_version = "16.4" })
  }
  assert {
    condition     = aws_db_parameter_group.this.family == "postgres16"
    error_message = "The family is the major version."
  }
}

run "hyphen_in_the_maintenance_window_is_refused" {
  command = plan
  variables {
    settings = merge(var.settings, { maintenance_window = "mon-19:00" })
  }
  expect_failures = [var.settings]
}

run "password_that_rds_refuses" {
  command = plan
  variables {
    password = "has a space and an @"
  }
  expect_failures = [var.password]
}
