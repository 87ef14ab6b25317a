//! Noise: what changes because somebody looked, not because somebody did something.
//!
//! The table is short on purpose. An entry must name a value that the provider computes and that
//! nobody can set, and that tells of nothing but the time or the revision of the object. What a
//! person may have meant to change, such as a version or a hash of content, is never noise.

use std::sync::LazyLock;

use super::rule::Rule;

/// The well-known ones, as rules.
const TABLE: [&str; 20] = [
    // Revisions by which servers detect that they were overtaken.
    "*.etag",
    "google_*.fingerprint",
    "google_*.label_fingerprint",
    "google_*.metadata_fingerprint",
    "google_*.tags_fingerprint",
    "kubernetes_*.metadata[*].generation",
    "kubernetes_*.metadata[*].resource_version",
    "kubernetes_manifest.object.metadata.generation",
    "kubernetes_manifest.object.metadata.managedFields",
    "kubernetes_manifest.object.metadata.resourceVersion",
    // When an object was last changed or used.
    "*.last_modified",
    "*.last_updated",
    "aws_*.last_modified_date",
    "aws_*.last_modified_time",
    "aws_*.last_updated_date",
    "aws_*.last_updated_time",
    "aws_iam_role.role_last_used",
    "github_*.updated_at",
    "google_*.update_time",
    "helm_release.metadata[*].last_deployed",
];

/// Returns the rules for noise.
pub(super) fn rules() -> &'static [Rule] {
    static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
        let read = |text: &&str| text.parse().expect("a test reads the rules of the table");
        TABLE.iter().map(read).collect()
    });
    &RULES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_of_the_table_can_be_read_and_stands_once() {
        let texts: std::collections::BTreeSet<String> =
            rules().iter().map(ToString::to_string).collect();
        assert_eq!(texts.len(), TABLE.len());
    }
}
