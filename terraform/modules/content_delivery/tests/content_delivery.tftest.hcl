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
  name               = "sesami-development"
  bucket_domain_name = "sesami-development-site-123456789012.s3.ap-northeast-2.amazonaws.com"
}

run "https_from_a_private_bucket" {
  command = plan

  assert {
    condition     = aws_cloudfront_origin_access_control.this.signing_behavior == "always" && aws_cloudfront_distribution.this.default_cache_behavior[0].viewer_protocol_policy == "redirect-to-https"
    error_message = "CloudFront signs every request to the bucket, and visitors come over HTTPS."
  }

  assert {
    condition     = { for answer in aws_cloudfront_distribution.this.custom_error_response : tostring(answer.error_code) => "${answer.response_code} ${answer.response_page_path}" } == { "403" = "200 /index.html", "404" = "200 /index.html" }
    error_message = "A path that is no file is the application's."
  }

  assert {
    condition     = length(coalesce(aws_cloudfront_distribution.this.aliases, [])) == 0
    error_message = "Without a domain, CloudFront's own name."
  }
}

run "several_pages_and_a_domain" {
  command = plan

  variables {
    single_page   = false
    custom_domain = { name = "app.sesami.dev", certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1" }
  }

  assert {
    condition     = length(aws_cloudfront_distribution.this.custom_error_response) == 0
    error_message = "What is not there is said to be not there."
  }

  assert {
    condition     = aws_cloudfront_distribution.this.viewer_certificate[0].minimum_protocol_version == "TLSv1.2_2021" && contains(aws_cloudfront_distribution.this.aliases, "app.sesami.dev")
    error_message = "TLS 1.2 and newer under the site's own name."
  }
}

run "bad_values_are_refused" {
  command = plan
  variables {
    name               = "Site"
    bucket_domain_name = "https://bucket"
    index_document     = "/index.html"
    custom_domain      = { name = "https://app", certificate_arn = "arn" }
    price_class        = "cheap"
  }
  expect_failures = [var.name, var.bucket_domain_name, var.index_document, var.custom_domain, var.price_class]
}
