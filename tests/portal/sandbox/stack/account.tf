resource "aws_backup_vault" "this" {
  name = "stack"
}

resource "aws_backup_plan" "this" {
  name = "stack"
  rule {
    rule_name         = "weekly"
    target_vault_name = aws_backup_vault.this.name
    schedule          = var.backup_schedule
    lifecycle {
      delete_after = 28
    }
  }
}

resource "aws_backup_selection" "this" {
  name         = "stack"
  plan_id      = aws_backup_plan.this.id
  iam_role_arn = aws_iam_role.this.arn
  resources    = ["arn:aws:rds:*:*:db:stack-*"]
}

resource "aws_budgets_budget" "this" {
  name         = "stack"
  budget_type  = "COST"
  limit_amount = var.budget
  limit_unit   = "USD"
  time_unit    = "MONTHLY"
  notification {
    comparison_operator        = "GREATER_THAN"
    threshold                  = 80
    threshold_type             = "PERCENTAGE"
    notification_type          = "ACTUAL"
    subscriber_email_addresses = ["finance@example.com"]
  }
}

resource "aws_ce_cost_allocation_tag" "this" {
  tag_key = "Project"
  status  = "Active"
}

data "aws_cloudfront_cache_policy" "optimized" {
  name = "Managed-CachingOptimized"
}

resource "aws_cloudfront_origin_access_control" "this" {
  name                              = "stack"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

resource "aws_cloudfront_distribution" "this" {
  enabled = true
  origin {
    domain_name              = aws_s3_bucket.this["source"].bucket_regional_domain_name
    origin_id                = "bucket"
    origin_access_control_id = aws_cloudfront_origin_access_control.this.id
  }
  default_cache_behavior {
    target_origin_id       = "bucket"
    viewer_protocol_policy = "redirect-to-https"
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]
    cache_policy_id        = data.aws_cloudfront_cache_policy.optimized.id
  }
  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }
  viewer_certificate {
    cloudfront_default_certificate = true
  }
}

variable "backup_schedule" {
  type    = string
  default = "cron(0 18 ? * SUN *)"
}

variable "budget" {
  type    = string
  default = "500"
}
