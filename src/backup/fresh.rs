//! When each state was last seen to be the same as in a snapshot: when that was made, or when a run
//! said that nothing had changed since.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::verify::{self, Survey};
use super::{Error, Repository};

/// How far ahead of this computer's clock that of a writer may be. What claims to be of a later time
/// would count as new for as long as it likes.
const AHEAD: SignedDuration = SignedDuration::from_hours(1);

/// How many runs are looked at after all is known that has to be: to say how old what is too old is,
/// and to find states of which there is no snapshot at all.
const ENOUGH: usize = 64;

/// The span of time that is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Period {
    /// What is older is too old.
    pub since: Timestamp,
    /// The present.
    pub now: Timestamp,
}

impl Repository {
    /// Returns when each state was last confirmed; nothing for one that never was.
    ///
    /// Only what a writer of the repository signed counts. Without `asked`, these are the states that
    /// there are snapshots of, and those that a run looked at.
    pub fn confirmed(
        &self,
        survey: &Survey,
        asked: Option<&BTreeSet<String>>,
        period: Period,
    ) -> Result<BTreeMap<String, Option<Timestamp>>, Error> {
        let streams = match asked {
            Some(asked) => asked.clone(),
            None => survey.catalogue().streams().map(str::to_owned).collect(),
        };
        let mut times: BTreeMap<String, Option<Timestamp>> =
            streams.into_iter().map(|stream| (stream, None)).collect();
        let missing = self.by_runs(survey, period, &mut times)?;
        for (stream, time) in &mut times {
            *time = self.by_snapshots(survey, stream, *time, period)?;
        }
        for stream in missing.into_iter().filter(|_| asked.is_none()) {
            times.entry(stream).or_default();
        }
        Ok(times)
    }

    /// Goes back through the runs, and returns the streams that some within the period looked at and
    /// that are in no listing: they were never backed up, or somebody took all of them away.
    fn by_runs(
        &self,
        survey: &Survey,
        period: Period,
        times: &mut BTreeMap<String, Option<Timestamp>>,
    ) -> Result<BTreeSet<String>, Error> {
        let mut runs: Vec<_> = survey.runs.iter().collect();
        runs.sort_by_key(|name| (name.created, name.n));
        let latest = period.now + AHEAD;
        runs.retain(|name| name.created <= latest);
        let (mut enough, mut missing) = (0, BTreeSet::new());
        while let Some(name) = runs.pop() {
            let is_old = name.created < period.since;
            enough += usize::from(is_old || times.values().all(Option::is_some));
            if enough > ENOUGH {
                break;
            }
            let run = match self.run(name) {
                Ok(note) => note.says,
                Err(error) if verify::is_outage(&error) => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "passed over the note of a run");
                    continue;
                }
            };
            for (stream, id) in run.states.confirmed() {
                let mut listed = survey.catalogue().stream(stream).iter();
                if !is_old && listed.len() == 0 && !survey.is_removed(stream, id) {
                    missing.insert(stream.clone());
                }
                if let Some(time @ None) = times.get_mut(stream)
                    && listed.any(|snapshot| snapshot.id == *id)
                {
                    *time = Some(name.created);
                }
            }
            if !is_old {
                missing.extend(run.states.failed.into_keys());
            }
        }
        Ok(missing)
    }

    /// Looks for a newer snapshot than that moment.
    fn by_snapshots(
        &self,
        survey: &Survey,
        stream: &str,
        time: Option<Timestamp>,
        period: Period,
    ) -> Result<Option<Timestamp>, Error> {
        let latest = period.now + AHEAD;
        let newer = |created| created <= latest && time.is_none_or(|time| created > time);
        let listed = survey.catalogue().stream(stream).iter().rev();
        for snapshot in listed.filter(|snapshot| newer(snapshot.created)) {
            match self.head(snapshot) {
                Ok(_) => return Ok(Some(snapshot.created)),
                Err(error) if verify::is_outage(&error) => return Err(error),
                Err(error) => tracing::warn!(%error, "passed over a snapshot"),
            }
        }
        Ok(time)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::backup::sample::{Sample, at};
    use crate::backup::tomb::{self, Of};
    use crate::backup::{Signer, States, stream_of};

    const URIS: [&str; 3] = ["file:///a", "file:///b", "file:///c"];

    /// Returns how many seconds after the beginning each state was confirmed.
    fn seconds(sample: &Sample, since: i64, now: i64) -> Vec<Option<i64>> {
        let repository = sample.open_as(None).unwrap();
        let period = Period { since: at(since), now: at(now) };
        let times = repository.confirmed(&repository.survey().unwrap(), None, period).unwrap();
        let of = |uri: &&str| times.get(&stream_of(uri)).copied().flatten();
        URIS.iter().map(of).map(|time| Some(time?.duration_since(at(0)).as_secs())).collect()
    }

    fn record(sample: &Sample, signer: &Signer, states: States, second: i64) {
        let repository = sample.open_as(None).unwrap();
        repository.record_run(states, None, (signer, at(second))).unwrap();
    }

    #[test]
    fn a_snapshot_confirms_and_so_does_a_run_that_found_nothing_new() {
        let sample = Sample::new();
        let repository = sample.plain();
        let snapshots: Vec<_> =
            URIS[..2].iter().map(|uri| sample.add(&repository, uri, b"{}", 10)).collect();
        let mut states = States::default();
        states.unchanged.insert(snapshots[0].stream.clone(), snapshots[0].id.clone());
        states.failed.insert(snapshots[1].stream.clone(), Some(snapshots[1].id.clone()));
        states.failed.insert(stream_of(URIS[2]), None);
        record(&sample, &sample.signer, states, 20);
        assert_eq!(seconds(&sample, 0, 30), [Some(20), Some(10), None]);
        assert_eq!(seconds(&sample, 25, 30), [Some(20), Some(10), None]);
        sample.add(&repository, URIS[0], b"[]", 25);
        assert_eq!(seconds(&sample, 0, 30), [Some(25), Some(10), None]);
    }

    #[test]
    fn a_state_whose_snapshots_are_all_gone_is_not_forgotten() {
        let sample = Sample::new();
        let repository = sample.plain();
        let snapshot = sample.add(&repository, URIS[0], b"{}", 10);
        let mut states = States::default();
        states.unchanged.insert(snapshot.stream.clone(), snapshot.id.clone());
        record(&sample, &sample.signer, states, 20);
        fs::remove_file(sample.root().join(&snapshot.key)).unwrap();
        let period = Period { since: at(0), now: at(30) };
        let times = || {
            let survey = repository.survey().unwrap();
            repository.confirmed(&survey, None, period).unwrap().into_iter().collect::<Vec<_>>()
        };
        assert_eq!(times(), [(snapshot.stream.clone(), None)]);
        // Unless an owner had them removed.
        let keys = vec![snapshot.key];
        let by = (&sample.signer, at(25));
        tomb::write(&*sample.vault(), tomb::REMOVED, repository.id(), (Of::Snapshots, keys), by)
            .unwrap();
        assert_eq!(times(), []);
    }

    #[test]
    fn what_nobody_signed_what_is_damaged_and_what_is_of_the_future_confirms_nothing() {
        let sample = Sample::new();
        let repository = sample.plain();
        let first = sample.add(&repository, URIS[0], b"{}", 10);
        let second = sample.add(&repository, URIS[0], b"[]", 20);
        sample.add(&repository, URIS[0], b"0", 100_000);
        let path = sample.root().join(&second.key);
        let mut bytes = fs::read(&path).unwrap();
        bytes[30] ^= 1;
        crate::base::fs::replace(&path, &bytes).unwrap();
        let mut states = States::default();
        states.unchanged.insert(first.stream.clone(), first.id.clone());
        record(&sample, &Signer::generate().unwrap(), states.clone(), 40);
        record(&sample, &sample.signer, states.clone(), 100_000);
        let mut gone = States::default();
        gone.unchanged.insert(first.stream, "01234567".to_owned());
        record(&sample, &sample.signer, gone, 45);
        assert_eq!(seconds(&sample, 0, 50)[0], Some(10));
    }
}
