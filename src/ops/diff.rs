//! Narrow a comparison down to the instances that somebody asked for.

use crate::diff::Comparison;
use crate::query::filter::Filter;
use crate::state::document::Document;

/// Keeps only the instances that match in the old state or in the new one.
///
/// Outputs and checks go: no filter means them. What is unchanged stays counted.
pub fn keep(comparison: &mut Comparison, filter: &Filter, (from, to): (&Document, &Document)) {
    comparison.retain(|change| {
        let matches = |at: Option<usize>, state: &Document| {
            at.is_some_and(|at| filter.matches(state.instance(at)))
        };
        matches(change.from, from) || matches(change.to, to)
    });
    comparison.outputs.clear();
    comparison.checks.clear();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::{Options, compare};

    fn state(kind: &str, id: &str) -> Document {
        let text = format!(
            r#"{{"version":4,"outputs":{{"o":{{"value":"{id}","type":"string"}}}},"resources":[
                {{"mode":"managed","type":"{kind}","name":"a","provider":"provider[\"acme/acme\"]",
                "instances":[{{"attributes":{{"id":"{id}"}}}}]}}]}}"#
        );
        Document::parse(text.into_bytes()).unwrap()
    }

    fn kept(filter: &str) -> Vec<String> {
        let (from, to) = (state("x", "1"), state("y", "2"));
        let mut comparison = compare(&from, &to, &Options::default());
        keep(&mut comparison, &filter.parse().unwrap(), (&from, &to));
        assert!(comparison.outputs.is_empty());
        comparison.resources.into_iter().map(|change| change.address).collect()
    }

    #[test]
    fn what_matches_on_either_side_is_kept() {
        assert_eq!(kept("type:x"), ["x.a"]);
        assert_eq!(kept("type:y"), ["y.a"]);
        assert_eq!(kept("type:x,y"), ["x.a", "y.a"]);
        assert!(kept("type:z").is_empty());
    }
}
