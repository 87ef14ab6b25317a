//! Addresses as versions 1 to 3 spell them: keys of resources, paths of modules, references to
//! providers.

use std::fmt;

/// The mode of a resource, in the order in which version 4 sorts them.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Mode {
    Data,
    Managed,
}

impl Mode {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Managed => "managed",
        }
    }
}

/// A resource, in the order in which version 4 sorts them.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Resource<'v> {
    /// `module.a.module.b`, or empty.
    pub(super) module: String,
    pub(super) mode: Mode,
    pub(super) kind: &'v str,
    pub(super) name: &'v str,
}

impl<'v> Resource<'v> {
    /// Reads the key of an entry: `[data.]TYPE.NAME[.INDEX]`.
    pub(super) fn parse(module: &str, key: &'v str) -> Result<(Self, Option<i64>), &'static str> {
        let parts: Vec<&str> = key.split('.').collect();
        let (mode, parts) = match parts.as_slice() {
            ["data", rest @ ..] if rest.len() > 1 => (Mode::Data, rest),
            all => (Mode::Managed, all),
        };
        let (kind, name, index) = match *parts {
            [kind, name] => (kind, name, None),
            [kind, name, index] => {
                (kind, name, Some(number(index).ok_or("the index is not a whole number")?))
            }
            [_] => return Err("it has no name"),
            _ => return Err("it has too many parts"),
        };
        Ok((Self { module: module.to_owned(), mode, kind, name }, index))
    }

    /// Returns the address of an instance.
    pub(super) fn instance(&self, index: Option<i64>) -> String {
        match index {
            Some(index) => format!("{self}[{index}]"),
            None => self.to_string(),
        }
    }
}

impl fmt::Display for Resource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.module.is_empty() {
            write!(f, "{}.", self.module)?;
        }
        if self.mode == Mode::Data {
            f.write_str("data.")?;
        }
        write!(f, "{}.{}", self.kind, self.name)
    }
}

/// Reads a number whose base its prefix tells, as in Go's source code: `16`, `0x10`, `020`,
/// `1_000`.
fn number(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let prefix = digits.get(..2).map(str::to_ascii_lowercase);
    let (base, digits) = match prefix.as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        Some(_) if digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    // A prefix counts as a digit for the underscore that may follow it.
    let separated = if base == 10 { digits } else { digits.strip_prefix('_').unwrap_or(digits) };
    let grouped = separated.split('_').all(|group| {
        !group.is_empty() && group.bytes().all(|byte| char::from(byte).is_digit(base))
    });
    if !grouped {
        return None;
    }
    i64::from_str_radix(&format!("{sign}{}", separated.replace('_', "")), base).ok()
}

/// Returns the address of a module whose path below the root this is.
pub(super) fn module(names: &[&str]) -> String {
    names.iter().map(|name| format!("module.{name}")).collect::<Vec<_>>().join(".")
}

/// Returns whether the text can name a module, a provider or an alias.
pub(super) fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c))
        && chars.all(|c| c == '-' || unicode_ident::is_xid_continue(c))
}

/// Returns the provider of a resource as version 4 spells it.
///
/// Older states name providers without a registry, so all but the built-in one get the namespace
/// `-`. A reference is absolute (`module.a.provider.aws.west`), or local to the resource's module
/// (`aws.west`), or not there, and then the type implies it.
pub(super) fn provider(reference: &str, resource: &Resource<'_>) -> Result<String, &'static str> {
    let trimmed = reference.trim();
    if reference.is_empty() {
        let name = resource.kind.split('_').next().unwrap_or_default();
        if !is_identifier(name) {
            return Err("the type does not start with the name of a provider");
        }
        return Ok(configuration(&resource.module, name, None));
    }
    if reference.contains("${") {
        return Err("the alias is a template, which Terraform never supported there");
    }
    let steps: Vec<&str> = trimmed.split('.').collect();
    if !steps.iter().all(|step| is_identifier(step)) {
        return Err("not every part of it is a name");
    }
    if reference.contains("provider.") {
        return absolute(&steps);
    }
    // Terraform ignores what follows an alias.
    Ok(configuration(&resource.module, steps[0], steps.get(1).copied()))
}

fn absolute(steps: &[&str]) -> Result<String, &'static str> {
    let mut modules = Vec::new();
    let mut rest = steps;
    while let ["module", name, after @ ..] = rest {
        modules.push(*name);
        rest = after;
    }
    let module = module(&modules);
    match rest {
        ["provider", name] => Ok(configuration(&module, name, None)),
        ["provider", name, alias] => Ok(configuration(&module, name, Some(alias))),
        _ => Err("it is not of the form [module.NAME.]provider.NAME[.ALIAS]"),
    }
}

fn configuration(module: &str, name: &str, alias: Option<&str>) -> String {
    let module = if module.is_empty() { String::new() } else { format!("{module}.") };
    let alias = alias.map(|alias| format!(".{alias}")).unwrap_or_default();
    let source = match name {
        "terraform" => String::from("terraform.io/builtin/terraform"),
        _ => format!("registry.terraform.io/-/{name}"),
    };
    format!("{module}provider[\"{source}\"]{alias}")
}

/// Returns whether Terraform reads the provider of a configuration from version 4. Names of
/// providers in a registry have no underscores and only single dashes inside of them.
pub(super) fn reads_back(configuration: &str) -> bool {
    let name = configuration.split('"').nth(1).and_then(|source| source.rsplit('/').next());
    name.is_some_and(|name| !name.contains('_') && !name.contains("--") && !name.ends_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_read_in_the_base_that_its_prefix_tells() {
        let good =
            [("0", 0), ("010", 8), ("0x10", 16), ("0X_f", 15), ("1_0", 10), ("-3", -3), ("+4", 4)];
        for (text, expected) in good {
            assert_eq!(number(text), Some(expected), "{text}");
        }
        for text in ["", "x", "1__0", "_1", "1_", "0x", "0x-1", "09", "--1", "9223372036854775808"]
        {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn a_resource_called_data_is_managed() {
        let (resource, index) = Resource::parse("", "data.x").unwrap();
        assert_eq!((resource.mode, resource.kind, index), (Mode::Managed, "data", None));
    }
}
