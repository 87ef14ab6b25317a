//! Every problem is seen, and seen without a key unless it is inside a payload.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use jiff::Timestamp;

use super::*;
use crate::backup::container::{self, Header};
use crate::backup::run::Runs;
use crate::backup::sample::{Sample, addition, at};
use crate::backup::tomb::Of;
use crate::backup::vault::{Created, Vault};
use crate::backup::{Addition, Keys, Signer, SourceFacts, States, Strategy};
use crate::base::fs as files;
use crate::store;

const URI: &str = "file:///srv/prod/terraform.tfstate";
const OTHER: &str = "file:///srv/test/terraform.tfstate";

fn state(serial: usize) -> Vec<u8> {
    let instance = |n: usize| {
        let id = blake3::hash(&(n + 1000 * serial * usize::from(n == 3)).to_le_bytes()).to_hex();
        format!(
            "{{\"index_key\": {n}, \"schema_version\": 0, \"attributes\": {{\"id\": \"{id}\"}}}}"
        )
    };
    let instances: Vec<String> = (0..300).map(instance).collect();
    format!(
        "{{\"version\": 4, \"terraform_version\": \"1.9.0\", \"serial\": {serial}, \"lineage\": \"l\", \"resources\": [{{\
         \"mode\": \"managed\", \"type\": \"a\", \"name\": \"b\", \"provider\": \
         \"provider[\\\"x/y\\\"]\", \"each\": \"list\", \"instances\": [{}]}}]}}\n",
        instances.join(",\n")
    )
    .into_bytes()
}

/// Adds a snapshot of the state with this serial.
fn add(sample: &Sample, uri: &str, serial: usize, strategy: Strategy) -> Snapshot {
    let bytes = state(serial);
    let facts = SourceFacts {
        serial: Some(serial as u64),
        lineage: Some("l".to_owned()),
        ..SourceFacts::default()
    };
    let created = at(i64::try_from(serial).unwrap());
    let wanted = Addition { facts, created, ..addition(uri, &bytes, strategy) };
    sample.add_by(&sample.open_as(None).unwrap(), &wanted).unwrap().snapshot
}

/// Makes a repository with two states: one full snapshot and three incremental ones, and two full.
fn sample() -> (Sample, Vec<Snapshot>) {
    let sample = Sample::new();
    sample.repository();
    let mut snapshots: Vec<Snapshot> =
        (1..=4).map(|n| add(&sample, URI, n, Strategy::Incremental)).collect();
    snapshots.extend((5..=6).map(|n| add(&sample, OTHER, n, Strategy::Full)));
    (sample, snapshots)
}

fn look(
    repository: &Repository,
    reading: Reading,
    data: Option<(Part, &Identities)>,
    memory: Option<&Runs>,
) -> Verified {
    let survey = repository.survey().unwrap();
    let data = data.map(|(part, identities)| (part.of(&survey, None), identities));
    let data = data.as_ref().map(|(keys, identities)| (keys, *identities));
    let check = Check { reading, data, only: None };
    let mut all = Verified::default();
    for stream in survey.catalogue().streams() {
        all.add(repository.verify_stream(&survey, stream, &check).unwrap());
    }
    all.problems.extend(repository.verify_runs(&survey, check.reading, None, memory).unwrap());
    all.problems.extend(survey.strays());
    all
}

/// Looks at everything without a key, at the heads alone and as a whole.
fn both(sample: &Sample) -> [Verified; 2] {
    let repository = sample.open_as(None).unwrap();
    [Reading::Heads, Reading::Whole].map(|reading| look(&repository, reading, None, None))
}

/// Returns what is wrong, in short: with what, what, and what it affects.
fn said(found: &Verified) -> Vec<(Option<String>, Wrong, Vec<String>)> {
    let short =
        |problem: &Problem| (problem.snapshot.clone(), problem.wrong, problem.affects.clone());
    found.problems.iter().map(short).collect()
}

fn expected(
    snapshot: &Snapshot,
    wrong: Wrong,
    affects: &[Snapshot],
) -> Vec<(Option<String>, Wrong, Vec<String>)> {
    let affects = affects.iter().map(|snapshot| snapshot.id.clone()).collect();
    vec![(Some(snapshot.id.clone()), wrong, affects)]
}

fn path(sample: &Sample, key: &str) -> std::path::PathBuf {
    sample.root().join(key)
}

fn edit(sample: &Sample, key: &str, edit: impl FnOnce(&mut Vec<u8>)) {
    let path = path(sample, key);
    let mut bytes = fs::read(&path).unwrap();
    edit(&mut bytes);
    files::replace(&path, &bytes).unwrap();
}

fn remove(sample: &Sample, key: &str) {
    fs::remove_file(path(sample, key)).unwrap();
}

/// Signs another header for the payload of a snapshot, and puts it where it belongs.
fn sign_again(
    sample: &Sample,
    snapshot: &Snapshot,
    signer: &Signer,
    change: impl FnOnce(&mut Header),
) -> String {
    let file = fs::read(path(sample, &snapshot.key)).unwrap();
    let (head, payload) = container::open(&file).unwrap();
    let mut header = head.header;
    header.signer = signer.public();
    change(&mut header);
    let key = header.snapshot.key(header.generation, &header.payload.blake3);
    let file = [container::prefix(&header, signer).as_slice(), payload].concat();
    files::replace(&path(sample, &key), &file).unwrap();
    key
}

#[test]
fn a_repository_in_which_nothing_is_wrong_is_good_with_and_without_keys() {
    let (sample, _) = sample();
    for found in both(&sample) {
        assert_eq!((said(&found), found.snapshots, found.good), (Vec::new(), 6, 6));
    }
    let repository = sample.open_as(None).unwrap();
    let identities = sample.identities();
    let found = look(&repository, Reading::Whole, Some((Part::All, &identities)), None);
    assert_eq!((said(&found), found.good, found.read), (Vec::new(), 6, 6));
}

#[test]
fn a_bit_flipped_anywhere_is_seen_and_what_builds_on_it_is_named() {
    let (sample, snapshots) = sample();
    let len = fs::read(path(&sample, &snapshots[1].key)).unwrap().len();
    for at in (0..len).step_by(37).chain([len - 1]) {
        edit(&sample, &snapshots[1].key, |bytes| bytes[at] ^= 1);
        let [_, whole] = both(&sample);
        let [(id, wrong, affects)] = &said(&whole)[..] else { panic!("{at}: {whole:?}") };
        assert!(matches!(wrong, Wrong::Damaged | Wrong::Newer), "{at}: {wrong:?}");
        let above: Vec<String> = snapshots[2..4].iter().map(|s| s.id.clone()).collect();
        assert_eq!((id.as_ref(), affects), (Some(&snapshots[1].id), &above), "{at}");
        assert_eq!((whole.snapshots, whole.good), (6, 3));
        edit(&sample, &snapshots[1].key, |bytes| bytes[at] ^= 1);
    }
}

#[test]
fn one_that_was_cut_or_is_longer_is_seen_by_its_head_alone() {
    let (sample, snapshots) = sample();
    let changes: [fn(&mut Vec<u8>); 3] =
        [|bytes| bytes.truncate(bytes.len() - 1), |bytes| bytes.clear(), |bytes| bytes.push(0)];
    for change in changes {
        let kept = fs::read(path(&sample, &snapshots[5].key)).unwrap();
        edit(&sample, &snapshots[5].key, change);
        for found in both(&sample) {
            assert_eq!(said(&found), expected(&snapshots[5], Wrong::Damaged, &[]));
        }
        files::replace(&path(&sample, &snapshots[5].key), &kept).unwrap();
    }
}

#[test]
fn what_others_build_on_is_missed() {
    let (sample, snapshots) = sample();
    remove(&sample, &snapshots[1].key);
    for found in both(&sample) {
        let chain = expected(&snapshots[2], Wrong::Chain, &snapshots[3..4]);
        let order = expected(&snapshots[2], Wrong::Removed, &[]);
        assert_eq!(said(&found), [chain, order].concat());
        assert_eq!((found.snapshots, found.good), (5, 3));
    }
}

#[test]
fn one_that_nothing_builds_on_is_missed_unless_an_owner_had_it_removed() {
    for place in [PENDING, REMOVED] {
        let (sample, snapshots) = sample();
        remove(&sample, &snapshots[4].key);
        let keys = vec![snapshots[4].key.clone()];
        let missed = expected(&snapshots[5], Wrong::Removed, &[]);
        assert_eq!(both(&sample).map(|found| said(&found)), [missed.clone(), missed.clone()]);
        let vault = sample.vault();
        let repo = sample.open_as(None).unwrap().id().to_owned();
        let stranger = Signer::generate().unwrap();
        tomb::write(&*vault, place, &repo, (Of::Snapshots, keys.clone()), (&stranger, at(9)))
            .unwrap();
        assert_eq!(both(&sample).map(|found| said(&found)), [missed.clone(), missed]);
        tomb::write(&*vault, place, &repo, (Of::Snapshots, keys), (&sample.signer, at(9))).unwrap();
        assert_eq!(both(&sample).map(|found| said(&found)), [vec![], vec![]]);
    }
}

#[test]
fn what_is_to_be_removed_is_only_warned_of() {
    let (sample, snapshots) = sample();
    edit(&sample, &snapshots[4].key, |bytes| bytes[0] ^= 1);
    let repo = sample.open_as(None).unwrap().id().to_owned();
    let doomed = vec![snapshots[4].key.clone()];
    tomb::write(&*sample.vault(), PENDING, &repo, (Of::Snapshots, doomed), (&sample.signer, at(9)))
        .unwrap();
    for found in both(&sample) {
        assert_eq!(said(&found), expected(&snapshots[4], Wrong::Damaged, &[]));
        assert_eq!((found.count(Severity::Failure), found.count(Severity::Warning)), (0, 1));
    }
}

#[test]
fn one_under_another_name_or_from_another_stream_or_repository_is_seen() {
    let (sample, snapshots) = sample();
    let (elsewhere, others) = self::sample();
    let name = |key: &str| key.rsplit('/').next().unwrap().to_owned();
    let later = snapshots[0].key.replace("-00000001-", "-00000009-");
    let replays = [
        (path(&sample, &snapshots[0].key), later),
        (
            path(&sample, &snapshots[0].key),
            format!("s/{}/{}", snapshots[4].stream, name(&snapshots[0].key)),
        ),
        (path(&elsewhere, &others[0].key), others[0].key.clone()),
    ];
    for (from, key) in replays {
        files::replace(&path(&sample, &key), &fs::read(from).unwrap()).unwrap();
        for found in both(&sample) {
            let wrong: Vec<Wrong> = said(&found).into_iter().map(|(_, wrong, _)| wrong).collect();
            assert_eq!(wrong, [Wrong::Damaged], "{key}: {found:?}");
            assert_eq!((found.snapshots, found.good), (7, 6));
        }
        remove(&sample, &key);
    }
}

#[test]
fn one_that_replaces_what_others_build_on_is_no_substitute() {
    let (sample, snapshots) = sample();
    // A writer signs another header around the same payload, under the same name.
    sign_again(&sample, &snapshots[1], &sample.signer, |header| header.tags.push("x".to_owned()));
    for found in both(&sample) {
        let chain = expected(&snapshots[2], Wrong::Chain, &snapshots[3..4]);
        let order = expected(&snapshots[2], Wrong::Removed, &[]);
        assert_eq!(said(&found), [chain, order].concat());
        assert!(found.problems[0].text.ends_with("is another now"), "{found:?}");
    }
}

#[test]
fn one_that_no_writer_signed_is_not_trusted_nor_one_of_a_revoked_key() {
    let (sample, snapshots) = sample();
    let forger = Signer::generate().unwrap();
    let key = sign_again(&sample, &snapshots[5], &forger, |header| header.snapshot.seq = 9);
    for found in both(&sample) {
        assert_eq!(said(&found), expected(&snapshots[5], Wrong::Untrusted, &[]));
    }
    // It counts once its key is a writer's, and no more after that was revoked before it was made.
    let repository = sample.open_as(None).unwrap();
    repository.authorize(forger.public(), &sample.signer, at(0)).unwrap();
    remove(&sample, &key);
    sign_again(&sample, &snapshots[5], &forger, |header| {
        header.snapshot.seq = 9;
        header.snapshot.id = "0".repeat(32);
        header.previous = None;
    });
    assert_eq!(both(&sample).map(|found| said(&found)), [vec![], vec![]]);
    sample.open_as(None).unwrap().revoke(forger.public(), &sample.signer, at(1)).unwrap();
    for found in both(&sample) {
        assert_eq!(found.problems.len(), 1);
        assert_eq!(found.problems[0].wrong, Wrong::Untrusted);
    }
}

#[test]
fn two_of_one_id_are_seen() {
    let (sample, snapshots) = sample();
    sign_again(&sample, &snapshots[5], &sample.signer, |header| header.snapshot.seq = 9);
    for found in both(&sample) {
        assert_eq!(said(&found), expected(&snapshots[5], Wrong::Duplicate, &[]));
    }
}

#[test]
fn what_was_encrypted_anew_has_taken_the_place_of_what_it_was() {
    let (sample, snapshots) = sample();
    sign_again(&sample, &snapshots[4], &sample.signer, |header| header.generation = 1);
    assert_eq!(both(&sample).map(|found| said(&found)), [vec![], vec![]]);
    edit(&sample, &snapshots[4].key, |bytes| bytes[0] ^= 1);
    for found in both(&sample) {
        assert_eq!(said(&found), expected(&snapshots[4], Wrong::Damaged, &[]));
        assert_eq!((found.count(Severity::Failure), found.good), (0, 6));
    }
    remove(&sample, &snapshots[4].key);
    assert_eq!(both(&sample).map(|found| said(&found)), [vec![], vec![]]);
    // Not so for what others are told by.
    sign_again(&sample, &snapshots[2], &sample.signer, |header| header.generation = 1);
    edit(&sample, &snapshots[2].key, |bytes| bytes[0] ^= 1);
    for found in both(&sample) {
        let wrong = expected(&snapshots[2], Wrong::Damaged, &snapshots[3..4]);
        let chain = expected(&snapshots[3], Wrong::Chain, &[]);
        assert_eq!(said(&found), [wrong, chain].concat());
    }
}

#[test]
fn what_is_not_ours_is_only_warned_of() {
    let (sample, snapshots) = sample();
    let folder = snapshots[0].key.rsplit_once('/').unwrap().0;
    for key in [&format!("{folder}/notes.txt"), "s/loose", "r/2026/08/x.json"] {
        files::create_private_folder(path(&sample, key).parent().unwrap()).unwrap();
        files::replace(&path(&sample, key), b"hello").unwrap();
    }
    for found in both(&sample) {
        assert_eq!(found.problems.len(), 3);
        assert!(found.problems.iter().all(|problem| problem.wrong == Wrong::Stray));
        assert_eq!((found.count(Severity::Failure), found.good), (0, 6));
    }
}

/// A place that is far, received everything at one time, and counts what is read.
#[derive(Debug)]
struct Far {
    vault: Arc<dyn Vault>,
    time: Timestamp,
    reads: AtomicUsize,
    /// Whether it no longer answers.
    is_out: AtomicBool,
}

impl Far {
    fn answer(&self) -> Result<(), Error> {
        let what = "far".to_owned();
        let is_out = self.is_out.load(Ordering::SeqCst);
        if is_out { Err(store::Error::NotFound { what }.into()) } else { Ok(()) }
    }
}

impl Vault for Far {
    fn name(&self, key: &str) -> String {
        self.vault.name(key)
    }
    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.answer()?;
        self.vault.read(key)
    }
    fn start(&self, key: &str, len: u64) -> Result<Option<Vec<u8>>, Error> {
        self.answer()?;
        self.vault.start(key, len)
    }
    fn create(&self, key: &str, bytes: &[u8]) -> Result<Created, Error> {
        self.vault.create(key, bytes)
    }
    fn delete(&self, key: &str) -> Result<(), Error> {
        self.vault.delete(key)
    }
    fn list(&self, prefix: &str) -> Result<Vec<Object>, Error> {
        let dated = |object| Object { modified: Some(self.time), ..object };
        Ok(self.vault.list(prefix)?.into_iter().map(dated).collect())
    }
    fn sweep(&self, before: Timestamp) -> Result<usize, Error> {
        self.vault.sweep(before)
    }
    fn is_near(&self) -> bool {
        false
    }
}

fn far(sample: &Sample, time: Timestamp) -> (Arc<Far>, Repository) {
    let (reads, is_out) = (AtomicUsize::new(0), AtomicBool::new(false));
    let vault = Arc::new(Far { vault: sample.vault(), time, reads, is_out });
    let repository = Repository::open(Arc::<Far>::clone(&vault), Keys::default()).unwrap();
    (vault, repository)
}

#[test]
fn a_place_that_does_not_answer_says_nothing_of_what_is_in_it() {
    let (sample, snapshots) = sample();
    let (vault, repository) = far(&sample, at(0));
    let survey = repository.survey().unwrap();
    vault.is_out.store(true, Ordering::SeqCst);
    for reading in [Reading::Heads, Reading::Whole] {
        let check = Check { reading, data: None, only: None };
        let error = repository.verify_stream(&survey, &snapshots[0].stream, &check).unwrap_err();
        assert!(matches!(error, Error::Store(_)), "{error}");
    }
}

#[test]
fn a_time_that_is_not_that_of_the_place_is_warned_of() {
    let (sample, _) = sample();
    for (second, warned) in [(3500, 0), (3605, 4), (3700, 6), (-3595, 1)] {
        let (_, repository) = far(&sample, at(second));
        let found = look(&repository, Reading::Heads, None, None);
        assert!(found.problems.iter().all(|problem| problem.wrong == Wrong::Quarantined));
        assert_eq!(found.count(Severity::Warning), warned, "{second}");
    }
}

#[test]
fn each_object_is_read_once_when_all_is_restored() {
    let (sample, _) = sample();
    let (vault, repository) = far(&sample, at(0));
    vault.reads.store(0, Ordering::SeqCst);
    let identities = sample.identities();
    let found = look(&repository, Reading::Whole, Some((Part::All, &identities)), None);
    assert_eq!((found.read, vault.reads.load(Ordering::SeqCst)), (6, 6));
}

#[test]
fn each_snapshot_is_in_one_of_the_parts_and_a_share_is_never_empty() {
    let (sample, snapshots) = sample();
    let survey = sample.open_as(None).unwrap().survey().unwrap();
    let mut keys: Vec<String> =
        (1..=4).flat_map(|number| Part::Slice(number, 4).of(&survey, None)).collect();
    keys.sort();
    let mut all: Vec<String> = snapshots.into_iter().map(|snapshot| snapshot.key).collect();
    all.sort();
    assert_eq!(keys, all);
    let share = |percent| Part::random(percent).unwrap().of(&survey, None).len();
    assert_eq!([share(0.1), share(50.0), share(100.0)], [1, 3, 6]);
}

#[test]
fn only_what_is_asked_for_and_what_it_builds_on_is_looked_at() {
    let (sample, snapshots) = sample();
    let repository = sample.open_as(None).unwrap();
    edit(&sample, &snapshots[3].key, |bytes| bytes[0] ^= 1);
    let survey = repository.survey().unwrap();
    let only = repository.with_chains(&survey, &snapshots[2..3]).unwrap();
    let check = Check { reading: Reading::Whole, data: None, only: Some(&only) };
    let found = repository.verify_stream(&survey, &snapshots[0].stream, &check).unwrap();
    assert_eq!((said(&found), found.snapshots), (Vec::new(), 3));
}

#[test]
fn what_a_part_cannot_restore_is_told_although_only_the_head_of_what_it_builds_on_was_looked_at() {
    let (sample, snapshots) = sample();
    edit(&sample, &snapshots[0].key, |bytes| *bytes.last_mut().unwrap() ^= 1);
    let (repository, identities) = (sample.open_as(None).unwrap(), sample.identities());
    let survey = repository.survey().unwrap();
    for (reading, keys) in [(Reading::Heads, 1..2), (Reading::Whole, 1..2), (Reading::Heads, 0..2)]
    {
        let keys: BTreeSet<String> = keys.map(|at: usize| snapshots[at].key.clone()).collect();
        let wrong = if reading == Reading::Whole || keys.len() == 2 {
            (0, Wrong::Damaged)
        } else {
            (1, Wrong::Chain)
        };
        let check = Check { reading, data: Some((&keys, &identities)), only: None };
        let found = repository.verify_stream(&survey, &snapshots[0].stream, &check).unwrap();
        assert_eq!(
            said(&found),
            expected(&snapshots[wrong.0], wrong.1, &snapshots[wrong.0 + 1..4])
        );
        assert_eq!((found.good, found.read), (wrong.0, 0));
    }
}

/// Looks into the payloads.
fn inside(sample: &Sample) -> Verified {
    let repository = sample.open_as(None).unwrap();
    look(&repository, Reading::Heads, Some((Part::All, &sample.identities())), None)
}

#[test]
fn a_state_that_is_not_what_it_was_is_seen_by_whoever_can_decrypt_it() {
    let facts = |serial, lineage: Option<&str>| SourceFacts {
        serial,
        lineage: lineage.map(str::to_owned),
        ..SourceFacts::default()
    };
    let good = state(7);
    let cases: [(&[u8], SourceFacts, bool); 6] = [
        (&good, facts(Some(7), Some("l")), true),
        (&good, facts(Some(8), Some("l")), false),
        (&good, facts(Some(7), Some("m")), false),
        (b"{", facts(Some(7), None), false),
        (b"{", SourceFacts { broken: Some("x".to_owned()), ..SourceFacts::default() }, true),
        (b"{", facts(None, None), true),
    ];
    for (bytes, facts, is_good) in cases {
        let sample = Sample::new();
        sample.repository();
        let wanted = Addition { facts, ..addition(URI, bytes, Strategy::Full) };
        let snapshot = sample.add_by(&sample.open_as(None).unwrap(), &wanted).unwrap().snapshot;
        assert_eq!(both(&sample).map(|found| said(&found)), [vec![], vec![]]);
        let found = inside(&sample);
        let wrong = expected(&snapshot, Wrong::Content, &[]);
        assert_eq!(said(&found), if is_good { Vec::new() } else { wrong });
        assert_eq!(found.read, usize::from(is_good));
    }
}

#[test]
fn a_payload_that_belongs_to_another_snapshot_is_seen_by_whoever_can_decrypt_it() {
    let (sample, snapshots) = sample();
    sign_again(&sample, &snapshots[5], &sample.signer, |header| {
        header.snapshot.seq = 9;
        header.snapshot.id = "0".repeat(32);
    });
    assert_eq!(both(&sample).map(|found| said(&found)), [vec![], vec![]]);
    let found = inside(&sample);
    assert_eq!((found.problems.len(), found.problems[0].wrong), (1, Wrong::Content));
    assert_eq!(found.read, 6);
}

#[test]
fn keys_that_do_not_fit_prove_nothing() {
    let (sample, _) = sample();
    let repository = sample.open_as(None).unwrap();
    let identities = Sample::new().identities();
    let found = look(&repository, Reading::Whole, Some((Part::All, &identities)), None);
    assert!(found.problems.iter().any(|problem| problem.wrong == Wrong::Key));
    assert_eq!((found.read, found.good), (0, 0));
    let survey = repository.survey().unwrap();
    let (keys, none) = (Part::All.of(&survey, None), Identities::default());
    let check = Check { reading: Reading::Heads, data: Some((&keys, &none)), only: None };
    let stream = survey.catalogue().streams().next().unwrap().to_owned();
    let refused = repository.verify_stream(&survey, &stream, &check).unwrap_err();
    assert!(matches!(refused, Error::NoIdentity { .. }), "{refused}");
}

/// Notes a run in which these were the newest snapshots.
fn record(sample: &Sample, newest: &[&Snapshot], second: i64, memory: Option<&Runs>) -> String {
    let repository = sample.open_as(None).unwrap();
    let before: BTreeSet<String> =
        repository.runs_in("r/").unwrap().into_iter().map(|name| name.key).collect();
    let mut states = States::default();
    for snapshot in newest {
        states.unchanged.insert(snapshot.stream.clone(), snapshot.id.clone());
    }
    repository.record_run(states, memory, (&sample.signer, at(second))).unwrap();
    let mut now = repository.runs_in("r/").unwrap();
    now.retain(|name| !before.contains(&name.key));
    assert_eq!(now.len(), 1);
    now.remove(0).key
}

#[test]
fn the_newest_snapshot_is_missed_since_a_run_named_it() {
    let (sample, snapshots) = sample();
    record(&sample, &[&snapshots[3], &snapshots[5]], 10, None);
    assert_eq!(both(&sample).map(|found| said(&found)), [vec![], vec![]]);
    remove(&sample, &snapshots[5].key);
    let missed = expected(&snapshots[5], Wrong::Removed, &[]);
    assert_eq!(both(&sample).map(|found| said(&found)), [missed.clone(), missed]);
    // So is a whole stream.
    remove(&sample, &snapshots[4].key);
    for found in both(&sample) {
        assert_eq!(said(&found), expected(&snapshots[5], Wrong::Removed, &[]));
        assert_eq!(found.problems[0].stream.as_ref(), Some(&snapshots[5].stream));
    }
    let repo = sample.open_as(None).unwrap().id().to_owned();
    let keys = vec![snapshots[5].key.clone()];
    tomb::write(&*sample.vault(), REMOVED, &repo, (Of::Snapshots, keys), (&sample.signer, at(9)))
        .unwrap();
    assert_eq!(both(&sample).map(|found| said(&found)), [vec![], vec![]]);
}

#[test]
fn a_note_that_is_gone_between_others_is_missed_and_so_is_one_seen_earlier() {
    let (sample, snapshots) = sample();
    let memory = Runs::below(&sample.folder().join("cache"));
    let keys: Vec<String> =
        (10..14).map(|second| record(&sample, &[&snapshots[3]], second, Some(&memory))).collect();
    let look = |memory| {
        let found = look(&sample.open_as(None).unwrap(), Reading::Heads, None, memory);
        found.problems.into_iter().map(|problem| (problem.wrong, problem.text)).collect::<Vec<_>>()
    };
    assert_eq!(look(Some(&memory)), []);
    remove(&sample, &keys[0]);
    assert_eq!(look(Some(&memory)), [], "old ones may go");
    let kept = fs::read(path(&sample, &keys[2])).unwrap();
    remove(&sample, &keys[2]);
    let found = look(None);
    assert!(
        matches!(&found[..], [(Wrong::Run, text)] if text.contains("run 3 of writer")),
        "{found:?}"
    );
    files::replace(&path(&sample, &keys[2]), &kept).unwrap();
    // Without a memory, nobody can tell that the newest is not the newest.
    remove(&sample, &keys[3]);
    assert_eq!(look(None), []);
    let found = look(Some(&memory));
    assert!(matches!(&found[..], [(Wrong::Run, text)] if text.contains("run 4")), "{found:?}");
    // The writer goes on from what it remembers, so that all see it then.
    record(&sample, &[&snapshots[3]], 20, Some(&memory));
    let found = look(None);
    assert!(
        matches!(&found[..], [(Wrong::Run, text)] if text.contains("run 4 of writer")),
        "{found:?}"
    );
}

#[test]
fn whoever_looks_remembers_the_newest_notes_for_the_next_time() {
    let (sample, snapshots) = sample();
    let first = record(&sample, &[&snapshots[3]], 10, None);
    let second = record(&sample, &[&snapshots[3]], 11, None);
    let memory = Runs::below(&sample.folder().join("verifier"));
    let look = || look(&sample.open_as(None).unwrap(), Reading::Heads, None, Some(&memory));
    assert_eq!(said(&look()), []);
    remove(&sample, &second);
    assert_eq!(look().problems.len(), 1);
    remove(&sample, &first);
    assert_eq!(look().problems.len(), 1);
}

#[test]
fn a_note_that_was_changed_replayed_or_forged_is_seen() {
    let (sample, snapshots) = sample();
    let key = record(&sample, &[&snapshots[3]], 10, None);
    let whole = fs::read(path(&sample, &key)).unwrap();
    for at in (0..whole.len()).step_by(11) {
        edit(&sample, &key, |bytes| bytes[at] ^= 1);
        let [heads, _] = both(&sample);
        assert_eq!(heads.problems.len(), 1, "{at}");
        assert_eq!(heads.problems[0].wrong, Wrong::Run);
        files::replace(&path(&sample, &key), &whole).unwrap();
    }
    let (other, others) = self::sample();
    let foreign = record(&other, &[&others[3]], 10, None);
    files::replace(&path(&sample, &foreign), &fs::read(path(&other, &foreign)).unwrap()).unwrap();
    let [heads, _] = both(&sample);
    assert_eq!((heads.problems.len(), heads.problems[0].wrong), (1, Wrong::Run));
    remove(&sample, &foreign);
    // Signed for this repository by somebody who is no writer.
    let repository = sample.open_as(None).unwrap();
    let forger = Signer::generate().unwrap();
    repository.record_run(States::default(), None, (&forger, at(10))).unwrap();
    let [heads, _] = both(&sample);
    assert_eq!((heads.problems.len(), heads.problems[0].wrong), (1, Wrong::Run));
}

#[test]
fn two_runs_at_once_that_count_alike_are_no_problem() {
    let (sample, snapshots) = sample();
    let memory = Runs::below(&sample.folder().join("cache"));
    let first = record(&sample, &[&snapshots[3]], 10, Some(&memory));
    record(&sample, &[&snapshots[3]], 11, Some(&memory));
    // Another process that did not see the second one.
    let other = Runs::below(&sample.folder().join("other"));
    let name = sample.open_as(None).unwrap().runs_in("r/").unwrap();
    let name = name.into_iter().find(|name| name.key == first).unwrap();
    let repository = sample.open_as(None).unwrap();
    let latest = run::Latest { n: 1, hash: repository.run(&name).unwrap().hash };
    other.remember(repository.id(), &name.writer, &latest);
    let second_of_other = record(&sample, &[&snapshots[3]], 12, Some(&other));
    record(&sample, &[&snapshots[3]], 13, Some(&other));
    assert_eq!(both(&sample).map(|found| said(&found)), [vec![], vec![]]);
    let found = look(&repository, Reading::Heads, None, Some(&memory));
    assert_eq!(said(&found), []);
    // Taken away behind older ones, it is missed although another counts alike.
    remove(&sample, &second_of_other);
    let broken = said(&look(&repository, Reading::Heads, None, None));
    assert!(matches!(&broken[..], [(_, Wrong::Run, _)]), "{broken:?}");
}
