mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{\"Version\":\"2012-10-17\",\"Statement\":[]}" }
  }
}

variables {
  project     = "triflow-ai"
  environment = "demo"
  api_key     = "0123456789abcdef"
}

run "names_and_encryption" {
  assert {
    condition     = output.bucket_name == "triflow-ai-demo-objects-123456789012"
    error_message = "The bucket's name ends in the account id."
  }

  assert {
    condition     = aws_ssm_parameter.api_key.type == "SecureString" && output.api_key_parameter == "/triflow-ai/demo/api-key"
    error_message = "The key is stored encrypted, below the environment's path."
  }

  assert {
    condition     = nonsensitive(output.client_settings.api_key) == "0123456789abcdef"
    error_message = "Clients get the key that was given."
  }
}

run "production_keeps_its_contents" {
  command = plan
  variables {
    environment                = "production"
    delete_contents_on_destroy = true
  }
  expect_failures = [var.delete_contents_on_destroy]
}

run "short_key_is_refused" {
  command = plan
  variables {
    api_key = "short"
  }
  expect_failures = [var.api_key]
}

run "bad_names_are_refused" {
  command = plan
  variables {
    project     = "TriFlow AI"
    environment = "-"
    region      = "Seoul"
    tags        = { "aws:owner" = "me" }
  }
  expect_failures = [var.project, var.environment, var.region, var.tags]
}
