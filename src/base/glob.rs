//! Globs over whole texts: `*` is any text, dots and brackets included, `?` any one character; and
//! globs over paths, where these stay within a part and `**` is any number of parts.

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

/// A pattern of paths.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PathGlob(Vec<Part>);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Part {
    /// `**`: any number of parts, none too.
    Any,
    One(Glob),
}

impl PathGlob {
    /// Takes a pattern as it is written.
    pub fn new(pattern: &str) -> Self {
        let part = |part: &str| if part == "**" { Part::Any } else { Part::One(Glob::new(part)) };
        Self(pattern.split('/').map(part).collect())
    }

    /// Returns whether the pattern covers all of `path`.
    ///
    /// Takes time of the product of the lengths at worst, as [`Glob::matches`] does.
    pub fn matches(&self, path: &str) -> bool {
        let parts: Vec<&str> = path.split('/').collect();
        let (mut pattern, mut rest) = (self.0.as_slice(), parts.as_slice());
        let mut retry: Option<(&[Part], &[&str])> = None;
        loop {
            match (pattern.split_first(), rest.split_first()) {
                (None, None) => return true,
                (Some((Part::Any, behind)), _) => {
                    pattern = behind;
                    retry = Some((behind, rest));
                    continue;
                }
                (Some((Part::One(glob), behind)), Some((part, after))) if glob.matches(part) => {
                    (pattern, rest) = (behind, after);
                    continue;
                }
                _ => {}
            }
            let Some((behind, swallowed_to)) = retry else { return false };
            let Some((_, longer)) = swallowed_to.split_first() else { return false };
            (pattern, rest) = (behind, longer);
            retry = Some((behind, longer));
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

    #[test]
    fn a_star_stays_within_its_part_of_a_path_and_two_do_not() {
        let yes = [
            ("a/*/c", "a/b/c"),
            ("a/**/c", "a/c"),
            ("a/**/c", "a/b/x/c"),
            ("**/*.tfstate", "x.tfstate"),
            ("**/*.tfstate", "a//x.tfstate"),
            ("a/**", "a/b/c"),
            ("**", "a"),
            ("**/a/**/b", "x/a/a/y/b"),
            ("a?c/é*", "abc/é"),
        ];
        for (pattern, path) in yes {
            assert!(PathGlob::new(pattern).matches(path), "{pattern} {path}");
        }
        let no = [("a/*", "a/b/c"), ("*", "a/b"), ("a/**/c", "ac"), ("**/b", "a/b/c"), ("a/", "a")];
        for (pattern, path) in no {
            assert!(!PathGlob::new(pattern).matches(path), "{pattern} {path}");
        }
    }

    #[test]
    fn many_double_stars_end_in_time() {
        let path = vec!["a"; 2_000].join("/");
        assert!(!PathGlob::new(&("**/a/".repeat(50) + "b")).matches(&path));
    }
}
