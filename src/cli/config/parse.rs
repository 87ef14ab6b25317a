//! What may be in a configuration file: a table of keys, and errors that name line and column.

use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Value;
use crate::base::text::position;

/// What is wrong at one place of a file.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("line {line}, column {column}: {what}")]
pub(crate) struct Problem {
    line: usize,
    column: usize,
    what: String,
    hint: Option<String>,
}

impl Problem {
    /// Returns what to do about it.
    pub(super) fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

/// A key that a file sets.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: &'static str,
    pub(super) value: Value,
    pub(super) line: usize,
}

/// What a key holds.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Text,
    /// A path or a reference; a relative path counts from the file's folder.
    Place,
    Choice(&'static [&'static str]),
    Texts,
    /// A list of places.
    Places,
    Switch,
    Count,
}

/// Every key there is; those with a dot are in the table before it.
const KEYS: [(&str, Kind); 19] = [
    ("state", Kind::Place),
    ("workspace", Kind::Text),
    ("color", Kind::Choice(&["auto", "always", "never"])),
    ("log-format", Kind::Choice(&["text", "json"])),
    ("backup.repo", Kind::Place),
    ("backup.recipients", Kind::Texts),
    ("backup.encryption", Kind::Switch),
    ("backup.identity", Kind::Place),
    ("backup.states", Kind::Places),
    ("backup.keep.last", Kind::Count),
    ("backup.keep.hourly", Kind::Count),
    ("backup.keep.daily", Kind::Count),
    ("backup.keep.weekly", Kind::Count),
    ("backup.keep.monthly", Kind::Count),
    ("backup.keep.yearly", Kind::Count),
    ("backup.keep.within", Kind::Text),
    ("backup.keep.tags", Kind::Texts),
    ("backup.keep.timezone", Kind::Text),
    ("diff.ignore", Kind::Texts),
];

/// Reads the text of a file that is in `folder`.
pub(super) fn parse(text: &str, folder: &Path) -> Result<Vec<Entry>, Problem> {
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        problem(text, at, error.message().replace('\n', ", "))
    })?;
    let mut entries = Vec::new();
    Reader { text, folder }.table("", table.get_ref(), &mut entries)?;
    Ok(entries)
}

/// Turns TOML into entries.
#[derive(Clone, Copy)]
struct Reader<'a> {
    text: &'a str,
    folder: &'a Path,
}

impl Reader<'_> {
    fn table(
        self,
        prefix: &str,
        table: &DeTable<'_>,
        entries: &mut Vec<Entry>,
    ) -> Result<(), Problem> {
        for (name, value) in table {
            let key = format!("{prefix}{}", name.get_ref());
            if let Some(&(key, kind)) = KEYS.iter().find(|(known, _)| *known == key) {
                let (line, _) = position(self.text, name.span().start);
                entries.push(Entry { key, value: self.value(key, kind, value)?, line });
                continue;
            }
            let inside = format!("{key}.");
            let is_table = KEYS.iter().any(|(known, _)| known.starts_with(&inside));
            match value.get_ref().as_table() {
                Some(table) if is_table => self.table(&inside, table, entries)?,
                _ => return Err(self.unknown(&key, name.span())),
            }
        }
        Ok(())
    }

    fn value(self, key: &str, kind: Kind, found: &Spanned<DeValue<'_>>) -> Result<Value, Problem> {
        let expected =
            |what: &str| problem(self.text, found.span().start, format!("`{key}` must be {what}"));
        let text = found.get_ref().as_str();
        match kind {
            Kind::Text => Ok(Value::Text(text.ok_or_else(|| expected("a string"))?.to_owned())),
            Kind::Place => {
                let place = text.ok_or_else(|| expected("a string"))?;
                Ok(Value::Text(beside(self.folder, place)))
            }
            Kind::Choice(choices) => match text.filter(|text| choices.contains(text)) {
                Some(choice) => Ok(Value::Text(choice.to_owned())),
                None => Err(expected(&format!("one of \"{}\"", choices.join("\", \"")))),
            },
            Kind::Texts | Kind::Places => {
                let texts = found.get_ref().as_array().and_then(texts);
                let mut texts = texts.ok_or_else(|| expected("a list of strings"))?;
                if matches!(kind, Kind::Places) {
                    for place in &mut texts {
                        *place = beside(self.folder, place);
                    }
                }
                Ok(Value::Texts(texts))
            }
            Kind::Switch => {
                let on = found.get_ref().as_bool();
                Ok(Value::Switch(on.ok_or_else(|| expected("true or false"))?))
            }
            Kind::Count => {
                let number = found.get_ref().as_integer();
                let count = number.and_then(|n| u32::from_str_radix(n.as_str(), n.radix()).ok());
                Ok(Value::Count(count.ok_or_else(|| expected("a number from 0"))?))
            }
        }
    }

    fn unknown(self, key: &str, at: Range<usize>) -> Problem {
        if key == "reveal" {
            let what = "`reveal` cannot be set in a file: whoever writes to a repository could \
                        switch off masking for everybody who works in it";
            let hint = "give `--reveal` to the command that is to show sensitive values";
            return Problem {
                hint: Some(hint.to_owned()),
                ..problem(self.text, at.start, what.to_owned())
            };
        }
        let known = KEYS.map(|(known, _)| known);
        let nearest = similar::get_close_matches(key, &known, 1, 0.6).first().map_or_else(
            || format!("the keys are {}", known.map(|key| format!("`{key}`")).join(", ")),
            |nearest| format!("did you mean `{nearest}`?"),
        );
        let what = format!("unknown key `{key}`");
        Problem { hint: Some(nearest), ..problem(self.text, at.start, what) }
    }
}

fn texts(array: &toml::de::DeArray<'_>) -> Option<Vec<String>> {
    array.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect()
}

/// Returns where a place is that a file in `folder` names.
fn beside(folder: &Path, place: &str) -> String {
    let is_reference = ["git:", "snapshot:"].iter().any(|scheme| place.starts_with(scheme));
    if is_reference || place.contains("://") || place == "-" {
        return place.to_owned();
    }
    folder.join(place).to_string_lossy().into_owned()
}

fn problem(text: &str, at: usize, what: String) -> Problem {
    let (line, column) = position(text, at);
    Problem { line, column, what, hint: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        parse(text, Path::new("/home/me")).unwrap_err().to_string()
    }

    fn value(text: &str) -> Value {
        parse(text, Path::new("/home/me")).unwrap().remove(0).value
    }

    #[test]
    fn places_count_from_the_folder_of_the_file_one_by_one_and_in_lists() {
        let text = |value| match value {
            Value::Text(text) => vec![text],
            Value::Texts(texts) => texts,
            other => panic!("{other:?}"),
        };
        assert_eq!(text(value("state = \"a.tfstate\"")), ["/home/me/a.tfstate"]);
        let states = "[backup]\nstates = [\"envs/*\", \"/srv/a\", \"s3://b/**\"]";
        assert_eq!(text(value(states)), ["/home/me/envs/*", "/srv/a", "s3://b/**"]);
    }

    #[test]
    fn an_unknown_key_is_named_with_its_place_and_the_nearest_known_one() {
        let problem = parse("# mine\n  stat = 1\n", Path::new("/")).unwrap_err();
        assert_eq!(problem.to_string(), "line 2, column 3: unknown key `stat`");
        assert_eq!(problem.hint(), Some("did you mean `state`?"));
        let problem = parse("[backup]\nreciipents = []\n", Path::new("/")).unwrap_err();
        assert_eq!(problem.hint(), Some("did you mean `backup.recipients`?"));
        let problem = parse("zzz = 1", Path::new("/")).unwrap_err();
        assert!(problem.hint().unwrap().starts_with("the keys are `state`, "));
    }

    #[test]
    fn masking_cannot_be_switched_off_in_a_file() {
        assert!(refused("reveal = false").contains("`reveal` cannot be set in a file"));
    }

    #[test]
    fn a_value_of_another_kind_is_refused_at_its_place() {
        let cases = [
            ("state = 1", "line 1, column 9: `state` must be a string"),
            (
                "color = 'red'",
                "line 1, column 9: `color` must be one of \"auto\", \"always\", \"never\"",
            ),
            (
                "backup.encryption = 'no'",
                "line 1, column 21: `backup.encryption` must be true or false",
            ),
            (
                "backup.recipients = [1]",
                "line 1, column 21: `backup.recipients` must be a list of strings",
            ),
            ("backup = 1", "line 1, column 1: unknown key `backup`"),
        ];
        for (text, said) in cases {
            assert_eq!(refused(text), said);
        }
    }

    #[test]
    fn what_is_no_toml_is_refused_at_its_place() {
        assert!(
            refused("state = \n").starts_with("line 1, column 9: "),
            "{}",
            refused("state = \n")
        );
    }

    #[test]
    fn a_relative_path_counts_from_the_files_folder_and_a_url_stays() {
        assert_eq!(value("state = 'a.tfstate'"), Value::Text("/home/me/a.tfstate".to_owned()));
        for same in ["/a", "s3://b/k", "git:HEAD:a", "snapshot:1", "-"] {
            assert_eq!(value(&format!("state = '{same}'")), Value::Text(same.to_owned()));
        }
    }
}
