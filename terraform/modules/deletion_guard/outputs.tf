output "protected" {
  description = "Whether a destroy is refused, as last applied."
  value       = terraform_data.this.output
}
