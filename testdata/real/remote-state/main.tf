# A data source, in the root and in a module, that reads the state of a folder next to this one.
data "terraform_remote_state" "network" {
  backend = "local"
  config  = { path = "${path.module}/network.tfstate" }
}

data "terraform_remote_state" "each" {
  for_each = toset(["eu", "us"])
  backend  = "local"
  config   = { path = "${path.module}/network.tfstate" }
  defaults = { region = each.key }
}

module "reader" {
  source = "./reader"
}

resource "terraform_data" "user" {
  input = data.terraform_remote_state.network.outputs.vpc_id
}
