data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  name = "${var.project}-${var.environment}"

  # Known before the bucket exists, because its policy speaks of it and of what reads it.
  bucket_name = "${local.name}-site-${data.aws_caller_identity.current.account_id}"
  bucket_arn  = "arn:${data.aws_partition.current.partition}:s3:::${local.bucket_name}"
}

data "aws_iam_policy_document" "delivery" {
  statement {
    sid       = "TheDistributionReads"
    actions   = ["s3:GetObject"]
    resources = ["${local.bucket_arn}/*"]

    principals {
      type        = "Service"
      identifiers = ["cloudfront.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = [module.delivery.distribution_arn]
    }
  }
}

module "bucket" {
  source = "../../modules/bucket"

  name             = local.bucket_name
  force_destroy    = var.delete_contents_on_destroy
  policy_documents = [data.aws_iam_policy_document.delivery.json]

  lifecycle_rules = {
    tidy-up = {
      abort_multipart_after       = 7
      expire_noncurrent_after     = var.keep_replaced_days
      remove_orphan_deletemarkers = true
    }
  }
}

module "delivery" {
  source = "../../modules/content_delivery"

  name               = local.name
  bucket_domain_name = "${local.bucket_name}.s3.${var.region}.amazonaws.com"
  index_document     = var.index_document
  single_page        = var.single_page
  custom_domain      = var.domain == null ? null : { name = var.domain.name, certificate_arn = module.domain[0].certificate_arn }
  price_class        = var.price_class
}

module "domain" {
  source = "../../modules/domain"
  count  = var.domain == null ? 0 : 1

  name    = var.domain.name
  zone_id = var.domain.zone_id
  target  = { dns_name = module.delivery.dns_name, zone_id = module.delivery.zone_id }

  providers = { aws = aws.certificates }
}
