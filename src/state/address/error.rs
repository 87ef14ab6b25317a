//! What is wrong with an address, and where.

/// An address that can't be read.
///
/// It holds no text of the address, which may be hostile; whoever prints it has the text.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{problem} at offset {at}")]
pub struct Error {
    /// Offset in bytes of what is wrong; the length of the text where it ended too early.
    pub at: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong at one place of an address.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Another token was needed.
    #[error("expected {0}")]
    Expected(&'static str),
    /// A whole address was read and something follows it.
    #[error("unexpected text after the end of the address")]
    Trailing,
    /// An index as Terraform 0.11 wrote it, `.0` instead of `[0]`.
    #[error("an index needs brackets: `[0]`, not `.0`")]
    DottedIndex,
    /// The first word means something else and would need `resource.` in front of it.
    #[error("`{0}` is a reserved word: write `resource.{0}` for a resource type of this name")]
    Reserved(&'static str),
    /// An `ephemeral` resource, which no state ever holds.
    #[error("ephemeral resources are never kept in a state")]
    Ephemeral,
    /// A module where a resource was needed.
    #[error("a resource is needed after the module")]
    NoResource,
    /// An instance key where none may stand.
    #[error("an instance key is not allowed here")]
    Key,
    /// A number key that is not whole, or does not fit 64 bits.
    #[error("a number key must be a whole number that fits 64 bits")]
    Number,
    /// A string key without its closing quote.
    #[error("the string key has no closing quote")]
    Unterminated,
    /// A line break inside a string key.
    #[error("a line break in a string key must be written `\\n` or `\\r`")]
    LineBreak,
    /// A backslash followed by something that is no escape.
    #[error("this is not an escape sequence")]
    Escape,
    /// `${` or `%{` in a string key.
    #[error("`{0}{{` starts a template: write `{0}{0}{{`")]
    Template(char),
}
