//! The snapshots of one stream, one after another.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Check, Problem, Reading, Severity, Survey, Verified, Wrong, differs, is_outage, later, told,
};
use crate::backup::container::{Head, Link};
use crate::backup::rebuild::Rebuilder;
use crate::backup::repository::{GONE, SKEW};
use crate::backup::{Error, Repository, Snapshot};

/// A snapshot that was looked at.
struct Seen<'a> {
    snapshot: &'a Snapshot,
    /// Whether it has to be good: it is neither replaced by another nor about to be removed.
    is_wanted: bool,
    /// Its head, where that is to be trusted.
    head: Option<Head>,
    problems: Vec<Problem>,
    was_read: bool,
    /// Why it can't be restored, by what is wrong with something that it builds on.
    unread: Option<String>,
    /// What it builds on, among those that were looked at.
    parent: Option<usize>,
}

impl Seen<'_> {
    fn wrong(&mut self, wrong: Wrong, text: impl Into<String>) {
        let is_warning = wrong == Wrong::Quarantined || !self.is_wanted;
        self.problems.push(Problem {
            snapshot: Some(self.snapshot.id.clone()),
            stream: Some(self.snapshot.stream.clone()),
            wrong,
            severity: if is_warning { Severity::Warning } else { Severity::Failure },
            text: text.into(),
            affects: Vec::new(),
        });
    }

    fn is_spoilt(&self) -> bool {
        self.problems.iter().any(|problem| problem.wrong.spoils())
    }
}

/// The snapshots of a stream, one after another.
pub(super) struct Walk<'a> {
    repository: &'a Repository,
    survey: &'a Survey,
    stream: &'a str,
    check: &'a Check<'a>,
    rebuilder: Option<Rebuilder<'a>>,
    seen: Vec<Seen<'a>>,
    /// Where in it are those whose names have this id.
    places: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        repository: &'a Repository,
        (survey, stream): (&'a Survey, &'a str),
        check: &'a Check<'a>,
    ) -> Self {
        let catalogue = &survey.catalogue;
        let rebuilder =
            check.data.map(|(_, identities)| Rebuilder::new(repository, catalogue, identities));
        let (seen, places) = (Vec::new(), BTreeMap::new());
        Self { repository, survey, stream, check, rebuilder, seen, places }
    }

    pub(super) fn look_at(&mut self, snapshot: &'a Snapshot, is_wanted: bool) -> Result<(), Error> {
        let (problems, was_read, unread, parent) = (Vec::new(), false, None, None);
        let mut seen = Seen { snapshot, is_wanted, head: None, problems, was_read, unread, parent };
        match self.read(&mut seen) {
            Ok(()) => {}
            // It was removed in the meantime, as was to be.
            Err(Error::Damaged { problem: GONE, .. }) if !is_wanted => return Ok(()),
            Err(error) if is_outage(&error) => return Err(error),
            Err(error) => {
                let (wrong, text) = told(&error);
                seen.wrong(wrong, text);
            }
        }
        // Where the place has a clock of its own, a writer can't date a snapshot as it likes.
        let off_by = |head: &Head| self.repository.off_by(snapshot, &head.header);
        if seen.head.as_ref().and_then(off_by).is_some_and(|off| off > SKEW) {
            let modified = snapshot.modified.map(|time| time.to_string()).unwrap_or_default();
            let text = format!("says it is of {}, but came there {modified}", snapshot.created);
            seen.wrong(Wrong::Quarantined, text);
        }
        self.places.entry(&snapshot.id).or_default().push(self.seen.len());
        self.seen.push(seen);
        Ok(())
    }

    fn read(&mut self, seen: &mut Seen<'_>) -> Result<(), Error> {
        let snapshot = seen.snapshot;
        let is_data = self.check.data.is_some_and(|(keys, _)| keys.contains(&snapshot.key));
        if self.check.reading == Reading::Heads && !is_data {
            seen.head = Some(self.repository.head(snapshot)?);
            return Ok(());
        }
        let file = self.repository.read(snapshot)?;
        let (head, _) = self.repository.open_file(snapshot, &file)?;
        let head = seen.head.insert(head).clone();
        let Some(rebuilder) = self.rebuilder.as_mut().filter(|_| is_data) else { return Ok(()) };
        match rebuilder.rebuild(snapshot, &file, &head) {
            Ok(restored) => match differs(&restored.origin, restored.state) {
                Some(text) => seen.wrong(Wrong::Content, text),
                None => seen.was_read = true,
            },
            Err(error) if is_outage(&error) => return Err(error),
            Err(Error::Damaged { id, problem }) if id == snapshot.id => {
                seen.wrong(Wrong::Content, problem);
            }
            Err(Error::WrongIdentity { .. }) => {
                seen.wrong(Wrong::Key, "is not encrypted for any of the given identities");
            }
            Err(Error::Newer { problem, .. }) => seen.wrong(Wrong::Newer, later(problem)),
            // What it builds on is at fault, and is told of there if it was read too.
            Err(error) => seen.unread = Some(error.to_string()),
        }
        Ok(())
    }

    /// Finds what each snapshot builds on: exactly the one that its signed header names.
    pub(super) fn follow_parents(&mut self) {
        for at in 0..self.seen.len() {
            let link = self.seen[at].head.as_ref().and_then(|head| head.header.parent.clone());
            let Some(link) = link else { continue };
            let short = link.id.get(..8).unwrap_or(&link.id);
            let places = || self.places.get(short).into_iter().flatten().copied();
            let is_it =
                |&at: &usize| self.seen[at].head.as_ref().is_some_and(|head| head.is(&link));
            let found = places().find(is_it);
            let found = found.or_else(|| places().find(|&at| self.seen[at].head.is_none()));
            self.seen[at].parent = found;
            // What is wanted tells of itself what is wrong with it, and whom that affects.
            if found
                .is_some_and(|found| self.seen[found].is_wanted || !self.seen[found].is_spoilt())
            {
                continue;
            }
            let problem = match found {
                Some(_) => "cannot be used",
                None if self.has(&link.id) => "is another now",
                None => "is not there",
            };
            self.seen[at].wrong(Wrong::Chain, format!("{short}, which it builds on, {problem}"));
        }
    }

    /// Returns those whose names have the beginning of this id.
    fn like(&self, id: &str) -> impl Iterator<Item = &Seen<'a>> {
        let places = self.places.get(id.get(..8).unwrap_or(id)).into_iter().flatten();
        places.map(|&at| &self.seen[at])
    }

    fn has(&self, id: &str) -> bool {
        self.like(id).any(|seen| seen.head.as_ref().is_some_and(|h| h.header.snapshot.id == id))
    }

    /// Finds what was removed: each snapshot names the one that was the newest before it.
    pub(super) fn follow_order(&mut self) -> Result<(), Error> {
        for at in 0..self.seen.len() {
            let previous = self.seen[at].head.as_ref().and_then(|head| head.header.before());
            let Some(link) = previous else { continue };
            let short = link.id.get(..8).unwrap_or(&link.id);
            if self.is_accounted_for(&link) || self.survey.is_removed(self.stream, short) {
                continue;
            }
            let problem = if self.has(&link.id) {
                "is another now"
            } else if self.repository.is_there_now(self.stream, short)? {
                continue;
            } else {
                "is gone, and no owner had it removed"
            };
            let text = format!("{short}, the newest before it, {problem}");
            self.seen[at].wrong(Wrong::Removed, text);
        }
        Ok(())
    }

    /// Returns whether what a link names is there: itself, what it became when it was encrypted
    /// anew, or something damaged in its place.
    fn is_accounted_for(&self, link: &Link) -> bool {
        self.like(&link.id).any(|seen| match &seen.head {
            None => true,
            Some(head) if head.header.snapshot.id == link.id => {
                head.hash == link.header || seen.snapshot.generation > 0
            }
            Some(_) => false,
        })
    }

    pub(super) fn find_duplicates(&mut self) {
        let mut first: BTreeMap<(String, u32), &str> = BTreeMap::new();
        for seen in &mut self.seen {
            let Some(head) = &seen.head else { continue };
            let identity = (head.header.snapshot.id.clone(), head.header.generation);
            match first.get(&identity) {
                None => drop(first.insert(identity, &seen.snapshot.key)),
                Some(key) => {
                    let text = format!("{key} has the same id");
                    seen.wrong(Wrong::Duplicate, text);
                }
            }
        }
    }

    pub(super) fn finish(mut self) -> Verified {
        let lost: BTreeSet<usize> = self.affected().into_iter().flatten().collect();
        for (at, seen) in self.seen.iter_mut().enumerate() {
            let unread = seen.unread.take();
            if let Some(why) = unread.filter(|_| !lost.contains(&at) && !seen.is_spoilt()) {
                seen.wrong(Wrong::Chain, format!("cannot be restored: {why}"));
            }
        }
        let affected = self.affected();
        let lost: BTreeSet<usize> = affected.iter().flatten().copied().collect();
        let is_good = |&(at, seen): &(usize, &Seen<'_>)| !seen.is_spoilt() && !lost.contains(&at);
        let mut found = Verified {
            snapshots: self.seen.len(),
            good: self.seen.iter().enumerate().filter(is_good).count(),
            read: self.seen.iter().filter(|seen| seen.was_read).count(),
            problems: Vec::new(),
            records: self.records(),
        };
        let ids: Vec<&str> = self.seen.iter().map(|seen| seen.snapshot.id.as_str()).collect();
        for (seen, above) in self.seen.iter().zip(affected) {
            let affects: Vec<String> = above.into_iter().map(|at| ids[at].to_owned()).collect();
            found.problems.extend(seen.problems.iter().cloned().map(|mut problem| {
                if problem.wrong.spoils() {
                    problem.affects.clone_from(&affects);
                }
                problem
            }));
        }
        found
    }

    /// Returns by which records what is wanted is encrypted, and how much by each.
    fn records(&self) -> BTreeMap<u32, usize> {
        let mut records = BTreeMap::new();
        let wanted = self.seen.iter().filter(|seen| seen.is_wanted);
        for head in wanted.filter_map(|seen| seen.head.as_ref()) {
            *records.entry(head.header.record).or_default() += 1;
        }
        records
    }

    /// Returns what each snapshot that can't be used spoils, which builds on it.
    fn affected(&self) -> Vec<Vec<usize>> {
        let seen = self.seen.iter().enumerate();
        seen.map(|(at, seen)| if seen.is_spoilt() { self.above(at) } else { Vec::new() }).collect()
    }

    /// Returns everything that builds on a snapshot in the end.
    fn above(&self, of: usize) -> Vec<usize> {
        let mut found = BTreeSet::from([of]);
        // What builds on something mostly comes after it, so that one round finds all.
        loop {
            let before = found.len();
            for (at, seen) in self.seen.iter().enumerate() {
                if seen.parent.is_some_and(|parent| found.contains(&parent)) {
                    found.insert(at);
                }
            }
            if found.len() == before {
                break;
            }
        }
        found.remove(&of);
        found.into_iter().collect()
    }
}
