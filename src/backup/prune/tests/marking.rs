//! What stays and what is to go.

use super::*;

#[test]
fn what_an_earlier_look_kept_stays_and_nothing_else_does() {
    let place = Place::new();
    for day in 0..4 {
        place.add(day * DAY, Strategy::Full);
    }
    let plan = |kept| {
        let mut plan = place.plan(&last(kept), 5 * DAY);
        for verdict in &mut plan.verdicts {
            verdict.is_due = !verdict.is_kept();
        }
        plan
    };
    let spared = |earlier: &[StreamPlan]| -> Vec<(bool, bool)> {
        let mut now = plan(1);
        now.spare(earlier);
        now.verdicts.iter().map(|verdict| (verdict.is_kept(), verdict.is_due)).collect()
    };
    let (goes, stays) = ((false, true), (true, false));
    assert_eq!(spared(&[plan(1)]), [goes, goes, goes, stays]);
    assert_eq!(spared(&[plan(3)]), [goes, stays, stays, stays]);
    let of_another = StreamPlan { name: "another".to_owned(), ..plan(1) };
    assert_eq!(spared(&[of_another]), [stays; 4]);
    assert_eq!(spared(&[]), [stays; 4]);
}

#[test]
fn a_chain_that_something_kept_needs_stays_and_what_builds_on_it_goes_first() {
    let place = Place::new();
    let full = place.add(0, Strategy::Full).snapshot;
    for second in 1..5 {
        let depth = place.add(second, Strategy::Incremental).depth;
        assert_eq!(i64::try_from(depth).unwrap(), second);
    }
    assert_eq!(place.why(&last(1), 9, &full), ["needed by one that is kept"]);
    place.prune(&last(1), 9, AT_ONCE);
    assert_eq!(restored(&place.shelf), [0, 1, 2, 3, 4]);
    place.add(5, Strategy::Full);
    let swept = place.prune(&last(1), 9, AT_ONCE);
    let sequence = |key: &String| key.split('-').nth_back(3).unwrap().to_owned();
    let order: Vec<String> = swept.deleted.iter().map(sequence).collect();
    assert_eq!(order, ["00000005", "00000004", "00000003", "00000002", "00000001"]);
    assert_eq!(restored(&place.shelf), [5]);
}

#[test]
fn whatever_the_policy_says_what_is_held_or_was_kept_before_a_change_stays() {
    let place = Place::new();
    let held = place.add(0, Strategy::Full).snapshot;
    let before = place.add_tagged(1, Strategy::Full, &["before-change"]).snapshot;
    place.add(2, Strategy::Full);
    let repository = place.repository();
    let signer = &place.sample.signer;
    repository.hold(&held, Wish::Hold(None), signer, at(3)).unwrap();
    assert_eq!(place.why(&last(1), 9, &held), ["held"]);
    assert_eq!(place.why(&last(1), 30 * DAY, &before), ["before a change of the last 30 days"]);
    assert!(place.why(&last(1), 30 * DAY + 1, &before).is_empty());
    repository.hold(&held, Wish::Release, signer, at(4)).unwrap();
    assert!(place.why(&last(1), 9, &held).is_empty());
}

#[test]
fn what_a_writer_puts_beside_a_snapshot_does_not_stand_in_for_it() {
    let place = Place::new();
    let before = place.add_tagged(1, Strategy::Full, &[BEFORE_CHANGE]).snapshot;
    let policy = Policy { last: 1, ..Policy::default() };
    // Another payload under the same name, without the tag, before it or behind it in the list.
    let (file, signer) = (place.shelf.objects()[&before.key].clone(), &place.sample.signer);
    for salt in 0_u8..8 {
        let (head, payload) = container::open(&file).unwrap();
        let (mut header, payload) = (head.header, [payload, &[salt]].concat());
        header.tags.clear();
        header.payload = container::Payload::of(&payload);
        let key = header.snapshot.key(0, &header.payload.blake3);
        let file = [container::prefix(&header, signer), payload].concat();
        place.shelf.objects().insert(key, file);
    }
    place.add(2, Strategy::Full);
    let why = place.why(&policy, 3, &before);
    assert!(why.contains(&"before a change of the last 30 days"), "{why:?}");
}

#[test]
fn what_was_there_before_a_guarded_command_stays() {
    let place = Place::new();
    let older = place.add(0, Strategy::Full).snapshot;
    let before = place.add_tagged(1, Strategy::Full, &["before"]).snapshot;
    // A backup beside the command.
    place.add(2, Strategy::Full);
    place.add_tagged(3, Strategy::Full, &["after"]);
    place.add(4, Strategy::Full);
    let why = |second, snapshot| place.why(&last(1), second, snapshot);
    assert_eq!(why(9, &before), ["before a change of the last 30 days"]);
    assert!(why(9, &older).is_empty());
    assert!(why(30 * DAY + 1, &before).is_empty());
}

#[test]
fn what_a_damaged_note_may_hold_stays_and_that_is_told() {
    let place = Place::new();
    let held = place.add(0, Strategy::Full).snapshot;
    place.add(1, Strategy::Full);
    place.repository().hold(&held, Wish::Hold(None), &place.sample.signer, at(2)).unwrap();
    let key = place.shelf.keys("h/").pop().unwrap();
    place.shelf.objects().get_mut(&key).unwrap()[5] ^= 1;
    let why = place.why(&last(1), 9, &held);
    assert_eq!(why, ["held, as far as can be told: a note on it is damaged"]);
    let told = place.repository().survey().unwrap().strays();
    assert_eq!(told.len(), 1);
    assert!(told[0].text.contains(&key), "{told:?}");
}

#[test]
fn a_year_of_daily_snapshots_becomes_what_the_policy_says() {
    let place = Place::new();
    let policy = Policy { daily: 7, weekly: 4, monthly: 12, ..Policy::default() };
    let mut all = Vec::new();
    for day in 0..365 {
        let second = day * DAY;
        place.add(second, Strategy::Full);
        let (time, tags, is_in_order) = (at(second), Vec::new(), true);
        all.push(Candidate {
            time,
            is_in_order,
            tags,
            is_held: false,
            is_good: false,
            needs: None,
        });
        if day % 3 == 2 {
            place.prune(&policy, second + HOUR, A_DAY);
            assert_accounted_for(&place.shelf);
        }
    }
    place.prune(&policy, 365 * DAY, A_DAY);
    place.prune(&policy, 367 * DAY, A_DAY);
    let decided = retention::decide(&all, &policy, at(367 * DAY));
    let wanted: Vec<i64> =
        (0..).zip(&decided).filter(|(_, why)| !why.is_empty()).map(|(day, _)| day * DAY).collect();
    assert_eq!(restored(&place.shelf), wanted);
    assert!((18..=23).contains(&wanted.len()), "{}", wanted.len());
    assert_eq!((place.shelf.keys("gc/").len(), place.shelf.keys("x/").len()), (0, 1));
}

#[test]
fn what_was_made_while_the_clock_was_off_stays_as_long_as_what_came_before() {
    let place = Place::new();
    place.add(8 * DAY, Strategy::Full);
    place.add(10 * DAY, Strategy::Full);
    place.add(DAY, Strategy::Full);
    place.add(2 * DAY, Strategy::Full);
    place.add(11 * DAY, Strategy::Full);
    let twice = |policy: &Policy, day: i64| {
        place.prune(policy, day * DAY, A_DAY);
        place.prune(policy, (day + 2) * DAY, A_DAY);
        restored(&place.shelf)
    };
    assert_eq!(twice(&last(2), 12), [10 * DAY, DAY, 2 * DAY, 11 * DAY]);
    assert_eq!(twice(&last(1), 15), [11 * DAY]);
}

#[test]
fn the_newest_that_is_good_stays_where_newer_ones_are_damaged() {
    let place = Place::new();
    let good = place.add(0, Strategy::Full).snapshot;
    let damaged = place.add(1, Strategy::Full).snapshot;
    let gone = place.add(2, Strategy::Full).snapshot;
    *place.shelf.objects().get_mut(&damaged.key).unwrap().last_mut().unwrap() ^= 1;
    place.shelf.objects().get_mut(&gone.key).unwrap().truncate(20);
    let why = |snapshot| place.why(&last(1), 9, snapshot);
    assert!(why(&good).contains(&"newest that is intact"));
    assert!(why(&damaged).contains(&"damaged"));
    assert_eq!(why(&gone), ["damaged"]);
    *place.shelf.objects().get_mut(&good.key).unwrap().last_mut().unwrap() ^= 1;
    let plan = place.plan(&last(1), 9);
    assert_eq!(plan.left_alone, Some("none of its snapshots can be shown to be good"));
    assert_eq!(plan.removed().count(), 0);
}

#[test]
fn what_comes_from_another_repository_stays_whatever_is_lost() {
    let place = Place::new();
    let own = place.add(0, Strategy::Full).snapshot;
    let key =
        place.forge(&own, &place.sample.signer, |header| header.snapshot.repo = "f".repeat(32));
    place.add(1, Strategy::Full);
    let repository = place.repository();
    let policy = last(1);
    let rules = Rules { policy: &policy, grace: AT_ONCE, now: at(9), damaged: true };
    let stream = crate::backup::stream_of(URI);
    let plan = Pruner::new(&repository, rules).unwrap().plan(&stream).unwrap();
    let foreign = plan.verdicts.iter().find(|verdict| verdict.snapshot.key == key).unwrap();
    assert_eq!(foreign.reasons, ["of another repository"]);
}

#[test]
fn what_a_stranger_signed_neither_counts_nor_goes_nor_loses_what_it_may_need() {
    let place = Place::new();
    let base = place.add(0, Strategy::Full).snapshot;
    let delta = place.add(1, Strategy::Differential).snapshot;
    place.add(2, Strategy::Full);
    let stranger = Signer::generate().unwrap();
    let key = place.forge(&delta, &stranger, |header| header.snapshot.seq = 9);
    let plan = place.plan(&last(1), 9);
    let forged = plan.verdicts.iter().find(|v| v.snapshot.key == key).unwrap();
    assert_eq!(forged.reasons, ["not trusted"]);
    let goes: Vec<&str> = plan.removed().map(|v| v.snapshot.key.as_str()).collect();
    assert_eq!(goes, [delta.key.as_str()]);
    assert_eq!(place.why(&last(1), 9, &base), ["needed by one that is kept"]);
}

#[test]
fn the_newest_of_a_state_that_could_be_parsed_stays_beside_newer_ones_of_broken_ones() {
    let place = Place::new();
    place.add(0, Strategy::Full);
    let whole = place.add(1, Strategy::Full).snapshot;
    place.add_tagged(2, Strategy::Full, &["broken"]);
    let broken = place.add_tagged(3, Strategy::Full, &["broken"]).snapshot;
    assert_eq!(place.why(&last(1), 9, &whole), ["newest of a state that could be parsed"]);
    assert!(place.why(&last(1), 9, &broken).contains(&"newest that is intact"));
    assert_eq!(place.plan(&last(1), 9).removed().count(), 2);
}

#[test]
fn what_is_held_stays_although_it_is_damaged_and_an_owner_wants_that_to_go() {
    let place = Place::new();
    let held = place.add(0, Strategy::Full).snapshot;
    place.add(1, Strategy::Full);
    let signer = &place.sample.signer;
    place.repository().hold(&held, Wish::Hold(None), signer, at(2)).unwrap();
    for bit in [usize::MAX, 20] {
        let mut objects = place.shelf.objects();
        let object = objects.get_mut(&held.key).unwrap();
        let last = object.len() - 1;
        object[bit.min(last)] ^= 1;
        drop(objects);
        let policy = self::last(9);
        let rules = Rules { policy: &policy, grace: A_DAY, now: at(9), damaged: true };
        let repository = place.repository();
        let plan = Pruner::new(&repository, rules).unwrap().plan(&crate::backup::stream_of(URI));
        let plan = plan.unwrap();
        let found = plan.verdicts.iter().find(|v| v.snapshot.key == held.key).unwrap();
        assert_eq!(found.reasons, ["held"]);
    }
}

#[test]
fn what_is_damaged_goes_with_what_builds_on_it_once_an_owner_says_so() {
    for (part, step) in [("payload", DAY), ("head", DAY), ("payload", 0)] {
        let place = Place::new();
        place.add(0, Strategy::Full);
        let damaged = place.add(1, Strategy::Incremental).snapshot;
        place.add(2, Strategy::Incremental);
        place.add(3, Strategy::Full);
        let mut objects = place.shelf.objects();
        let object = objects.get_mut(&damaged.key).unwrap();
        let place_of_bit = if part == "head" { 20 } else { object.len() - 1 };
        object[place_of_bit] ^= 1;
        drop(objects);
        let repository = place.repository();
        let (signer, policy) = (&place.sample.signer, last(9));
        let plans = |second, damaged| {
            let rules = Rules { policy: &policy, grace: A_DAY, now: at(second), damaged };
            let pruner = Pruner::new(&repository, rules).unwrap();
            let plan = pruner.plan(&crate::backup::stream_of(URI)).unwrap();
            (pruner, plan)
        };
        assert_eq!(plans(9, false).1.removed().count(), 0, "{part}");
        let (pruner, plan) = plans(9, true);
        assert_eq!(pruner.mark(&[plan], signer).unwrap(), 2, "{part}");
        // Another run, without the option, does not take that back.
        let (pruner, plan) = plans(9 + step, step == 0);
        let swept = pruner.sweep(&[plan], signer).unwrap();
        assert_eq!(swept.deleted.len(), if step == 0 { 0 } else { 2 }, "{part}");
        if step > 0 {
            assert_eq!(restored(&place.shelf), [0, 3]);
        }
        let check = Check { reading: Reading::Whole, data: None, only: None };
        let survey = repository.survey().unwrap();
        let stream = crate::backup::stream_of(URI);
        let found = repository.verify_stream(&survey, &stream, &check).unwrap();
        let failures =
            found.problems.iter().filter(|problem| problem.severity == Severity::Failure);
        assert_eq!(failures.count(), 0, "{part}: {:?}", found.problems);
    }
}

#[test]
fn what_came_long_after_it_says_takes_the_place_of_none_that_came_in_time() {
    let place = Place::new();
    let daily = Policy { daily: 3, ..Policy::default() };
    let genuine: Vec<Snapshot> =
        (0..3).map(|day| place.add(day * DAY, Strategy::Full).snapshot).collect();
    // A day later, somebody who can write makes one for each day, of an hour after that day's.
    let forged: Vec<Snapshot> =
        (0..3).map(|day| place.add(day * DAY + HOUR, Strategy::Full).snapshot).collect();
    let why = |snapshot: &Snapshot| place.why(&daily, 3 * DAY, snapshot);
    let came = |snapshots: &[Snapshot], second: Option<i64>| {
        for snapshot in snapshots {
            let time = second.map_or(snapshot.created, at);
            place.shelf.came.lock().unwrap().insert(snapshot.key.clone(), time);
        }
    };
    came(&forged, Some(3 * DAY));
    assert!(genuine.iter().all(|snapshot| why(snapshot).is_empty()), "the place does not tell");
    came(&genuine, None);
    let later = place.add(3 * DAY - 2 * HOUR, Strategy::Full).snapshot;
    came(&[later], None);
    for (at, (genuine, forged)) in genuine.iter().zip(&forged).enumerate() {
        // The first is in the day before the three.
        assert_eq!(why(genuine).contains(&"daily"), at > 0, "{:?}", why(genuine));
        assert_eq!(why(forged), ["came later than it says, and than one of a later time"]);
    }
    came(&genuine, Some(9 * DAY));
    place.shelf.came.lock().unwrap().clear();
    came(&[genuine, forged].concat(), Some(9 * DAY));
    assert_eq!(place.plan(&daily, 3 * DAY).removed().count(), 4, "a copied bucket");
}

#[test]
fn a_delta_that_cannot_be_read_keeps_everything_older() {
    let place = Place::new();
    let base = place.add(0, Strategy::Full).snapshot;
    let delta = place.add(1, Strategy::Differential).snapshot;
    place.add(2, Strategy::Full);
    let late = place.add(3, Strategy::Full).snapshot;
    place.add(4, Strategy::Full);
    place.shelf.objects().get_mut(&delta.key).unwrap()[20] ^= 1;
    assert_eq!(place.why(&last(1), 9, &base), ["needed by one that is kept"]);
    assert!(place.why(&last(1), 9, &late).is_empty());
}

#[test]
fn a_stream_in_which_a_later_version_wrote_is_left_alone() {
    for by_name in [true, false] {
        let place = Place::new();
        let old = place.add(0, Strategy::Full).snapshot;
        place.add(1, Strategy::Full);
        if by_name {
            let key = old.key.replace("-f-", "-z-");
            place.shelf.objects().insert(key, b"TFBSNAP2".to_vec());
        } else {
            place.forge(&old, &place.sample.signer, |header| {
                header.must_understand.push("padding".to_owned());
                header.snapshot.seq = 9;
            });
        }
        let plan = place.plan(&last(1), 9);
        assert_eq!(plan.left_alone, Some("a later version of tfstate wrote something in it"));
        assert_eq!(plan.removed().count(), 0);
        assert_eq!(place.prune(&last(1), 9, AT_ONCE).deleted.len(), 0);
    }
}
