//! The grammar of addresses.

use std::str::FromStr;

use super::word::reserved;
use super::{Address, ConfigAddress, Cursor, Error, Mode, ModulePath, ModuleStep, Problem, Target};

/// Whether modules may have keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Keys {
    Allowed,
    Refused,
}

/// A word of the text and where it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word<'a> {
    pub(crate) at: usize,
    pub(crate) text: &'a str,
}

/// Reads the modules an address starts with, and the first word after them if there is one.
pub(crate) fn module_and_word<'a>(
    cursor: &mut Cursor<'a>,
    keys: Keys,
) -> Result<(ModulePath, Option<Word<'a>>), Error> {
    let mut path = ModulePath::root();
    loop {
        let at = cursor.offset();
        let text = cursor.name("a name")?;
        if text != "module" {
            return Ok((path, Some(Word { at, text })));
        }
        cursor.dot_before("`.` and the name of a module")?;
        let name = cursor.name("the name of a module")?.to_owned();
        if keys == Keys::Refused && cursor.sees(b'[') {
            return cursor.fail(Problem::Key);
        }
        path.push(ModuleStep { name, key: cursor.key()? });
        if !cursor.eat(b'.') {
            return Ok((path, None));
        }
    }
}

/// Returns whether `text` is the address of an output, a variable or a check, after its modules
/// the `word` for what it is and a name.
pub(crate) fn is_named(text: &str, word: &str, keys: Keys) -> bool {
    let mut cursor = Cursor::new(text);
    let Ok((_, Some(first))) = module_and_word(&mut cursor, keys) else { return false };
    first.text == word
        && cursor.dot_before("`.` and a name").is_ok()
        && cursor.name("a name").is_ok()
        && cursor.end().is_ok()
}

/// Reads a resource whose first word is read already, up to its key.
fn resource<'a>(
    cursor: &mut Cursor<'a>,
    first: Word<'a>,
) -> Result<(Mode, &'a str, &'a str), Error> {
    let mode = match first.text {
        "data" => Some(Mode::Data),
        "resource" => Some(Mode::Managed),
        "ephemeral" => return Err(Error { at: first.at, problem: Problem::Ephemeral }),
        _ => None,
    };
    let kind = match (mode, reserved(first.text)) {
        (None, None) => first.text,
        (None, Some(word)) => {
            return Err(Error { at: first.at, problem: Problem::Reserved(word) });
        }
        (Some(_), _) => {
            cursor.dot_before("`.` and a resource type")?;
            cursor.name("a resource type")?
        }
    };
    cursor.dot_before("`.` and the name of a resource")?;
    let name = cursor.name("the name of a resource")?;
    Ok((mode.unwrap_or(Mode::Managed), kind, name))
}

impl ModulePath {
    /// Reads the path of a module instance, such as the `module` of a resource in a state.
    ///
    /// Takes and refuses what Terraform does. The root module has no text that could be read.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut cursor = Cursor::new(text);
        match module_and_word(&mut cursor, Keys::Allowed)? {
            (module, None) => cursor.end().map(|()| module),
            (module, Some(Word { at, .. })) if module.is_root() => {
                Err(Error { at, problem: Problem::Expected("`module.`") })
            }
            (_, Some(Word { at, .. })) => Err(Error { at, problem: Problem::Trailing }),
        }
    }
}

impl Address {
    /// Reads the address of a resource or a resource instance.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match Target::parse(text)? {
            Target::Resource(address) => Ok(address),
            Target::Module(_) => Err(Error { at: text.len(), problem: Problem::NoResource }),
        }
    }
}

impl Target {
    /// Reads the address of a module, a resource or a resource instance.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut cursor = Cursor::new(text);
        let (module, word) = module_and_word(&mut cursor, Keys::Allowed)?;
        let target = match word {
            None => Self::Module(module),
            Some(word) => {
                let (mode, kind, name) = resource(&mut cursor, word)?;
                let key = cursor.key()?;
                Self::Resource(Address { module, mode, kind: kind.into(), name: name.into(), key })
            }
        };
        cursor.end()?;
        Ok(target)
    }
}

impl ConfigAddress {
    /// Reads an entry of `dependencies`.
    ///
    /// Keys of modules are read and dropped, as Terraform does; a key of the resource is an error.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::parse_with(text, Keys::Allowed)
    }

    /// Reads an address that has no keys: with any, it is an error at the first.
    pub fn parse_exact(text: &str) -> Result<Self, Error> {
        Self::parse_with(text, Keys::Refused)
    }

    fn parse_with(text: &str, keys: Keys) -> Result<Self, Error> {
        let mut cursor = Cursor::new(text);
        let (module, word) = module_and_word(&mut cursor, keys)?;
        let Some(word) = word else {
            cursor.end()?;
            return cursor.fail(Problem::NoResource);
        };
        let (mode, kind, name) = resource(&mut cursor, word)?;
        if cursor.sees(b'[') {
            return cursor.fail(Problem::Key);
        }
        cursor.end()?;
        Ok(Self { module: module.without_keys(), mode, kind: kind.into(), name: name.into() })
    }
}

impl FromStr for ModulePath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl FromStr for Target {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}

impl FromStr for ConfigAddress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::parse(text)
    }
}
