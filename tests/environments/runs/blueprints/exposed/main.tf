# Read by the tests, never applied: what a blueprint writes itself, and what Terraform fills in.

locals {
  label = "computed-${var.label}"
}

module "guarded" {
  source = "../../modules/guarded"

  name     = var.label
  size     = var.settings.size
  kept     = var.kept_days
  fixed    = 5
  computed = local.label
  secret   = var.password
}

module "many" {
  source   = "../../modules/guarded"
  for_each = toset(["a", "b"])

  name     = each.value
  size     = 1
  kept     = var.kept_days
  fixed    = 5
  computed = local.label
  secret   = var.password
}

resource "aws_security_group" "written_inside" {
  name = var.label

  ingress {
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = ["10.0.0.0/8"]
  }
}

resource "aws_security_group" "bare" {
  name = var.label
}

resource "aws_iam_role" "listed" {
  name                = var.label
  managed_policy_arns = ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
  assume_role_policy  = "{}"
}

resource "aws_iam_role" "bare" {
  name               = var.label
  assume_role_policy = "{}"
}
