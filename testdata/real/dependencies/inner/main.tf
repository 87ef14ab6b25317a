variable "from" { type = string }

resource "terraform_data" "first" { input = var.from }

resource "terraform_data" "second" { input = terraform_data.first.id }
