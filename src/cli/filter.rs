//! Filters as they are typed.

use super::error::Failure;
use crate::query::filter::Filter;

/// Parses filters that all have to match.
pub(crate) fn parse(texts: &[String]) -> Result<Filter, Failure> {
    let mut all = Filter::all();
    for text in texts {
        all = all.and(text.parse().map_err(|error| refused(text, &error))?);
    }
    Ok(all)
}

fn refused(text: &str, error: &crate::query::filter::Error) -> Failure {
    let mut failure = Failure::new("cannot read the filter");
    failure.because.push(format!("{error}\n{}", error.caret(text)));
    match &error.hint {
        Some(hint) => failure.hint(hint.clone()),
        None => failure.hint("see the filter language: `tfstate help list`"),
    }
}
