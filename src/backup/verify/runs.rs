//! The notes of runs: that none is missing between others, and that the snapshots which they name are
//! there. Snapshots name only those before them, so that without notes nobody would see the newest
//! ones taken away.

use std::collections::{BTreeMap, BTreeSet};

use super::{LOOKS, Problem, Reading, Severity, Survey, Wrong, is_outage, told};
use crate::backup::run::{FOLDER, GONE, Latest, Name, Run, Runs};
use crate::backup::{Error, Repository};

/// How many notes of a writer are read where all of the snapshots are.
pub(in crate::backup) const DEEP: u32 = 32;

impl Repository {
    /// Looks at the notes of runs, and at what they say of some streams, or of all.
    ///
    /// With a memory, it also sees when the newest notes that it saw earlier were taken away.
    pub fn verify_runs(
        &self,
        survey: &Survey,
        reading: Reading,
        streams: Option<&BTreeSet<String>>,
        memory: Option<&Runs>,
    ) -> Result<Vec<Problem>, Error> {
        let mut by_writer: BTreeMap<&str, Vec<&Name>> = BTreeMap::new();
        let known: Vec<String> = self.writers().iter().map(|w| w.key.fingerprint()).collect();
        for writer in &known {
            by_writer.entry(writer).or_default();
        }
        for name in &survey.runs {
            by_writer.entry(&name.writer).or_default().push(name);
        }
        let mut look = Look { repository: self, survey, streams, told: BTreeSet::new() };
        let depth = if reading == Reading::Heads { 1 } else { DEEP };
        let mut problems = Vec::new();
        for (writer, mut names) in by_writer {
            names.sort_by_key(|name| name.n);
            let before = memory.and_then(|memory| memory.read(self.id(), writer));
            let told = look.told.clone();
            let mut found = look.of_writer(writer, &names, (before.as_ref(), depth))?;
            let mut now: Vec<Name>;
            for _ in 0..LOOKS {
                // An owner may be removing old ones just now: what is listed then is what counts.
                let listed = if found.is_empty() { break } else { look.left_of(writer)? };
                if listed.iter().eq(names.iter().copied()) {
                    break;
                }
                now = listed;
                names = now.iter().collect();
                look.told.clone_from(&told);
                found = look.of_writer(writer, &names, (before.as_ref(), depth))?;
            }
            let newest = names.last().filter(|_| found.is_empty());
            if let (Some(memory), Some(newest)) = (memory, newest)
                && before.is_none_or(|before| before.n < newest.n)
                && let Ok(note) = self.run(newest)
            {
                memory.remember(self.id(), writer, &Latest { n: newest.n, hash: note.hash });
            }
            problems.extend(found);
        }
        Ok(problems)
    }
}

fn problem(wrong: Wrong, text: String) -> Problem {
    let (severity, affects) = (Severity::Failure, Vec::new());
    Problem { snapshot: None, stream: None, wrong, severity, text, affects }
}

/// Finds where notes are missing between others. Old ones may be gone.
fn gaps(names: &[&Name]) -> Vec<Problem> {
    let pairs = names.windows(2).filter(|pair| pair[1].n > pair[0].n.saturating_add(1));
    let told = pairs.map(|pair| {
        let (first, last) = (pair[0].n + 1, pair[1].n - 1);
        let writer = &pair[0].writer;
        let text = if first == last {
            format!("the note of run {first} of writer {writer} is gone")
        } else {
            format!("the notes of the runs {first} to {last} of writer {writer} are gone")
        };
        problem(Wrong::Run, text)
    });
    told.collect()
}

/// Finds whether what was the newest note earlier is no longer there.
fn forgotten(writer: &str, names: &[&Name], before: &Latest) -> Option<Problem> {
    let newest = names.last().map_or(0, |name| name.n);
    let is_it = |name: &&&Name| name.n == before.n && before.hash.starts_with(&name.hash);
    let is_old = names.first().is_some_and(|oldest| oldest.n > before.n);
    if newest > before.n && is_old || names.iter().any(|name| is_it(&name)) {
        return None;
    }
    let text = format!(
        "the note of run {} of writer {writer}, which was there earlier, is gone; the newest is {}",
        before.n, newest
    );
    Some(problem(Wrong::Run, text))
}

/// What was looked at so far.
struct Look<'a> {
    repository: &'a Repository,
    survey: &'a Survey,
    streams: Option<&'a BTreeSet<String>>,
    /// The streams and snapshots of which it was told that they are gone.
    told: BTreeSet<(String, String)>,
}

impl Look<'_> {
    /// Looks at the notes of a writer, of which the oldest comes first.
    fn of_writer(
        &mut self,
        writer: &str,
        names: &[&Name],
        (before, depth): (Option<&Latest>, u32),
    ) -> Result<Vec<Problem>, Error> {
        let mut found = gaps(names);
        found.extend(before.and_then(|before| forgotten(writer, names, before)));
        found.extend(self.newest(names, depth)?);
        Ok(found)
    }

    /// Lists the notes of a writer that are there now, the oldest first.
    fn left_of(&self, writer: &str) -> Result<Vec<Name>, Error> {
        let mut left = self.repository.runs_in(FOLDER)?;
        left.retain(|name| name.writer == writer);
        left.sort_by_key(|name| name.n);
        Ok(left)
    }

    /// Returns whether a note and all before it are no longer there, and later ones are.
    fn is_swept(&self, gone: &Name) -> Result<bool, Error> {
        let oldest = self.left_of(&gone.writer)?.into_iter().next();
        Ok(oldest.is_some_and(|oldest| oldest.n > gone.n))
    }

    /// Reads the newest notes of a writer.
    fn newest(&mut self, names: &[&Name], depth: u32) -> Result<Vec<Problem>, Error> {
        let last = names.last().map_or(0, |name| name.n);
        let mut problems = Vec::new();
        for name in names.iter().rev().take_while(|name| last - name.n < depth) {
            match self.repository.run(name) {
                Ok(note) => {
                    let before =
                        names.iter().filter(|other| other.n.checked_add(1) == Some(name.n));
                    problems.extend(breaks(name, &note.says, before.copied()));
                    problems.extend(self.missing(name, &note.says)?);
                }
                Err(error) if is_outage(&error) => return Err(error),
                // An owner removes the oldest first: where all before it are gone, so may it be.
                Err(Error::Note { problem: GONE, .. }) if self.is_swept(name)? => break,
                Err(error) => {
                    let text = match error {
                        Error::Note { problem, .. } => format!("the note {} {problem}", name.key),
                        error => format!("the note {}: {}", name.key, told(&error).1),
                    };
                    problems.push(problem(Wrong::Run, text));
                }
            }
        }
        Ok(problems)
    }

    /// Finds snapshots that a run names and that nobody removed as one should.
    fn missing(&mut self, name: &Name, run: &Run) -> Result<Vec<Problem>, Error> {
        let mut problems = Vec::new();
        for (stream, id) in run.states.heads() {
            let is_asked = self.streams.is_none_or(|streams| streams.contains(stream));
            let mut listed = self.survey.catalogue.stream(stream).iter();
            if !is_asked
                || listed.any(|snapshot| snapshot.id == *id)
                || self.survey.is_removed(stream, id)
                || self.repository.is_there_now(stream, id)?
                || !self.told.insert((stream.clone(), id.clone()))
            {
                continue;
            }
            let run = name.created;
            let text = format!(
                "was the newest in the run of {run}; it is gone, and no owner had it removed"
            );
            problems.push(Problem {
                snapshot: Some(id.clone()),
                stream: Some(stream.clone()),
                ..problem(Wrong::Removed, text)
            });
        }
        Ok(problems)
    }
}

/// Finds whether a note does not go on from the one before it.
fn breaks<'a>(name: &Name, run: &Run, before: impl Iterator<Item = &'a Name>) -> Option<Problem> {
    let mut before = before.peekable();
    before.peek()?;
    let previous = run.previous.as_deref().unwrap_or_default();
    if before.any(|before| previous.starts_with(&before.hash)) {
        return None;
    }
    let text = format!("the note {} does not go on from the one before it", name.key);
    Some(problem(Wrong::Run, text))
}
