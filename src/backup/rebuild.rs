//! Restoring the snapshots of a stream one after another, from the oldest to the newest: what one of
//! them builds on was mostly just restored, and is not read again.

use super::body;
use super::catalogue::Catalogue;
use super::container::{Head, Link};
use super::repository::flawed;
use super::{Error, Identities, Kind, Protection, Repository, Restored, Snapshot};
use crate::state::bytes::Bytes;

/// Restores snapshots of one stream.
#[derive(Debug)]
pub struct Rebuilder<'a> {
    repository: &'a Repository,
    catalogue: &'a Catalogue,
    identities: &'a Identities,
    /// The last full one, and the last one if it is another.
    kept: Vec<Kept>,
}

#[derive(Debug)]
struct Kept {
    link: Link,
    kind: Kind,
    state: Bytes,
}

impl<'a> Rebuilder<'a> {
    /// Begins a walk; the catalogue has the stream.
    pub fn new(
        repository: &'a Repository,
        catalogue: &'a Catalogue,
        identities: &'a Identities,
    ) -> Self {
        Self { repository, catalogue, identities, kept: Vec::new() }
    }

    /// Restores a snapshot, checked from end to end.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<Restored, Error> {
        let file = self.repository.read(snapshot)?;
        let (head, _) = self.repository.open_file(snapshot, &file)?;
        self.rebuild(snapshot, &file, &head)
    }

    /// Does so with a file that was read and checked.
    pub(super) fn rebuild(
        &mut self,
        snapshot: &Snapshot,
        file: &[u8],
        head: &Head,
    ) -> Result<Restored, Error> {
        if self.identities.is_empty() && *self.repository.protection() != Protection::None {
            return Err(Error::NoIdentity { id: snapshot.id.clone() });
        }
        let parent = head.header.parent.as_ref();
        let below = parent.map(|link| self.kept.iter().find(|kept| kept.link == *link));
        let restored = match below {
            // It is not the one before it in this walk.
            Some(None) => self.repository.get_by(self.catalogue, snapshot, self.identities)?,
            below => {
                let base = below.flatten().map(|kept| (kept.link.id.as_str(), &*kept.state));
                let (_, origin, state) =
                    self.repository.unpack(snapshot, file, base, self.identities)?;
                body::check(&origin, &state).map_err(|flaw| flawed(snapshot, flaw))?;
                Restored { state: state.into(), origin }
            }
        };
        let is_full = snapshot.kind == Kind::Full;
        self.kept.retain(|kept| kept.kind == Kind::Full && !is_full);
        let (link, kind, state) = (head.link(), snapshot.kind, restored.state.clone());
        self.kept.push(Kept { link, kind, state });
        Ok(restored)
    }
}
