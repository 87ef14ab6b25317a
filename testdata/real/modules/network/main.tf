variable "name" { type = string }

resource "terraform_data" "vpc" {
  input = var.name
}

module "subnet" {
  source   = "./subnet"
  for_each = toset(["private"])
  vpc      = terraform_data.vpc.output
}

output "name" { value = terraform_data.vpc.output }
