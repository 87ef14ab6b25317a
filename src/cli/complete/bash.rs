//! Bash, which splits a line at `:`, `=` and quotes too, and takes what it is given as typed.
//! Addresses have quotes and brackets and filters colons, so the line is split here by the rules
//! of the shell's grammar, and what is printed is quoted the way the user began.

use std::ffi::OsString;
use std::io::{self, Write};

use super::super::args;
use super::values;
use super::words::{self, Typed};
use crate::base::env::Env;

/// Hands over the line up to the cursor, and the part of it that bash will replace. Compatible
/// with bash 3.2, which macOS has: no `mapfile`, no `compopt`.
pub(super) const SCRIPT: &str = r#"_tfstate() {
    local candidate
    COMPREPLY=()
    while IFS= read -r candidate; do
        COMPREPLY+=("$candidate")
    done < <(COMPLETE=bash tfstate -- "${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null)
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=/:.,] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o default -F _tfstate tfstate
"#;

/// Prints a candidate a line.
pub(super) fn complete(typed: &[OsString], env: &Env, out: &mut dyn Write) -> io::Result<()> {
    let line = typed.first().map(|line| line.to_string_lossy()).unwrap_or_default();
    let replaced = typed.get(1).map(|word| word.to_string_lossy()).unwrap_or_default();
    let typed = words::split(&line);
    let words: Vec<OsString> = typed.words.iter().map(OsString::from).collect();
    let mut definition = values::completed(args::definition(), &words, env);
    let last = words.len() - 1;
    let folder = std::env::current_dir().ok();
    let candidates =
        clap_complete::engine::complete(&mut definition, words, last, folder.as_deref())?;
    for candidate in candidates {
        let value = candidate.get_value().to_string_lossy();
        if let Some(reply) = reply(&typed, &replaced, &value) {
            writeln!(out, "{reply}")?;
        }
    }
    Ok(())
}

/// Returns what bash is to put in the place of `replaced`, which is the end of the word at the
/// cursor, so that the word becomes `value`. Values that no line can hold become nothing.
fn reply(typed: &Typed, replaced: &str, value: &str) -> Option<String> {
    if value.contains(|c: char| c.is_control()) {
        return None;
    }
    // After a closing quote bash hands over the whole word, but replaces none of it.
    let replaced = if typed.ends_with_closed_quote() { "" } else { replaced };
    let kept = words::without_quotes(typed.raw.strip_suffix(replaced).unwrap_or_default());
    Some(words::quoted(value.strip_prefix(&*kept)?, typed.quote))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply_to(line: &str, replaced: &str, value: &str) -> Option<String> {
        reply(&words::split(line), replaced, value)
    }

    #[test]
    fn only_what_bash_replaces_is_printed() {
        let reply = reply_to("tfstate list -f type:aws", "aws", "type:aws_vpc");
        assert_eq!(reply.as_deref(), Some("aws_vpc"));
    }

    #[test]
    fn brackets_and_quotes_are_quoted_as_the_user_began() {
        let address = r#"a.b["k"]"#;
        assert_eq!(reply_to("tfstate get a.", "a.", address).as_deref(), Some(r#"a.b\[\"k\"\]"#));
        assert_eq!(reply_to("tfstate get 'a.", "a.", address).as_deref(), Some(address));
        assert_eq!(reply_to("tfstate get \"a.", "a.", address).as_deref(), Some(r#"a.b[\"k\"]"#));
    }

    #[test]
    fn what_stands_in_closed_quotes_stays() {
        let reply = reply_to("tfstate list -f \"type:\"", "\"type:\"", "type:aws_vpc");
        assert_eq!(reply.as_deref(), Some("aws_vpc"));
    }

    #[test]
    fn a_value_that_would_end_the_line_is_left_out() {
        assert_eq!(reply_to("tfstate get a.", "a.", "a.b[\"\n\"]"), None);
    }
}
