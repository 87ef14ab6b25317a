//! Earlier versions of a state: from the store's own versions where it keeps some, else from the
//! backup repository.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::open::Error;
use super::restore;
use crate::backup::retention::clocks_off;
use crate::backup::vault::Vault;
use crate::backup::{
    self, Catalogue, Identities, Keys, Known, Origin, Repository, Restored, Snapshot, stream_of,
};
use crate::base::secret::Secret;
use crate::state::bytes::Bytes;
use crate::store::{self, Access, Content, Earlier, Location};

/// Where snapshots are looked up.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    /// Where the repository is; there need be none.
    pub repository: Option<Arc<dyn Vault>>,
    /// What this computer remembers of repositories.
    pub known: Option<Known>,
    /// Files of the keys that read it.
    pub identities: Vec<PathBuf>,
    /// What opens those that are under a passphrase.
    pub passphrase: Option<Secret>,
}

/// A state as it was found, and the snapshot that it was found in, if it was one.
#[derive(Clone, Debug)]
pub struct Version {
    /// The bytes, and what to call them.
    pub content: Content,
    /// The snapshot, and where its state came from.
    pub snapshot: Option<(Snapshot, Origin)>,
}

/// Reads the bytes at a place, which can be a snapshot or an earlier version.
pub fn content(location: &Location, access: Access, kept: &Kept) -> Result<Content, Error> {
    version(location, access, kept).map(|version| version.content)
}

/// Does as [`content`], and tells which snapshot it was where it was one.
pub fn version(location: &Location, access: Access, kept: &Kept) -> Result<Version, Error> {
    match location {
        Location::Snapshot(id) => {
            let keeper = Keeper::open(location, kept)?;
            let snapshot = restore::find(&keeper.repository, restore::Reference::Id(id))?;
            keeper.version(location, &snapshot)
        }
        Location::Earlier { of, which } => earlier(location, (of, which), access, kept),
        _ => Ok(store::read(location, access)?.into()),
    }
}

impl From<Content> for Version {
    fn from(content: Content) -> Self {
        Self { content, snapshot: None }
    }
}

fn earlier(
    location: &Location,
    (of, which): (&Location, &Earlier),
    access: Access,
    kept: &Kept,
) -> Result<Version, Error> {
    let refusal = match store::read(location, access) {
        Err(refusal @ store::Error::NoVersions { .. }) => refusal,
        // Snapshots and versions are counted apart, so `@-2` of one is not that of the other.
        Err(refusal @ store::Error::NoEarlier { .. }) if !matches!(which, Earlier::Steps(_)) => {
            refusal
        }
        other => return Ok(other?.into()),
    };
    match (in_repository(location, (of, which), access, kept), refusal) {
        // What the store has says more than that there is no snapshot either.
        (Err(Error::Store(_)), refusal @ store::Error::NoEarlier { .. }) => Err(refusal.into()),
        (done, _) => done,
    }
}

fn in_repository(
    location: &Location,
    (of, which): (&Location, &Earlier),
    access: Access,
    kept: &Kept,
) -> Result<Version, Error> {
    let keeper = Keeper::open(location, kept)?;
    let stream = stream_of(&of.uri()?);
    let catalogue = keeper.repository.catalogue_of(&stream)?;
    let mut snapshots = keeper.repository.genuine(catalogue.stream(&stream))?;
    snapshots.reverse();
    match which {
        Earlier::Snapshot(id) => {
            let snapshot = by_id(&keeper.repository, &snapshots, id)?;
            keeper.version(location, &snapshot)
        }
        Earlier::Time(time) => {
            let snapshot = at(&snapshots, *time).ok_or_else(|| none(location, &snapshots))?;
            keeper.version(location, snapshot)
        }
        Earlier::Serial(serial) => {
            let snapshot = keeper.with_serial(&snapshots, *serial)?;
            keeper.version(location, snapshot.ok_or_else(|| none(location, &snapshots))?)
        }
        Earlier::Steps(steps) => {
            let mut step = Step { left: *steps, newer: present(of, access)? };
            keeper.first(location, &catalogue, &snapshots, |state| step.reaches(state))
        }
    }
}

/// Returns the one of these snapshots, the newest first, that holds the state as it was at a time.
///
/// Those with numbers are in their order whatever the clock did; what was added although later ones
/// were there has a place between them by its time alone. What says too early a time, since a clock was
/// off, came some time after the one before it: where one after it is of a later time than is asked
/// for, nobody knows that it was there by then.
fn at(snapshots: &[Snapshot], time: Timestamp) -> Option<&Snapshot> {
    let is_by_then = |found: &&Snapshot| found.created <= time;
    let (numbered, added): (Vec<&Snapshot>, Vec<&Snapshot>) =
        snapshots.iter().partition(|snapshot| snapshot.sequence > 0);
    let off = clocks_off(numbered.iter().rev().map(|snapshot| snapshot.created));
    let mut is_over = false;
    let sure = numbered.iter().zip(off.iter().rev()).find(|(snapshot, off)| {
        is_over |= off.is_none() && snapshot.created > time;
        snapshot.created <= time && !(off.is_some() && is_over)
    });
    let newest = sure.map(|(snapshot, _)| *snapshot);
    let newest = newest.or_else(|| numbered.iter().copied().find(is_by_then));
    let added = added.into_iter().find(is_by_then);
    [added, newest].into_iter().flatten().max_by_key(|snapshot| snapshot.created)
}

/// Counts back through different states: a snapshot of what is still there is not the one before.
struct Step {
    left: usize,
    newer: Option<Bytes>,
}

impl Step {
    fn reaches(&mut self, state: &Bytes) -> bool {
        if self.newer.as_deref() != Some(&**state) {
            self.left = self.left.saturating_sub(1);
            self.newer = Some(state.clone());
            return self.left == 0;
        }
        false
    }
}

/// Returns the bytes that are there now; nothing where the state is gone.
pub(super) fn present(of: &Location, access: Access) -> Result<Option<Bytes>, Error> {
    match store::read(of, access) {
        Ok(content) => Ok(Some(content.bytes)),
        // A snapshot may hold just that.
        Err(store::Error::Empty { .. }) => Ok(Some([].as_slice().into())),
        Err(
            store::Error::NotFound { .. }
            | store::Error::NoStateInDirectory { .. }
            | store::Error::NoStateInStore { .. },
        ) => Ok(None),
        // Whatever is there, it is not what it should be.
        Err(store::Error::Digest { found, .. }) => Ok(found.bytes().cloned()),
        Err(error) => Err(error.into()),
    }
}

fn by_id(
    repository: &Repository,
    snapshots: &[Snapshot],
    id: &str,
) -> Result<Snapshot, backup::Error> {
    let mut of_this = snapshots.iter().filter(|snapshot| snapshot.id.starts_with(id));
    match (of_this.next(), of_this.next()) {
        (Some(one), None) => Ok(one.clone()),
        // Longer than the names have it, or several, or one of another state.
        _ => restore::find(repository, restore::Reference::Id(id)),
    }
}

fn none(location: &Location, snapshots: &[Snapshot]) -> store::Error {
    let why = match (snapshots.len(), snapshots.last()) {
        (0, _) | (_, None) => "the backup repository has no snapshot of this state".to_owned(),
        (1, Some(only)) => format!("the only snapshot is {} of {}", only.id, only.created),
        (kept, Some(oldest)) => {
            format!("the oldest of {kept} snapshots is {} of {}", oldest.id, oldest.created)
        }
    };
    store::Error::NoEarlier { what: location.name(), why }
}

/// Returns the keys in these files and, given what opens them, those that the repository keeps.
pub fn identities(
    repository: &Repository,
    files: &[PathBuf],
    passphrase: Option<&Secret>,
) -> Result<Identities, backup::Error> {
    let mut identities = Identities::read_with(files, passphrase)?;
    if let Some(passphrase) = passphrase {
        // Beside files, it may be meant for one of those.
        match repository.unlock(&mut identities, passphrase) {
            Err(backup::Error::Passphrase) if !files.is_empty() => {}
            done => done?,
        }
    }
    Ok(identities)
}

/// The repository, and what opens it.
struct Keeper {
    repository: Repository,
    identities: Identities,
}

impl Keeper {
    fn open(location: &Location, kept: &Kept) -> Result<Self, Error> {
        let missing = |place: String| {
            let why = format!("there is no backup repository{place} to look in");
            store::Error::NoVersions { what: location.present().name(), why }
        };
        let vault = kept.repository.as_ref().ok_or_else(|| missing(String::new()))?;
        let keys = Keys { signer: None, known: kept.known.as_ref() };
        let repository = match Repository::open(Arc::clone(vault), keys) {
            Err(backup::Error::NoRepository { place }) => {
                return Err(missing(format!(" in {place}")).into());
            }
            other => other?,
        };
        let identities = identities(&repository, &kept.identities, kept.passphrase.as_ref())?;
        Ok(Self { repository, identities })
    }

    /// Returns the first of these snapshots that will do.
    fn first(
        &self,
        location: &Location,
        catalogue: &Catalogue,
        snapshots: &[Snapshot],
        mut will_do: impl FnMut(&Bytes) -> bool,
    ) -> Result<Version, Error> {
        for snapshot in snapshots {
            let restored = self.repository.get_by(catalogue, snapshot, &self.identities)?;
            if will_do(&restored.state) {
                return Ok(found(location, snapshot, restored));
            }
        }
        Err(none(location, snapshots).into())
    }

    /// Returns the first of these snapshots whose state has this serial.
    fn with_serial<'s>(
        &self,
        snapshots: &'s [Snapshot],
        serial: u64,
    ) -> Result<Option<&'s Snapshot>, Error> {
        for snapshot in snapshots {
            match self.repository.origin(snapshot, &self.identities) {
                Ok(origin) if origin.facts.serial == Some(serial) => return Ok(Some(snapshot)),
                // It is not the only one that may have this serial.
                Err(error @ backup::Error::Damaged { .. }) => {
                    tracing::warn!(%error, "passed over a snapshot");
                }
                origin => drop(origin?),
            }
        }
        Ok(None)
    }

    fn version(&self, location: &Location, snapshot: &Snapshot) -> Result<Version, Error> {
        let restored = self.repository.get(snapshot, &self.identities)?;
        Ok(found(location, snapshot, restored))
    }
}

fn found(location: &Location, snapshot: &Snapshot, restored: Restored) -> Version {
    let content = Content { name: location.name(), bytes: restored.state, version: None };
    Version { content, snapshot: Some((snapshot.clone(), restored.origin)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::sample::{Sample, addition, at};
    use crate::backup::{Addition, Order, Strategy};

    const URI: &str = "s3://acme/terraform.tfstate";

    #[test]
    fn a_time_finds_what_was_added_later_between_what_was_there() {
        let sample = Sample::new();
        let repository = sample.plain();
        sample.add(&repository, URI, b"1", 10);
        sample.add(&repository, URI, b"3", 30);
        let (created, order) = (at(20), Order::Before);
        let wanted = Addition { created, order, ..addition(URI, b"2", Strategy::Full) };
        repository.add(&repository.catalogue().unwrap(), &wanted, None, &sample.signer).unwrap();
        let mut snapshots = repository.list_stream(&stream_of(URI)).unwrap();
        snapshots.reverse();
        let found = |second| super::at(&snapshots, at(second)).map(|snapshot| snapshot.created);
        let expected = [None, Some(at(10)), Some(at(20)), Some(at(30)), Some(at(30))];
        assert_eq!([5, 10, 29, 30, 99].map(found), expected);
    }

    #[test]
    fn a_time_finds_the_last_by_number_although_a_clock_went_back() {
        let sample = Sample::new();
        let repository = sample.plain();
        for second in [10, 30, 20] {
            sample.add(&repository, URI, b"1", second);
        }
        let mut snapshots = repository.list_stream(&stream_of(URI)).unwrap();
        snapshots.reverse();
        assert_eq!(super::at(&snapshots, at(40)).map(|snapshot| snapshot.sequence), Some(3));
    }

    #[test]
    fn a_time_finds_nothing_that_may_have_come_after_it_under_a_clock_that_was_off() {
        const DAY: i64 = 86_400;
        let sample = Sample::new();
        let repository = sample.plain();
        for day in [1, 3, 4, 2, 6] {
            sample.add(&repository, URI, b"1", day * DAY);
        }
        let mut snapshots = repository.list_stream(&stream_of(URI)).unwrap();
        snapshots.reverse();
        let found = |day| super::at(&snapshots, at(day * DAY)).map(|snapshot| snapshot.sequence);
        assert_eq!(
            [0, 1, 2, 3, 5, 6, 9].map(found),
            [None, Some(1), Some(1), Some(2), Some(3), Some(5), Some(5)]
        );
        let found = super::at(&snapshots[1..], at(5 * DAY)).map(|snapshot| snapshot.sequence);
        assert_eq!(found, Some(4), "the newest of all");
    }
}
