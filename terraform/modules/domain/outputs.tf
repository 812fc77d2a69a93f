output "certificate_arn" {
  description = "The certificate, known once it has been issued."
  value       = aws_acm_certificate_validation.this.certificate_arn
}

output "name_servers" {
  description = "Name servers to enter at the registrar or in the parent zone. Empty when the zone was there before."
  value       = try(aws_route53_zone.this[0].name_servers, [])
}

output "zone_id" {
  description = "Hosted zone of the domain."
  value       = local.zone_id
}
