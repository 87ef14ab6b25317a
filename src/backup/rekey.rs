//! Encrypts snapshots anew, stream by stream, for the recipients that the repository has now.
//!
//! Each one becomes one more object, of the next generation, with the same label and the same body;
//! the links in it lead to the next generations of what it builds on. The old objects are only named
//! as ones to be removed, and only when every snapshot of the stream is there anew: a writer may be
//! building on them. One list at the end names those of all streams, since every backup reads every
//! list until a prune of all streams has done what it says. So everything can be restored at any
//! moment, and after an interruption the next run goes on where it was. What a lost key has read
//! already, nothing takes back.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};

use jiff::Timestamp;

use super::body::{self, Flaw, Raw};
use super::catalogue::Catalogue;
use super::container::{Encryption, Head, Header, Link, Payload};
use super::crypt::{self, Refusal};
use super::repository::flawed;
use super::tomb;
use super::write::{commit, sealed};
use super::{Error, Identities, Kind, Repository, Signer, Snapshot};

/// What became of a stream.
#[derive(Debug, Default)]
pub struct Rekeyed {
    /// How many snapshots were encrypted anew.
    pub written: usize,
    /// How many were so already.
    pub current: usize,
    /// How many old objects nothing needs any more, which are to be named.
    pub superseded: usize,
    /// What could not be encrypted anew, by its id; what is older stays as it is then.
    pub failed: Vec<(String, Error)>,
}

/// Encrypts streams anew, for the recipients of the newest record.
#[derive(Debug)]
pub struct Rekeyer<'a> {
    repository: &'a Repository,
    identities: &'a Identities,
    signer: &'a Signer,
    /// What there was at the beginning.
    catalogue: Catalogue,
    /// The keys of the old objects that nothing needs any more and no list names.
    old: BTreeSet<String>,
}

impl<'a> Rekeyer<'a> {
    /// Lists what there is.
    ///
    /// # Errors
    ///
    /// [`Error::NotOwner`] and [`Error::NotAuthorised`] if the signer may not do this, and whatever
    /// keeps the place from answering.
    pub fn new(
        repository: &'a Repository,
        identities: &'a Identities,
        signer: &'a Signer,
    ) -> Result<Self, Error> {
        repository.may_remove(signer)?;
        repository.may_write(signer)?;
        let catalogue = repository.catalogue()?;
        Ok(Self { repository, identities, signer, catalogue, old: BTreeSet::new() })
    }

    /// Returns the names of all streams.
    pub fn streams(&self) -> Vec<String> {
        self.catalogue.streams().map(str::to_owned).collect()
    }

    /// Encrypts the snapshots of one stream.
    ///
    /// # Errors
    ///
    /// Whatever keeps the place from answering. What is wrong with one snapshot is in
    /// [`Rekeyed::failed`].
    pub fn run(&mut self, stream: &str) -> Result<Rekeyed, Error> {
        let list = || Catalogue::list_stream(&*self.repository.vault, stream);
        let mut rekeyed = self.encrypt(list()?.stream(stream))?;
        if rekeyed.failed.is_empty() {
            let found = list()?;
            let old = found.superseded(stream).iter();
            let new = old.filter(|old| !self.catalogue.is_doomed(old)).map(|old| old.key.clone());
            let before = self.old.len();
            self.old.extend(new);
            rekeyed.superseded = self.old.len() - before;
        }
        Ok(rekeyed)
    }

    fn encrypt(&self, snapshots: &[Snapshot]) -> Result<Rekeyed, Error> {
        let &Self { repository, identities, signer, .. } = self;
        let (anew, rekeyed) = (BTreeMap::new(), Rekeyed::default());
        let mut task = Task { repository, identities, signer, anew, rekeyed };
        let mut open: Vec<&Snapshot> = snapshots.iter().collect();
        // What builds on a later one, by a clock that is wrong, waits for another round.
        loop {
            let before = open.len();
            let mut waiting = Vec::new();
            for snapshot in open {
                if !task.run(snapshot)? {
                    waiting.push(snapshot);
                }
            }
            open = waiting;
            if open.is_empty() || open.len() == before {
                break;
            }
        }
        let mut rekeyed = task.rekeyed;
        rekeyed.failed.extend(
            open.into_iter()
                .map(|snapshot| (snapshot.id.clone(), Error::NotAnew { id: snapshot.id.clone() })),
        );
        Ok(rekeyed)
    }

    /// Names the old objects of the streams that are there anew as ones to be removed.
    pub fn finish(self, now: Timestamp) -> Result<(), Error> {
        if self.old.is_empty() {
            return Ok(());
        }
        let Repository { vault, .. } = self.repository;
        let (id, by) = (self.repository.id(), (self.signer, now));
        let old = (tomb::Of::Superseded, self.old.into_iter().collect());
        tomb::write(&**vault, tomb::PENDING, id, old, by).map(drop)
    }
}

impl Repository {
    /// Returns an error if these keys open nothing of what there is: then new recipients would count
    /// for what comes, and nothing be encrypted anew.
    pub fn may_read(&self, identities: &Identities) -> Result<(), Error> {
        let (mut records, mut refusal) = (BTreeSet::new(), None);
        for snapshot in self.list()?.iter().rev() {
            let opened = match self.head(snapshot) {
                // All of one record are for the same recipients.
                Ok(head) if !records.insert(head.header.record) => continue,
                Ok(_) => self.origin(snapshot, identities).map(drop),
                Err(error) => Err(error),
            };
            match opened {
                Ok(()) => return Ok(()),
                Err(error @ (Error::Io { .. } | Error::Store(_))) => return Err(error),
                Err(error @ (Error::NoIdentity { .. } | Error::WrongIdentity { .. })) => {
                    refusal.get_or_insert(error);
                }
                // It says nothing of the keys.
                Err(_) => {}
            }
        }
        refusal.map_or(Ok(()), Err)
    }
}

/// The work on one stream.
struct Task<'a> {
    repository: &'a Repository,
    identities: &'a Identities,
    signer: &'a Signer,
    /// Of each id what to refer to it by from now on.
    anew: BTreeMap<String, Link>,
    rekeyed: Rekeyed,
}

impl Task<'_> {
    /// Encrypts a snapshot anew, unless what it builds on has to come first.
    fn run(&mut self, snapshot: &Snapshot) -> Result<bool, Error> {
        match self.step(snapshot) {
            Err(error @ (Error::Io { .. } | Error::Store(_) | Error::SelfCheck { .. })) => {
                Err(error)
            }
            Err(error) => {
                self.rekeyed.failed.push((snapshot.id.clone(), error));
                Ok(true)
            }
            done => done,
        }
    }

    fn step(&mut self, snapshot: &Snapshot) -> Result<bool, Error> {
        let file = self.repository.read(snapshot)?;
        let (head, payload) = self.repository.open_file(snapshot, &file)?;
        let parent = match &head.header.parent {
            None => None,
            Some(old) => match self.anew.get(&old.id) {
                None => return Ok(false),
                Some(anew) => Some(anew.clone()),
            },
        };
        if self.is_current(&head) && head.header.parent == parent {
            self.anew.insert(head.header.snapshot.id.clone(), head.link());
            self.rekeyed.current += 1;
            return Ok(true);
        }
        let raw = self.raw(snapshot, &head, payload)?;
        let link = self.write(&head.header, &raw, parent)?;
        self.anew.insert(link.id.clone(), link);
        self.rekeyed.written += 1;
        Ok(true)
    }

    /// Returns whether a snapshot is encrypted for those for whom it would be now.
    fn is_current(&self, head: &Head) -> bool {
        let records = &self.repository.records;
        head.header.encryption == records.encryption()
            && records.is_for_the_same(head.header.record)
    }

    /// Returns the body of a snapshot, which is the one that was written.
    fn raw(&self, snapshot: &Snapshot, head: &Head, payload: &[u8]) -> Result<Raw, Error> {
        let flawed = |flaw| flawed(snapshot, flaw);
        let plain: Box<dyn Read + '_> = match head.header.encryption {
            Encryption::None => Box::new(payload),
            Encryption::Age if self.identities.is_empty() => {
                return Err(Error::NoIdentity { id: snapshot.id.clone() });
            }
            Encryption::Age => match crypt::decrypt(payload, self.identities) {
                Ok(plain) => Box::new(plain),
                Err(Refusal::NoneFits) => {
                    return Err(Error::WrongIdentity { id: snapshot.id.clone() });
                }
                Err(Refusal::Damaged) => {
                    return Err(flawed(Flaw::Damaged("its payload cannot be decrypted")));
                }
            },
        };
        let raw = Raw::read(plain).map_err(flawed)?;
        let parent = head.header.parent.as_ref().map(|link| &link.id);
        if raw.inner.snapshot != head.header.snapshot || raw.inner.parent.as_ref() != parent {
            return Err(flawed(Flaw::Damaged("its payload belongs to another snapshot")));
        }
        if raw.inner.snapshot.kind == Kind::Full {
            body::check(&raw.inner.state, raw.content()).map_err(flawed)?;
        }
        Ok(raw)
    }

    /// Writes the next generation of a snapshot, and reads it back.
    fn write(&self, old: &Header, raw: &Raw, parent: Option<Link>) -> Result<Link, Error> {
        let repository = self.repository;
        let level = match raw.inner.snapshot.kind {
            Kind::Full => body::LEVEL,
            Kind::Incremental | Kind::Differential => body::level_of_delta(raw.content().len()),
        };
        let fill = |out: &mut dyn Write| raw.write(level, out);
        let payload = sealed(repository.protection(), raw.content(), fill)?;
        let anew = |link: Link| self.anew.get(&link.id).cloned().unwrap_or(link);
        let header = Header {
            parent,
            previous: old.previous.clone().map(anew),
            generation: old.generation + 1,
            record: repository.record_number(),
            encryption: repository.records.encryption(),
            signer: self.signer.public(),
            payload: Payload::of(&payload),
            ..old.clone()
        };
        let (snapshot, member) = commit(repository, &header, &payload, self.signer)?;
        let stored = repository.read(&snapshot)?;
        let (head, payload) = repository.open_file(&snapshot, &stored)?;
        // The new key need not be at hand; what was sealed was read back from the same bytes.
        match self.raw(&snapshot, &head, payload) {
            Ok(back) if back.content() != raw.content() => {
                return Err(Error::SelfCheck { problem: "its bytes differ" });
            }
            Ok(_) | Err(Error::WrongIdentity { .. } | Error::NoIdentity { .. }) => {}
            Err(error) => return Err(error),
        }
        Ok(Link { id: member.id, header: member.header })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use age::secrecy::ExposeSecret as _;

    use super::*;
    use crate::backup::prune::{Pruner, Rules};
    use crate::backup::retention::Policy;
    use crate::backup::sample::{Sample, addition, at};
    use crate::backup::shelf::{Death, Shelf};
    use crate::backup::vault::Vault;
    use crate::backup::verify::{Check, Reading, Wrong};
    use crate::backup::{Addition, Heads, Keys, Protection, Recipients, Strategy, stream_of};

    const URI: &str = "file:///srv/prod/terraform.tfstate";

    struct Place {
        sample: Sample,
        shelf: Arc<Shelf>,
        /// The new key, and who has it.
        recipients: Recipients,
        new: Identities,
    }

    fn open(shelf: &Arc<Shelf>) -> Result<Repository, Error> {
        Repository::open(Arc::<Shelf>::clone(shelf), Keys::default())
    }

    fn state(second: i64) -> Vec<u8> {
        format!("{{\"serial\": {second}, \"resources\": [{{\"a\": 1}}, {{\"b\": 2}}]}}")
            .into_bytes()
    }

    /// Restores everything by one of these keys, and returns how many there are.
    fn restored(shelf: &Arc<Shelf>, by: &[&Identities]) -> usize {
        let repository = open(shelf).unwrap();
        let listed = repository.list().unwrap();
        for snapshot in &listed {
            let second = snapshot.created.duration_since(at(0)).as_secs();
            let got = by.iter().find_map(|keys| repository.get(snapshot, keys).ok());
            assert!(got.is_some_and(|got| *got.state == *state(second)), "{second}");
        }
        listed.len()
    }

    impl Place {
        fn new(rounds: i64, protection: impl FnOnce(&Sample) -> Protection) -> Self {
            let (sample, shelf) = (Sample::new(), Arc::new(Shelf::default()));
            let vault: Arc<dyn Vault> = Arc::<Shelf>::clone(&shelf);
            let asked = protection(&sample);
            Repository::open_or_create(vault, Some(&asked), sample.keys(), at(0)).unwrap();
            let key = age::x25519::Identity::generate();
            let path = sample.folder().join("new");
            let text = key.to_string();
            crate::base::fs::write_new(&path, text.expose_secret().as_bytes()).unwrap();
            let recipients = Recipients::parse(&[key.to_public().to_string()]).unwrap().unwrap();
            let place = Self { sample, shelf, recipients, new: Identities::read(&[path]).unwrap() };
            for second in 0..rounds {
                place.add(second * 10, Strategy::Full);
                place.add(second * 10 + 1, Strategy::Incremental);
                place.add(second * 10 + 2, Strategy::Incremental);
            }
            place
        }

        fn add(&self, second: i64, strategy: Strategy) -> usize {
            let repository = open(&self.shelf).unwrap();
            let state = state(second);
            let wanted = Addition { created: at(second), ..addition(URI, &state, strategy) };
            let heads = Heads::below(self.sample.folder());
            let catalogue = repository.catalogue().unwrap();
            repository.add(&catalogue, &wanted, Some(&heads), &self.sample.signer).unwrap().depth
        }

        /// Does what `repo rekey` does.
        fn rekey(&self, vault: &Arc<Shelf>) -> Result<Rekeyed, Error> {
            let signer = &self.sample.signer;
            let mut repository = open(vault)?;
            if *repository.protection() != Protection::Recipients(self.recipients.clone()) {
                repository.set_recipients(&self.recipients, signer, at(100))?;
                repository = open(vault)?;
            }
            let old = self.sample.identities();
            let mut task = Rekeyer::new(&repository, &old, signer)?;
            let done = task.run(&stream_of(URI))?;
            task.finish(at(100)).map(|()| done)
        }

        fn sweep(&self, vault: &Arc<Shelf>) -> usize {
            let repository = open(vault).unwrap();
            let policy = Policy { last: 100, ..Policy::default() };
            let now = at(100 + 2 * 86_400);
            let grace = jiff::SignedDuration::from_hours(24);
            let pruner =
                Pruner::new(&repository, Rules { policy: &policy, grace, now, damaged: false })
                    .unwrap();
            let plan = pruner.plan(&stream_of(URI)).unwrap();
            pruner.sweep(&[plan], &self.sample.signer).unwrap().deleted.len()
        }
    }

    #[test]
    fn all_is_read_by_the_new_key_alone_once_it_is_done_and_swept() {
        for plain in [true, false] {
            let place =
                Place::new(3, |sample| if plain { Protection::None } else { sample.encrypted() });
            let rekeyed = place.rekey(&place.shelf).unwrap();
            assert_eq!((rekeyed.written, rekeyed.superseded), (9, 9), "{:?}", rekeyed.failed);
            assert_eq!(place.shelf.keys("s/").len(), 18);
            assert_eq!(restored(&place.shelf, &[&place.new]), 9);
            // Each names the one before it as it is now, so that none can be taken out.
            let repository = open(&place.shelf).unwrap();
            let listed = repository.list().unwrap();
            let heads: Vec<Head> = listed.iter().map(|s| repository.head(s).unwrap()).collect();
            for pair in heads.windows(2) {
                assert_eq!(pair[1].header.before(), Some(pair[0].link()));
            }
            assert_eq!(place.sweep(&place.shelf), 9);
            assert_eq!(place.shelf.keys("s/").len(), 9);
            assert_eq!(restored(&place.shelf, &[&place.new]), 9);
            let again = place.rekey(&place.shelf).unwrap();
            assert_eq!((again.written, again.current, again.superseded), (0, 9, 0));
            // The next backup knows that what it remembers was encrypted anew.
            assert_eq!(place.add(200, Strategy::Incremental), 0);
        }
    }

    #[test]
    fn after_a_crash_at_any_moment_all_is_read_and_the_next_run_goes_on() {
        let place = Place::new(1, Sample::encrypted);
        let old = place.sample.identities();
        let mut crashes = 0;
        for step in 0.. {
            let mut finished = false;
            for death in [Death::Before(step), Death::After(step)] {
                let shelf = Arc::new(place.shelf.copy());
                shelf.die(Some(death));
                finished = place.rekey(&shelf).is_ok();
                crashes += usize::from(!finished);
                shelf.die(None);
                assert_eq!(restored(&shelf, &[&old, &place.new]), 3, "{death:?}");
                let rest = place.rekey(&shelf).unwrap();
                assert_eq!(rest.written + rest.current, 3);
                assert_eq!(restored(&shelf, &[&place.new]), 3, "{death:?}");
                place.sweep(&shelf);
                assert_eq!(shelf.keys("s/").len(), 3, "{death:?}");
                assert_eq!(restored(&shelf, &[&place.new]), 3, "{death:?}");
            }
            if finished {
                break;
            }
        }
        assert!(crashes > 30, "{crashes}");
    }

    #[test]
    fn what_is_taken_away_after_it_is_missed_as_before() {
        for swept in [false, true] {
            let place = Place::new(3, Sample::encrypted);
            place.rekey(&place.shelf).unwrap();
            if swept {
                assert_eq!(place.sweep(&place.shelf), 9);
            }
            let problems = || {
                let repository = open(&place.shelf).unwrap();
                let check = Check { reading: Reading::Whole, data: None, only: None };
                let survey = repository.survey().unwrap();
                let found = repository.verify_stream(&survey, &stream_of(URI), &check).unwrap();
                found.problems.iter().map(|problem| problem.wrong).collect::<Vec<_>>()
            };
            assert_eq!(problems(), []);
            // Nothing builds on it, and the one after it names it.
            let is_sixth = |key: &String| key.contains("-00000006-i1-");
            let sixth = place.shelf.keys("s/").into_iter().find(is_sixth).unwrap();
            place.shelf.objects().remove(&sixth).unwrap();
            assert_eq!(problems(), [Wrong::Removed]);
        }
    }

    #[test]
    fn what_two_of_them_encrypted_at_once_counts_once_for_retention() {
        let place = Place::new(3, Sample::encrypted);
        let before = place.shelf.objects().clone();
        place.rekey(&place.shelf).unwrap();
        let by_one = std::mem::replace(&mut *place.shelf.objects(), before);
        place.rekey(&place.shelf).unwrap();
        place.shelf.objects().extend(by_one.into_iter().filter(|(key, _)| key.starts_with("s/")));
        let repository = open(&place.shelf).unwrap();
        let stream = stream_of(URI);
        assert_eq!(repository.catalogue().unwrap().stream(&stream).len(), 18);
        let policy = Policy { last: 6, ..Policy::default() };
        let (grace, now) = (jiff::SignedDuration::ZERO, at(200));
        let rules = Rules { policy: &policy, grace, now, damaged: false };
        let plan = Pruner::new(&repository, rules).unwrap().plan(&stream).unwrap();
        let kept = plan.verdicts.iter().filter(|verdict| !verdict.reasons.is_empty());
        let kept: Vec<u32> = kept.map(|verdict| verdict.snapshot.sequence).collect();
        assert_eq!(kept, [4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9]);
    }

    #[test]
    fn one_list_names_the_old_objects_of_all_streams_and_another_run_names_none_again() {
        let place = Place::new(1, Sample::encrypted);
        let uris = [URI, "file:///srv/test/terraform.tfstate", "s3://acme/terraform.tfstate"];
        for uri in &uris[1..] {
            let wanted = Addition { created: at(1), ..addition(uri, b"{}", Strategy::Full) };
            let repository = open(&place.shelf).unwrap();
            let catalogue = repository.catalogue().unwrap();
            repository.add(&catalogue, &wanted, None, &place.sample.signer).unwrap();
        }
        assert!(place.rekey(&place.shelf).is_ok());
        let (repository, signer) = (open(&place.shelf).unwrap(), &place.sample.signer);
        let old = place.sample.identities();
        for superseded in [2, 0] {
            let before = place.shelf.keys("gc/").len();
            let mut task = Rekeyer::new(&repository, &old, signer).unwrap();
            let streams = task.streams();
            let done = streams.iter().map(|stream| task.run(stream).unwrap().superseded);
            assert_eq!((streams.len(), done.sum::<usize>()), (uris.len(), superseded));
            task.finish(at(101)).unwrap();
            assert_eq!(place.shelf.keys("gc/").len(), before + superseded / 2);
        }
    }

    #[test]
    fn one_that_cannot_be_read_is_told_and_nothing_of_its_stream_is_named() {
        let place = Place::new(3, Sample::encrypted);
        let key = place.shelf.keys("s/").pop().unwrap();
        *place.shelf.objects().get_mut(&key).unwrap().last_mut().unwrap() ^= 1;
        let rekeyed = place.rekey(&place.shelf).unwrap();
        assert_eq!((rekeyed.written, rekeyed.superseded, rekeyed.failed.len()), (8, 0, 1));
        let stranger = Signer::generate().unwrap();
        let repository = open(&place.shelf).unwrap();
        let none = Identities::default();
        let refused = Rekeyer::new(&repository, &none, &stranger).unwrap_err();
        assert!(matches!(refused, Error::NotOwner { .. }), "{refused}");
    }
}
