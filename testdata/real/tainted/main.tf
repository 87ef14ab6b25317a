# `terraform taint terraform_data.web[1]` after the apply.
resource "terraform_data" "web" {
  count = 3
  input = "web-${count.index}"
}
