//! Patterns of modules: `network`, `module.network.*`, `net*["prod"].db`.

use super::error::Error;
use super::pattern::Pattern;
use super::syntax::{Kind, Literal, Op};
use crate::base::glob::Glob;
use crate::query::reference;
use crate::state::address::{Key, ModulePath, ModuleStep};
use crate::state::document::Resource;

/// A test of the module that an instance is in.
#[derive(Clone, Debug)]
pub(super) enum ModulePattern {
    /// It is the root module.
    Root,
    /// It is this module or below it.
    Below(Vec<Step>),
    /// Its printed path matches.
    Path(Pattern),
}

#[derive(Clone, Debug)]
pub(super) struct Step {
    name: Pattern,
    /// `None` for any key or none.
    key: Option<KeyPattern>,
}

#[derive(Clone, Debug)]
enum KeyPattern {
    Exact(Key),
    /// Covers the key without its quotes.
    Glob(Glob),
}

impl ModulePattern {
    pub(super) fn of(literal: &Literal, op: Op) -> Result<Self, Error> {
        if literal.kind == Kind::Regex || matches!(op, Op::Like | Op::NotLike) {
            return Pattern::of(literal, op).map(Self::Path);
        }
        let text = literal.text.as_str();
        let text = text.strip_suffix(".*").unwrap_or(text);
        let text = text.strip_suffix(".module").unwrap_or(text);
        if text.is_empty() {
            return Ok(Self::Root);
        }
        let mut steps = Vec::new();
        let mut rest = Some(text);
        while let Some(here) = rest {
            let here = here.strip_prefix("module.").unwrap_or(here);
            let refused = || {
                Error::new(literal.at.clone(), "not a module")
                    .hint("write it as `network`, `module.network` or `network[\"prod\"].db`")
            };
            let (part, after) = reference::part(here).ok_or_else(refused)?;
            steps.push(Step { name: glob_or_text(part.name), key: part.key.map(KeyPattern::of) });
            rest = match after.strip_prefix('.') {
                None if after.is_empty() => None,
                None => return Err(refused()),
                below => below,
            };
        }
        Ok(Self::Below(steps))
    }

    pub(super) fn matches(&self, resource: Resource<'_>) -> bool {
        match self {
            Self::Root => resource.module().is_root(),
            Self::Path(pattern) => pattern.matches(resource.module_text()),
            Self::Below(wanted) => {
                let found = resource.module().steps();
                wanted.len() <= found.len() && wanted.iter().zip(found).all(|(w, f)| w.matches(f))
            }
        }
    }
}

impl Step {
    fn matches(&self, step: &ModuleStep) -> bool {
        self.name.matches(&step.name) && self.key.as_ref().is_none_or(|key| key.matches(&step.key))
    }
}

impl KeyPattern {
    /// Reads a key between brackets. Shells eat quotes, so `[prod]` is `["prod"]`.
    fn of(text: &str) -> Self {
        if Glob::is_glob(text) && !text.starts_with('"') {
            return Self::Glob(Glob::new(text));
        }
        let step = ModulePath::parse(&format!("module.m[{text}]"));
        let key = step.ok().and_then(|path| path.steps().first().map(|step| step.key.clone()));
        Self::Exact(key.unwrap_or_else(|| Key::String(text.to_owned())))
    }

    fn matches(&self, key: &Key) -> bool {
        match (self, key) {
            (Self::Exact(wanted), found) => wanted == found,
            (Self::Glob(_), Key::None) => false,
            (Self::Glob(glob), Key::Int(number)) => glob.matches(&number.to_string()),
            (Self::Glob(glob), Key::String(text)) => glob.matches(text),
        }
    }
}

fn glob_or_text(text: &str) -> Pattern {
    if Glob::is_glob(text) {
        return Pattern::Glob(Glob::new(text));
    }
    Pattern::Exact(text.to_owned())
}
