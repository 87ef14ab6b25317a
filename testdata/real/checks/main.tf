# Check blocks that pass and fail, conditions of resources, outputs and variables.
variable "size" {
  type    = number
  default = 3
  validation {
    condition     = var.size < 10
    error_message = "too large"
  }
}

resource "terraform_data" "disk" {
  count = 2
  input = var.size + count.index
  lifecycle {
    precondition {
      condition     = var.size > 0
      error_message = "the size must be positive"
    }
    postcondition {
      condition     = self.output > 0
      error_message = "the disk has no size"
    }
  }
}

check "healthy" {
  assert {
    condition     = terraform_data.disk[0].output == 3
    error_message = "disk 0 is not healthy"
  }
}

check "fails_twice" {
  assert {
    condition     = terraform_data.disk[0].output == 0
    error_message = "disk 0 has \"size\" ${terraform_data.disk[0].output} <&>\nand not zero"
  }
  assert {
    condition     = terraform_data.disk[1].output == 0
    error_message = "disk 1 is not zero"
  }
}

check "errs" {
  assert {
    condition     = tonumber(terraform_data.disk[0].id) > 0
    error_message = "never seen: an id is no number"
  }
}

module "inner" {
  source   = "./inner"
  for_each = toset(["a", "b"])
  name     = each.key
}

output "sizes" {
  value = terraform_data.disk[*].output
  precondition {
    condition     = length(terraform_data.disk) == 2
    error_message = "expected two disks"
  }
}
