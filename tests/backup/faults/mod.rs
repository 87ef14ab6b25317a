//! Every operation of every kind of run, going wrong in every way.

mod examine;
mod history;
mod lies;
mod scenario;

use std::sync::Arc;

use tfstate::backup::vault::Vault as _;

use self::history::History;
use self::scenario::{Run, Scenario};
use crate::faulty::{Faulty, MODES, Mode};
use crate::place::{copy_folder, folder};

/// Runs a scenario with the `at`th operation going wrong; returns how many operations there were,
/// and whether one went wrong.
fn case(history: &History, scenario: Scenario, at: usize, mode: Mode) -> (usize, bool) {
    let home = folder();
    copy_folder(history.home.path(), home.path());
    let shelf = Arc::new(history.shelf.copy());
    let run = Run { history, scenario, shelf: Arc::clone(&shelf), home: home.path() };
    let faulty = Arc::new(Faulty::new(shelf, at, mode));
    let done = run.perform(Arc::<Faulty>::clone(&faulty));
    if at == usize::MAX {
        run.must_be_done(&done);
    }
    if faulty.fired() || at == usize::MAX {
        let near = faulty.is_near();
        run.examine(done, &format_args!("{scenario:?}, near: {near}, operation {at}, {mode:?}"));
    }
    (faulty.operations(), faulty.fired())
}

/// Goes through every fault of some scenarios; returns how many there were.
fn every_fault(scenarios: &[Scenario], near: bool) -> usize {
    let mut cases = 0;
    for &scenario in scenarios {
        let history = History::new(near, scenario);
        let (operations, _) = case(&history, scenario, usize::MAX, Mode::Fails);
        assert!(operations > 2, "{scenario:?} does something");
        for at in 0..operations {
            cases += MODES.iter().filter(|&&mode| case(&history, scenario, at, mode).1).count();
        }
    }
    cases
}

#[test]
fn whatever_goes_wrong_in_a_backup_in_a_store_nothing_is_lost() {
    let cases = every_fault(&Scenario::BACKUPS, false);
    assert!(cases > 100, "{cases} faults");
}

#[test]
fn whatever_goes_wrong_in_a_restore_or_a_check_in_a_store_nothing_is_lost() {
    let cases = every_fault(&Scenario::READS, false);
    assert!(cases > 100, "{cases} faults");
}

#[test]
fn whatever_goes_wrong_in_a_prune_in_a_store_nothing_is_lost() {
    let cases = every_fault(&Scenario::PRUNES, false);
    assert!(cases > 100, "{cases} faults");
}

#[test]
fn whatever_goes_wrong_in_a_rekey_in_a_store_nothing_is_lost() {
    let cases = every_fault(&[Scenario::Rekey], false);
    assert!(cases > 100, "{cases} faults");
}

#[test]
fn whatever_goes_wrong_in_holding_or_naming_a_writer_in_a_store_nothing_is_lost() {
    let cases = every_fault(&Scenario::NOTES, false);
    assert!(cases > 100, "{cases} faults");
}

#[test]
fn whatever_goes_wrong_in_a_backup_in_a_folder_nothing_is_lost() {
    let cases = every_fault(&Scenario::BACKUPS, true);
    assert!(cases > 100, "{cases} faults");
}

#[test]
fn whatever_goes_wrong_in_a_restore_or_a_check_in_a_folder_nothing_is_lost() {
    let cases = every_fault(&Scenario::READS, true);
    assert!(cases > 100, "{cases} faults");
}

#[test]
fn whatever_goes_wrong_in_a_prune_in_a_folder_nothing_is_lost() {
    let cases = every_fault(&Scenario::PRUNES, true);
    assert!(cases > 100, "{cases} faults");
}

#[test]
fn whatever_goes_wrong_in_a_rekey_in_a_folder_nothing_is_lost() {
    let cases = every_fault(&[Scenario::Rekey], true);
    assert!(cases > 100, "{cases} faults");
}

#[test]
fn whatever_goes_wrong_in_holding_or_naming_a_writer_in_a_folder_nothing_is_lost() {
    let cases = every_fault(&Scenario::NOTES, true);
    assert!(cases > 100, "{cases} faults");
}
