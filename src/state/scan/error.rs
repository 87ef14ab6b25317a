//! What can be wrong with JSON text.

use super::MAX_DEPTH;

/// A violation of the JSON grammar, at a byte offset of the scanned text.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{problem}")]
pub struct SyntaxError {
    /// Offset of the offending byte; the length of the text where it ended too early.
    pub offset: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with the JSON text at one place.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The text ends inside a value.
    #[error("the text ends in the middle of {0}")]
    Truncated(&'static str),
    /// Another token was needed.
    #[error("expected {0}")]
    Expected(&'static str),
    /// A control character stands unescaped in a string.
    #[error("a control character in a string must be escaped")]
    ControlCharacter,
    /// A backslash is followed by something that is no escape.
    #[error("this is not an escape sequence")]
    Escape,
    /// A number that JSON does not allow, such as `01` or `1.`.
    #[error("this is not a JSON number")]
    Number,
    /// More than [`MAX_DEPTH`] containers are open.
    #[error("values are nested more than {MAX_DEPTH} deep")]
    Depth,
    /// A value nests too deep to be decoded, though it is well-formed.
    #[error("this value is nested too deep to be shown")]
    DecodeDepth,
    /// Something follows the document.
    #[error("there is more text after the end of the document")]
    Trailing,
    /// A string that has to be understood is not UTF-8.
    #[error("this string is not valid UTF-8")]
    Utf8,
    /// A string that has to be understood holds half of a surrogate pair.
    #[error("this string holds a \\u escape that is half of a surrogate pair")]
    Surrogate,
}
