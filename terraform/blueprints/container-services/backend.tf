# Address and credentials come from TF_HTTP_* variables at run time, so that no plan file carries them.
terraform {
  backend "http" {}
}
