# Applied, then destroyed: what is left of a state without anything in it.
resource "terraform_data" "gone" {}

output "gone" { value = terraform_data.gone.id }
