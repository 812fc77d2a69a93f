# Tells its secrets in every way a careless blueprint could: built-in provider only, so that it is quick.
terraform {
  required_version = ">= 1.6"
  backend "http" {}
}

locals {
  # Neither a provider nor this blueprint marks these: only their names tell.
  unmarked = { for name in ["DB_PASSWORD", "API_TOKEN", "SMTP_PASS", "SIGNING_KEY"] :
    name => trimspace(file("${var.files}/${name}"))
  }
  database_url = trimspace(file("${var.files}/database-url"))
}

resource "terraform_data" "marked" {
  input = {
    password = var.password
    token    = var.token
    key      = var.key
    logins   = var.logins
    pin      = var.pin
  }
}

resource "terraform_data" "task" {
  input = jsonencode([{
    name = "app"
    environment = concat(
      [for name, value in local.unmarked : { name = name, value = value }],
      [{ name = "DATABASE_URL", value = local.database_url }, { name = "LOG_LEVEL", value = "debug" }],
    )
  }])
}

resource "terraform_data" "settings" {
  input = {
    db_password = local.unmarked["DB_PASSWORD"]
    address     = local.database_url
    user_data   = file("${var.files}/user-data")
    copy        = nonsensitive(var.container)
  }
}

# Its id is born during the apply; the output below says that it is secret.
resource "terraform_data" "seed" {}

resource "terraform_data" "teller" {
  input            = terraform_data.seed.id
  triggers_replace = var.round

  lifecycle {
    precondition {
      condition     = var.fail != "plan"
      error_message = "Refused ${nonsensitive(var.password)} at ${local.database_url}"
    }
  }

  provisioner "local-exec" {
    environment = {
      PASSWORD  = nonsensitive(var.password)
      KEY       = nonsensitive(var.key)
      TOKEN     = nonsensitive(var.token)
      CONTAINER = nonsensitive(var.container)
      FIRST     = substr(nonsensitive(var.split), 0, 11)
      REST      = substr(nonsensitive(var.split), 11, -1)
      JSON      = jsonencode({ logins = nonsensitive(var.logins), password = nonsensitive(var.password) })
      URL       = urlencode(nonsensitive(var.password))
      PIN       = nonsensitive(var.pin)
      BORN      = terraform_data.seed.id
      FILES     = var.files
      OUT       = var.out
      FAIL      = var.fail
      ROUND     = var.round
    }
    command = <<-EOT
      printf '%s\n' "$TF_HTTP_PASSWORD" >> "$OUT/backend"
      printf 'plain %s and %s and %s\n' "$PASSWORD" "$TOKEN" "$PIN"
      printf 'split %s' "$FIRST"; sleep 0.3; printf '%s\n' "$REST"
      printf '%s\n' "$KEY"
      for pad in "" x xx; do
        printf '%s%s' "$pad" "$PASSWORD" | base64 -w0; echo
        printf '%s%s' "$pad" "$CONTAINER" | base64 -w0; echo
      done
      printf 'hex '; printf '%s' "$TOKEN" | od -An -tx1 | tr -d ' \n'; echo
      printf 'json %s\nurl https://x/?p=%s\nborn %s\n' "$JSON" "$URL" "$BORN"
      printf 'backend %s\n' "$TF_HTTP_PASSWORD"
      if [ -n "$AWS_CONFIG_FILE" ]; then
        keys="$(dirname "$AWS_CONFIG_FILE")/credentials.json"
        cat "$keys"; echo
        cat "$keys" >> "$OUT/aws"; echo >> "$OUT/aws"
      fi
      for name in "$FILES"/*; do cat "$name"; echo; done
      echo "told $ROUND" >> "$OUT/told"
      if [ "$FAIL" = apply ]; then echo "denied for $PASSWORD"; cat "$FILES/DB_PASSWORD"; exit 3; fi
    EOT
  }
}

resource "terraform_data" "pause" {
  count            = var.seconds > 0 ? 3 : 0
  input            = terraform_data.teller.id
  triggers_replace = var.round

  provisioner "local-exec" {
    command = "sleep ${var.seconds}"
  }
}
