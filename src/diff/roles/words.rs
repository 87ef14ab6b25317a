//! Text in pieces: runs of letters and digits, and what stands between them.

/// Returns where the pieces of a text begin and end: each run of letters and digits is one, and
/// each other character.
pub(super) fn segments(text: &str) -> Vec<(usize, usize)> {
    let mut segments: Vec<(usize, usize)> = Vec::new();
    let mut continues = false;
    for (at, c) in text.char_indices() {
        let is_run = c.is_alphanumeric();
        let end = at + c.len_utf8();
        match segments.last_mut() {
            Some(last) if is_run && continues => last.1 = end,
            _ => segments.push((at, end)),
        }
        continues = is_run;
    }
    segments
}

/// Returns the runs of two texts, pair by pair; none where something else than a run differs.
pub(super) fn parallel<'s>(a: &'s str, b: &'s str) -> Vec<(&'s str, &'s str)> {
    let (old, new) = (segments(a), segments(b));
    let texts = old.iter().zip(&new).map(|(x, y)| (&a[x.0..x.1], &b[y.0..y.1]));
    let is_run = |text: &str| text.starts_with(char::is_alphanumeric);
    let fits = |(x, y): (&str, &str)| x == y || is_run(x) && is_run(y);
    if old.len() != new.len() || !texts.clone().all(fits) {
        return Vec::new();
    }
    texts.filter(|(text, _)| is_run(text)).collect()
}

/// How a word is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Case {
    Lower,
    Upper,
    Capital,
}

impl Case {
    /// Returns how a word is written; `None` where it is mixed or has no letter.
    pub(super) fn of(word: &str) -> Option<Self> {
        let (lower, upper) = (word.to_lowercase(), word.to_uppercase());
        let mut rest = word.chars();
        let first = rest.next()?;
        let rest = rest.as_str();
        match () {
            () if lower == upper => None,
            () if word == lower => Some(Self::Lower),
            () if word == upper => Some(Self::Upper),
            () if first.is_uppercase() && rest == rest.to_lowercase() => Some(Self::Capital),
            () => None,
        }
    }

    /// Writes a word of lower case in this way.
    pub(super) fn apply(self, word: &str) -> String {
        match self {
            Self::Lower => word.to_owned(),
            Self::Upper => word.to_uppercase(),
            Self::Capital => {
                let mut rest = word.chars();
                let first = rest.next().into_iter().flat_map(char::to_uppercase);
                first.chain(rest).collect()
            }
        }
    }
}

/// Names that people give to environments, one group for each kind.
const ENVIRONMENTS: [&str; 30] = [
    "dev",
    "devel",
    "development",
    "test",
    "testing",
    "tst",
    "qa",
    "uat",
    "sit",
    "int",
    "stg",
    "stage",
    "staging",
    "preprod",
    "preproduction",
    "nonprod",
    "prod",
    "prd",
    "production",
    "live",
    "sandbox",
    "sbx",
    "demo",
    "beta",
    "canary",
    "preview",
    "acceptance",
    "acc",
    "perf",
    "dr",
];

/// Returns whether people call an environment by this word, given in lower case.
pub(super) fn is_environment(word: &str) -> bool {
    ENVIRONMENTS.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_two_texts_are_paired_where_the_rest_is_the_same() {
        assert_eq!(
            parallel("app-dev_1", "app-prod_1"),
            [("app", "app"), ("dev", "prod"), ("1", "1")]
        );
        assert!(parallel("app-dev", "app_dev").is_empty());
        assert!(parallel("a-b", "a-b-c").is_empty());
    }

    #[test]
    fn a_word_keeps_the_way_it_is_written() {
        for (word, written) in [("dev", "prod"), ("DEV", "PROD"), ("Dev", "Prod")] {
            assert_eq!(Case::of(word).unwrap().apply("prod"), written);
        }
        assert_eq!((Case::of("dEV"), Case::of("12")), (None, None));
    }
}
