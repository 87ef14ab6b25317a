data "terraform_remote_state" "network" {
  backend = "local"
  config  = { path = "${path.root}/network.tfstate" }
}

resource "terraform_data" "user" {
  input = data.terraform_remote_state.network.outputs.subnets
}
