//! Globs over whole texts: `*` is any text, dots and brackets included, `?` any one character.

/// A pattern with wildcards.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Glob(String);

impl Glob {
    /// Takes a pattern as it is written.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// Returns whether text has a wildcard.
    pub fn is_glob(text: &str) -> bool {
        text.contains(['*', '?'])
    }

    /// Returns whether the pattern covers all of `text`.
    ///
    /// Takes time of the product of the lengths at worst: only the last star is ever retried,
    /// for what an earlier one could swallow more the last one can swallow too.
    pub fn matches(&self, text: &str) -> bool {
        let (mut pattern, mut text) = (self.0.as_str(), text);
        let mut retry: Option<(&str, &str)> = None;
        loop {
            let mut rest = pattern.chars();
            let mut after = text.chars();
            match (rest.next(), after.next()) {
                (None, None) => return true,
                (Some('*'), _) => {
                    pattern = rest.as_str();
                    retry = Some((pattern, text));
                    continue;
                }
                (Some(p), Some(c)) if p == '?' || p == c => {
                    (pattern, text) = (rest.as_str(), after.as_str());
                    continue;
                }
                _ => {}
            }
            let Some((behind_star, swallowed_to)) = retry else { return false };
            let mut longer = swallowed_to.chars();
            if longer.next().is_none() {
                return false;
            }
            (pattern, text) = (behind_star, longer.as_str());
            retry = Some((pattern, text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_cover_what_they_should() {
        let yes = [
            ("*", ""),
            ("a*c", "abbc"),
            ("a*b*c", "a.b[0].bc"),
            ("?", "é"),
            ("t3.*", "t3.micro"),
            ("**a", "banana"),
            ("", ""),
        ];
        for (pattern, text) in yes {
            assert!(Glob::new(pattern).matches(text), "{pattern} {text}");
        }
        let no = [("?", ""), ("a*", "ba"), ("*a", "ab"), ("a?c", "ac"), ("t3.*", "t3"), ("", "a")];
        for (pattern, text) in no {
            assert!(!Glob::new(pattern).matches(text), "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_end_in_time() {
        let text = "a".repeat(5_000);
        assert!(!Glob::new("a*".repeat(50) + "b").matches(&text));
    }
}
