//! What a merge that was refused says: who did what, and what to do now.

use super::error::Failure;
use crate::base::text::shell_word;
use crate::ops::merge::{Clash, Conflict, Error, Side};

/// How many conflicts are told.
const MOST: usize = 40;

/// How many paths of a conflict are told.
const MOST_PATHS: usize = 4;

/// What to call the file and its sides.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) path: String,
    pub(crate) ours: String,
    pub(crate) theirs: String,
}

impl Names {
    /// Says why nothing was merged.
    pub(crate) fn failure(&self, error: &Error) -> Failure {
        let path = &self.path;
        let what = format!("cannot merge {path}");
        let quoted = |stage: &str| shell_word(&format!("{stage}{path}"));
        let compare = format!(
            "compare the three: `tfstate diff {} {} {}`",
            quoted("git::1:"),
            quoted("git::2:"),
            quoted("git::3:")
        );
        let take = format!(
            "take one side: `git checkout --ours -- {0}` or `git checkout --theirs -- {0}`, \
             then `git add {0}`",
            quoted("")
        );
        let redo = "let Terraform do again what the other side did: apply, import or `state mv`";
        let left =
            format!("the file is as {} has it: nothing of {} is in it", self.ours, self.theirs);
        let Error::Conflicts(conflicts) = error else {
            return Failure::new(what).because(error).hint(left).hint(take).hint(redo);
        };
        let mut failure = match conflicts.len() {
            1 => Failure::new(what),
            count => Failure::new(format!("{what}: {count} conflicts")),
        };
        failure.because.extend(conflicts.iter().take(MOST).map(|conflict| self.conflict(conflict)));
        if let Some(more) = conflicts.len().checked_sub(MOST).filter(|&more| more > 0) {
            failure.because.push(format!("{more} more conflicts"));
        }
        failure.hint(left).hint(compare).hint(take).hint(redo)
    }

    fn side(&self, side: Side) -> &str {
        match side {
            Side::Base => "the common ancestor",
            Side::Ours => &self.ours,
            Side::Theirs => &self.theirs,
        }
    }

    fn other(&self, side: Side) -> &str {
        if side == Side::Ours { &self.theirs } else { &self.ours }
    }

    fn conflict(&self, conflict: &Conflict) -> String {
        let (ours, theirs) = (&self.ours, &self.theirs);
        let what = match &conflict.clash {
            Clash::Changed { ours: a, theirs: b } if a == b => {
                format!("changed by {ours} and by {theirs}{}", paths(a))
            }
            Clash::Changed { ours: a, theirs: b } => {
                format!("changed by {ours}{}; by {theirs}{}", paths(a), paths(b))
            }
            Clash::Added(differing) => {
                format!("added by {ours} and by {theirs}, not alike{}", paths(differing))
            }
            Clash::Removed { by, moved_to, changed } => {
                let (mover, other) = (self.side(*by), self.other(*by));
                let done = match moved_to {
                    Some(to) => format!("moved to {to} by {mover}"),
                    None => format!("removed by {mover}"),
                };
                format!("{done}, changed by {other}{}", paths(changed))
            }
            Clash::Moved { ours: a, theirs: b } => {
                format!("moved to {a} by {ours}, to {b} by {theirs}")
            }
            Clash::MovedAndRemoved { by, to } => {
                format!("moved to {to} by {}, removed by {}", self.side(*by), self.other(*by))
            }
            Clash::Provider { by } => format!(
                "has another provider since {}, and {} changed or added instances",
                self.side(*by),
                self.other(*by)
            ),
            Clash::Keys => {
                format!("has instances with other keys for {ours} than for {theirs}")
            }
            Clash::Dependency { by, on } => format!(
                "changed or added by {}, depends on {on}, which {} removed",
                self.side(*by),
                self.other(*by)
            ),
            Clash::SameObject { other } => {
                format!("added by {theirs}, is the same object as {other}, added by {ours}")
            }
            Clash::Blocks => {
                format!("changed by {theirs}, and stands in several blocks of one state")
            }
        };
        format!("{}: {what}", conflict.subject)
    }
}

fn paths(paths: &[String]) -> String {
    let (told, more) = paths.split_at(paths.len().min(MOST_PATHS));
    match (told, more.len()) {
        ([], _) => String::new(),
        (told, 0) => format!(": {}", told.join(", ")),
        (told, more) => format!(": {}, {more} more", told.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str) -> Names {
        Names { path: path.to_owned(), ours: "HEAD".to_owned(), theirs: "feature".to_owned() }
    }

    fn told(clash: Clash) -> String {
        names("a").conflict(&Conflict { subject: "x.a".to_owned(), clash })
    }

    #[test]
    fn each_conflict_says_who_did_what() {
        let some = |count: usize| (0..count).map(|n| format!("p{n}")).collect::<Vec<_>>();
        let to = || "x.b".to_owned();
        for (clash, text) in [
            (
                Clash::Changed { ours: some(1), theirs: some(6) },
                "changed by HEAD: p0; by feature: p0, p1, p2, p3, 2 more",
            ),
            (
                Clash::Changed { ours: some(1), theirs: some(1) },
                "changed by HEAD and by feature: p0",
            ),
            (Clash::Added(Vec::new()), "added by HEAD and by feature, not alike"),
            (
                Clash::Removed { by: Side::Theirs, moved_to: None, changed: some(1) },
                "removed by feature, changed by HEAD: p0",
            ),
            (
                Clash::Removed { by: Side::Ours, moved_to: Some(to()), changed: some(2) },
                "moved to x.b by HEAD, changed by feature: p0, p1",
            ),
            (
                Clash::Moved { ours: to(), theirs: "x.c".to_owned() },
                "moved to x.b by HEAD, to x.c by feature",
            ),
            (
                Clash::MovedAndRemoved { by: Side::Theirs, to: to() },
                "moved to x.b by feature, removed by HEAD",
            ),
            (
                Clash::Provider { by: Side::Ours },
                "has another provider since HEAD, and feature changed or added instances",
            ),
            (Clash::Keys, "has instances with other keys for HEAD than for feature"),
            (
                Clash::Dependency { by: Side::Ours, on: to() },
                "changed or added by HEAD, depends on x.b, which feature removed",
            ),
            (
                Clash::SameObject { other: to() },
                "added by feature, is the same object as x.b, added by HEAD",
            ),
            (Clash::Blocks, "changed by feature, and stands in several blocks of one state"),
        ] {
            assert_eq!(told(clash), format!("x.a: {text}"));
        }
    }

    #[test]
    fn many_conflicts_are_cut_and_counted_and_commands_can_be_pasted() {
        let conflict = Conflict { subject: "x.a".to_owned(), clash: Clash::Keys };
        let failure = names("it's a.tfstate").failure(&Error::Conflicts(vec![conflict; 42]));
        assert_eq!(failure.error, "cannot merge it's a.tfstate: 42 conflicts");
        assert_eq!((failure.because.len(), failure.because[40].as_str()), (41, "2 more conflicts"));
        assert!(failure.hints[1].contains(r"'git::2:it'\''s a.tfstate'"), "{:?}", failure.hints);
        let failure = names("a").failure(&Error::Lineage);
        assert_eq!(failure.because.len(), 1);
    }
}
