use std::sync::Arc;

use super::*;
use crate::backup::container::{self, Header};
use crate::backup::sample::{Sample, addition, at};
use crate::backup::shelf::{Death, Shelf};
use crate::backup::vault::Vault;
use crate::backup::verify::{Check, Reading, Severity};
use crate::backup::{Added, Addition, Heads, Identities, Keys, Protection, States, Strategy, Wish};

const URI: &str = "file:///srv/prod/terraform.tfstate";

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// A repository in memory, in plain text.
struct Place {
    sample: Sample,
    shelf: Arc<Shelf>,
}

fn open(shelf: &Arc<Shelf>) -> Repository {
    Repository::open(Arc::<Shelf>::clone(shelf), Keys::default()).unwrap()
}

impl Place {
    fn new() -> Self {
        let (sample, shelf) = (Sample::new(), Arc::new(Shelf::default()));
        let vault: Arc<dyn Vault> = Arc::<Shelf>::clone(&shelf);
        let plain = Some(&Protection::None);
        Repository::open_or_create(vault, plain, sample.keys(), at(0)).unwrap();
        Self { sample, shelf }
    }

    fn repository(&self) -> Repository {
        open(&self.shelf)
    }

    fn add(&self, second: i64, strategy: Strategy) -> Added {
        self.add_tagged(second, strategy, &[])
    }

    fn add_tagged(&self, second: i64, strategy: Strategy, tags: &[&str]) -> Added {
        self.add_by(&self.repository().catalogue().unwrap(), (second, strategy), tags)
    }

    fn add_by(
        &self,
        catalogue: &Catalogue,
        (second, strategy): (i64, Strategy),
        tags: &[&str],
    ) -> Added {
        let tags: Vec<String> = tags.iter().map(|&tag| tag.to_owned()).collect();
        let state = state(second);
        let wanted =
            Addition { created: at(second), tags: &tags, ..addition(URI, &state, strategy) };
        let heads = Heads::below(self.sample.folder());
        self.repository().add(catalogue, &wanted, Some(&heads), &self.sample.signer).unwrap()
    }

    fn prune(&self, policy: &Policy, second: i64, grace: SignedDuration) -> Swept {
        prune(&self.shelf, &self.sample.signer, (policy, second, grace)).unwrap()
    }

    fn plan(&self, policy: &Policy, second: i64) -> StreamPlan {
        let repository = self.repository();
        let rules = Rules { policy, grace: A_DAY, now: at(second), damaged: false };
        Pruner::new(&repository, rules).unwrap().plan(&super::super::stream_of(URI)).unwrap()
    }

    /// Returns why a snapshot stays.
    fn why(&self, policy: &Policy, second: i64, snapshot: &Snapshot) -> Vec<&'static str> {
        let plan = self.plan(policy, second);
        let verdict = plan.verdicts.iter().find(|verdict| verdict.snapshot.key == snapshot.key);
        verdict.unwrap().reasons.clone()
    }

    /// Puts an object that a writer might have made.
    fn forge(&self, of: &Snapshot, signer: &Signer, edit: impl FnOnce(&mut Header)) -> String {
        let file = self.shelf.objects()[&of.key].clone();
        let (head, payload) = container::open(&file).unwrap();
        let mut header = head.header;
        header.signer = signer.public();
        edit(&mut header);
        let key = header.snapshot.key(header.generation, &header.payload.blake3);
        let file = [container::prefix(&header, signer).as_slice(), payload].concat();
        self.shelf.objects().insert(key.clone(), file);
        key
    }
}

const A_DAY: SignedDuration = SignedDuration::from_hours(24);
const AT_ONCE: SignedDuration = SignedDuration::ZERO;

fn state(second: i64) -> Vec<u8> {
    let lines: Vec<String> = (0..40).map(|n| format!("{{\"id\": \"{}\"}}", n * 7919)).collect();
    format!("{{\"serial\": {second}, \"resources\": [{}]}}", lines.join(",\n")).into_bytes()
}

/// Does what a run of `prune` does.
fn prune(
    shelf: &Arc<Shelf>,
    signer: &Signer,
    (policy, second, grace): (&Policy, i64, SignedDuration),
) -> Result<Swept, Error> {
    let vault: Arc<dyn Vault> = Arc::<Shelf>::clone(shelf);
    let repository = Repository::open(vault, Keys::default())?;
    let rules = Rules { policy, grace, now: at(second), damaged: false };
    let plans = |pruner: &Pruner<'_>| -> Result<Vec<StreamPlan>, Error> {
        pruner.streams().iter().map(|stream| pruner.plan(stream)).collect()
    };
    let pruner = Pruner::new(&repository, rules)?;
    pruner.mark(&plans(&pruner)?, signer)?;
    let pruner = Pruner::new(&repository, rules)?;
    pruner.sweep(&plans(&pruner)?, signer)
}

/// Restores everything that is there, and returns the seconds of what came back.
fn restored(shelf: &Arc<Shelf>) -> Vec<i64> {
    let repository = open(shelf);
    let second = |snapshot: &Snapshot| {
        let second = snapshot.created.duration_since(at(0)).as_secs();
        let got = repository.get(snapshot, &Identities::default()).unwrap();
        assert!(*got.state == *state(second), "{second}");
        second
    };
    repository.list().unwrap().iter().map(second).collect()
}

/// Every `previous` leads to something that is there or that was removed on purpose.
fn assert_accounted_for(shelf: &Arc<Shelf>) {
    let repository = open(shelf);
    let owners = repository.owners();
    let named = [tomb::REMOVED, tomb::PENDING].map(|place| tomb::all(&**shelf, place, owners));
    let named = named.into_iter().flat_map(Result::unwrap);
    let removed = named.flat_map(|(_, tomb)| tomb.snapshots).collect::<Vec<_>>().join(" ");
    let there = shelf.keys("s/").join(" ");
    for snapshot in repository.list().unwrap() {
        let Some(link) = repository.head(&snapshot).unwrap().header.previous else { continue };
        let id = &link.id[..8];
        assert!(there.contains(id) || removed.contains(id), "{id} is unaccounted for");
    }
}

fn last(last: u32) -> Policy {
    Policy { last, ..Policy::default() }
}

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
    let stream = super::super::stream_of(URI);
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
        let plan = Pruner::new(&repository, rules).unwrap().plan(&super::super::stream_of(URI));
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
            let plan = pruner.plan(&super::super::stream_of(URI)).unwrap();
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
        let stream = super::super::stream_of(URI);
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
        let new = [(super::super::stream_of(URI), added.snapshot.id)].into();
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
