//! The backend of a directory that was never initialised: the block in its configuration.
//!
//! The rules are Terraform's: files of the directory itself, one block at most besides those of
//! override files, of which the last counts. Where `a.tf` and `a.tofu` stand side by side the
//! second is read, as OpenTofu does.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use hcl_edit::Span as _;
use hcl_edit::structure::{Block, Body};
use regex::Regex;

use super::configured::{Configured, Unknown};
use super::literal::{self, NotLiteral};
use crate::base::text::position;
use crate::state::value::Value;
use crate::store::Error;
use crate::store::place::below;

/// The blocks that say where the state is.
const BLOCKS: [&str; 3] = ["backend", "cloud", "state_store"];

/// What a file must have to hold such a block; most have not, and need not be parsed.
static HINT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?m)^\s*(terraform\s*\{\s*)?((backend|state_store)\s+"[^"]*"|cloud)\s*\{"#)
        .expect("the expression is right")
});

/// A block, and where it stands.
struct Found {
    configured: Configured,
    path: PathBuf,
    line: usize,
}

/// Returns the backend that the configuration in `dir` says; nothing where it says none.
pub(in crate::store) fn find(dir: &Path) -> Result<Option<Configured>, Error> {
    let mut found: Option<Found> = None;
    let mut overriding: Option<Found> = None;
    for path in files(dir)? {
        for block in blocks(&path)? {
            match &found {
                _ if is_override(&path) => overriding = Some(block),
                Some(first) => {
                    let place = |found: &Found| (found.path.clone(), found.line);
                    return Err(Error::TwoBlocks { first: place(first), second: place(&block) });
                }
                None => found = Some(block),
            }
        }
    }
    Ok(overriding.or(found).map(|found| found.configured))
}

/// Returns the files of a configuration in the order of their names.
fn files(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |error| Error::reading(&dir.display().to_string(), error);
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(dir).map_err(failed)? {
        let Ok(name) = entry.map_err(failed)?.file_name().into_string() else { continue };
        let is_editors = name.starts_with(['.', '#']) || name.ends_with('~');
        let Some((stem, is_tofu)) = stem(&name).filter(|_| !is_editors) else { continue };
        if is_tofu || !files.contains_key(&stem) {
            files.insert(stem, name);
        }
    }
    let mut names: Vec<String> = files.into_values().collect();
    names.sort_unstable();
    Ok(names.into_iter().map(|name| below(dir, name.into())).collect())
}

/// Returns a name without its ending, the two syntaxes kept apart, and whether only OpenTofu reads
/// such a file.
fn stem(name: &str) -> Option<((String, bool), bool)> {
    let endings = [
        (".tf", false, false),
        (".tofu", false, true),
        (".tf.json", true, false),
        (".tofu.json", true, true),
    ];
    endings.into_iter().find_map(|(ending, is_json, is_tofu)| {
        Some(((name.strip_suffix(ending)?.to_owned(), is_json), is_tofu))
    })
}

fn is_override(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).and_then(stem);
    name.is_some_and(|((stem, _), _)| stem == "override" || stem.ends_with("_override"))
}

fn blocks(path: &Path) -> Result<Vec<Found>, Error> {
    let bytes = match fs::read(path) {
        // A link to nowhere, or a folder of such a name.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::IsADirectory) =>
        {
            return Ok(Vec::new());
        }
        other => other.map_err(|error| Error::reading(&path.display().to_string(), error))?,
    };
    let text = String::from_utf8_lossy(&bytes);
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    if path.extension().is_some_and(|ending| ending == "json") {
        return json_blocks(path, text);
    }
    if !HINT.is_match(text) {
        return Ok(Vec::new());
    }
    let body = hcl_edit::parser::parse_body(text).map_err(|error| {
        let at = error.location();
        let place = (at.line(), at.column());
        invalid(
            path,
            place,
            format!("it cannot be parsed: {}", error.message().replace('\n', ", ")),
        )
    })?;
    body.get_blocks("terraform")
        .flat_map(|block| inner(&block.body))
        .map(|block| hcl(path, text, block))
        .collect()
}

fn inner(body: &Body) -> impl Iterator<Item = &Block> {
    body.blocks().filter(|block| BLOCKS.contains(&block.ident.as_str()))
}

fn hcl(path: &Path, text: &str, block: &Block) -> Result<Found, Error> {
    let at = block.ident.span().map_or(0, |span| span.start);
    let name = block.ident.as_str();
    let label = block.labels.first().map(|label| label.as_str().to_owned());
    let kind = match (name, label) {
        ("backend", Some(kind)) => kind,
        ("cloud", None) => name.to_owned(),
        ("state_store", Some(kind)) => format!("state_store {kind}"),
        _ => return Err(invalid(path, position(text, at), "it has no type".to_owned())),
    };
    let (config, others) = literal::body(&block.body);
    let unknown = |not: NotLiteral| {
        let (name, path, place) = (not.name, path.to_owned(), position(text, not.at));
        Unknown { name, path, place }
    };
    let unknown = others.into_iter().map(unknown).collect();
    let configured = Configured { kind, config: Value::Object(config), unknown };
    Ok(Found { configured, path: path.to_owned(), line: position(text, at).0 })
}

fn invalid(path: &Path, (line, column): (usize, usize), problem: String) -> Error {
    Error::Block { path: path.to_owned(), line, column, problem }
}

/// Reads the JSON syntax, in which a block is an object and any object may be in a list of its own.
fn json_blocks(path: &Path, text: &str) -> Result<Vec<Found>, Error> {
    if !BLOCKS.iter().any(|name| text.contains(&format!("\"{name}\""))) {
        return Ok(Vec::new());
    }
    let whole = Value::parse(text.as_bytes()).map_err(|error| {
        invalid(path, position(text, error.offset), "it is not valid JSON".to_owned())
    })?;
    let mut found = Vec::new();
    for (name, block) in several(whole.get("terraform")).into_iter().flat_map(members) {
        let line = position(text, text.find(&format!("\"{name}\"")).unwrap_or(0)).0;
        let mut add = |kind: String, config: &Value<'_>| {
            for config in several(Some(config)) {
                let configured =
                    plain(path, text, Configured::of(kind.clone(), Value::Null), config);
                found.push(Found { configured, path: path.to_owned(), line });
            }
        };
        match name {
            "cloud" => add(name.to_owned(), block),
            "backend" | "state_store" => {
                for (kind, config) in several(Some(block)).into_iter().flat_map(members) {
                    let kind =
                        if name == "backend" { kind.to_owned() } else { format!("{name} {kind}") };
                    add(kind, config);
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

fn several<'v>(value: Option<&'v Value<'v>>) -> Vec<&'v Value<'v>> {
    match value {
        Some(Value::Array(items)) => items.iter().collect(),
        other => other.into_iter().collect(),
    }
}

fn members<'v>(value: &'v Value<'v>) -> impl Iterator<Item = (&'v str, &'v Value<'v>)> {
    let members = if let Value::Object(members) = value { members.as_slice() } else { &[] };
    members.iter().map(|(name, value)| (name.as_ref(), value))
}

/// Fills in settings with their strings as they are meant: in this syntax each one is a template.
fn plain(path: &Path, text: &str, mut into: Configured, config: &Value<'_>) -> Configured {
    let mut settings = Vec::new();
    for (name, value) in members(config) {
        if let Some(value) = untemplated(value) {
            settings.push((name.to_owned().into(), value));
            continue;
        }
        let at = text.find(&format!("\"{name}\"")).unwrap_or(0);
        let (name, path, place) = (name.to_owned(), path.to_owned(), position(text, at));
        into.unknown.push(Unknown { name, path, place });
    }
    into.config = Value::Object(settings);
    into
}

fn untemplated(value: &Value<'_>) -> Option<Value<'static>> {
    Some(match value {
        Value::String(text) if text.contains("${") || text.contains("%{") => {
            let bare = text.replace("$${", "").replace("%%{", "");
            if bare.contains("${") || bare.contains("%{") {
                return None;
            }
            Value::String(text.replace("$${", "${").replace("%%{", "%{").into())
        }
        Value::Array(items) => Value::Array(items.iter().map(untemplated).collect::<Option<_>>()?),
        Value::Object(members) => {
            let member = |(name, value): &(Cow<'_, str>, Value<'_>)| {
                Some((Cow::Owned(name.to_string()), untemplated(value)?))
            };
            Value::Object(members.iter().map(member).collect::<Option<_>>()?)
        }
        other => other.clone().into_owned(),
    })
}
