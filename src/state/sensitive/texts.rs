//! Secrets inside of texts that are documents, or look like some.

use super::signs::{is_secret_name, is_worth_hiding};
use super::{Secrets, walk};
use crate::state::embedded;
use crate::state::path::Path;
use crate::state::value::Value;

/// How deep documents are looked for inside documents; what is deeper counts as secret.
const MAX_EMBEDDED: usize = 4;

/// How many times its length is read of a string in search of documents inside documents, since
/// aliases of YAML multiply them; what is left over counts as secret.
const MAX_READINGS: usize = 8;

/// Returns whether text is a document that has a secret in it, also where the document stands in
/// another one, or has a line that gives a value to a name that people give to secrets.
///
/// The lines count where text is no document that can be read, for it may be a template of one,
/// too large, or have a key twice.
pub(crate) fn embeds_secret(text: &str) -> bool {
    let mut left = text.len().saturating_mul(MAX_READINGS);
    embeds_within(text, MAX_EMBEDDED, &mut left)
}

fn embeds_within(text: &str, depth: usize, left: &mut usize) -> bool {
    let Some(rest) = left.checked_sub(text.len()) else { return true };
    *left = rest;
    let Some(document) = embedded::parse(text) else { return text.lines().any(assigns_secret) };
    let Some(deeper) = depth.checked_sub(1) else { return true };
    let mut found = !Secrets::default().with_suspects(&document).is_empty();
    walk(&document, &mut Path::root(), &mut |_, leaf| {
        found = found || leaf.as_str().is_some_and(|text| embeds_within(text, deeper, left));
    });
    found
}

/// Returns whether a line is `NAME: VALUE` with a name that people give to secrets.
fn assigns_secret(line: &str) -> bool {
    let Some((name, value)) = line.split_once(':') else { return false };
    let name = name.trim_start_matches(['-', ' ', '\t']).trim_end().trim_matches(['"', '\'']);
    let value = value.strip_prefix([' ', '\t']).map(|value| value.trim().trim_matches(['"', '\'']));
    let is_value = |value: &str| {
        !matches!(value, "" | "null" | "~" | "[]" | "{}") && !value.starts_with(['#', '&', '*'])
    };
    let is_name = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '#');
    is_name
        && value.is_some_and(|it| is_value(it) && is_worth_hiding(&Value::String(it.into())))
        && is_secret_name(name)
}
