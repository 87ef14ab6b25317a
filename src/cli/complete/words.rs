//! The words of a line that is still being typed, by the quoting rules of POSIX shells.

use std::borrow::Cow;

/// The quote that is open at the cursor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Quote {
    None,
    Single,
    Double,
}

/// A line up to the cursor.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Typed {
    /// The words without their quotes; the last one is the one at the cursor, which may be empty.
    pub(super) words: Vec<String>,
    /// The last word as it was typed.
    pub(super) raw: String,
    /// The quote that the last word is in.
    pub(super) quote: Quote,
}

impl Typed {
    /// Returns whether the last thing typed is the quote that closes another.
    pub(super) fn ends_with_closed_quote(&self) -> bool {
        let is_quoted = self.raw.ends_with(r#"\""#) || self.raw.ends_with(r"\'");
        self.quote == Quote::None && self.raw.ends_with(['"', '\'']) && !is_quoted
    }
}

/// Splits a line into words.
pub(super) fn split(line: &str) -> Typed {
    let mut typed = Typed { words: vec![String::new()], raw: String::new(), quote: Quote::None };
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if typed.quote == Quote::None && c.is_ascii_whitespace() {
            if !typed.raw.is_empty() {
                typed.words.push(String::new());
                typed.raw.clear();
            }
            continue;
        }
        typed.raw.push(c);
        let literal = match (typed.quote, c) {
            (Quote::Single, '\'') | (Quote::Double, '"') => {
                typed.quote = Quote::None;
                continue;
            }
            (Quote::None, '\'') => {
                typed.quote = Quote::Single;
                continue;
            }
            (Quote::None, '"') => {
                typed.quote = Quote::Double;
                continue;
            }
            (Quote::None | Quote::Double, '\\') => {
                let Some(next) = chars.next() else { break };
                typed.raw.push(next);
                let word = typed.words.last_mut().expect("there is always a last word");
                if typed.quote == Quote::Double && !needs_escape(next) {
                    word.push('\\');
                }
                next
            }
            (_, literal) => literal,
        };
        typed.words.last_mut().expect("there is always a last word").push(literal);
    }
    typed
}

/// Returns a word without its quotes.
pub(super) fn without_quotes(raw: &str) -> Cow<'_, str> {
    if raw.contains(['\'', '"', '\\']) {
        return Cow::Owned(split(raw).words.concat());
    }
    Cow::Borrowed(raw)
}

/// Returns text as it is typed after `quote` was opened, which the shell closes itself.
pub(super) fn quoted(text: &str, quote: Quote) -> String {
    match quote {
        Quote::Single => text.replace('\'', r"'\''"),
        Quote::Double => escaped(text, needs_escape),
        Quote::None => escaped(text, |c| !c.is_alphanumeric() && !"-_./:=@%+,^".contains(c)),
    }
}

fn needs_escape(c: char) -> bool {
    matches!(c, '"' | '\\' | '$' | '`')
}

fn escaped(text: &str, needs: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if needs(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_spaces_outside_of_quotes() {
        let cases: [(&str, &[&str], Quote); 8] = [
            ("tfstate li", &["tfstate", "li"], Quote::None),
            ("tfstate  list ", &["tfstate", "list", ""], Quote::None),
            ("a 'b c'd", &["a", "b cd"], Quote::None),
            ("a 'b \\", &["a", "b \\"], Quote::Single),
            (r#"a "b \"c \d"#, &["a", r#"b "c \d"#], Quote::Double),
            (r"a b\ c\[", &["a", "b c["], Quote::None),
            ("a \\", &["a", ""], Quote::None),
            ("", &[""], Quote::None),
        ];
        for (line, words, quote) in cases {
            let typed = split(line);
            assert_eq!(typed.words, words, "{line}");
            assert_eq!(typed.quote, quote, "{line}");
        }
    }

    #[test]
    fn quoted_text_reads_as_itself() {
        let text = r#"a.b["k'$`\"] é"#;
        for (quote, open) in [(Quote::None, ""), (Quote::Single, "'"), (Quote::Double, "\"")] {
            let line = format!("{open}{}{open}", quoted(text, quote));
            assert_eq!(without_quotes(&line), text, "{line}");
        }
    }
}
