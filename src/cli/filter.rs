//! Filters as they are typed, and the help on how.

use std::fmt::Write as _;

use super::error::Failure;
use crate::query::filter::{self, Filter};

/// Parses filters that all have to match.
pub(crate) fn parse(texts: &[String]) -> Result<Filter, Failure> {
    let mut all = Filter::all();
    for text in texts {
        all = all.and(text.parse().map_err(|error| refused(text, &error))?);
    }
    Ok(all)
}

/// Returns the help on the language, with a line for every field.
pub(crate) fn help() -> String {
    let fields = filter::fields();
    let width = fields.iter().map(|field| field.example.len()).max().unwrap_or(0);
    let mut help = String::from(INTRODUCTION);
    for field in fields {
        // Writing to a string cannot fail.
        writeln!(help, "  {:width$}  {}", field.example, field.help).ok();
    }
    help.push_str(OPERATORS);
    help
}

const INTRODUCTION: &str = "\
Filters:
  A word is looked for anywhere in the address; `*` and `?` in it are wildcards.
  The rest is FIELD:VALUE. A space means and, `|` or, `!` not, a comma any of
  several values; parentheses group.

";

const OPERATORS: &str = "
  Values are patterns and have to match as a whole; \"quoted text\" stands for
  itself, and /regex/ is found anywhere. After the name of an attribute or tag
  goes one of = != ~ !~ > >= < <=, where `~` takes a regular expression. Masked
  values never match.

  Example: 'type:aws_instance tag:env=prod !module:legacy attr:ebs[*].size>100'";

fn refused(text: &str, error: &crate::query::filter::Error) -> Failure {
    let mut failure = Failure::new("cannot read the filter");
    failure.because.push(format!("{error}\n{}", error.caret(text)));
    match &error.hint {
        Some(hint) => failure.hint(hint.clone()),
        None => failure.hint("see the filter language: `tfstate help list`"),
    }
}
