//! Stores the versions that a store still has of a state: a history to begin with.

use jiff::Timestamp;

use super::{Failed, Keeper, Report, Source, facts};
use crate::backup::{Error, Hashed, IMPORTED, Order, stream_of};
use crate::state::document::Document;
use crate::store::{Found, Location, Revision};

impl Keeper<'_> {
    /// Stores the versions of a state that its store still has and that are not stored yet, each
    /// with the time at which it was written, and hands them to `each`.
    ///
    /// Where this computer made snapshots of its own, only older versions are stored.
    pub fn import<E: From<Failed>>(
        &self,
        location: &Location,
        mut each: impl FnMut(Report) -> Result<(), E>,
    ) -> Result<(), E> {
        let place = location.home().map_err(Failed::Store)?;
        let uri = location.uri().map_err(Failed::Store)?;
        let versions = place.store.versions(&place.key).map_err(Failed::Store)?;
        let stream = stream_of(&uri);
        let mut missing = self.missing(&stream, versions).map_err(Failed::Backup)?;
        let tags = [IMPORTED.to_owned()];
        while let Some(revision) = missing.pop() {
            let found =
                place.store.read_version(&place.key, &revision.id).map_err(Failed::Store)?;
            let Found::Bytes(bytes, version) = found else { continue };
            let parsed = Document::parse(bytes.clone());
            let (facts, document) = (facts(&parsed), parsed.as_ref().ok());
            let version = Some(&version);
            let source = Source { uri: &uri, bytes: &bytes, facts, document, version };
            // What was just added counts for the next.
            let catalogue = self.repository.catalogue_of(&stream).map_err(Failed::Backup)?;
            let is_newest = catalogue
                .stream(&stream)
                .last()
                .is_none_or(|last| last.created <= revision.modified);
            let heads = self.heads.as_ref().filter(|_| is_newest);
            let order = if is_newest { Order::Next } else { Order::Before };
            let label = (tags.as_slice(), revision.modified, order);
            let added = self.add(&catalogue, (&source, Hashed::of(&bytes)), label, heads);
            let added = added.map_err(Failed::Backup)?;
            let (length, broken) = (bytes.len() as u64, source.facts.broken.clone());
            each(self.report(added.snapshot.clone(), Some(added), Some(length), broken))?;
        }
        Ok(())
    }

    /// Returns the versions that are to be stored, the oldest last.
    fn missing(&self, stream: &str, mut versions: Vec<Revision>) -> Result<Vec<Revision>, Error> {
        let second = |time: Timestamp| time.as_second();
        let listed = self.repository.catalogue_of(stream)?;
        let listed = listed.stream(stream);
        let own = listed.iter().find_map(|snapshot| match self.repository.describe(snapshot) {
            Ok(described) if described.tags.iter().any(|tag| tag == IMPORTED) => None,
            _ => Some(second(snapshot.created)),
        });
        let mut stored: Vec<i64> = listed.iter().map(|snapshot| second(snapshot.created)).collect();
        versions.retain(|version| {
            let time = second(version.modified);
            if let Some(at) = stored.iter().position(|&stored| stored == time) {
                stored.swap_remove(at);
                return false;
            }
            !version.is_deletion && version.len > 0 && own.is_none_or(|own| time < own)
        });
        versions.sort_by_key(|version| std::cmp::Reverse(version.modified));
        Ok(versions)
    }
}
