terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

provider "aws" {
  region = "ap-northeast-2"
  default_tags {
    tags = {
      Project = "stack"
      Owner   = "platform"
    }
  }
}

data "aws_caller_identity" "me" {}

resource "aws_vpc" "this" {
  cidr_block = "10.20.0.0/16"
}

resource "aws_subnet" "this" {
  for_each          = { a = "10.20.1.0/24", c = "10.20.2.0/24" }
  vpc_id            = aws_vpc.this.id
  cidr_block        = each.value
  availability_zone = "ap-northeast-2${each.key}"
}

resource "aws_security_group" "this" {
  name        = "stack"
  description = "All of the stack"
  vpc_id      = aws_vpc.this.id
}

data "aws_ami" "linux" {
  most_recent = true
  owners      = ["amazon"]
  filter {
    name   = "name"
    values = ["amzn2-ami-hvm-*"]
  }
}

resource "aws_instance" "bastion" {
  ami           = data.aws_ami.linux.id
  instance_type = "t3.micro"
  monitoring    = true
  subnet_id     = aws_subnet.this["a"].id
}

resource "aws_kms_key" "this" {
  description = "Encrypts the stack"
}
