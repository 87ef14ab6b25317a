//! Values as Terraform's language writes them: what `show` and `output` print for people.

use std::fmt::Write as _;

use crate::base::text::escape;
use crate::state::value::Value;

/// What stands in the place of a secret.
pub(crate) const MASK: &str = "(sensitive value)";

/// Appends `value`, whose first line begins at some column of a line indented by `indent`.
pub(crate) fn push_value(out: &mut String, value: &Value<'_>, indent: usize) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(digits) => out.push_str(digits),
        Value::Sensitive => out.push_str(MASK),
        Value::String(text) => push_string(out, text, indent),
        Value::Array(items) if items.is_empty() => out.push_str("[]"),
        Value::Array(items) => {
            out.push_str("[\n");
            for item in items {
                pad(out, indent + 1);
                push_value(out, item, indent + 1);
                out.push_str(",\n");
            }
            pad(out, indent);
            out.push(']');
        }
        Value::Object(members) if members.is_empty() => out.push_str("{}"),
        Value::Object(members) => {
            out.push_str("{\n");
            push_members(out, members.iter().map(|(key, value)| (key.as_ref(), value)), indent + 1);
            pad(out, indent);
            out.push('}');
        }
    }
}

/// Appends one `name = value` a line, the equal signs below each other.
pub(crate) fn push_members<'v, 'a: 'v>(
    out: &mut String,
    members: impl Iterator<Item = (&'v str, &'v Value<'a>)> + Clone,
    indent: usize,
) {
    let names = members.clone().map(|(key, _)| name(key).chars().count());
    let width = names.max().unwrap_or(0);
    for (key, value) in members {
        pad(out, indent);
        let _ = write!(out, "{:width$} = ", name(key));
        push_value(out, value, indent);
        out.push('\n');
    }
}

fn push_string(out: &mut String, text: &str, indent: usize) {
    if let Some(document) = embedded(text) {
        out.push_str("jsonencode(\n");
        pad(out, indent + 1);
        push_value(out, &document, indent + 1);
        out.push('\n');
        pad(out, indent);
        out.push(')');
    } else if let Some(body) = text.strip_suffix('\n').filter(|body| body.contains('\n')) {
        out.push_str("<<-EOT\n");
        for line in body.split('\n') {
            pad(out, indent + 1);
            out.push_str(&escape(line));
            out.push('\n');
        }
        pad(out, indent);
        out.push_str("EOT");
    } else {
        let _ = write!(out, "\"{}\"", quoted(text));
    }
}

/// Returns the JSON document in a string, where it holds one that is worth unfolding.
fn embedded(text: &str) -> Option<Value<'_>> {
    let value =
        text.starts_with(['{', '[']).then(|| Value::parse(text.as_bytes()).ok()).flatten()?;
    let is_worth_it = match &value {
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => false,
    };
    is_worth_it.then_some(value)
}

/// Escapes what Terraform's language escapes between quotes, and what a terminal must not see.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    let text = text.replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
    escape(&text.replace("${", "$${").replace("%{", "%%{")).into_owned()
}

fn name(key: &str) -> String {
    if crate::state::address::is_identifier(key) {
        key.to_owned()
    } else {
        format!("\"{}\"", quoted(key))
    }
}

fn pad(out: &mut String, indent: usize) {
    for _ in 0..indent {
        out.push_str("    ");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> String {
        let value = Value::parse(json.as_bytes()).unwrap();
        let mut out = String::new();
        push_value(&mut out, &value, 0);
        out
    }

    #[test]
    fn values_look_as_in_a_configuration() {
        let json = r#"{"id":"i-1","tags":{"Name":"web","a.b":null},"ports":[80,1.50],"none":[]}"#;
        insta::assert_snapshot!(text(json), @r#"
        {
            id    = "i-1"
            tags  = {
                Name  = "web"
                "a.b" = null
            }
            ports = [
                80,
                1.50,
            ]
            none  = []
        }
        "#);
    }

    #[test]
    fn strings_that_hold_documents_are_unfolded() {
        insta::assert_snapshot!(text(r#"["{\"a\":[1]}", "one\ntwo\n", "say \"${x}\"\u001b[31m"]"#), @r#"
        [
            jsonencode(
                {
                    a = [
                        1,
                    ]
                }
            ),
            <<-EOT
                one
                two
            EOT,
            "say \"$${x}\"\u{1b}[31m",
        ]
        "#);
    }
}
