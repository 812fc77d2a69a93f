# Every step leaves one line that names the run (its sign-in to the state) and the step; the bulk makes plans, state
# writes and the reading of the inventory take long enough to be hit.
terraform {
  required_version = ">= 1.6"
  backend "http" {}
}

resource "terraform_data" "step" {
  count = var.steps
  input = "${var.label}-${count.index}"

  provisioner "local-exec" {
    command = "echo \"$TF_HTTP_USERNAME ${count.index}\" >> \"${var.counter}\"; sleep ${var.seconds}"
  }
}

resource "terraform_data" "bulk" {
  count = var.bulk
  input = "${var.label}-${count.index}"
}
