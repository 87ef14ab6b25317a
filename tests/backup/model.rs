//! Random histories against a model: which bytes each object has, what it builds on, and whether
//! anybody damaged it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::SignedDuration;
use tfstate::backup::prune::Rules;
use tfstate::backup::retention::Policy;
use tfstate::backup::vault::Vault;
use tfstate::backup::{Error, Kind, Repository, Signer, Snapshot};

use crate::place::{
    Backup, Chance, Owner, STRATEGIES, Shelf, at, bound, folder, listed, skipped, state,
};

/// The object of a snapshot that was reported as made, or that it was encrypted anew as.
struct Made {
    /// What stays the same when it is encrypted anew.
    id: String,
    generation: u32,
    state: Vec<u8>,
    /// The id of the snapshot that it builds on, and the key of the very object.
    parent: Option<(String, String)>,
    intact: bool,
}

/// A computer that writes backups.
struct Computer {
    signer: Arc<Signer>,
    home: tempfile::TempDir,
}

/// A history in the making.
struct History {
    chance: Chance,
    owner: Owner,
    shelf: Arc<Shelf>,
    computers: [Computer; 2],
    made: BTreeMap<String, Made>,
    state: Vec<u8>,
    second: i64,
    edits: u64,
    /// Whether an owner ever asked for what is damaged to go: then that may happen later, too.
    asked: bool,
    steps: Vec<String>,
}

impl History {
    fn new(seed: u64) -> Self {
        let mut chance = Chance(seed);
        let owner = Owner::new(chance.below(3) > 0);
        let shelf = Arc::new(Shelf::new(chance.below(3) > 0));
        let signers = [Arc::clone(&owner.signer), Arc::new(Signer::generate().unwrap())];
        Self {
            chance,
            owner,
            shelf,
            computers: signers.map(|signer| Computer { signer, home: folder() }),
            made: BTreeMap::new(),
            state: state(12, 0),
            second: 0,
            edits: 0,
            asked: false,
            steps: Vec::new(),
        }
    }

    fn vault(&self) -> Arc<dyn Vault> {
        Arc::<Shelf>::clone(&self.shelf)
    }

    /// Makes the repository with the first computer's key, and lets a second one write there.
    fn begin(&mut self) {
        self.back_up(0);
        let (first, second) = (&self.computers[0].signer, self.computers[1].signer.public());
        Owner::open(self.vault()).authorize(second, first, at(0)).unwrap();
    }

    fn step(&mut self) {
        match self.chance.below(24) {
            0..=5 => self.edit(),
            6..=12 => {
                let computer = self.chance.below(4) / 3;
                self.back_up(computer);
            }
            13 => self.lose_cache(),
            14 => self.spoil_cache(),
            15 | 16 => self.damage(),
            17 | 18 => self.turn_clock(),
            19..=21 => self.prune(),
            22 => self.rekey(),
            // Nothing is kept in memory between runs, so this is what follows a restart.
            _ => self.examine(),
        }
    }

    fn edit(&mut self) {
        self.edits += 1;
        let instances = 4 + self.chance.next() % 60;
        self.state = match self.chance.below(12) {
            0 => Vec::new(),
            1 => self.state[..self.state.len() / 2].to_vec(),
            2 => state(instances, self.edits / 2),
            // As `auto` takes differences of.
            3 => state(800, self.edits),
            _ => state(40, self.edits),
        };
        self.steps.push(format!("edit: {} bytes", self.state.len()));
    }

    fn back_up(&mut self, computer: usize) {
        let strategy = *self.chance.pick(&STRATEGIES);
        self.second += 1;
        let backup = Backup {
            vault: self.vault(),
            signer: &self.computers[computer].signer,
            home: self.computers[computer].home.path(),
            strategy,
            second: self.second,
        };
        let report = self.owner.keep(&backup, &self.state).unwrap();
        self.steps.push(format!("{computer} backs up by {strategy:?}: {}", report.snapshot.key));
        let key = report.snapshot.key.clone();
        self.is_for_the_present(&report.snapshot);
        let Some(added) = report.added else {
            let made = &self.made[&key];
            self.expect(made.state == self.state, "what is unchanged is what was stored");
            // Only what is near is read again before it counts.
            let counts = !self.shelf.is_near() || self.is_intact(&key);
            return self.expect(counts, "what is damaged does not count as stored");
        };
        let listed = listed(&Owner::open(self.vault()));
        self.expect(listed.last().is_some_and(|last| last.key == key), "the newest is last");
        let parent = added.parent.map(|id| {
            let key = self.newest_of(&id).unwrap().to_owned();
            (id, key)
        });
        let near = self.shelf.is_near();
        let sound = parent.as_ref().is_none_or(|(_, key)| !near || self.is_intact(key));
        self.expect(sound, "nothing is built on what is damaged");
        let is_full = added.snapshot.kind == Kind::Full;
        self.expect(parent.is_none() == is_full, "a full one builds on nothing");
        let (id, generation) = (report.snapshot.id, report.snapshot.generation);
        let made = Made { id, generation, state: self.state.clone(), parent, intact: true };
        self.made.insert(key, made);
    }

    /// What is reported as stored is for those who are to read it now, or damaged.
    fn is_for_the_present(&self, reported: &Snapshot) {
        let owner = self.owner.with_last_key();
        let restored = owner.restore(&Owner::open(self.vault()), reported);
        let is_it = !matches!(restored, Err(Error::WrongIdentity { .. }));
        self.expect(is_it, "what is reported is for the present key");
    }

    /// Returns the key of a snapshot's object of the highest generation that is there.
    fn newest_of(&self, id: &str) -> Option<&str> {
        let objects = self.made.iter().filter(|(_, made)| made.id == id);
        let there = objects.filter(|(key, _)| self.shelf.bytes(key).is_some());
        there.max_by_key(|(_, made)| made.generation).map(|(key, _)| key.as_str())
    }

    /// Returns the keys of all objects that can be restored.
    fn restorable(&self) -> BTreeSet<String> {
        self.made.keys().filter(|key| self.is_intact(key)).cloned().collect()
    }

    /// Returns whether the newest object of a snapshot is good, and of all that it builds on: what it
    /// was made beside may be gone, since it is linked anew.
    fn can_be_anew(&self, id: &str) -> bool {
        let newest = self.newest_of(id).map(|key| &self.made[key]).filter(|made| made.intact);
        let Some(made) = newest else { return false };
        made.parent.as_ref().is_none_or(|(id, _)| self.can_be_anew(id))
    }

    /// Encrypts everything for another key. What is damaged stays, and what builds on it.
    fn rekey(&mut self) {
        let before = listed(&Owner::open(self.vault()));
        self.owner = self.owner.rekeyed();
        let done = self.owner.rekey(&self.vault(), self.second);
        self.steps.push(format!("all is encrypted anew: {done:?}"));
        let is_sound = |snapshot: &Snapshot| self.can_be_anew(&snapshot.id);
        let all = before.iter().all(is_sound);
        self.expect(done.is_ok() == all, "it fails where something is damaged");
        let after = listed(&Owner::open(self.vault()));
        let anew: Vec<Snapshot> =
            after.into_iter().filter(|found| !self.made.contains_key(&found.key)).collect();
        for new in &anew {
            let old = before.iter().find(|old| old.id == new.id).unwrap();
            self.expect(self.can_be_anew(&old.id), "what is damaged is not encrypted anew");
            let old = &self.made[&old.key];
            let (id, generation, state) = (new.id.clone(), new.generation, old.state.clone());
            let made = Made { id, generation, state, parent: old.parent.clone(), intact: true };
            self.made.insert(new.key.clone(), made);
        }
        // By now the new object of what each one builds on is known.
        for new in &anew {
            let Some((id, _)) = self.made[&new.key].parent.clone() else { continue };
            let key = self.newest_of(&id).unwrap().to_owned();
            self.made.get_mut(&new.key).unwrap().parent = Some((id, key));
        }
        self.examine();
    }

    /// Removes all but a few, and checks that what is left can be restored if it could before.
    fn prune(&mut self) {
        let policy = Policy { last: *self.chance.pick(&[1, 2, 3, 4]), ..Policy::default() };
        let grace = SignedDuration::from_hours(*self.chance.pick(&[0, 24]));
        let damaged = self.chance.below(4) == 0;
        self.asked |= damaged;
        let before = listed(&Owner::open(self.vault()));
        let restorable = self.restorable();
        let newest = before.iter().rev().find(|snapshot| restorable.contains(&snapshot.key));
        let newest = newest.map(|snapshot| snapshot.key.clone());
        let living: BTreeMap<String, String> =
            before.iter().map(|snapshot| (snapshot.id.clone(), snapshot.key.clone())).collect();
        let rules = Rules { policy: &policy, grace, now: at(self.second), damaged };
        let gone = self.owner.prune(self.vault(), rules).unwrap().swept.deleted;
        self.steps.push(format!("all but {} go, damaged: {damaged}: {gone:?}", policy.last));
        for key in &gone {
            self.expect(self.shelf.bytes(key).is_none(), "what is said to be gone is gone");
            let is_safe = restorable.contains(&living[&self.made[key].id]);
            let is_safe = is_safe || !restorable.contains(key);
            self.expect(is_safe, "what was encrypted anew goes where the new one is good");
        }
        self.made.retain(|key, _| !gone.contains(key));
        let is_there = |key: &&String| self.shelf.bytes(key).is_some();
        let stays = restorable.iter().filter(is_there).all(|key| self.is_intact(key));
        self.expect(stays, "what something left builds on stays");
        let is_kept = newest.is_none_or(|newest| self.is_intact(&newest));
        self.expect(is_kept, "the newest that can be restored stays");
        let left = listed(&Owner::open(self.vault())).len();
        let fewest = before.len().min(usize::try_from(policy.last).unwrap());
        self.expect(self.asked || left >= fewest, "so many stay");
    }

    fn lose_cache(&mut self) {
        let computer = self.chance.below(2);
        self.steps.push(format!("{computer} loses its cache"));
        // There need be none.
        drop(std::fs::remove_dir_all(self.computers[computer].home.path().join("cache")));
    }

    fn spoil_cache(&mut self) {
        let computer = self.chance.below(2);
        for path in crate::place::files(&self.computers[computer].home.path().join("cache")) {
            let mut bytes = std::fs::read(&path).unwrap();
            if let Some(changed) = self.spoiled(&bytes) {
                bytes = changed;
            }
            tfstate::base::fs::replace(&path, &bytes).unwrap();
        }
        self.steps.push(format!("the cache of {computer} is spoiled"));
    }

    /// Returns bytes with a bit flipped, or cut short, or longer; or nothing for none at all.
    fn spoiled(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut bytes = bytes.to_vec();
        match self.chance.below(5) {
            0 => return None,
            1 => bytes.truncate(self.chance.below(bytes.len().max(1))),
            2 => bytes.extend_from_slice(b"x"),
            _ if bytes.is_empty() => return None,
            _ => {
                let place = self.chance.below(bytes.len());
                bytes[place] ^= 1 << self.chance.below(8);
            }
        }
        Some(bytes)
    }

    fn damage(&mut self) {
        let keys: Vec<String> =
            self.made.iter().filter(|(_, made)| made.intact).map(|(key, _)| key.clone()).collect();
        let Some(key) = keys.get(self.chance.below(keys.len().max(1))) else { return };
        let bytes = self.shelf.bytes(key).unwrap();
        let changed = self.spoiled(&bytes);
        self.steps
            .push(format!("{key} is damaged: {:?} bytes left", changed.as_ref().map(Vec::len)));
        self.shelf.set(key, changed);
        self.made.get_mut(key).unwrap().intact = false;
    }

    fn turn_clock(&mut self) {
        let hours = [-400, -24, -1, 1, 24, 400][self.chance.below(6)];
        self.second += hours * 3600;
        self.steps.push(format!("the clock goes {hours} hours"));
    }

    fn is_intact(&self, key: &str) -> bool {
        let Some(made) = self.made.get(key).filter(|made| made.intact) else { return false };
        made.parent.as_ref().is_none_or(|(_, key)| self.is_intact(key))
    }

    /// Restores everything there is.
    fn examine(&self) {
        let repository = Owner::open(self.vault());
        let listed = listed(&repository);
        let ids: BTreeSet<&str> = self.made.values().map(|made| made.id.as_str()).collect();
        let there: BTreeSet<&str> = ids.into_iter().filter_map(|id| self.newest_of(id)).collect();
        let found = listed.iter().map(|snapshot| snapshot.key.as_str()).collect();
        self.expect(there == found, "everything there is, is listed once");
        self.expect(listed.len() == found.len(), "everything there is, is listed once");
        for snapshot in &listed {
            self.examine_one(&repository, snapshot);
        }
    }

    fn examine_one(&self, repository: &Repository, snapshot: &Snapshot) {
        let restored = self.owner.restore(repository, snapshot);
        if self.is_intact(&snapshot.key) {
            let same = restored.is_ok_and(|state| state == self.made[&snapshot.key].state);
            return self.expect(same, "what nobody damaged comes back");
        }
        let refused = matches!(
            restored,
            Err(Error::Damaged { .. }
                | Error::Newer { .. }
                | Error::Parent { .. }
                | Error::Untrusted { .. })
        );
        self.expect(refused, "what is damaged is refused");
    }

    fn expect(&self, holds: bool, what: &str) {
        assert!(holds, "not so: {what}, after\n{}", self.steps.join("\n"));
    }
}

/// Plays one history.
fn play(seed: u64) {
    let mut history = History::new(seed);
    history.steps.push(format!("seed {seed}, near: {}", history.shelf.is_near()));
    history.begin();
    for _ in 0..30 {
        history.step();
    }
    history.back_up(0);
    history.examine();
}

#[test]
fn every_history_gives_back_what_was_stored_and_refuses_what_was_damaged() {
    let sequences = bound("TFSTATE_TEST_SEQUENCES", 300);
    if sequences < 10_000 {
        skipped("all but the first histories; TFSTATE_TEST_SEQUENCES=10000 plays them");
    }
    let workers = std::thread::available_parallelism().map_or(1, |n| n.get() as u64).min(8);
    let step = usize::try_from(workers).unwrap();
    std::thread::scope(|scope| {
        for worker in 0..workers {
            scope.spawn(move || (worker..sequences).step_by(step).for_each(play));
        }
    });
}
