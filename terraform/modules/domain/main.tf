locals {
  zone_id = var.zone_id == null ? aws_route53_zone.this[0].zone_id : var.zone_id

  # For each name a proof that it is ours.
  validations = { for option in aws_acm_certificate.this.domain_validation_options : option.domain_name => option }
}

resource "aws_route53_zone" "this" {
  count = var.zone_id == null ? 1 : 0

  name = var.name
}

resource "aws_acm_certificate" "this" {
  domain_name       = var.name
  validation_method = "DNS"

  # Left out rather than empty: AWS gives the name itself back as its only alternative.
  subject_alternative_names = length(var.further_names) > 0 ? var.further_names : null

  # The listener needs a certificate at all times: the new one comes before the old one goes.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  zone_id = local.zone_id
  name    = local.validations[var.name].resource_record_name
  type    = local.validations[var.name].resource_record_type
  records = [local.validations[var.name].resource_record_value]
  ttl     = 300

  # A certificate and its successor for the same name are validated by the same record.
  allow_overwrite = true
}

resource "aws_route53_record" "further_validation" {
  for_each = toset(var.further_names)

  zone_id         = local.zone_id
  name            = local.validations[each.key].resource_record_name
  type            = local.validations[each.key].resource_record_type
  records         = [local.validations[each.key].resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  certificate_arn         = aws_acm_certificate.this.arn
  validation_record_fqdns = concat([aws_route53_record.validation.fqdn], [for record in aws_route53_record.further_validation : record.fqdn])
}

resource "aws_route53_record" "this" {
  zone_id = local.zone_id
  name    = var.name
  type    = "A"

  alias {
    name                   = var.target.dns_name
    zone_id                = var.target.zone_id
    evaluate_target_health = true
  }
}

resource "aws_route53_record" "further" {
  for_each = toset(var.further_names)

  zone_id = local.zone_id
  name    = each.key
  type    = "A"

  alias {
    name                   = var.target.dns_name
    zone_id                = var.target.zone_id
    evaluate_target_health = true
  }
}
