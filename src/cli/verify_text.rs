//! What `verify` prints for people: a line for each problem, how much was looked at, and advice.

use super::output::{Error, Output};
use crate::backup::verify::{Problem, Severity, Verified, Wrong};
use crate::base::text::escape;

/// How many snapshots that came late are told one by one: in a bucket that was copied, all did.
const SOME: usize = 5;

/// Prints what was found in so many states.
pub(crate) fn write(out: &mut Output, found: &Verified, states: usize) -> Result<(), Error> {
    for line in lines(&found.problems) {
        out.line(&line)?;
    }
    out.line(&summary(found, states))?;
    for hint in advice(found) {
        out.hint(hint);
    }
    Ok(())
}

fn lines(problems: &[Problem]) -> Vec<String> {
    let is_late = |problem: &&Problem| problem.wrong == Wrong::Quarantined;
    let late = problems.iter().filter(is_late);
    let others = problems.iter().filter(|problem| !is_late(problem));
    let left = late.clone().count().saturating_sub(SOME);
    let mut lines: Vec<String> = others.chain(late.take(SOME)).map(told).collect();
    if left > 0 {
        lines.push(format!(
            "warning: {left} more came there at another time than they say, as where a bucket was copied or a clock was wrong; `-o json` names each"
        ));
    }
    lines
}

fn told(problem: &Problem) -> String {
    let severity = problem.severity.name();
    let about = [&problem.snapshot, &problem.stream].into_iter().flatten();
    let about: Vec<&str> = about.map(String::as_str).collect();
    let mut text = format!("{severity}: {}", problem.text);
    if !about.is_empty() {
        text = format!("{severity}: {}: {}", about.join(" "), problem.text);
    }
    if !problem.affects.is_empty() {
        text = format!("{text}; so these cannot be restored: {}", problem.affects.join(", "));
    }
    escape(&text).into_owned()
}

fn summary(found: &Verified, states: usize) -> String {
    let many =
        |number: usize, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
    let (failures, warnings) = (found.count(Severity::Failure), found.count(Severity::Warning));
    let (snapshots, states) = (many(found.snapshots, "snapshot"), many(states, "state"));
    let mut text = if found.good == found.snapshots {
        format!("{snapshots} of {states} verified")
    } else {
        format!("{} of {snapshots} of {states} verified", found.good)
    };
    if found.read > 0 {
        text = format!("{text}, {} restored in memory", found.read);
    }
    text = format!("{text}, {}", many(failures, "problem"));
    if warnings > 0 {
        text = format!("{text}, {}", many(warnings, "warning"));
    }
    text
}

/// Returns what to do.
fn advice(found: &Verified) -> impl Iterator<Item = &'static str> {
    let has = |wanted: &[Wrong]| {
        let is_it = |p: &Problem| p.severity == Severity::Failure && wanted.contains(&p.wrong);
        found.problems.iter().any(is_it)
    };
    let hints = [
        (
            has(&[Wrong::Damaged, Wrong::Unreadable, Wrong::Chain, Wrong::Content]),
            "store the states named anew, as a whole: `tfstate backup --force --strategy full STATE`",
        ),
        (
            has(&[Wrong::Damaged, Wrong::Chain]),
            "then an owner of the repository may let go what is lost: `tfstate prune --damaged`",
        ),
        (
            has(&[Wrong::Untrusted]),
            "find out who wrote it: this is no computer that an owner of the repository authorised",
        ),
        (
            has(&[Wrong::Removed, Wrong::Run]),
            "find out who can delete there; a bucket that keeps versions still has what was removed",
        ),
        (
            has(&[Wrong::Identity]),
            "put the copy of it back; or, with a key that reads what there is, encrypt it anew: `tfstate repo rekey`",
        ),
        (has(&[Wrong::Newer]), "update tfstate"),
        (has(&[Wrong::Key]), "give the other keys as well: `--identity FILE` can be repeated"),
    ];
    hints.into_iter().filter_map(|(applies, hint)| applies.then_some(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(number: usize, wrong: Wrong, severity: Severity) -> Problem {
        let (snapshot, text) = (Some(format!("{number:08x}")), "says it is of then".to_owned());
        Problem { snapshot, stream: None, wrong, severity, text, affects: Vec::new() }
    }

    #[test]
    fn of_many_that_came_late_some_are_told_and_of_what_is_lost_all() {
        let late = |number| problem(number, Wrong::Quarantined, Severity::Warning);
        let lost = |number| problem(number, Wrong::Damaged, Severity::Failure);
        let told = |late_ones, lost_ones| {
            let all: Vec<Problem> =
                (0..late_ones).map(late).chain((0..lost_ones).map(lost)).collect();
            lines(&all)
        };
        assert_eq!(told(5, 0).len(), 5);
        let many = told(90, 20);
        assert_eq!(many.len(), 26);
        assert!(many[..20].iter().all(|line| line.starts_with("failure: ")));
        assert!(many[25].starts_with("warning: 85 more came there "), "{}", many[25]);
    }
}
