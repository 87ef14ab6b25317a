//! How what is to go is named first and removed later, and what becomes of the notes of runs.

use super::*;

#[test]
fn more_than_ten_and_more_than_half_at_once_are_to_be_looked_at() {
    let place = Place::new();
    let is_drastic = |kept| {
        let plan = place.plan(&last(kept), 100 * DAY);
        (plan.removed().count(), plan.is_drastic())
    };
    for day in 0..12 {
        place.add(day * DAY, Strategy::Full);
    }
    assert_eq!([is_drastic(1), is_drastic(2)], [(11, true), (10, false)]);
    for day in 12..22 {
        place.add(day * DAY, Strategy::Full);
    }
    assert_eq!([is_drastic(10), is_drastic(11)], [(12, true), (11, false)]);
    let mut plan = place.plan(&last(1), 100 * DAY);
    for verdict in &mut plan.verdicts {
        verdict.marked = Some(at(0));
    }
    assert!(!plan.is_drastic(), "what was named before was looked at then");
    for verdict in &mut plan.verdicts {
        (verdict.marked, verdict.is_superseded) = (None, true);
    }
    assert!(!plan.is_drastic(), "what was encrypted anew is there still");
}

#[test]
fn what_goes_is_named_first_and_deleted_a_day_later() {
    let place = Place::new();
    for second in 0..4 {
        place.add(second, Strategy::Full);
    }
    let swept = place.prune(&last(1), 10, A_DAY);
    assert_eq!((swept.deleted.len(), place.shelf.keys("gc/").len()), (0, 1));
    assert_eq!(restored(&place.shelf), [0, 1, 2, 3]);
    let swept = place.prune(&last(1), 10 + DAY - 1, A_DAY);
    assert_eq!((swept.deleted.len(), place.shelf.keys("gc/").len()), (0, 1));
    let swept = place.prune(&last(1), 10 + DAY, A_DAY);
    assert_eq!((swept.deleted.len(), place.shelf.keys("gc/").len()), (3, 0));
    assert!(swept.bytes > 0 && swept.denied.is_empty());
    assert_eq!(restored(&place.shelf), [3]);
    assert_eq!(place.shelf.keys("x/").len(), 1);
    assert_accounted_for(&place.shelf);
}

#[test]
fn a_hold_that_comes_after_the_naming_still_holds() {
    let place = Place::new();
    let first = place.add(0, Strategy::Full).snapshot;
    place.add(1, Strategy::Full);
    place.prune(&last(1), 2, A_DAY);
    let wish = Wish::Hold(Some("audit"));
    place.repository().hold(&first, wish, &place.sample.signer, at(3)).unwrap();
    assert_eq!(place.prune(&last(1), 2 * DAY, A_DAY).deleted.len(), 0);
    assert_eq!(restored(&place.shelf), [0, 1]);
    assert_eq!(place.shelf.keys("gc/").len(), 0, "it is no longer named either");
}

#[test]
fn what_was_built_on_something_named_is_seen_before_that_is_deleted() {
    let place = Place::new();
    let full = place.add(0, Strategy::Full).snapshot;
    // A writer lists, a prune names the full snapshot, and then the writer builds on it.
    let listed = place.repository().catalogue().unwrap();
    let tomb = vec![full.key.clone()];
    let (signer, id) = (&place.sample.signer, place.repository().id().to_owned());
    tomb::write(&*place.shelf, tomb::PENDING, &id, (Of::Snapshots, tomb), (signer, at(1))).unwrap();
    let late = place.add_by(&listed, (2, Strategy::Differential), &[]);
    assert_eq!(late.depth, 1);
    place.add(3, Strategy::Full);
    let keep_both = Policy { last: 2, ..Policy::default() };
    assert_eq!(place.prune(&keep_both, 2 * DAY, A_DAY).deleted.len(), 0);
    assert_eq!(restored(&place.shelf), [0, 2, 3]);
    assert_eq!(place.shelf.keys("gc/").len(), 0);
}

#[test]
fn a_writer_that_sees_the_naming_builds_on_nothing_named() {
    let place = Place::new();
    place.add(0, Strategy::Full);
    let (signer, id) = (&place.sample.signer, place.repository().id().to_owned());
    let named = place.shelf.keys("s/");
    tomb::write(&*place.shelf, tomb::PENDING, &id, (Of::Snapshots, named), (signer, at(1)))
        .unwrap();
    assert_eq!(place.add(2, Strategy::Differential).depth, 0);
}

#[test]
fn after_a_crash_at_any_moment_everything_kept_comes_back_and_the_next_run_finishes() {
    let place = Place::new();
    for second in 0..3 {
        place.add(second, Strategy::Full);
        place.add(second + 10, Strategy::Incremental);
        place.add(second + 20, Strategy::Incremental);
    }
    // An earlier removal, so that two lists have to become one.
    place.prune(&last(6), 100, AT_ONCE);
    let policy = last(1);
    let mut crashes = 0;
    for (now, grace) in [(200, A_DAY), (201, AT_ONCE)] {
        for step in 0.. {
            let mut finished = false;
            for death in [Death::Before(step), Death::After(step)] {
                let shelf = Arc::new(place.shelf.copy());
                shelf.die(Some(death));
                let run = prune(&shelf, &place.sample.signer, (&policy, now, grace));
                shelf.die(None);
                finished = run.is_ok();
                crashes += usize::from(!finished);
                restored(&shelf);
                assert_accounted_for(&shelf);
                let again = (&policy, now + 2 * DAY, A_DAY);
                prune(&shelf, &place.sample.signer, again).unwrap();
                prune(&shelf, &place.sample.signer, (&policy, now + 4 * DAY, A_DAY)).unwrap();
                assert_eq!(restored(&shelf), [2, 12, 22], "{death:?}");
                assert_eq!((shelf.keys("gc/").len(), shelf.keys("x/").len()), (0, 1));
                assert_accounted_for(&shelf);
            }
            if finished {
                break;
            }
        }
    }
    assert!(crashes > 60, "{crashes}");
}

#[test]
fn only_an_owner_removes_and_a_list_of_another_is_not_believed() {
    let place = Place::new();
    place.add(0, Strategy::Full);
    place.add(1, Strategy::Full);
    let writer = Signer::generate().unwrap();
    place.repository().authorize(writer.public(), &place.sample.signer, at(2)).unwrap();
    let refused = prune(&place.shelf, &writer, (&last(1), 9, AT_ONCE)).unwrap_err();
    assert!(matches!(refused, Error::NotOwner { .. }), "{refused}");
    let (id, named) = (place.repository().id().to_owned(), place.shelf.keys("s/"));
    tomb::write(&*place.shelf, tomb::PENDING, &id, (Of::Snapshots, named), (&writer, at(3)))
        .unwrap();
    assert_eq!(place.prune(&last(2), 9 * DAY, A_DAY).deleted.len(), 0);
    assert_eq!(restored(&place.shelf), [0, 1]);
}

#[test]
fn what_the_place_does_not_let_go_is_told_and_tried_again() {
    let place = Place::new();
    place.add(0, Strategy::Full);
    let delta = place.add(1, Strategy::Differential).snapshot;
    place.add(2, Strategy::Full);
    place.add(3, Strategy::Full);
    place.shelf.stuck.lock().unwrap().insert(delta.key.clone());
    let swept = place.prune(&last(1), 9, AT_ONCE);
    assert_eq!(swept.denied.iter().map(|d| &d.key).collect::<Vec<_>>(), [&delta.key]);
    // What it builds on stays with it, so that nothing is left that can't be restored.
    assert_eq!(restored(&place.shelf), [0, 1, 3]);
    assert_eq!(place.shelf.keys("gc/").len(), 1);
    place.shelf.stuck.lock().unwrap().clear();
    place.prune(&last(1), 9, AT_ONCE);
    assert_eq!(restored(&place.shelf), [3]);
    assert_eq!(place.shelf.keys("gc/").len(), 0);
}

#[test]
fn what_something_that_is_only_named_yet_came_after_is_missed_by_nobody() {
    let place = Place::new();
    for day in 0..3 {
        place.add(day * DAY, Strategy::Full);
    }
    place.prune(&last(2), 3 * DAY, A_DAY);
    let swept = place.prune(&last(1), 5 * DAY, A_DAY);
    assert_eq!((swept.deleted.len(), restored(&place.shelf)), (1, vec![DAY, 2 * DAY]));
    assert_accounted_for(&place.shelf);
}

#[test]
fn records_of_runs_that_are_older_than_everything_go_but_for_the_newest_of_each_writer() {
    let place = Place::new();
    place.add(10 * DAY, Strategy::Full);
    let names = [
        ("20260801T000000Z-aaaaaaaa-00000001", false),
        ("20260802T000000Z-aaaaaaaa-00000002", false),
        ("20260821T000000Z-aaaaaaaa-00000003", true),
        ("20260801T000000Z-bbbbbbbb-00000009", false),
        ("20260801T000000Z-bbbbbbbb-0000000a", true),
        // By two computers with one key: what goes on from one that counts alike needs it.
        ("20260801T000000Z-cccccccc-00000001", false),
        ("20260802T000000Z-cccccccc-00000002", true),
        ("20260821T000000Z-cccccccc-00000002", true),
        ("20260821T000000Z-cccccccc-00000003", true),
        ("20260801T000000Z-dddddddd-00000001", false),
        ("20260802T000000Z-dddddddd-00000002", true),
        ("20260803T000000Z-dddddddd-00000002", true),
    ];
    let key = |name: &str| format!("r/2026/08/{name}-0123456789abcdef.json");
    for (name, _) in names {
        place.shelf.objects().insert(key(name), b"{}".to_vec());
    }
    assert_eq!(place.prune(&last(1), 11 * DAY, A_DAY).runs, 5);
    let mut stay: Vec<String> =
        names.iter().filter(|(_, stays)| *stays).map(|(name, _)| key(name)).collect();
    stay.sort();
    assert_eq!(place.shelf.keys("r/"), stay);
}

#[test]
fn of_notes_of_runs_none_goes_before_an_older_one() {
    let place = Place::new();
    place.add(10 * DAY, Strategy::Full);
    // By a clock that went back, and again forward.
    let days = [20, 1, 2, 21];
    for (n, day) in (1..).zip(days) {
        let name = format!("r/2026/08/202608{day:02}T000000Z-aaaaaaaa-{n:08x}");
        let key = format!("{name}-0123456789abcdef.json");
        place.shelf.objects().insert(key, b"{}".to_vec());
    }
    assert_eq!(place.prune(&last(1), 11 * DAY, A_DAY).runs, 0);
    assert_eq!(place.shelf.keys("r/").len(), 4);
}

#[test]
fn what_the_notes_of_runs_name_and_was_removed_is_missed_by_nobody() {
    let place = Place::new();
    let signer = &place.sample.signer;
    // Another state, of which all is older than the notes, so that those stay.
    place.sample.add(&place.repository(), "file:///srv/other/terraform.tfstate", b"{}", 0);
    for second in 1..6 {
        let added = place.add(10 * second, Strategy::Full);
        let new = [(crate::backup::stream_of(URI), added.snapshot.id)].into();
        let states = States { new, ..States::default() };
        let repository = place.repository();
        repository.record_run(states, None, (signer, at(10 * second + 1))).unwrap();
    }
    assert_eq!(place.prune(&last(1), 100, AT_ONCE).deleted.len(), 4);
    let repository = place.repository();
    let check = Check { reading: Reading::Whole, data: None, only: None };
    let survey = repository.survey().unwrap();
    assert_eq!(repository.verify_runs(&survey, check.reading, None, None).unwrap(), []);
}

#[test]
fn more_than_half_of_more_than_ten_is_drastic() {
    let place = Place::new();
    for second in 0..20 {
        place.add(second, Strategy::Full);
    }
    assert!(!place.plan(&last(10), 99).is_drastic());
    assert!(place.plan(&last(9), 99).is_drastic());
}
