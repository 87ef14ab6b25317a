//! What holds of a whole repository.

use std::fs;
use std::io::Write;

use super::body::{self, Inner};
use super::container::{self, Encryption};
use super::sample::{Sample, addition, at};
use super::snapshot::Kind;
use super::vault::Object;
use super::{
    Error, Hashed, Identities, Origin, Protection, Repository, Signer, Snapshot, SourceFacts,
    Strategy, Whole, crypt,
};
use crate::base::fs as files;

const URI: &str = "file:///srv/prod/terraform.tfstate";
const STATE: &[u8] = br#"{"version":4,"serial":7,"lineage":"hunter2"}"#;

fn object(key: &str, len: usize) -> Snapshot {
    let object = Object { key: key.to_owned(), len: len as u64, modified: None, tag: None };
    Snapshot::of(object).unwrap()
}

/// Puts a file in the place of a snapshot's, and returns what reading and checking it says.
fn said_of(
    sample: &Sample,
    repository: &Repository,
    snapshot: &Snapshot,
    file: &[u8],
) -> (Result<Vec<u8>, Error>, Result<(), Error>) {
    let path = sample.root().join(&snapshot.key);
    files::create_private_folder(path.parent().unwrap()).unwrap();
    files::replace(&path, file).unwrap();
    let got = repository.get(snapshot, &sample.identities());
    (got.map(|got| got.state.to_vec()), repository.check(snapshot).map(drop))
}

/// A state of this many instances, of which one was changed so often.
fn state(instances: usize, changed: usize) -> Vec<u8> {
    let instance = |n: usize| {
        let id = blake3::hash(&(n + 1000 * changed * usize::from(n == 3)).to_le_bytes()).to_hex();
        format!("{{\"attributes\": {{\"id\": \"i-{id}\"}}}}")
    };
    let instances: Vec<String> = (0..instances).map(instance).collect();
    format!(
        "{{\"version\": 4, \"serial\": {changed}, \"resources\": [{{\"instances\": [{}]}}]}}\n",
        instances.join(",\n")
    )
    .into_bytes()
}

#[test]
fn a_state_comes_back_byte_for_byte_with_and_without_encryption() {
    let large: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    for encrypted in [true, false] {
        let sample = Sample::new();
        let repository = if encrypted { sample.repository() } else { sample.plain() };
        for state in [b"".as_slice(), STATE, b"not a state \xff\0", &large] {
            let snapshot = sample.add(&repository, URI, state, 0);
            let restored = repository.get(&snapshot, &sample.identities()).unwrap();
            assert!(*restored.state == *state);
            assert_eq!(restored.origin.length, state.len() as u64);
        }
        assert_eq!(repository.list().unwrap().len(), 4);
    }
}

#[test]
fn every_snapshot_of_a_chain_comes_back_whatever_was_asked_for() {
    let strategies =
        [Strategy::Full, Strategy::Incremental, Strategy::Differential, Strategy::Auto];
    for encrypted in [true, false] {
        let sample = Sample::new();
        let repository = if encrypted { sample.repository() } else { sample.plain() };
        let mut kept = Vec::new();
        for n in 0..24 {
            let state = state(2000, n);
            let created = at(i64::try_from(n).unwrap());
            let wanted = super::Addition {
                created,
                ..addition(URI, &state, strategies[(n * 7 + n / 5) % 4])
            };
            let added = sample.add_by(&repository, &wanted).unwrap();
            kept.push((added, state.clone()));
        }
        for (added, state) in &kept {
            let restored = repository.get(&added.snapshot, &sample.identities()).unwrap();
            assert!(*restored.state == **state, "{added:?}");
        }
        let count = |kind| kept.iter().filter(|(added, _)| added.snapshot.kind == kind).count();
        let counts = [Kind::Full, Kind::Incremental, Kind::Differential].map(count);
        assert!(counts.iter().all(|count| *count > 2), "{counts:?}");
    }
}

#[test]
fn a_delta_is_small_and_says_what_it_builds_on() {
    let sample = Sample::new();
    let repository = sample.repository();
    let add = |n: usize, strategy| {
        let (state, created) = (state(5000, n), at(i64::try_from(n).unwrap()));
        let wanted = super::Addition { created, ..addition(URI, &state, strategy) };
        sample.add_by(&repository, &wanted).unwrap()
    };
    let full = add(0, Strategy::Auto);
    let first = add(1, Strategy::Incremental);
    let second = add(2, Strategy::Incremental);
    let third = add(3, Strategy::Auto);
    assert_eq!((full.why_full, full.depth), (Some(Whole::First), 0));
    let id = |added: &super::Added| Some(added.snapshot.id.clone());
    assert_eq!((&first.parent, &first.base, first.depth), (&id(&full), &id(&full), 1));
    assert_eq!((&second.parent, &second.base, second.depth), (&id(&first), &id(&full), 2));
    assert_eq!((&third.parent, third.depth), (&id(&full), 1));
    assert!(second.snapshot.bytes_stored * 20 < full.snapshot.bytes_stored);
    let described = repository.describe(&second.snapshot).unwrap();
    assert_eq!(described.parent, Some(repository.full_id(&first.snapshot).unwrap()));
}

#[test]
fn auto_stores_a_whole_state_where_that_is_worth_it_and_says_why() {
    let sample = Sample::new();
    let repository = sample.repository();
    let add = |state: &[u8], second, lineage: &str| {
        let mut wanted =
            super::Addition { created: at(second), ..addition(URI, state, Strategy::Auto) };
        wanted.facts.lineage = Some(lineage.to_owned());
        sample.add_by(&repository, &wanted).unwrap().why_full
    };
    assert_eq!(add(&state(3000, 0), 0, "a"), Some(Whole::First));
    assert_eq!(add(&state(3000, 1), 1, "a"), None);
    assert_eq!(add(&state(3000, 2), 2, "b"), Some(Whole::Lineage));
    assert_eq!(add(&state(10, 3), 3, "b"), Some(Whole::Small));
    assert_eq!(add(&state(3000, 4), 4, "b"), Some(Whole::Large));
    assert_eq!(add(&state(3000, 5), 15 * 86_400, "b"), Some(Whole::Old));
    fs::remove_dir_all(sample.folder().join("cache")).unwrap();
    assert_eq!(add(&state(3000, 6), 15 * 86_400 + 1, "b"), Some(Whole::Forgotten));
    let newest = repository.list().unwrap().pop().unwrap();
    fs::remove_file(sample.root().join(newest.key)).unwrap();
    assert_eq!(add(&state(3000, 7), 15 * 86_400 + 2, "b"), Some(Whole::Unlisted));
}

#[test]
fn a_state_that_breaks_or_is_whole_again_is_not_said_to_have_another_lineage() {
    let sample = Sample::new();
    let repository = sample.repository();
    let add = |n: usize, lineage: Option<&str>| {
        let (state, created) = (state(3000, n), at(i64::try_from(n).unwrap()));
        let mut wanted = super::Addition { created, ..addition(URI, &state, Strategy::Auto) };
        wanted.facts.lineage = lineage.map(str::to_owned);
        sample.add_by(&repository, &wanted).unwrap().why_full
    };
    let lineages = [Some("a"), None, None, Some("a"), Some("b")];
    let whys = lineages.into_iter().enumerate().map(|(n, lineage)| add(n, lineage));
    let expected = [Whole::First, Whole::Broken].map(Some).into_iter().chain([None]);
    let expected = expected.chain([Whole::Broken, Whole::Lineage].map(Some));
    assert!(whys.eq(expected));
}

#[test]
fn a_chain_whose_parent_is_gone_or_changed_is_not_gone_on_with_and_not_restored() {
    for damage in [true, false] {
        let sample = Sample::new();
        let repository = sample.repository();
        let add = |n: usize| {
            let (state, created) = (state(3000, n), at(i64::try_from(n).unwrap()));
            let wanted =
                super::Addition { created, ..addition(URI, &state, Strategy::Incremental) };
            sample.add_by(&repository, &wanted).unwrap()
        };
        let (full, first, second) = (add(0), add(1), add(2));
        let path = sample.root().join(&first.snapshot.key);
        if damage {
            let mut bytes = fs::read(&path).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            files::replace(&path, &bytes).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
        let error = repository.get(&second.snapshot, &sample.identities()).unwrap_err();
        assert!(matches!(error, Error::Parent { .. } | Error::Damaged { .. }), "{error}");
        repository.get(&full.snapshot, &sample.identities()).unwrap();
        let healed = add(3);
        assert_eq!(healed.why_full, Some(Whole::Lost));
        repository.get(&healed.snapshot, &sample.identities()).unwrap();
    }
}

#[test]
fn an_encrypted_repository_says_nothing_of_the_state() {
    let sample = Sample::new();
    let snapshot = sample.add(&sample.repository(), URI, STATE, 0);
    let file = fs::read(sample.root().join(&snapshot.key)).unwrap();
    let hashes = Origin::of(URI, SourceFacts::default(), &Hashed::of(STATE));
    for secret in ["hunter2", "serial", "lineage", &hashes.blake3, &hashes.sha256, "/srv/"] {
        assert!(memchr::memmem::find(&file, secret.as_bytes()).is_none(), "{secret}");
    }
}

#[test]
fn a_snapshot_cut_short_anywhere_is_refused_with_and_without_keys() {
    for encrypted in [true, false] {
        let sample = Sample::new();
        let repository = if encrypted { sample.repository() } else { sample.plain() };
        let snapshot = sample.add(&repository, URI, STATE, 0);
        let whole = fs::read(sample.root().join(&snapshot.key)).unwrap();
        let longer = [whole.as_slice(), b"x"].concat();
        for cut in (0..whole.len()).step_by(7).map(|end| &whole[..end]).chain([longer.as_slice()]) {
            let (got, checked) = said_of(&sample, &repository, &snapshot, cut);
            let error = got.unwrap_err();
            assert!(matches!(error, Error::Damaged { .. }), "{}: {error}", cut.len());
            assert!(matches!(checked, Err(Error::Damaged { .. })), "{}", cut.len());
        }
        assert_eq!(said_of(&sample, &repository, &snapshot, &whole).0.unwrap(), STATE);
    }
}

#[test]
fn a_snapshot_with_any_bit_flipped_is_refused_with_and_without_keys() {
    for encrypted in [true, false] {
        let sample = Sample::new();
        let repository = if encrypted { sample.repository() } else { sample.plain() };
        let snapshot = sample.add(&repository, URI, STATE, 0);
        let bytes = fs::read(sample.root().join(&snapshot.key)).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let error = repository.open_file(&snapshot, &bytes).unwrap_err();
            let named = matches!(error, Error::Damaged { .. } | Error::Newer { .. });
            assert!(named, "{bit}: {error}");
        }
    }
}

#[test]
fn who_knows_a_recipient_and_can_write_cannot_make_a_snapshot_that_counts() {
    let sample = Sample::new();
    let repository = sample.repository();
    let snapshot = sample.add(&repository, URI, STATE, 0);
    let stranger = Signer::generate().unwrap();
    let file = fs::read(sample.root().join(&snapshot.key)).unwrap();
    let (head, payload) = container::open(&file).unwrap();
    let mut header = head.header;
    header.signer = stranger.public();
    let forged = [container::prefix(&header, &stranger).as_slice(), payload].concat();
    let (got, checked) = said_of(&sample, &repository, &snapshot, &forged);
    assert!(matches!(got, Err(Error::Untrusted { .. })), "{got:?}");
    assert!(matches!(checked, Err(Error::Untrusted { .. })), "{checked:?}");
    // Nor under the name of a writer whose key it has not.
    header.signer = sample.signer.public();
    let forged = [container::prefix(&header, &stranger).as_slice(), payload].concat();
    let (_, checked) = said_of(&sample, &repository, &snapshot, &forged);
    assert!(matches!(checked, Err(Error::Damaged { .. })), "{checked:?}");
}

#[test]
fn a_snapshot_cannot_pass_for_another() {
    let sample = Sample::new();
    let repository = sample.repository();
    let snapshot = sample.add(&repository, URI, STATE, 0);
    let file = fs::read(sample.root().join(&snapshot.key)).unwrap();
    let refused = |key: &str, file: &[u8], expected: &str| {
        let found = object(key, file.len());
        let (got, _) = said_of(&sample, &repository, &found, file);
        let said = got.unwrap_err().to_string();
        assert!(said.ends_with(expected), "{said}");
    };
    let (stream, name) = (&snapshot.stream, snapshot.key.rsplit('/').next().unwrap());
    let renamed = format!("s/{stream}/20270801T101500Z-00000009-f-01234567-abababababababab.tfb");
    refused(&renamed, &file, "its header belongs to another name");
    refused(&format!("s/other-01234567/{name}"), &file, "its header belongs to another name");
    // A header that a writer made anew around the same payload agrees with its own name.
    let (head, payload) = container::open(&file).unwrap();
    let made = |edit: &dyn Fn(&mut container::Header)| {
        let mut header = head.header.clone();
        edit(&mut header);
        let key = header.snapshot.key(header.generation, &header.payload.blake3);
        (key, [container::prefix(&header, &sample.signer).as_slice(), payload].concat())
    };
    let (key, file) = made(&|header| header.snapshot.seq = 2);
    refused(&key, &file, "its payload belongs to another snapshot");
    let (key, file) = made(&|header| header.encryption = Encryption::None);
    refused(&key, &file, "it is not protected as its repository is");
    let (key, file) = made(&|header| header.snapshot.repo = "0".repeat(32));
    refused(&key, &file, "it comes from another repository");
    let (key, file) = made(&|header| header.snapshot.kind = Kind::Incremental);
    refused(&key, &file, "its header contradicts itself");
}

#[test]
fn what_a_later_version_wrote_is_refused_as_such() {
    let sample = Sample::new();
    let repository = sample.plain();
    let snapshot = sample.add(&repository, URI, STATE, 0);
    let file = fs::read(sample.root().join(&snapshot.key)).unwrap();
    let (head, payload) = container::open(&file).unwrap();
    let mut later = Vec::new();
    for (at, byte) in [(7, b'2'), (12, 1), (head.len - 66, 2)] {
        let mut file = file.clone();
        file[at] = byte;
        later.push(file);
    }
    let mut edited = head.header.clone();
    edited.must_understand.push("padding".to_owned());
    later.push([container::prefix(&edited, &sample.signer).as_slice(), payload].concat());
    edited = head.header;
    edited.v = 2;
    later.push([container::prefix(&edited, &sample.signer).as_slice(), payload].concat());
    for (i, file) in later.iter().enumerate() {
        let error = repository.open_file(&snapshot, file).unwrap_err();
        assert!(matches!(error, Error::Newer { .. }), "{i}: {error}");
    }
}

#[test]
fn an_encrypted_snapshot_needs_a_key_that_fits() {
    let sample = Sample::new();
    let repository = sample.repository();
    let snapshot = sample.add(&repository, URI, STATE, 0);
    let none = repository.get(&snapshot, &Identities::default()).unwrap_err();
    assert!(matches!(none, Error::NoIdentity { .. }), "{none}");
    let other = repository.get(&snapshot, &Sample::new().identities()).unwrap_err();
    assert!(matches!(other, Error::WrongIdentity { .. }), "{other}");
}

#[test]
fn a_repository_is_made_only_when_protection_was_decided_on() {
    let sample = Sample::new();
    let undecided = sample.open_as(None).unwrap_err();
    assert!(matches!(undecided, Error::Undecided { .. }), "{undecided}");
    assert!(!sample.root().exists());
    let missing = Repository::open(sample.vault(), sample.keys()).unwrap_err();
    assert!(matches!(missing, Error::NoRepository { .. }), "{missing}");
    sample.repository();
    assert_eq!(*sample.open_as(None).unwrap().protection(), sample.encrypted());
}

#[test]
fn where_backups_are_whose_record_is_gone_no_other_repository_is_made() {
    let sample = Sample::new();
    sample.add(&sample.plain(), URI, STATE, 0);
    let (record, aside) = (sample.root().join("repo.json"), sample.folder().join("aside"));
    fs::rename(&record, &aside).unwrap();
    for asked in [None, Some(&Protection::None)] {
        let vault = sample.vault();
        let keys = super::Keys { known: None, ..sample.keys() };
        let refused = Repository::open_or_create(vault, asked, keys, at(1)).unwrap_err();
        assert!(matches!(refused, Error::Headless { .. }), "{refused}");
    }
    assert!(!record.exists());
    fs::rename(&aside, &record).unwrap();
    assert_eq!(sample.open_as(None).unwrap().list().unwrap().len(), 1);
}

#[test]
fn a_repository_keeps_the_protection_it_was_made_with() {
    let (sample, other) = (Sample::new(), Sample::new());
    sample.repository();
    let said = |asked| sample.open_as(Some(&asked)).unwrap_err().to_string();
    assert!(said(Protection::None).ends_with("is encrypted"));
    assert!(said(other.encrypted()).ends_with("is encrypted for other recipients"));
    other.plain();
    let error = other.open_as(Some(&sample.encrypted())).unwrap_err().to_string();
    assert!(error.ends_with("was made without encryption"), "{error}");
}

#[test]
fn a_computer_whose_key_was_not_authorised_or_was_revoked_writes_nothing() {
    let sample = Sample::new();
    let repository = sample.repository();
    let other = Signer::generate().unwrap();
    let state = state(10, 0);
    let wanted = addition(URI, &state, Strategy::Full);
    let add = |repository: &Repository| {
        repository.add(&repository.catalogue().unwrap(), &wanted, None, &other)
    };
    assert!(matches!(add(&repository), Err(Error::NotAuthorised { .. })));
    repository.authorize(other.public(), &sample.signer, at(0)).unwrap();
    let snapshot = add(&sample.open_as(None).unwrap()).unwrap().snapshot;
    sample.open_as(None).unwrap().revoke(other.public(), &sample.signer, at(10)).unwrap();
    let now = sample.open_as(None).unwrap();
    assert!(matches!(add(&now), Err(Error::Revoked { .. })));
    now.check(&snapshot).unwrap();
}

#[test]
fn a_snapshot_builds_on_none_that_others_read_and_who_writes_does_not_matter() {
    let sample = Sample::new();
    sample.repository();
    let now = || sample.open_as(None).unwrap();
    let add = |n: usize| {
        let (state, created) = (state(3000, n), at(i64::try_from(n).unwrap()));
        let wanted = super::Addition { created, ..addition(URI, &state, Strategy::Incremental) };
        sample.add_by(&now(), &wanted).unwrap().why_full
    };
    assert_eq!(add(0), Some(Whole::First));
    now().authorize(Signer::generate().unwrap().public(), &sample.signer, at(0)).unwrap();
    assert_eq!(add(1), None);
    let Protection::Recipients(others) = Sample::new().encrypted() else { unreachable!() };
    now().set_recipients(&others, &sample.signer, at(1)).unwrap();
    assert_eq!(add(2), Some(Whole::Recipients));
    now().authorize(Signer::generate().unwrap().public(), &sample.signer, at(2)).unwrap();
    assert_eq!(add(3), None);
}

#[test]
fn an_identity_can_be_kept_in_the_repository_under_a_passphrase() {
    let sample = Sample::new();
    let passphrase = crate::base::secret::Secret::new("correct horse");
    let recipients = Repository::keep_identity(&*sample.vault(), &passphrase).unwrap();
    let repository = sample.open_as(Some(&Protection::Recipients(recipients))).unwrap();
    let snapshot = sample.add(&repository, URI, STATE, 0);
    assert_eq!(repository.kept_recipients().unwrap().map(|kept| kept.len()), Some(1));
    let mut identities = Identities::default();
    let wrong = crate::base::secret::Secret::new("battery staple");
    assert!(repository.is_under(&passphrase).unwrap() && !repository.is_under(&wrong).unwrap());
    let refused = repository.unlock(&mut identities, &wrong).unwrap_err();
    assert!(matches!(refused, Error::Passphrase), "{refused}");
    sample.vault().create("keys/0123456789abcdef.age", b"left over").unwrap();
    sample.vault().create("keys/f123456789abcdef.age", b"left over").unwrap();
    repository.unlock(&mut identities, &passphrase).unwrap();
    assert_eq!(*repository.get(&snapshot, &identities).unwrap().state, *STATE);
}

#[test]
fn what_is_left_of_a_crashed_run_is_not_listed() {
    let sample = Sample::new();
    let repository = sample.plain();
    let snapshot = sample.add(&repository, URI, STATE, 0);
    let path = sample.root().join(&snapshot.key);
    let left = path.with_file_name(format!(".{}.AbC.tmp", path.file_name().unwrap().display()));
    files::write_new(&left, b"half").unwrap();
    let listed = repository.list().unwrap();
    assert_eq!(listed.iter().map(|s| &s.key).collect::<Vec<_>>(), [&snapshot.key]);
}

#[test]
fn a_payload_that_is_not_what_it_should_be_is_not_kept() {
    let sample = Sample::new();
    let Protection::Recipients(recipients) = sample.encrypted() else { unreachable!() };
    let repository = sample.repository();
    let snapshot = sample.add(&repository, URI, STATE, 0);
    let file = fs::read(sample.root().join(&snapshot.key)).unwrap();
    let label = container::open(&file).unwrap().0.header.snapshot;
    let inner = Inner {
        v: 1,
        must_understand: Vec::new(),
        snapshot: label,
        parent: None,
        state: Origin::of(URI, SourceFacts::default(), &Hashed::of(STATE)),
        tool: String::new(),
    };
    let write = |out: &mut dyn Write| body::write(&inner, STATE, 3, out);
    let (payload, key) = crypt::encrypt(&recipients, write).unwrap();
    super::write::self_check(&payload, &key, STATE).unwrap();
    let mut damaged = payload.clone();
    *damaged.last_mut().unwrap() ^= 1;
    let mut plain = Vec::new();
    write(&mut plain).unwrap();
    let cases: [(&[u8], &[u8]); 3] = [(&payload, b"{}"), (&damaged, STATE), (&plain, STATE)];
    for (payload, state) in cases {
        let error = super::write::self_check(payload, &key, state).unwrap_err();
        assert!(matches!(error, Error::SelfCheck { .. }), "{error}");
    }
}

#[test]
fn a_clock_that_goes_back_does_not_change_which_snapshot_is_the_newest() {
    let sample = Sample::new();
    let repository = sample.repository();
    let add = |n: usize, second| {
        let (state, created) = (state(3000, n), at(second));
        let wanted = super::Addition { created, ..addition(URI, &state, Strategy::Auto) };
        sample.add_by(&repository, &wanted).unwrap()
    };
    let (_, second, third) = (add(0, 1000), add(1, 500), add(2, 600));
    assert_eq!((second.why_full, third.why_full), (None, None));
    let catalogue = repository.catalogue().unwrap();
    let newest = catalogue.stream(&third.snapshot.stream).last().unwrap();
    assert_eq!(newest.key, third.snapshot.key);
    let state = state(3000, 2);
    let known = repository.unchanged(&catalogue, (URI, &Hashed::of(&state)), None, &sample.heads());
    assert_eq!(known.unwrap().key, third.snapshot.key);
}
