# Applied with generation 1, then 2. What depends on `web` fails the second time, so Terraform never
# comes to destroying the old objects: they stay as deposed ones beside the new, and `proxy` is tainted.
variable "generation" {
  type    = number
  default = 1
}

resource "terraform_data" "web" {
  count            = 2
  input            = "generation-${var.generation}"
  triggers_replace = var.generation
  lifecycle {
    create_before_destroy = true
  }
}

resource "terraform_data" "proxy" {
  triggers_replace = terraform_data.web[*].id
  provisioner "local-exec" {
    command = "test ${var.generation} = 1"
  }
}
