//! Many states backed up every hour for weeks, by two computers whose clocks are wrong, while an
//! owner prunes and encrypts anew: what the rules keep comes back, and nothing else is left.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tfstate::backup::prune::{Rules, StreamPlan};
use tfstate::backup::retention::Policy;
use tfstate::backup::vault::Vault;
use tfstate::backup::{Keys, Known, Runs, Signer, Snapshot, States, Strategy, stream_of};
use tfstate::base::clock::Fixed;
use tfstate::ops::backup::{BackupOptions, Keeper, Manner, Report, Source, facts};
use tfstate::ops::prune::{self, PruneOptions};
use tfstate::state::document::Document;

use crate::place::{Chance, Owner, STRATEGIES, Shelf, at, bound, folder, skipped, state};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

const GRACE: SignedDuration = SignedDuration::from_hours(24);

/// By how much a clock may be wrong.
const SKEW: i64 = 2 * HOUR;

/// A snapshot that was reported as made.
#[derive(Clone, Debug)]
struct Made {
    id: String,
    sequence: u32,
    time: Timestamp,
    version: u64,
    parent: Option<String>,
    /// How many bytes it took when it was written.
    bytes: u64,
}

/// A computer that writes backups.
struct Computer {
    signer: Arc<Signer>,
    home: tempfile::TempDir,
}

struct Soak {
    chance: Chance,
    owner: Owner,
    shelf: Arc<Shelf>,
    computers: [Computer; 2],
    /// Of each state which version of it there is.
    versions: Vec<u64>,
    /// What was made of each stream and not said to be removed, in this order.
    made: BTreeMap<String, Vec<Made>>,
    removed: usize,
}

fn uri(number: usize) -> String {
    format!("file:///srv/{number}/terraform.tfstate")
}

/// Returns a version of a state; one in twenty is large enough for `auto` to take differences.
fn content(number: usize, version: u64) -> Vec<u8> {
    let instances = if number % 20 == 7 { 700 } else { 3 + number % 50 };
    state(instances as u64, version)
}

impl Soak {
    fn new(states: usize) -> Self {
        let owner = Owner::new(true);
        let first = Computer { signer: Arc::clone(&owner.signer), home: folder() };
        let second = Computer { signer: Arc::new(Signer::generate().unwrap()), home: folder() };
        let (chance, shelf) = (Chance(states as u64), Arc::new(Shelf::new(false)));
        let (versions, made) = (vec![0; states], BTreeMap::new());
        let computers = [first, second];
        let mut soak = Self { chance, owner, shelf, computers, versions, made, removed: 0 };
        soak.back_up(0, 0, Strategy::Full);
        let key = soak.computers[1].signer.public();
        Owner::open(soak.vault()).authorize(key, &soak.owner.signer, at(0)).unwrap();
        soak
    }

    fn vault(&self) -> Arc<dyn Vault> {
        Arc::<Shelf>::clone(&self.shelf)
    }

    /// Returns what a clock shows.
    fn skewed(&mut self, second: i64) -> i64 {
        let range = usize::try_from(2 * SKEW).unwrap();
        second + i64::try_from(self.chance.below(range)).unwrap() - SKEW
    }

    /// Backs up the states of one computer.
    fn back_up(&mut self, computer: usize, second: i64, strategy: Strategy) {
        let clock = Fixed(at(self.skewed(second)));
        let Computer { signer, home } = &self.computers[computer];
        let (cache, known) = (home.path().join("cache"), Known::below(home.path()));
        let options = BackupOptions {
            vault: self.vault(),
            protection: Some(&self.owner.protection),
            keys: Keys { signer: Some(signer), known: Some(&known) },
            cache: Some(&cache),
            manner: Manner { strategy, ..Manner::default() },
        };
        let keeper = Keeper::open(&options, &clock).unwrap();
        let mut run = States::default();
        for number in (computer..self.versions.len()).step_by(2) {
            let version = self.versions[number];
            let report = keep(&keeper, number, version);
            let stream = stream_of(&uri(number));
            let made = self.made.entry(stream.clone()).or_default();
            let Snapshot { id, sequence, created: time, bytes_stored: bytes, .. } = report.snapshot;
            if let Some(added) = report.added {
                let parent = added.parent;
                run.new.insert(stream, id.clone());
                made.push(Made { id, sequence, time, version, parent, bytes });
            } else {
                let newest = made.last().unwrap();
                assert_eq!((&newest.id, newest.version), (&id, version), "it is unchanged");
                run.unchanged.insert(stream, id);
            }
        }
        let (runs, by) = (Runs::below(&cache), (&**signer, clock.0));
        keeper.repository().record_run(run, Some(&runs), by).unwrap();
    }

    /// Changes one state of so many.
    fn change(&mut self, of: usize) {
        for number in 0..self.versions.len() {
            self.versions[number] += u64::from(self.chance.below(of) == 0);
        }
    }

    fn rekey(&mut self, second: i64) {
        self.owner = self.owner.rekeyed();
        self.owner.rekey(&self.vault(), second).unwrap();
    }

    /// Prunes, and checks that what goes is what the rules say, and nothing else is gone.
    fn prune(&mut self, policy: &Policy, second: i64) {
        let rules = Rules { policy, grace: GRACE, now: at(second), damaged: false };
        let repository = Owner::open(self.vault());
        let options = PruneOptions { rules, streams: None };
        let plans = prune::plan(&repository, &options).unwrap();
        assert_eq!(plans.len(), self.made.len(), "every stream is looked at");
        for plan in &plans {
            assert_eq!(kept_by(plan), kept(&self.made[&plan.name], &rules), "{}", plan.name);
        }
        prune::run(&repository, &options, &plans, &self.owner.signer).unwrap();
        let count = |made: &BTreeMap<String, Vec<Made>>| made.values().map(Vec::len).sum::<usize>();
        let before = count(&self.made);
        let there = repository.catalogue().unwrap();
        for plan in &plans {
            let there: BTreeSet<&str> =
                there.stream(&plan.name).iter().map(|snapshot| snapshot.id.as_str()).collect();
            let kept = kept(&self.made[&plan.name], &rules);
            let made = self.made.get_mut(&plan.name).unwrap();
            made.retain(|made| there.contains(made.id.as_str()) || kept.contains(&made.id));
            assert_eq!(made.len(), there.len(), "what is kept of {} is there", plan.name);
        }
        self.removed += before - count(&self.made);
    }

    /// Returns how long the note of a run is, on average: about 370 bytes, and for each state its stream,
    /// 8 digits and 6 signs.
    fn bytes_of_note(&self) -> u64 {
        let states = self.made.keys().map(|stream| stream.len() as u64 + 14).sum::<u64>();
        370 + states / 2
    }

    /// Checks that all that is left comes back, and that nothing is there that nobody needs.
    fn examine(&self) {
        let repository = Owner::open(self.vault());
        let catalogue = repository.catalogue().unwrap();
        let owner = self.owner.with_last_key();
        let identities = owner.identities();
        let mut snapshots = 0;
        for number in 0..self.versions.len() {
            let stream = stream_of(&uri(number));
            let made = &self.made[&stream];
            let listed = catalogue.stream(&stream);
            assert_eq!(made.len(), listed.len(), "{stream}");
            for (made, snapshot) in made.iter().zip(listed) {
                assert_eq!(made.id, snapshot.id);
                let restored = repository.get_by(&catalogue, snapshot, &identities).unwrap();
                assert!(*restored.state == *content(number, made.version), "{}", snapshot.key);
            }
            snapshots += listed.len();
        }
        let keys = |place| self.shelf.list(place).unwrap().into_iter().map(|object| object.key);
        assert_eq!(keys("s/").count(), snapshots, "there are no objects but of snapshots");
        assert_eq!((keys("gc/").count(), keys("x/").count()), (0, 1));
        let places = ["repo.json", "c/", "s/", "r/", "x/"];
        let stray = keys("").find(|key| !places.iter().any(|place| key.starts_with(place)));
        assert_eq!(stray, None);
        // Of each writer the newest note of a run stays, however old.
        let oldest = catalogue.snapshots()[0].created.strftime("%Y%m%dT%H%M%SZ").to_string();
        let is_old = |key: &String| key.rsplit('/').next().unwrap() < oldest.as_str();
        assert!(keys("r/").filter(is_old).count() <= 2, "old notes of runs are left");
        let bytes = |place| self.shelf.list(place).unwrap().iter().map(|object| object.len).sum();
        let written = self.made.values().flatten().map(|made| made.bytes).sum();
        assert_close(bytes("s/"), written, "the snapshots");
        let notes = keys("r/").count() as u64;
        assert_close(bytes("r/"), notes * self.bytes_of_note(), "the notes of runs");
        let (looked_at, problems) = owner.verify(&repository).unwrap();
        assert!(looked_at == snapshots && problems.is_empty(), "{problems:?}");
    }
}

/// Checks that a store grows as it is said to, but for a twentieth: what is encrypted anew takes no
/// more than before, and nothing is there that nobody counted.
fn assert_close(found: u64, expected: u64, what: &str) {
    assert!(found.abs_diff(expected) <= expected / 20, "{what}: {found} bytes, not {expected}");
}

fn keep(keeper: &Keeper<'_>, number: usize, version: u64) -> Report {
    let bytes = content(number, version);
    let parsed = Document::parse(bytes.clone());
    let (facts, document) = (facts(&parsed), parsed.as_ref().ok());
    let uri = uri(number);
    let source = Source { uri: &uri, bytes: &bytes, facts, document, version: None };
    keeper.keep(&source).unwrap()
}

fn kept_by(plan: &StreamPlan) -> BTreeSet<String> {
    let living = plan.verdicts.iter().filter(|verdict| !verdict.is_superseded);
    let kept = living.filter(|verdict| verdict.is_kept());
    kept.map(|verdict| verdict.snapshot.id.clone()).collect()
}

/// Returns what the rules keep, by the letter of the documentation.
fn kept(made: &[Made], rules: &Rules<'_>) -> BTreeSet<String> {
    let (policy, now) = (rules.policy, rules.now);
    let count = |n: u32| usize::try_from(n).unwrap();
    let mut past: Vec<&Made> = made.iter().filter(|made| made.time <= now).collect();
    past.sort_by_key(|made| std::cmp::Reverse((made.time, made.sequence)));
    let mut kept: Vec<&Made> = past.iter().copied().take(count(policy.last).max(1)).collect();
    // The newest, which is good, and what claims to be from the future.
    kept.extend(made.last());
    kept.extend(made.iter().filter(|made| made.time > now));
    for (number, span) in [(count(policy.hourly), HOUR), (count(policy.daily), DAY)] {
        let bucket = |made: &Made| made.time.as_second().div_euclid(span);
        let mut newest: BTreeMap<i64, &Made> = BTreeMap::new();
        for made in past.iter().rev() {
            newest.insert(bucket(made), made);
        }
        kept.extend(newest.values().rev().take(number));
        if newest.len() < number {
            kept.extend(past.last());
        }
    }
    let mut ids: BTreeSet<String> = BTreeSet::new();
    while let Some(next) = kept.pop() {
        if ids.insert(next.id.clone()) {
            kept.extend(made.iter().find(|made| next.parent.as_ref() == Some(&made.id)));
        }
    }
    ids
}

#[test]
fn weeks_of_hourly_backups_leave_what_the_rules_keep_and_nothing_else() {
    let states = bound("TFSTATE_TEST_SOAK", 40);
    let days = if states < 2000 { 10 } else { 30 };
    if states < 2000 {
        skipped("most states and days of a soak; TFSTATE_TEST_SOAK=2000 does 2,000 for 30 days");
    }
    let policy = Policy { last: 3, hourly: 12, daily: 5, ..Policy::default() };
    let mut soak = Soak::new(usize::try_from(states).unwrap());
    for hour in 1..days * 24 {
        soak.change(8);
        for computer in 0..2 {
            let strategy = *soak.chance.pick(&STRATEGIES);
            soak.back_up(computer, hour * HOUR, strategy);
        }
        match (hour / 24 % 7, hour % 24) {
            (3 | 6, 12) => {
                let now = soak.skewed(hour * HOUR);
                soak.prune(&policy, now);
            }
            (5, 6) => soak.rekey(hour * HOUR),
            _ => {}
        }
    }
    // What is named last is deleted a day later.
    for day in [1, 3] {
        soak.prune(&policy, (days + day) * DAY);
    }
    soak.examine();
    assert!(soak.removed > soak.versions.len() * 5, "{} were removed", soak.removed);
    // Where one of each is left, so are its notes.
    soak.change(1);
    for computer in 0..2 {
        soak.back_up(computer, (days + 4) * DAY, Strategy::Full);
    }
    for day in [5, 7] {
        soak.prune(&Policy { last: 1, ..Policy::default() }, (days + day) * DAY);
    }
    soak.examine();
    assert!(soak.made.values().all(|made| made.len() == 1), "one of each state is left");
}
