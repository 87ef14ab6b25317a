//! Text in the languages of units. That of shells is in `base::text`.

use super::{Error, Runner};
use crate::base::text::escape;

/// Refuses text that can't be written into a unit of this kind.
pub(super) fn check(text: &str, runner: Runner) -> Result<(), Error> {
    let refuse = |what| Err(Error::Text { text: escape(text).into_owned(), what });
    if escape(text) != text {
        return refuse("characters that are not shown");
    }
    // Not even a quoted text could keep it from being replaced before anything else is read.
    if runner == Runner::Github && text.contains("${{") {
        return refuse("`${{`, which GitHub replaces");
    }
    Ok(())
}

/// Returns text as a scalar of YAML.
pub(super) fn yaml(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

/// Returns an argument of a command line of Kubernetes as a scalar of YAML: `$(NAME)` stays.
pub(super) fn kubernetes_argument(text: &str) -> String {
    yaml(&text.replace('$', "$$"))
}

/// Returns a word of a setting of systemd.
pub(super) fn systemd_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._:-+@,=%".contains(c);
    let text = text.replace('%', "%%");
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

/// Returns an argument of a command line of systemd, which replaces variables even in quotes.
pub(super) fn systemd_argument(text: &str) -> String {
    systemd_word(&text.replace('$', "$$"))
}

#[cfg(test)]
mod tests {
    use super::super::samples::{HOSTILE, scalars};
    use super::*;

    #[test]
    fn a_scalar_of_yaml_reads_as_its_text() {
        for text in [HOSTILE, "", "yes", "- a: b", "0x10", "é\\n", "\"", "# no comment"] {
            assert_eq!(scalars(&yaml(text)), [text]);
        }
    }

    #[test]
    fn words_of_systemd_keep_what_it_would_replace() {
        assert_eq!(systemd_word("/srv/a.tfstate"), "/srv/a.tfstate");
        assert_eq!(systemd_word("a%h"), "a%%h");
        assert_eq!(systemd_word(""), "\"\"");
        assert_eq!(systemd_word(r#"a "b" \c"#), r#""a \"b\" \\c""#);
        assert_eq!(systemd_argument("$HOME;"), "\"$$HOME;\"");
    }

    #[test]
    fn what_is_not_shown_is_refused_and_so_is_what_github_replaces() {
        for text in ["a\nb", "a\u{1b}", "a\u{202e}b", "a\0"] {
            assert!(check(text, Runner::Systemd).is_err(), "{text:?}");
        }
        let text = "s3://b/${{ secrets.A }}";
        assert!(check(text, Runner::Systemd).is_ok());
        assert!(check(text, Runner::Github).is_err());
    }
}
