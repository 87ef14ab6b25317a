mod marking;
mod sweeping;

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
        Pruner::new(&repository, rules).unwrap().plan(&crate::backup::stream_of(URI)).unwrap()
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
