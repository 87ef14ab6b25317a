//! The cursor: what is passed, opened and closed, one token at a time.

use super::{MAX_DEPTH, Problem, SyntaxError, Text};

/// A cursor over JSON text that only moves forward.
///
/// Offsets in what it returns count from the start of the text it was made with.
#[derive(Clone, Debug)]
pub struct Scanner<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) pos: usize,
    pub(super) depth: usize,
}

impl<'a> Scanner<'a> {
    /// Starts at the first byte of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self::at(bytes, 0, 0)
    }

    /// Starts at `pos`, where `depth` containers are open.
    pub fn at(bytes: &'a [u8], pos: usize, depth: usize) -> Self {
        Self { bytes, pos, depth }
    }

    /// Returns the offset of the next byte.
    pub fn pos(&self) -> usize {
        self.pos
    }

    /// Moves to `pos`, which the caller knows to be the end of a value in the open container.
    pub fn jump(&mut self, pos: usize) {
        self.pos = pos;
    }

    /// Moves to `pos`, which the caller knows to be behind the end of the open container.
    pub fn leave(&mut self, pos: usize) {
        self.pos = pos;
        self.depth = self.depth.saturating_sub(1);
    }

    /// Returns the next byte that is not whitespace, without passing it.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        self.whitespace();
        self.bytes.get(self.pos).copied()
    }

    /// Opens an object; [`next_key`](Self::next_key) walks it.
    pub fn open_object(&mut self) -> Result<(), SyntaxError> {
        self.open(b'{', "an object")
    }

    /// Opens an array; [`next_element`](Self::next_element) walks it.
    pub fn open_array(&mut self) -> Result<(), SyntaxError> {
        self.open(b'[', "an array")
    }

    fn open(&mut self, bracket: u8, what: &'static str) -> Result<(), SyntaxError> {
        match self.peek() {
            Some(byte) if byte == bracket => {
                if self.depth == MAX_DEPTH {
                    return Err(self.fail(Problem::Depth));
                }
                self.pos += 1;
                self.depth += 1;
                Ok(())
            }
            Some(_) => Err(self.expected(what)),
            None => Err(self.fail(Problem::Truncated(what))),
        }
    }

    /// Passes the comma, the key and the colon before the next member of the open object.
    ///
    /// `first` says that no member was read yet. Returns `None` once the object is closed.
    pub fn next_key(&mut self, first: &mut bool) -> Result<Option<Text<'a>>, SyntaxError> {
        match self.peek() {
            Some(b'}') => {
                self.close();
                return Ok(None);
            }
            Some(b',') if !*first => {
                self.pos += 1;
                self.whitespace();
            }
            Some(_) if *first => {}
            Some(_) => return Err(self.expected("`,` or `}`")),
            None => return Err(self.fail(Problem::Truncated("an object"))),
        }
        *first = false;
        self.key().map(Some)
    }

    /// Passes the comma before the next element of the open array.
    ///
    /// `first` says that no element was read yet. Returns `false` once the array is closed.
    pub fn next_element(&mut self, first: &mut bool) -> Result<bool, SyntaxError> {
        match self.peek() {
            Some(b']') if *first => {
                self.close();
                Ok(false)
            }
            Some(_) if *first => {
                *first = false;
                Ok(true)
            }
            Some(b']') => {
                self.close();
                Ok(false)
            }
            Some(b',') => {
                self.pos += 1;
                self.whitespace();
                Ok(true)
            }
            Some(_) => Err(self.expected("`,` or `]`")),
            None => Err(self.fail(Problem::Truncated("an array"))),
        }
    }

    fn close(&mut self) {
        self.leave(self.pos + 1);
    }

    /// Passes a string.
    pub fn string(&mut self) -> Result<Text<'a>, SyntaxError> {
        match self.peek() {
            Some(b'"') => self.string_body(),
            Some(_) => Err(self.expected("a string")),
            None => Err(self.fail(Problem::Truncated("a value"))),
        }
    }

    /// Passes any value and returns its raw text.
    pub fn value(&mut self) -> Result<&'a [u8], SyntaxError> {
        self.whitespace();
        let start = self.pos;
        match self.bytes.get(start) {
            Some(b'{' | b'[') => self.skip_container()?,
            _ => self.skip_scalar()?,
        }
        Ok(&self.bytes[start..self.pos])
    }

    /// Checks that only whitespace is left.
    pub fn end(&mut self) -> Result<(), SyntaxError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.fail(Problem::Trailing)),
        }
    }

    /// Returns the error that `what` was needed at the next byte.
    pub fn expected(&self, what: &'static str) -> SyntaxError {
        self.fail(Problem::Expected(what))
    }

    pub(super) fn fail(&self, problem: Problem) -> SyntaxError {
        Self::fail_at(self.pos, problem)
    }

    #[cold]
    pub(super) fn fail_at(offset: usize, problem: Problem) -> SyntaxError {
        SyntaxError { offset, problem }
    }
}
