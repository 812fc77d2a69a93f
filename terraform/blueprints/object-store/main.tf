data "aws_caller_identity" "current" {}

module "bucket" {
  source = "../../modules/bucket"

  name          = "${var.project}-${var.environment}-objects-${data.aws_caller_identity.current.account_id}"
  versioning    = var.versioning
  force_destroy = var.delete_contents_on_destroy
}

resource "aws_ssm_parameter" "api_key" {
  name        = "/${var.project}/${var.environment}/api-key"
  description = "Key that clients of the object store present."
  type        = "SecureString"
  value       = var.api_key
}
