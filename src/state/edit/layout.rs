//! How a document is laid out: on one line, or indented by so much.

/// The white space of a document, as its first member shows it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Layout {
    /// What ends a line and what indents by one step; `None` where all stands on one line.
    lines: Option<(&'static [u8], Vec<u8>)>,
    /// The white space behind a colon.
    colon: Vec<u8>,
    /// The white space behind a comma that no line ends at.
    comma: Vec<u8>,
}

impl Layout {
    /// Finds out how an object is laid out; its text was checked before.
    pub fn of(bytes: &[u8]) -> Self {
        let open = bytes.iter().position(|&byte| byte == b'{').map_or(0, |at| at + 1);
        let rest = &bytes[open.min(bytes.len())..];
        let (lead, member) = space(rest);
        let lines = lead.iter().rposition(|&byte| byte == b'\n').map(|at| {
            let newline: &[u8] = if lead[..at].ends_with(b"\r") { b"\r\n" } else { b"\n" };
            (newline, lead[at + 1..].to_vec())
        });
        let mut tokens = Tokens(member);
        let (mut colon, mut comma) = (None, None);
        // The key, the colon, the value: a first member that is a container tells no comma.
        for _ in 0..4 {
            match tokens.next() {
                Some(b":") => colon = Some(space(tokens.0).0),
                Some(b",") => comma = Some(space(tokens.0).0),
                _ => {}
            }
        }
        let plain = |space: Option<&[u8]>| {
            space.filter(|space| !space.contains(&b'\n')).unwrap_or_default().to_vec()
        };
        let comma = if lines.is_some() { Vec::new() } else { plain(comma) };
        Self { lines, colon: plain(colon), comma }
    }

    /// Appends what stands between a bracket and an item that is `depth` deep.
    pub fn push_break(&self, depth: usize, out: &mut Vec<u8>) {
        let Some((newline, unit)) = &self.lines else { return };
        out.extend_from_slice(newline);
        for _ in 0..depth {
            out.extend_from_slice(unit);
        }
    }

    /// Appends what stands between two items that are `depth` deep.
    pub fn push_comma(&self, depth: usize, out: &mut Vec<u8>) {
        out.push(b',');
        out.extend_from_slice(&self.comma);
        self.push_break(depth, out);
    }

    /// Returns a value, or a member of an object, as it looks here `depth` deep.
    ///
    /// Every token stays as it is. Text that comes from the same layout and depth stays as a whole.
    pub fn lay(&self, raw: &[u8], from: &Self, depth: usize) -> Vec<u8> {
        if self == from {
            return raw.to_vec();
        }
        let mut out = Vec::with_capacity(raw.len() + raw.len() / 4);
        let (mut depth, mut opened) = (depth, false);
        for token in Tokens(raw) {
            let closes = matches!(token, b"}" | b"]");
            depth -= usize::from(closes && depth > 0);
            // An empty container is two brackets, whatever the layout.
            if opened != closes {
                self.push_break(depth, &mut out);
            }
            opened = matches!(token, b"{" | b"[");
            depth += usize::from(opened);
            match token {
                b"," => self.push_comma(depth, &mut out),
                b":" => {
                    out.push(b':');
                    out.extend_from_slice(&self.colon);
                }
                token => out.extend_from_slice(token),
            }
        }
        out
    }
}

/// Splits off the white space at the start.
fn space(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(text.len());
    text.split_at(end)
}

/// The tokens of a JSON text that was checked before.
struct Tokens<'a>(&'a [u8]);

impl<'a> Iterator for Tokens<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (_, text) = space(self.0);
        let len = match text.first()? {
            b'"' => string_len(text),
            b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
            _ => {
                let ends = |byte: &u8| byte.is_ascii_whitespace() || b"{}[],:\"".contains(byte);
                text.iter().position(ends).unwrap_or(text.len())
            }
        };
        let (token, rest) = text.split_at(len);
        self.0 = rest;
        Some(token)
    }
}

fn string_len(text: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = memchr::memchr2(b'"', b'\\', text.get(at..).unwrap_or_default()) {
        if text[at + found] == b'"' {
            return at + found + 1;
        }
        at += found + 2;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid(raw: &str, like: &str, depth: usize) -> String {
        let other = Layout { lines: None, colon: b"\t".to_vec(), comma: Vec::new() };
        String::from_utf8(Layout::of(like.as_bytes()).lay(raw.as_bytes(), &other, depth)).unwrap()
    }

    #[test]
    fn what_comes_from_elsewhere_is_laid_out_as_it_is_here() {
        let raw = r#"{"a":[1,{"b\"":"x, y: {"}],"c":{},"d" : [ ]}"#;
        let two = "{\n    \"a\": [\n      1,\n      {\n        \"b\\\"\": \"x, y: {\"\n      }\n    ],\n    \"c\": {},\n    \"d\": []\n  }";
        assert_eq!(laid(raw, "{\n  \"v\": 4\n}", 1), two);
        assert_eq!(laid(raw, "{\r\n\t\"v\" :4}", 0).matches("\r\n\t").count(), 8);
        let tight = r#"{"a":[1,{"b\"":"x, y: {"}],"c":{},"d":[]}"#;
        assert_eq!(laid(two, r#"{"v":4,"w":1}"#, 3), tight);
        let spaced = r#"{"a": [1, {"b\"": "x, y: {"}], "c": {}, "d": []}"#;
        assert_eq!(laid(two, r#"{"v": 4, "w": 1}"#, 3), spaced);
    }

    #[test]
    fn what_comes_from_the_same_layout_stays() {
        let layout = Layout::of(b"{\n  \"v\": 4\n}");
        assert_eq!(layout.lay(b"[1,  2]", &layout.clone(), 3), b"[1,  2]");
    }

    #[test]
    fn texts_without_members_have_a_layout_too() {
        for text in ["", "{}", "{\n}", "{\"a"] {
            assert_eq!(Layout::of(text.as_bytes()).lay(b"1", &Layout::of(b"{ }"), 1), b"1");
        }
    }
}
