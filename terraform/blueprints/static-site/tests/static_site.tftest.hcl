mock_provider "aws" {
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

mock_provider "aws" {
  alias = "certificates"
}

variables {
  project     = "sesami"
  environment = "development"
}

run "a_private_place_for_builds" {
  assert {
    condition     = output.bucket_name == "sesami-development-site-123456789012" && output.front_ends.site.bucket == output.bucket_name
    error_message = "The bucket's name ends in the account id, and deployments are told of it."
  }

  assert {
    condition     = output.front_ends.site.distribution_id == output.distribution_id && output.front_ends.site.index_document == "index.html"
    error_message = "Deployments know which caches to tell."
  }

  assert {
    condition     = length(output.name_servers) == 0 && startswith(output.url, "https://")
    error_message = "Without a domain there is nothing to delegate."
  }
}

run "with_a_domain" {
  command = plan
  variables {
    domain = { name = "app.sesami.dev", zone_id = "Z0123456789ABC" }
  }
  assert {
    condition     = output.url == "https://app.sesami.dev"
    error_message = "The site answers under its own name."
  }
}

run "production_keeps_its_files" {
  command = plan
  variables {
    environment                = "production"
    delete_contents_on_destroy = true
  }
  expect_failures = [var.delete_contents_on_destroy]
}

run "bad_values_are_refused" {
  command = plan
  variables {
    project            = "Sesami"
    environment        = "-"
    region             = "Seoul"
    domain             = { name = "https://app" }
    index_document     = "a/b.html"
    price_class        = "all"
    keep_replaced_days = 0
    tags               = { "aws:owner" = "me" }
  }
  expect_failures = [
    var.project, var.environment, var.region, var.domain, var.index_document, var.price_class, var.keep_replaced_days,
    var.tags,
  ]
}
