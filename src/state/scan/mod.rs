//! The structural scanner: walks JSON text once, checks its whole grammar, and hands out
//! byte ranges instead of values.
//!
//! It is the floor everything in [`state`](crate::state) stands on. What it promises:
//!
//! - every byte it passes is grammar-checked as RFC 8259 has it, with the limit of Go's
//!   `encoding/json` on nesting ([`MAX_DEPTH`]), so that a document accepted here is one that
//!   Terraform's reader accepts, and the other way round;
//! - no recursion, whatever the input nests;
//! - strings are not decoded and numbers are not converted: the caller gets the raw bytes;
//! - text need not be UTF-8. Terraform keeps such bytes in attributes; [`Text::decode`] is where
//!   they are refused.
//!
//! The two loops that see most bytes, whitespace and strings, look at eight bytes at a time in
//! plain integer arithmetic, which needs no `unsafe` and no instruction set of its own.

mod cursor;
mod error;
mod nesting;
mod skip;
#[cfg(test)]
mod tests;
mod text;

pub use cursor::Scanner;
pub use error::{Problem, SyntaxError};
pub use text::Text;

/// How many containers may be open at once: the limit of Go's `encoding/json`.
pub const MAX_DEPTH: usize = 10_000;
