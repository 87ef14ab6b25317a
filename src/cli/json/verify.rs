//! `tfstate.verify/1`.

use serde::Serialize;

use crate::backup::verify::{self, Severity};

/// What is wrong with a repository.
#[derive(Debug, Serialize)]
pub(crate) struct Verified<'a> {
    schema: &'static str,
    summary: Summary,
    problems: Vec<Found<'a>>,
}

#[derive(Debug, Serialize)]
struct Summary {
    states: usize,
    snapshots: usize,
    /// How many of these, and of what they build on, nothing is wrong with.
    verified: usize,
    /// How many were decrypted and restored.
    read: usize,
    problems: usize,
    warnings: usize,
}

#[derive(Debug, Serialize)]
struct Found<'a> {
    snapshot: Option<&'a str>,
    stream: Option<&'a str>,
    problem: &'static str,
    severity: &'static str,
    message: &'a str,
    affects: &'a [String],
}

impl<'a> Verified<'a> {
    pub(crate) fn new(found: &'a verify::Verified, states: usize) -> Self {
        let summary = Summary {
            states,
            snapshots: found.snapshots,
            verified: found.good,
            read: found.read,
            problems: found.count(Severity::Failure),
            warnings: found.count(Severity::Warning),
        };
        let problem = |problem: &'a verify::Problem| Found {
            snapshot: problem.snapshot.as_deref(),
            stream: problem.stream.as_deref(),
            problem: problem.wrong.name(),
            severity: problem.severity.name(),
            message: &problem.text,
            affects: &problem.affects,
        };
        let problems = found.problems.iter().map(problem).collect();
        Self { schema: "tfstate.verify/1", summary, problems }
    }
}
