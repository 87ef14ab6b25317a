//! The filter language of `list`, `inspect`, `diff` and `restore`: which instances are meant.
//!
//! # Grammar
//!
//! ```text
//! filter = all { ("|" | "or") all }
//! all    = not { ["and"] not }                    a space means and
//! not    = { "!" | "-" | "not" } one
//! one    = "(" filter ")" | term
//! term   = field ":" [op] values                  type:aws_vpc   type:!=aws_vpc
//!        | field op values                        size>10KB
//!        | ("attr" | "tag") ":" names [op values] tag:env=prod   tag:owner
//!        | "has:" names
//!        | values                                 looked for in the address
//! values = value { "," value }                    a comma means any of
//! value  = word | "quoted text" | /regex/
//! op     = "=" | "!=" | "~" | "!~" | ">" | ">=" | "<" | "<="
//! ```
//!
//! *Not* binds tighter than *and*, *and* tighter than *or*. An empty filter matches everything.
//!
//! A **word** ends at a space, a bar, a comma or a parenthesis; text in quotes inside it, as in
//! `net["a b"]`, belongs to it. `*` in a word is any text and `?` any character. **Quoted text**
//! stands for itself, with `\"`, `\\`, `\n` and `\t`. A **regular expression** is found anywhere
//! in the text; so is the value after `~` and `!~`, whichever way it is written.
//!
//! # Text
//!
//! A bare word is looked for anywhere in the address. Without capital letters it is found in any
//! case. Quoted text is looked for as it stands.
//!
//! # Fields
//!
//! Values are compared with the whole text, in the case they have.
//!
//! | field | tests |
//! |---|---|
//! | `addr:` `type:` `name:` | the address, the type, the name |
//! | `module:` | the module and all below it: `network`, `module.network.*`, `net*["prod"].db`. Steps go from the root; without a key every key is meant. `module:""` is the root module. A regular expression tests the printed path |
//! | `provider:` | the type, the source from any of its parts on, or one of these with `.ALIAS` |
//! | `mode:` | `managed` or `data` |
//! | `key:` | the instance key without its quotes; instances without a key never match |
//! | `id:` | the attribute `id`: its *beginning*, for people have half of one at hand. Quote it for the whole |
//! | `attr:` | the value of an attribute: see below. Without an operator as `has:` |
//! | `tag:` | a tag in `tags`, `tags_all`, `labels` or in a list of `{key, value}` blocks; without an operator that it is there. The name may have wildcards |
//! | `dep:` | one of `dependencies`, with or without its module, keys left out |
//! | `is:` | `managed` `data` `tainted` `deposed` `sensitive` `root`; sensitive is what has something to mask |
//! | `has:` | an attribute that is there and not null, masked ones included |
//! | `size` | the bytes of the instance in the state, with units: `size>10KB` |
//! | `schema` | the schema version of the attributes |
//!
//! # Values of attributes
//!
//! A path has names, `[n]`, `["key"]`, and `[*]` or `.*` for everything below: `ingress[*].port`.
//! An array matches if one of its elements does. A word that is a number is compared as a number
//! with numbers and with text that is one, so `1.10` is `1.1`; quoted, it is text. A date is
//! compared as a moment with dates: `2026-11-21`, `2026-11-21T03:00`, RFC 3339; without an offset
//! it is UTC. `=` tests for equal numbers or moments or by the pattern, the others by order:
//! numbers with numbers, moments with moments, and text with text letter by letter.
//!
//! `!=` and `!~` want a value that is there and is none of those named; a leading `-` turns a
//! whole term around, so that `-tag:env=prod` also matches what has no such tag.
//!
//! Sensitive values never match by value, whatever the operator.

mod attribute;
mod error;
mod field;
mod lex;
mod module;
mod parse;
mod pattern;
mod selector;
mod subject;
mod syntax;
mod test;

use std::fmt;
use std::str::FromStr;

pub use error::Error;
pub use field::{Help, fields};

use crate::state::document::Instance;
use subject::Subject;
use syntax::Expr;

/// A filter: it tells which instances of a state are meant.
///
/// It prints as it was written, but for spaces, spellings and parentheses that change nothing.
#[derive(Clone)]
pub struct Filter {
    written: Expr,
    /// The same, with cheap tests before expensive ones.
    plan: Expr,
}

impl Filter {
    /// Returns the filter that matches everything.
    pub fn all() -> Self {
        Self::of(Expr::And(Vec::new()))
    }

    /// Returns whether it has no test at all.
    pub fn is_empty(&self) -> bool {
        matches!(&self.written, Expr::And(parts) if parts.is_empty())
    }

    /// Joins two filters that both have to match.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::of(self.written.and(other.written))
    }

    /// Returns whether an instance is meant.
    pub fn matches(&self, instance: Instance<'_>) -> bool {
        self.plan.matches(&Subject::new(instance))
    }

    fn of(written: Expr) -> Self {
        Self { plan: written.clone().cheapest_first(), written }
    }
}

impl FromStr for Filter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse::parse(text).map(Self::of)
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.written.fmt(f)
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Filter({self})")
    }
}

impl Expr {
    fn matches(&self, subject: &Subject<'_>) -> bool {
        match self {
            Self::Or(parts) => parts.iter().any(|part| part.matches(subject)),
            Self::And(parts) => parts.iter().all(|part| part.matches(subject)),
            Self::Not(part) => !part.matches(subject),
            Self::Term(term) => term.test.matches(subject),
        }
    }

    /// Sorts the parts by cost; the answer stays the same, for no part has an effect.
    fn cheapest_first(self) -> Self {
        let sorted = |parts: Vec<Self>| {
            let mut parts: Vec<Self> = parts.into_iter().map(Self::cheapest_first).collect();
            parts.sort_by_key(Self::cost);
            parts
        };
        match self {
            Self::Or(parts) => Self::Or(sorted(parts)),
            Self::And(parts) => Self::And(sorted(parts)),
            Self::Not(part) => Self::Not(Box::new(part.cheapest_first())),
            Self::Term(term) => Self::Term(term),
        }
    }

    fn cost(&self) -> u8 {
        match self {
            Self::Or(parts) | Self::And(parts) => {
                parts.iter().map(Self::cost).max().unwrap_or_default()
            }
            Self::Not(part) => part.cost(),
            Self::Term(term) => term.test.cost(),
        }
    }
}

#[cfg(test)]
mod tests;
