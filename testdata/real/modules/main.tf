# Modules in modules, with count, with for_each and with neither; 10 must sort after 9 here too.
module "plain" {
  source = "./network"
  name   = "plain"
}

module "numbered" {
  source = "./network"
  count  = 11
  name   = "numbered-${count.index}"
}

module "keyed" {
  source   = "./network"
  for_each = toset(["eu", "us"])
  name     = each.key
}

resource "terraform_data" "last" {
  input = [for m in module.keyed : m.name]
}
