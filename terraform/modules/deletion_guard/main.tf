# AWS refuses to delete a protected database, but by then Terraform has long taken away everything around it.
# What depends on everything is destroyed before everything: refusing here leaves all of it standing.
resource "terraform_data" "this" {
  input = var.protected

  provisioner "local-exec" {
    when    = destroy
    command = self.input ? "echo 'Deletion protection is on. Apply with deletion_protection = false before a destroy.' >&2; exit 1" : "true"
  }
}
