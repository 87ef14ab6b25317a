# A chain, a diamond and one that crosses modules; `dependencies` in the state is transitive.
resource "terraform_data" "a" {}

resource "terraform_data" "b" { input = terraform_data.a.id }

resource "terraform_data" "c" { input = terraform_data.a.id }

resource "terraform_data" "d" { input = [terraform_data.b.output, terraform_data.c.output] }

resource "terraform_data" "explicit" { depends_on = [module.inner] }

resource "terraform_data" "before_destroy" {
  input = terraform_data.d.id
  lifecycle { create_before_destroy = true }
}

resource "terraform_data" "alone" {}

module "inner" {
  source = "./inner"
  count  = 2
  from   = terraform_data.d.id
}
