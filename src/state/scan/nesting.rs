//! Which containers are open, at one bit each.

/// The open containers, one bit each: set for an object, clear for an array.
#[derive(Debug, Default)]
pub(super) struct Nesting {
    words: Vec<u64>,
    top: u64,
    pub(super) len: usize,
}

impl Nesting {
    pub(super) fn push(&mut self, object: bool) {
        if self.len > 0 && self.len.is_multiple_of(64) {
            self.words.push(self.top);
            self.top = 0;
        }
        self.top = self.top << 1 | u64::from(object);
        self.len += 1;
    }

    pub(super) fn pop(&mut self) {
        self.top >>= 1;
        self.len -= 1;
        if self.len > 0 && self.len.is_multiple_of(64) {
            self.top = self.words.pop().unwrap_or(0);
        }
    }

    pub(super) fn is_object(&self) -> bool {
        self.top & 1 == 1
    }
}
