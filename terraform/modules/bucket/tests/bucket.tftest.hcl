mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
}

variables {
  name = "triflow-ai-prod-123456789012"
}

run "private_by_default" {
  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "All four public access switches must be on."
  }

  assert {
    condition     = !aws_s3_bucket.this.force_destroy
    error_message = "A bucket with contents must survive a destroy unless asked otherwise."
  }

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "Versioning is on by default."
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.this) == 0
    error_message = "Without rules there is no lifecycle configuration (an empty one is refused by S3)."
  }

  assert {
    condition = one([
      for statement in data.aws_iam_policy_document.this.statement :
      statement if statement.effect == "Deny" && one(statement.condition).variable == "aws:SecureTransport"
    ]) != null
    error_message = "Unencrypted connections must be refused."
  }
}

run "rules_keep_their_prefix" {
  variables {
    lifecycle_rules = {
      dumps   = { prefix = "backups/", expire_after = 30, expire_noncurrent_after = 7 }
      exports = { prefix = "tenants/a/exports/", glacier_after = 90 }
      tidy-up = { abort_multipart_after = 7, expire_noncurrent_after = 90, remove_orphan_deletemarkers = true }
    }
  }

  assert {
    condition = {
      for rule in aws_s3_bucket_lifecycle_configuration.this[0].rule : rule.id => rule.filter[0].prefix
    } == { dumps = "backups/", exports = "tenants/a/exports/", tidy-up = "" }
    error_message = "Each rule covers exactly its prefix."
  }

  assert {
    condition = [
      for rule in aws_s3_bucket_lifecycle_configuration.this[0].rule : rule.id if try(rule.expiration[0].days, 0) > 0
    ] == ["dumps"]
    error_message = "Only the rule that says so deletes current objects."
  }
}

run "deleting_without_a_prefix_is_refused" {
  command = plan
  variables {
    lifecycle_rules = { everything = { expire_after = 30 } }
  }
  expect_failures = [var.lifecycle_rules]
}

run "wildcards_are_refused" {
  command = plan
  variables {
    lifecycle_rules = { exports = { prefix = "exports/*/", glacier_after = 90 } }
  }
  expect_failures = [var.lifecycle_rules]
}

run "prefix_without_slash_is_refused" {
  command = plan
  variables {
    lifecycle_rules = { dumps = { prefix = "backups", expire_after = 30 } }
  }
  expect_failures = [var.lifecycle_rules]
}

run "leaving_glacier_too_early_is_refused" {
  command = plan
  variables {
    lifecycle_rules = { audio = { prefix = "audio/", glacier_after = 30, expire_after = 90 } }
  }
  expect_failures = [var.lifecycle_rules]
}

run "fraction_of_a_day_is_refused" {
  command = plan
  variables {
    lifecycle_rules = { dumps = { prefix = "backups/", expire_after = 0.5 } }
  }
  expect_failures = [var.lifecycle_rules]
}

run "bad_name_is_refused" {
  command = plan
  variables {
    name = "TriFlow_Prod"
  }
  expect_failures = [var.name]
}
