# Every shape a type can take in an output.
output "string" { value = "text with \"quotes\", <html>, ${"$"}{braces} and\nlines" }
output "number" { value = 42 }
output "bool" { value = true }
output "empty_string" { value = "" }
output "null_is_not_stored" { value = null }
output "list" { value = tolist(["b", "a", "b"]) }
output "set" { value = toset(["b", "a", "b"]) }
output "map" { value = tomap({ b = 1, a = 2 }) }
output "tuple" { value = [1, "two", true, null] }
output "object" { value = { name = "x", "key with spaces" = [1], nested = { deep = { deeper = false } } } }
output "null_inside" { value = { present = "yes", absent = null, list = tolist([null, "b"]) } }
output "typed_null_inside" { value = { text = tostring(null), numbers = tolist([tonumber(null)]) } }
output "empty_tuple" { value = [] }
output "empty_object" { value = {} }
output "empty_list" { value = tolist(toset([])) }
output "list_of_objects" { value = tolist([{ a = 1 }, { a = 2 }]) }
output "set_of_objects" { value = toset([{ a = 2 }, { a = 1 }]) }
output "map_of_lists" { value = tomap({ x = tolist(["a"]), y = tolist([]) }) }
output "Upper-case_and-dashes" { value = "names sort by bytes" }
output "hidden" {
  value     = "S3CR3T-output"
  sensitive = true
}
