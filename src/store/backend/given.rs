//! Partial configuration: what `terraform init` takes as `-backend-config`.
//!
//! Each is `KEY=VALUE` or a file of such settings, in HCL or in JSON. Their values are never shown:
//! that is where people put credentials.

use std::fs;
use std::path::Path;

use super::literal;
use crate::base::env::Env;
use crate::base::text::position;
use crate::state::value::Value;
use crate::store::Error;

/// A setting and its value.
pub(in crate::store) type Given = Vec<(String, Value<'static>)>;

/// Reads what was given, in this order; of a setting that is given twice the last counts.
///
/// Paths of files count from `dir`.
pub(in crate::store) fn read(given: &[String], dir: &Path) -> Result<Given, Error> {
    let mut settings = Given::new();
    for one in given {
        match one.split_once('=') {
            Some((name, text)) => settings.push((name.trim().to_owned(), value(name, text)?)),
            None => settings.append(&mut file(&dir.join(one))?),
        }
    }
    Ok(settings)
}

/// Returns what `TF_CLI_ARGS_init` gives to `terraform init`.
pub(in crate::store) fn of_init(env: &Env) -> Vec<String> {
    let mut given = Vec::new();
    let mut words = words(&env.get("TF_CLI_ARGS_init").unwrap_or_default()).into_iter();
    while let Some(word) = words.next() {
        let Some(name) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
            continue;
        };
        match name.split_once('=') {
            Some(("backend-config", one)) => given.push(one.to_owned()),
            None if name == "backend-config" => given.extend(words.next()),
            _ => {}
        }
    }
    given
}

/// Splits as a shell does, without its variables.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(characters.next()),
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Returns a value as Terraform takes it here: text as it is, what is a list or an object in HCL.
fn value(name: &str, text: &str) -> Result<Value<'static>, Error> {
    if !text.starts_with(['{', '[']) {
        return Ok(Value::String(text.to_owned().into()));
    }
    let invalid =
        || Error::Given { what: name.to_owned(), problem: "its value cannot be parsed".to_owned() };
    let expression = hcl_edit::parser::parse_expr(text).map_err(|_| invalid())?;
    literal::value(&expression, name).map_err(|_| invalid())
}

fn file(path: &Path) -> Result<Given, Error> {
    let what = path.display().to_string();
    let text = fs::read_to_string(path).map_err(|error| Error::reading(&what, error))?;
    let invalid = |(line, column), problem: &str| Error::Given {
        what: format!("{what}:{line}:{column}"),
        problem: problem.to_owned(),
    };
    if path.extension().is_some_and(|ending| ending == "json") {
        let whole = Value::parse(text.as_bytes())
            .map_err(|error| invalid(position(&text, error.offset), "it is not valid JSON"))?;
        let Value::Object(members) = whole.into_owned() else {
            return Err(invalid((1, 1), "it is not an object"));
        };
        return Ok(members.into_iter().map(|(name, value)| (name.into_owned(), value)).collect());
    }
    let body = hcl_edit::parser::parse_body(&text).map_err(|error| {
        let at = error.location();
        let problem = format!("it cannot be parsed: {}", error.message().replace('\n', ", "));
        invalid((at.line(), at.column()), &problem)
    })?;
    let (members, others) = literal::body(&body);
    if let Some(not) = others.first() {
        let problem = format!("`{}` is not a literal value", not.name);
        return Err(invalid(position(&text, not.at), &problem));
    }
    Ok(members.into_iter().map(|(name, value)| (name.into_owned(), value)).collect())
}
