# Keys that need every escape an address knows. NFC only: Terraform normalises what it reads here.
resource "terraform_data" "key" {
  for_each = toset([
    "",
    "0",
    " ",
    " spaces around ",
    "a.b[0].c",
    "quote\"inside",
    "back\\slash",
    "line\nbreak",
    "carriage\rreturn",
    "tab\there",
    "$${dollar}",
    "%%{percent}",
    "$$${two}",
    "$ % alone",
    "<&>",
    "😀",
    "ünïcödé",
    "日本語",
    "zero\u200bwidth",
    "nbsp\u00a0here",
    "line\u2028separator",
    "bidi\u202eoverride",
    "escape\u001b[31mred",
    "bell\u0007",
    "nul\u0000byte",
    "delete\u007f",
    "unassigned\U000e0080",
    "module.x",
  ])
  input = each.key
}

module "box" {
  source   = "./box"
  for_each = toset(["a.b", "with \"quotes\"", "$${x}", ""])
}
