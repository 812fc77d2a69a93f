output "name" {
  description = "Name of the repository."
  value       = aws_ecr_repository.this.name
}

output "url" {
  description = "Address to push to and pull from, without a tag."
  value       = aws_ecr_repository.this.repository_url
}
