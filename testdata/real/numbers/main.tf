# Numbers that no float holds.
locals {
  numbers = {
    thirty_digits  = 123456789012345678901234567890
    forty_decimals = 0.1234567890123456789012345678901234567891
    googol         = 1e100
    tiny           = 1e-30
    max_i64        = 9223372036854775807
    above_u64      = 18446744073709551616
    above_f64      = 9007199254740993
    negative       = -123456789012345678901234567890.5
    trailing_zeros = 1.5000
    zero           = 0
    minus_zero     = -0
  }
}

resource "terraform_data" "numbers" {
  input = local.numbers
}

output "numbers" {
  value = local.numbers
}

output "list" {
  value = tolist([123456789012345678901234567890, 0.1, 1e100])
}
