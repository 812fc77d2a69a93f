variable "name" {
  type = string
}

variable "size" {
  type = number
}

variable "kept" {
  type = number
}

variable "fixed" {
  type = number
}

variable "computed" {
  type = string
}

variable "secret" {
  type = string
}

resource "aws_db_instance" "this" {
  identifier              = var.name
  allocated_storage       = var.size
  backup_retention_period = var.kept
  port                    = var.fixed
  db_name                 = var.computed
  multi_az                = true
  username                = "main-${var.name}"
  password                = var.secret

  timeouts {
    create = var.name
  }
}
