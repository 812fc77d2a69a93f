# Built-in provider only: init and plan take less than a second. Each apply leaves one line in a file.
terraform {
  required_version = ">= 1.6"
  backend "http" {}
}

resource "terraform_data" "step" {
  count = var.steps
  input = "${var.label}-${count.index}"

  provisioner "local-exec" {
    command = "echo ${count.index} >> \"${var.counter}\"; sleep ${var.seconds}"
  }
}

resource "terraform_data" "holder" {
  input = var.password
}

output "label" {
  value = var.label
}

output "password" {
  value     = var.password
  sensitive = true
}
