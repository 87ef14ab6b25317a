variable "name" { type = string }

resource "terraform_data" "part" {
  input = var.name
}

check "named_a" {
  assert {
    condition     = terraform_data.part.output == "a"
    error_message = "${var.name} is not a"
  }
}
