output "password" {
  value     = var.password
  sensitive = true
}

output "born" {
  value     = terraform_data.seed.id
  sensitive = true
}

# Nobody marked it; its name tells.
output "admin_password" {
  value = trimspace(file("${var.files}/admin-password"))
}

output "task" {
  value = terraform_data.task.output
}

output "label" {
  value = "harmless"
}
