//! What is in a repository, by one listing of it. Nothing else is needed to find a snapshot, so a
//! catalogue can't be lost.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Error;
use super::snapshot::{FOLDER, Snapshot};
use super::tomb;
use super::vault::{Object, Vault};

/// The snapshots of a repository.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    /// Of each stream, what is not superseded, oldest first.
    streams: Streams,
    /// Of each stream, what was encrypted anew since.
    superseded: Streams,
    /// Streams that hold what is called as a snapshot but for something that this version does not
    /// know.
    unknown: BTreeSet<String>,
    /// Keys of snapshots that are to be removed.
    pub(super) doomed: BTreeSet<String>,
}

type Streams = BTreeMap<String, Vec<Snapshot>>;

impl Catalogue {
    /// Lists all snapshots.
    pub(super) fn read(vault: &dyn Vault, owners: &tomb::Owners<'_>) -> Result<Self, Error> {
        let doomed = tomb::read(vault, owners)?;
        Ok(Self::of(vault.list(FOLDER)?, doomed))
    }

    /// Lists the snapshots of one stream.
    pub(super) fn read_stream(
        vault: &dyn Vault,
        stream: &str,
        owners: &tomb::Owners<'_>,
    ) -> Result<Self, Error> {
        let doomed = tomb::read(vault, owners)?;
        Ok(Self { doomed, ..Self::list_stream(vault, stream)? })
    }

    /// Lists the snapshots of one stream without what says which of them are to be removed.
    pub(super) fn list_stream(vault: &dyn Vault, stream: &str) -> Result<Self, Error> {
        Ok(Self::of(vault.list(&format!("{FOLDER}{stream}/"))?, BTreeSet::new()))
    }

    pub(super) fn of(objects: Vec<Object>, doomed: BTreeSet<String>) -> Self {
        let mut unknown = BTreeSet::new();
        let mut found = Vec::with_capacity(objects.len());
        for object in objects {
            let stream = stream_of_unknown(&object.key);
            match Snapshot::of(object) {
                Some(snapshot) => found.push(snapshot),
                None => unknown.extend(stream),
            }
        }
        found.sort_unstable_by(|a, b| {
            (a.name(), a.generation, &a.key).cmp(&(b.name(), b.generation, &b.key))
        });
        // Some places show an object twice.
        found.dedup_by(|a, b| a.key == b.key);
        // Two of one generation, and neither may hide the other: only a later one supersedes.
        let mut is_old = Vec::with_capacity(found.len());
        for same in found.chunk_by(|a, b| a.name() == b.name()) {
            let newest = same.last().map_or(0, |snapshot| snapshot.generation);
            is_old.extend(same.iter().map(|snapshot| snapshot.generation < newest));
        }
        let (mut streams, mut superseded) = (Vec::new(), Vec::new());
        for (snapshot, is_old) in found.into_iter().zip(is_old) {
            let of: &mut Vec<(String, Vec<Snapshot>)> =
                if is_old { &mut superseded } else { &mut streams };
            match of.last_mut() {
                Some((stream, same)) if *stream == snapshot.stream => same.push(snapshot),
                _ => of.push((snapshot.stream.clone(), vec![snapshot])),
            }
        }
        let [mut streams, superseded] = [streams, superseded].map(Streams::from_iter);
        for snapshots in streams.values_mut() {
            snapshots.sort_by(|a, b| a.by_sequence().cmp(&b.by_sequence()));
        }
        Self { streams, superseded, unknown, doomed }
    }

    /// Returns all snapshots, oldest first: by their times, but those of one state in the order in
    /// which they were made. Where a clock went back, that is as if it had stood still.
    pub fn snapshots(&self) -> Vec<Snapshot> {
        let mut all = Vec::with_capacity(self.streams.values().map(Vec::len).sum());
        for stream in self.streams.values() {
            let mut latest = Timestamp::MIN;
            for snapshot in stream {
                // What was added although later ones were there has a place by its time alone.
                let is_numbered = snapshot.sequence > 0;
                latest = if is_numbered { latest.max(snapshot.created) } else { latest };
                all.push((if is_numbered { latest } else { snapshot.created }, snapshot));
            }
        }
        all.sort_by(|(a, x), (b, y)| (a, &x.stream).cmp(&(b, &y.stream)));
        all.into_iter().map(|(_, snapshot)| snapshot.clone()).collect()
    }

    /// Returns the names of the streams.
    pub fn streams(&self) -> impl Iterator<Item = &str> {
        self.streams.keys().map(String::as_str)
    }

    /// Returns the snapshots of one stream in the order in which they were made.
    pub fn stream(&self, name: &str) -> &[Snapshot] {
        of(&self.streams, name)
    }

    /// Returns whether a snapshot is to be removed.
    pub fn is_doomed(&self, snapshot: &Snapshot) -> bool {
        self.doomed.contains(&snapshot.key)
    }

    /// Returns whether a stream holds something that a later version may have put there.
    pub(super) fn has_unknown(&self, stream: &str) -> bool {
        self.unknown.contains(stream)
    }

    /// Returns how many objects are named as ones to be removed.
    pub fn pending(&self) -> usize {
        self.doomed.len()
    }

    /// Returns how many objects there are of snapshots that were encrypted anew since.
    pub fn superseded_count(&self) -> usize {
        self.superseded.values().map(Vec::len).sum()
    }

    /// Returns what of one stream was encrypted anew since, and may be removed.
    pub(super) fn superseded(&self, stream: &str) -> &[Snapshot] {
        of(&self.superseded, stream)
    }

    /// Returns every object of a stream, oldest first, and whether it is still wanted: it is neither
    /// superseded nor to be removed.
    pub(super) fn objects(&self, stream: &str) -> Vec<(&Snapshot, bool)> {
        let old = self.superseded(stream).iter();
        let mut all: Vec<(&Snapshot, bool)> = old.map(|snapshot| (snapshot, false)).collect();
        all.extend(self.stream(stream).iter().map(|found| (found, !self.is_doomed(found))));
        all.sort_by(|(a, _), (b, _)| {
            (a.by_sequence(), a.generation).cmp(&(b.by_sequence(), b.generation))
        });
        all
    }

    /// Returns every object of a stream that may be the snapshot with this whole id, the newest
    /// generation first.
    pub(super) fn candidates(&self, stream: &str, id: &str) -> Vec<&Snapshot> {
        let beginning = id.get(..8).unwrap_or(id);
        let all = self.stream(stream).iter().chain(self.superseded(stream));
        let mut found: Vec<&Snapshot> = all.filter(|s| s.id == beginning).collect();
        found.sort_by_key(|snapshot| std::cmp::Reverse(snapshot.generation));
        found
    }
}

fn of<'s>(streams: &'s Streams, name: &str) -> &'s [Snapshot] {
    streams.get(name).map_or(&[], Vec::as_slice)
}

/// Returns the stream that an object is in which is named as a snapshot.
fn stream_of_unknown(key: &str) -> Option<String> {
    let (stream, name) = key.strip_prefix(FOLDER)?.split_once('/')?;
    name.strip_suffix(".tfb").map(|_| stream.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::vault::Object;

    fn catalogue(names: &[&str]) -> Catalogue {
        let object = |name: &&str| {
            let key = format!("s/{name}.tfb");
            Object { key, len: 1, modified: None, tag: None }
        };
        Catalogue::of(names.iter().map(object).collect(), BTreeSet::new())
    }

    #[test]
    fn an_object_that_is_listed_twice_is_one_snapshot() {
        let name = "a/20260801T000009Z-00000001-f-0000000a-0000000000000000";
        let catalogue = catalogue(&[name, name]);
        assert_eq!(catalogue.snapshots().len(), 1);
        assert!(catalogue.superseded("a").is_empty());
    }

    #[test]
    fn snapshots_of_all_states_are_in_the_order_of_their_times_then_streams_and_numbers() {
        let names = [
            "a/20260801T000009Z-00000001-f-0000000a-0000000000000000",
            "b/20260801T000008Z-00000001-f-0000000b-0000000000000000",
            "a/20260801T000010Z-00000003-f-0000000c-0000000000000000",
            "b/20260801T000009Z-00000002-f-0000000d-0000000000000000",
            "a/20260801T000009Z-00000002-f-0000000e-0000000000000000",
        ];
        let found = catalogue(&names).snapshots();
        let ids: Vec<&str> = found.iter().map(|snapshot| &snapshot.id[7..]).collect();
        assert_eq!(ids, ["b", "a", "e", "d", "c"]);
    }

    #[test]
    fn snapshots_of_one_state_stay_in_their_order_although_a_clock_went_back() {
        let names = [
            "a/20260801T000005Z-00000000-f-0000000b-0000000000000000",
            "a/20260801T000004Z-00000001-f-0000000a-0000000000000000",
            "a/20260801T000009Z-00000002-f-0000000d-0000000000000000",
            "a/20260801T000006Z-00000003-f-0000000e-0000000000000000",
            "b/20260801T000007Z-00000001-f-0000000c-0000000000000000",
            "b/20260801T000010Z-00000002-f-0000000f-0000000000000000",
        ];
        let found = catalogue(&names).snapshots();
        let ids: String = found.iter().map(|snapshot| &snapshot.id[7..]).collect();
        assert_eq!(ids, "abcdef");
    }

    #[test]
    fn another_snapshot_whose_id_begins_alike_is_not_superseded() {
        let found = catalogue(&[
            "a/20260801T000009Z-00000001-f-0000000a-0000000000000000",
            "a/20260801T000009Z-00000001-f1-0000000a-1111111111111111",
            "a/20260802T000009Z-00000002-f-0000000a-2222222222222222",
        ]);
        let numbers: Vec<u32> = found.stream("a").iter().map(|s| s.sequence).collect();
        assert_eq!((numbers, found.superseded("a").len()), (vec![1, 2], 1));
    }

    #[test]
    fn only_a_later_generation_supersedes_and_then_all_before() {
        let mut names = vec![
            "a/20260801T000009Z-00000001-f-0000000a-0000000000000000",
            "a/20260801T000009Z-00000001-f1-0000000a-1111111111111111",
            "a/20260801T000009Z-00000001-f1-0000000a-2222222222222222",
        ];
        let generations = |snapshots: &[Snapshot]| -> Vec<u32> {
            snapshots.iter().map(|snapshot| snapshot.generation).collect()
        };
        let found = catalogue(&names);
        assert_eq!(generations(found.stream("a")), [1, 1], "neither hides the other");
        assert_eq!(generations(found.superseded("a")), [0]);
        names.insert(0, "a/20260801T000009Z-00000001-f2-0000000a-3333333333333333");
        let found = catalogue(&names);
        assert_eq!(generations(found.stream("a")), [2]);
        assert_eq!(generations(found.superseded("a")), [0, 1, 1]);
    }
}
