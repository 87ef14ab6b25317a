variable "vpc" { type = string }

resource "terraform_data" "route" {
  count = 2
  input = "${var.vpc}-${count.index}"
}
