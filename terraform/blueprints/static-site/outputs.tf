output "url" {
  description = "Address of the site."
  value       = var.domain == null ? "https://${module.delivery.dns_name}" : "https://${var.domain.name}"
}

output "name_servers" {
  description = "Name servers to enter at the registrar, if the zone was created here."
  value       = flatten(module.domain[*].name_servers)
}

output "bucket_name" {
  description = "Bucket of the files."
  value       = module.bucket.name
}

output "distribution_id" {
  description = "CloudFront distribution."
  value       = module.delivery.distribution_id
}

output "front_ends" {
  description = "What the portal needs to put a build in force: where it goes, and which caches then forget what they have."
  value = {
    site = {
      bucket          = module.bucket.name
      distribution_id = module.delivery.distribution_id
      url             = var.domain == null ? "https://${module.delivery.dns_name}" : "https://${var.domain.name}"
      index_document  = var.index_document
    }
  }
}
