//! A place that says once that it did something, and did not. No promise holds there; what was there
//! before does, and it is told what is wrong.

use std::sync::Arc;

use tfstate::backup::verify::{Problem, Wrong};
use tfstate::backup::{Error, Strategy, Whole};

use super::examine::{Case, LATER};
use super::history::History;
use super::scenario::{Done, Run, Scenario};
use crate::faulty::{Faulty, Mode};
use crate::place::{Owner, Shelf, copy_folder, folder};

impl Run<'_> {
    /// Checks what follows where of one object it was not true that it was created or deleted.
    fn examine_lie(&self, done: Result<Done, Error>, key: &str, case: Case<'_>) {
        match done {
            // Nobody looks again at what was just stored.
            Ok(Done::Kept(snapshot, _)) if key.starts_with("s/") => {
                let is_it = |problem: &Problem| problem.snapshot.as_ref() == Some(&snapshot.id);
                let found = self.problems();
                assert!(found.len() == 1 && is_it(&found[0]), "{case}: {found:?}");
                assert_eq!(found[0].wrong, Wrong::Removed, "{case}");
                self.goes_on(true, Some(Wrong::Removed), case);
            }
            // Where there were others before, the next one shows that it is missing.
            Ok(Done::Kept(snapshot, _)) if key.starts_with("r/") => {
                let is_first = snapshot.sequence == 1;
                self.goes_on(false, (!is_first).then_some(Wrong::Run), case);
            }
            // What was not deleted is seen to be there, by the same run or the next.
            Ok(Done::Pruned(_)) => {
                self.complete_prune(case);
                self.goes_on(false, None, case);
            }
            Err(Error::NoRepository { .. }) if key == "repo.json" => {
                self.goes_on(false, None, case);
            }
            Err(Error::Record { .. } | Error::Note { .. } | Error::Damaged { .. }) => {
                self.finish(false, case);
                self.goes_on(false, None, case);
            }
            done => panic!("{case}: {key}: {done:?}"),
        }
    }

    fn problems(&self) -> Vec<Problem> {
        self.history.heir.verify(&Owner::open(self.vault())).unwrap().1
    }

    /// Backs up again, and looks at everything; `is_lost` is whether the newest is not there, and
    /// `told` what is said to be wrong from then on.
    fn goes_on(&self, is_lost: bool, told: Option<Wrong>, case: Case<'_>) {
        let (next, how) = (self.scenario.state(20), (Strategy::Incremental, LATER));
        let report = self.back_up(self.vault(), &next, how).unwrap();
        let why = report.added.and_then(|added| added.why_full);
        if is_lost {
            let is_first = self.scenario == Scenario::First;
            let expected = if is_first { Whole::First } else { Whole::Unlisted };
            assert_eq!(why, Some(expected), "{case}");
        }
        let mut expected = self.history.made.clone();
        expected.insert(report.snapshot.id.clone(), next);
        self.examine_all(&report.snapshot, expected, case);
        let found: Vec<Wrong> = self.problems().iter().map(|problem| problem.wrong).collect();
        assert_eq!(found, told.into_iter().collect::<Vec<_>>(), "{case}");
    }
}

/// Runs a scenario in which the `at`th operation is not done; returns how many there were, and
/// whether it is one that can be lied about.
fn case(history: &History, scenario: Scenario, at: usize) -> (usize, bool) {
    let home = folder();
    copy_folder(history.home.path(), home.path());
    let shelf: Arc<Shelf> = Arc::new(history.shelf.copy());
    let run = Run { history, scenario, shelf: Arc::clone(&shelf), home: home.path() };
    let faulty = Arc::new(Faulty::new(shelf, at, Mode::Lies));
    let done = run.perform(Arc::<Faulty>::clone(&faulty));
    let lied = faulty.lied();
    if let Some(key) = &lied {
        run.examine_lie(done, key, &format_args!("{scenario:?}, operation {at}, of {key}"));
    }
    (faulty.operations(), lied.is_some())
}

#[test]
fn a_place_that_lies_about_success_once_loses_nothing_older_and_it_is_told_what_is_wrong() {
    let all = [&Scenario::BACKUPS[..], &Scenario::PRUNES, &[Scenario::Rekey], &Scenario::NOTES];
    for &scenario in all.into_iter().flatten() {
        let history = History::new(false, scenario);
        let (operations, _) = case(&history, scenario, usize::MAX);
        let lies = (0..operations).filter(|&at| case(&history, scenario, at).1).count();
        assert!(lies > 0, "{scenario:?} writes something");
    }
}
