# Instances with string keys: "10" sorts before "9", and "0" is not the number 0.
resource "terraform_data" "zone" {
  for_each = toset(["a", "B", "9", "10", "0", "eu-west-1"])
  input    = each.key
}
