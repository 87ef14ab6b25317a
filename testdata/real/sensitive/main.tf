# Secrets hold the marker S3CR3T and nothing else does. `output` of terraform_data mirrors `input`,
# but Terraform lists only `input` in sensitive_attributes.
variable "password" {
  type      = string
  sensitive = true
  default   = "S3CR3T-password"
}

resource "terraform_data" "whole" {
  input = var.password
}

resource "terraform_data" "nested" {
  input = {
    user = "admin"
    env = [
      { name = "HOST", value = "db.example.com" },
      { name = "PASSWORD", value = var.password },
    ]
    "key with.dots" = { deep = [[var.password, "public"]] }
    in_a_sentence   = "user=admin password=${var.password}"
    a_set           = toset(["public", var.password])
  }
}

resource "terraform_data" "trigger" {
  triggers_replace = { token = sensitive("S3CR3T-token"), rotation = 3 }
}

resource "terraform_data" "embedded" {
  input = jsonencode({ Statement = [{ Secret = var.password }] })
}

output "password" {
  value     = var.password
  sensitive = true
}

output "connection" {
  value     = { user = "admin", password = var.password, ports = [5432] }
  sensitive = true
}

output "user" {
  value = "admin"
}
