//! A restore into a live place: the rules, what is written, and what holds whatever goes wrong.

use std::sync::Arc;

use super::plan::{Plan, PlanOptions};
use super::roll_back::{self, Answer, Done, Options};
use super::*;
use crate::ops::earlier::Kept;
use crate::ops::keep::Files;
use crate::ops::session::Rules;
use crate::ops::session::tests::{Fault, Ran, THEIRS, run_with};
use crate::ops::session::{Error as SessionError, Keep, Live, Locking, Target};
use crate::state::bytes::Bytes;
use crate::state::document::Document;
use crate::state::sensitive::Reveal;
use crate::store::{self, Body, Expected, Found, Location, Memory, Place, Store};

fn state(lineage: &str, serial: u64, id: &str) -> String {
    format!(
        "{{\n  \"version\": 4,\n  \"terraform_version\": \"1.11.4\",\n  \"serial\":  {serial},\n  \
         \"lineage\": \"{lineage}\",\n  \"x\": {{\"serial\": 1}},\n  \"resources\": [{{\"mode\": \
         \"managed\", \"type\": \"x\", \"name\": \"a\", \"provider\": \"provider[\\\"a/a\\\"]\", \
         \"instances\": [{{\"attributes\": {{\"id\": \"{id}\"}}}}]}}]\n}}\n"
    )
}

fn past(text: &str) -> Past {
    let home = Ok(Location::File("a".into()));
    Past::new("snapshot 1".to_owned(), Bytes::from(text.as_bytes().to_vec()), home)
}

fn live(text: Option<&str>) -> Live {
    let Some(text) = text else { return Live::Nothing };
    let bytes = Bytes::from(text.as_bytes().to_vec());
    match Document::parse(bytes.clone()) {
        Ok(document) => Live::State(Box::new(document)),
        Err(error) => Live::Broken(bytes, error),
    }
}

fn options(rules: Rules) -> PlanOptions<'static> {
    PlanOptions { rules, only: None, reveal: Reveal::No }
}

fn plan(there: Option<&str>, was: &str, rules: Rules) -> Result<Plan, Error> {
    Plan::new("a", &live(there), &past(was), options(rules))
}

fn planned(there: Option<&str>, was: &str, rules: Rules) -> String {
    String::from_utf8(plan(there, was, rules).unwrap().bytes).unwrap()
}

#[test]
fn of_the_text_only_the_serial_changes_to_one_above_both() {
    let (older, newer) = (state("l", 3, "old"), state("l", 9, "new"));
    assert_eq!(planned(Some(&newer), &older, Rules::Heeded), state("l", 10, "old"));
    assert_eq!(planned(Some(&older), &newer, Rules::Heeded), state("l", 10, "new"));
    let plan = plan(Some(&newer), &older, Rules::Heeded).unwrap();
    assert_eq!((plan.before, plan.after, plan.is_needed), (Some(9), Some(10), true));
    let comparison = plan.comparison.unwrap();
    assert_eq!((comparison.summary.changed, comparison.to.serial), (1, 10));
}

#[test]
fn another_lineage_is_refused_and_by_force_the_live_one_stays() {
    let (live, was) = (state("l", 9, "new"), state("m", 3, "old"));
    let error = plan(Some(&live), &was, Rules::Heeded).unwrap_err();
    let message = "cannot restore to a: it has the lineage l, what is to be restored has m";
    assert_eq!(error.to_string(), message);
    assert_eq!(planned(Some(&live), &was, Rules::Overruled), state("l", 10, "old"));
    let lineages = |there: &str| {
        let comparison = plan(Some(there), &was, Rules::Overruled).unwrap().comparison.unwrap();
        (comparison.from.lineage, comparison.to.lineage)
    };
    assert_eq!(lineages(&live), ("l".to_owned(), "l".to_owned()));
    assert_eq!(lineages(&state("", 9, "new")), (String::new(), "m".to_owned()));
    assert_eq!(planned(Some(&state("", 9, "new")), &was, Rules::Heeded), state("m", 10, "old"));
    assert_eq!(planned(Some(&live), &state("", 3, "old"), Rules::Heeded), state("l", 10, "old"));
}

#[test]
fn where_no_state_is_it_comes_back_byte_for_byte() {
    let was = state("l", 3, "old");
    assert_eq!(planned(None, &was, Rules::Heeded), was);
    let anew = plan(None, &was, Rules::Heeded).unwrap().comparison.unwrap();
    assert_eq!(anew.summary.added, 1);
    assert!(!anew.lineage_differs(), "there is none that could");
}

#[test]
fn what_is_no_state_is_replaced_by_force_alone() {
    let was = state("l", 3, "old");
    let error = plan(Some("<html>"), &was, Rules::Heeded).unwrap_err();
    assert!(matches!(error, Error::Broken { .. }), "{error}");
    assert_eq!(planned(Some("<html>"), &was, Rules::Overruled), was);
}

#[test]
fn what_was_no_state_is_not_put_where_one_lives() {
    let live = state("l", 9, "new");
    for rules in [Rules::Heeded, Rules::Overruled] {
        for there in [Some(live.as_str()), None] {
            let error = plan(there, "{", rules).unwrap_err();
            assert!(matches!(error, Error::Unreadable { .. }), "{error}");
        }
    }
    let encrypted =
        r#"{"serial":3,"lineage":"l","meta":{},"encrypted_data":"e","encryption_version":"v0"}"#;
    let error = plan(Some(&live), encrypted, Rules::Overruled).unwrap_err();
    assert!(matches!(error, Error::Unreadable { .. }), "{error}");
    let plan = plan(None, encrypted, Rules::Heeded).unwrap();
    assert_eq!((plan.bytes.as_slice(), plan.after), (encrypted.as_bytes(), None));
}

#[test]
fn a_difference_in_the_serial_alone_is_none() {
    let was = state("l", 3, "same");
    assert!(!plan(Some(&state("l", 9, "same")), &was, Rules::Heeded).unwrap().is_needed);
    let compact = was.replace("  ", "").replace('\n', "");
    assert!(!plan(Some(&compact), &was, Rules::Heeded).unwrap().is_needed);
    for (from, to) in [("1.11.4", "1.12.0"), ("\"serial\": 1}", "\"serial\": 2}")] {
        assert!(plan(Some(&was.replace(from, to)), &was, Rules::Heeded).unwrap().is_needed);
    }
}

#[test]
fn there_is_nothing_above_the_highest_serial() {
    let live = state("l", u64::MAX, "new");
    let error = plan(Some(&live), &state("l", 3, "old"), Rules::Heeded).unwrap_err();
    let message = format!("cannot restore to a: there is no serial above {}", u64::MAX);
    assert_eq!(error.to_string(), message);
}

#[test]
fn a_part_is_put_back_into_a_state_and_into_nothing_else() {
    let filter = "type:x".parse().unwrap();
    let options = PlanOptions { only: Some(&filter), ..options(Rules::Overruled) };
    let was = past(&state("m", 12, "old"));
    for there in [None, Some("<html>")] {
        let error = Plan::new("a", &live(there), &was, options).unwrap_err();
        assert!(matches!(error, Error::Refused { refusal: Refusal::NoState, .. }), "{error}");
    }
    let there = state("l", 9, "new").replace("\"x\": {", "\"y\": {");
    let plan = Plan::new("a", &live(Some(&there)), &was, options).unwrap();
    let expected = there.replace("new", "old").replace("9,", "13,");
    assert_eq!(String::from_utf8(plan.bytes).unwrap(), expected);
    let none = "type:none".parse().unwrap();
    let options = PlanOptions { only: Some(&none), ..options };
    let error = Plan::new("a", &live(Some(&there)), &was, options).unwrap_err();
    assert!(matches!(error, Error::Part { source: only::Error::NothingSelected, .. }), "{error}");
}

/// Restores a state in a store one of whose calls goes wrong.
fn restore(
    wrong: usize,
    fault: Fault,
    before: Option<&str>,
    fails: bool,
) -> Ran<Result<Done, Error>> {
    let was = past(&state("a", 3, "old"));
    run_with((wrong, fault), before.map(str::as_bytes), fails, |target, locking, keep| {
        let options = Options { plan: options(Rules::Heeded), locking, keep };
        roll_back::run(&was, target, options, |_| Ok(Answer::Yes))
    })
}

#[test]
fn whatever_goes_wrong_the_place_holds_what_it_held_or_what_was_planned_and_a_copy_is_kept() {
    let before = state("a", 7, "new");
    let steps = restore(usize::MAX, Fault::Before, Some(&before), false).calls;
    assert_eq!(steps, 5, "lock, read, write, read back, unlock");
    for fault in [Fault::Before, Fault::After, Fault::Lie, Fault::Race, Fault::Gone] {
        for wrong in 0..steps {
            let ran = restore(wrong, fault, Some(&before), false);
            let at = format!("{fault:?} at call {wrong}: {:?}", ran.result.as_ref().err());
            let (was_there, serial) = match (fault, wrong) {
                (Fault::Race, 1) => (THEIRS, 10),
                _ => (before.as_bytes(), 8),
            };
            let is_new = ran.now == state("a", serial, "old").into_bytes();
            let is_old = ran.now == was_there || (fault == Fault::Race && ran.now == THEIRS);
            assert!(is_new || is_old, "{at}");
            assert!(!is_new || ran.copies == [was_there], "{at}");
            assert!(ran.result.is_err() || (is_new && !ran.is_locked), "{at}");
        }
    }
}

#[test]
fn without_a_copy_of_what_is_there_nothing_is_written() {
    let before = state("a", 7, "new");
    let ran = restore(usize::MAX, Fault::Before, Some(&before), true);
    let error = ran.result.unwrap_err();
    assert!(matches!(error, Error::Session(SessionError::Keep { .. })), "{error}");
    assert_eq!((ran.now, ran.is_locked), (before.into_bytes(), false));
}

#[test]
fn who_says_no_or_fails_to_answer_changes_nothing_and_leaves_no_lock() {
    let before = state("a", 7, "new");
    let was = past(&state("a", 3, "old"));
    let answer = |answer: fn() -> Result<Answer, Error>| {
        run_with(
            (usize::MAX, Fault::Before),
            Some(before.as_bytes()),
            false,
            |target, locking, keep| {
                let options = Options { plan: options(Rules::Heeded), locking, keep };
                roll_back::run(&was, target, options, |_| answer())
            },
        )
    };
    let failed = || Err(Error::OneVersion { what: "a".to_owned() });
    for (ran, is_ok) in [(answer(|| Ok(Answer::No)), true), (answer(failed), false)] {
        assert_eq!(ran.result.is_ok(), is_ok);
        assert_eq!(
            (ran.now, ran.copies.len(), ran.is_locked),
            (before.clone().into_bytes(), 0, false)
        );
    }
}

#[test]
fn where_nothing_differs_nobody_is_asked() {
    let before = state("a", 7, "old");
    let was = past(&state("a", 3, "old"));
    let ran = run_with(
        (usize::MAX, Fault::Before),
        Some(before.as_bytes()),
        false,
        |target, locking, keep| {
            let options = Options { plan: options(Rules::Heeded), locking, keep };
            roll_back::run::<Error>(&was, target, options, |_| panic!("somebody was asked"))
        },
    );
    assert!(!ran.result.unwrap().report.written);
    assert_eq!((ran.now, ran.copies.len()), (before.into_bytes(), 0));
}

#[test]
fn a_new_file_gets_the_exact_bytes_and_one_that_exists_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let text = "\u{feff}{\r\n\t\"serial\": 1.0e0 }\0";
    let to = folder.path().join("a.tfstate");
    new_file::write(&past(text), &to).unwrap();
    assert_eq!(std::fs::read_to_string(&to).unwrap(), text);
    let error = new_file::write(&past("other"), &to).unwrap_err();
    assert!(matches!(error, Error::Exists { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(&to).unwrap(), text);
    let nowhere = new_file::write(&past(text), &folder.path().join("no/such")).unwrap_err();
    assert!(matches!(nowhere, Error::Write { .. }), "{nowhere}");
}

#[test]
fn a_reference_means_an_id_a_version_or_the_newest_snapshot() {
    let env = crate::base::env::Env::default();
    let context = store::Context::of(&env);
    let time = "2026-11-20T03:00Z".parse().ok();
    let parse = |text: &str, time| Wanted::parse(Some(text.as_ref()), time, context);
    assert_eq!(parse("latest", None).unwrap(), Wanted::Latest);
    assert_eq!(parse("3F9a", None).unwrap(), Wanted::Id("3F9a".to_owned()));
    assert_eq!(parse("snapshot:3f9a", None).unwrap(), Wanted::Id("3f9a".to_owned()));
    let gone = Location::File("gone.tfstate".into());
    assert_eq!(parse("gone.tfstate", None).unwrap(), Wanted::Newest(gone.clone()));
    let which = store::Earlier::Steps(1);
    let earlier = Wanted::Version(Location::Earlier { of: Box::new(gone.clone()), which });
    assert_eq!(parse("gone.tfstate@-1", None).unwrap(), earlier);
    let which = store::Earlier::Time(time.unwrap());
    let then = Wanted::Version(Location::Earlier { of: Box::new(gone), which });
    assert_eq!(parse("gone.tfstate", time).unwrap(), then);
    for text in ["latest", "3f9a", "gone.tfstate@-1"] {
        let error = parse(text, time).unwrap_err();
        assert!(matches!(error, Error::OneVersion { .. }), "{text}: {error}");
    }
    assert!(matches!(parse("-", None).unwrap(), Wanted::Version(Location::StandardInput)));
}

#[test]
fn a_version_that_the_store_keeps_comes_back_without_any_repository() {
    let store = Arc::new(Memory::default());
    let write = |text: &str, expected: Expected<'_>| {
        store.write("k", &Body { bytes: text.as_bytes(), expected, lock: None }).unwrap()
    };
    let first = write(&state("l", 3, "old"), Expected::Nothing);
    write(&state("l", 4, "new"), Expected::Version(&first));
    let home = Location::Stored(Place::new(Arc::clone(&store) as Arc<dyn Store>, "k".to_owned()));
    let which = store::Earlier::Steps(1);
    let wanted = Wanted::Version(Location::Earlier { of: Box::new(home.clone()), which });
    let env = crate::base::env::Env::default();
    let was = Past::read(&wanted, &Kept::default(), store::Context::of(&env)).unwrap();
    assert_eq!((was.name.as_str(), &was.snapshot), ("memory:k@-1", &None));
    let target = Target::of(was.home.as_ref().unwrap()).unwrap();
    let keep = Folder(tempfile::tempdir().unwrap());
    let options = Options { plan: options(Rules::Heeded), locking: Locking::Off, keep: &keep };
    let done = roll_back::run::<Error>(&was, target, options, |_| Ok(Answer::Yes)).unwrap();
    assert!(done.report.written);
    let Found::Bytes(now, _) = store.read("k").unwrap() else { panic!("it is gone") };
    assert_eq!(*now, *state("l", 5, "old").as_bytes());
}

struct Folder(tempfile::TempDir);

impl Keep for Folder {
    fn keep(&self, target: &Target, bytes: &Bytes) -> Result<String, store::Cause> {
        let clock = crate::base::clock::System;
        Files { folder: self.0.path(), clock: &clock }.keep(target, bytes)
    }
}
