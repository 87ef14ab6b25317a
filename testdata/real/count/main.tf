# Instances with number keys, and eleven of them, so that 10 must sort after 9.
resource "terraform_data" "node" {
  count = 11
  input = "node-${count.index}"
}

resource "terraform_data" "single" {
  count = 1
  input = terraform_data.node[10].output
}

resource "terraform_data" "none" {
  count = 0
}
