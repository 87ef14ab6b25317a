//! A repository in memory or in a folder, states to put into it, and chance that can be repeated.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use age::secrecy::{ExposeSecret, SecretString};
use jiff::{SignedDuration, Timestamp};
use tfstate::backup::prune::Rules;
use tfstate::backup::vault::{Created, Object, Vault};
use tfstate::backup::verify::{Part, Problem, Reading};
use tfstate::backup::{
    Error, Identities, Keys, Known, Protection, Recipients, Repository, Runs, Signer, Snapshot,
    States, Strategy, stream_of,
};
use tfstate::base::clock::Fixed;
use tfstate::base::fs;
use tfstate::ops::backup::{BackupOptions, Keeper, Manner, Report, Source, facts};
use tfstate::ops::prune::{self, PruneOptions};
use tfstate::ops::rekey::{self, Readers, RekeyOptions, Step};
use tfstate::ops::verify::{self, VerifyOptions};
use tfstate::state::document::Document;

/// The place of the state that is backed up.
pub(crate) const URI: &str = "file:///srv/prod/terraform.tfstate";

/// All strategies.
pub(crate) const STRATEGIES: [Strategy; 4] =
    [Strategy::Full, Strategy::Incremental, Strategy::Differential, Strategy::Auto];

/// The objects of a repository, in memory.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    near: bool,
}

impl Shelf {
    /// Returns an empty one; `near` is what a folder is and a store is not.
    pub(crate) fn new(near: bool) -> Self {
        Self { objects: Mutex::default(), near }
    }

    /// Returns another with the same objects.
    pub(crate) fn copy(&self) -> Self {
        Self { objects: Mutex::new(self.objects.lock().unwrap().clone()), near: self.near }
    }

    /// Changes an object in place; nothing removes it.
    pub(crate) fn set(&self, key: &str, bytes: Option<Vec<u8>>) {
        let mut objects = self.objects.lock().unwrap();
        match bytes {
            Some(bytes) => objects.insert(key.to_owned(), bytes),
            None => objects.remove(key),
        };
    }

    /// Returns the bytes of an object.
    pub(crate) fn bytes(&self, key: &str) -> Option<Vec<u8>> {
        self.objects.lock().unwrap().get(key).cloned()
    }
}

impl Vault for Shelf {
    fn name(&self, key: &str) -> String {
        format!("shelf/{key}")
    }

    fn read(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.bytes(key))
    }

    fn start(&self, key: &str, len: u64) -> Result<Option<Vec<u8>>, Error> {
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        Ok(self.bytes(key).map(|bytes| bytes[..len.min(bytes.len())].to_vec()))
    }

    fn create(&self, key: &str, bytes: &[u8]) -> Result<Created, Error> {
        let mut objects = self.objects.lock().unwrap();
        if objects.contains_key(key) {
            return Ok(Created::Exists);
        }
        objects.insert(key.to_owned(), bytes.to_vec());
        Ok(Created::New)
    }

    fn delete(&self, key: &str) -> Result<(), Error> {
        self.set(key, None);
        Ok(())
    }

    fn list(&self, prefix: &str) -> Result<Vec<Object>, Error> {
        let objects = self.objects.lock().unwrap();
        let listed =
            objects.range(prefix.to_owned()..).take_while(|(key, _)| key.starts_with(prefix));
        let object = |(key, bytes): (&String, &Vec<u8>)| Object {
            key: key.clone(),
            len: bytes.len() as u64,
            modified: None,
            tag: None,
        };
        Ok(listed.map(object).collect())
    }

    fn sweep(&self, _before: Timestamp) -> Result<usize, Error> {
        Ok(0)
    }

    fn is_near(&self) -> bool {
        self.near
    }
}

/// Whoever writes and reads: keys and how the repository is protected.
pub(crate) struct Owner {
    /// What reads; what is written is for the last one.
    keys: Vec<SecretString>,
    folder: tempfile::TempDir,
    pub(crate) signer: Arc<Signer>,
    pub(crate) protection: Protection,
}

/// One backup.
pub(crate) struct Backup<'a> {
    pub(crate) vault: Arc<dyn Vault>,
    pub(crate) signer: &'a Signer,
    /// The folder of what the computer keeps: its cache, and what it knows of repositories.
    pub(crate) home: &'a Path,
    pub(crate) strategy: Strategy,
    pub(crate) second: i64,
}

impl Owner {
    pub(crate) fn new(encrypted: bool) -> Self {
        let signer = Arc::new(Signer::generate().unwrap());
        let owner = Self::with_another_key(Vec::new(), signer);
        let protection = if encrypted { owner.protection } else { Protection::None };
        Self { protection, ..owner }
    }

    /// Returns the same owner with one more key, for which everything is from now on.
    pub(crate) fn rekeyed(&self) -> Self {
        Self::with_another_key(self.keys.clone(), Arc::clone(&self.signer))
    }

    fn with_another_key(mut keys: Vec<SecretString>, signer: Arc<Signer>) -> Self {
        let key = age::x25519::Identity::generate();
        keys.push(key.to_string());
        let recipients = Recipients::parse(&[key.to_public().to_string()]).unwrap().unwrap();
        Self { keys, folder: folder(), signer, protection: Protection::Recipients(recipients) }
    }

    /// Returns the same owner with no key but the last.
    pub(crate) fn with_last_key(&self) -> Self {
        let (keys, signer) = (self.keys[self.keys.len() - 1..].to_vec(), Arc::clone(&self.signer));
        Self { keys, folder: folder(), signer, protection: self.protection.clone() }
    }

    pub(crate) fn identities(&self) -> Identities {
        let path = self.folder.path().join("key");
        let keys: Vec<&str> = self.keys.iter().map(ExposeSecret::expose_secret).collect();
        fs::replace(&path, keys.join("\n").as_bytes()).unwrap();
        Identities::read(&[path]).unwrap()
    }

    /// Returns for whom everything is encrypted.
    pub(crate) fn recipients(&self) -> &Recipients {
        match &self.protection {
            Protection::Recipients(recipients) => recipients,
            Protection::None => panic!("nothing is encrypted"),
        }
    }

    /// Opens the repository to read.
    pub(crate) fn open(vault: Arc<dyn Vault>) -> Repository {
        Repository::open(vault, Keys::default()).unwrap()
    }

    /// Backs a state up as the program does.
    pub(crate) fn keep(&self, backup: &Backup<'_>, state: &[u8]) -> Result<Report, Error> {
        let (cache, known) = (backup.home.join("cache"), Known::below(backup.home));
        let options = BackupOptions {
            vault: Arc::clone(&backup.vault),
            protection: Some(&self.protection),
            keys: Keys { signer: Some(backup.signer), known: Some(&known) },
            cache: Some(&cache),
            manner: Manner { strategy: backup.strategy, ..Manner::default() },
        };
        let clock = Fixed(at(backup.second));
        let parsed = Document::parse(state.to_vec());
        let (facts, document) = (facts(&parsed), parsed.as_ref().ok());
        let source = Source { uri: URI, bytes: state, facts, document, version: None };
        let keeper = Keeper::open(&options, &clock)?;
        let report = keeper.keep(&source)?;
        let id = (stream_of(URI), report.snapshot.id.clone());
        let states = States { new: [id].into(), ..States::default() };
        let (runs, by) = (Runs::below(&cache), (backup.signer, clock.0));
        keeper.repository().record_run(states, Some(&runs), by)?;
        Ok(report)
    }

    /// Prunes as the program does.
    pub(crate) fn prune(
        &self,
        vault: Arc<dyn Vault>,
        rules: Rules<'_>,
    ) -> Result<prune::Report, Error> {
        let repository = Repository::open(vault, Keys::default())?;
        let options = PruneOptions { rules, streams: None };
        let plans = prune::plan(&repository, &options)?;
        prune::run(&repository, &options, &plans, &self.signer)
    }

    /// Encrypts everything for the last key, as the program does; what can't be is an error.
    pub(crate) fn rekey(&self, vault: &Arc<dyn Vault>, second: i64) -> Result<(), Error> {
        let (readers, identities) = (Readers::Recipients(self.recipients()), &self.identities());
        let (signer, streams) = (&*self.signer, None);
        let options = RekeyOptions { readers, identities, signer, streams, new_only: false };
        rekey::run(vault, Keys::default(), &options, &Fixed(at(second)), |step| match step {
            Step::Stream(_, rekeyed) if !rekeyed.failed.is_empty() => {
                Err(rekeyed.failed.into_iter().next().unwrap().1)
            }
            _ => Ok(()),
        })
    }

    /// Reads everything, and returns how many snapshots were looked at and what is wrong.
    pub(crate) fn verify(&self, repository: &Repository) -> Result<(usize, Vec<Problem>), Error> {
        let identities = self.identities();
        let data = (self.protection != Protection::None).then_some((Part::All, &identities));
        let (reading, runs) = (Reading::Whole, None);
        let options = VerifyOptions { reading, data, streams: None, ids: &[], runs };
        let (verified, _) = verify::run(repository, &options, |_, _| ())?;
        Ok((verified.snapshots, verified.problems))
    }

    /// Restores a snapshot.
    pub(crate) fn restore(
        &self,
        repository: &Repository,
        snapshot: &Snapshot,
    ) -> Result<Vec<u8>, Error> {
        Ok(repository.get(snapshot, &self.identities())?.state.to_vec())
    }
}

/// Returns a folder in memory where there is such a thing: what is synced would take most of the
/// time of the many short histories.
pub(crate) fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.or_else(|_| tempfile::tempdir()).unwrap()
}

/// Lists the snapshots of the state, the oldest first.
pub(crate) fn listed(repository: &Repository) -> Vec<Snapshot> {
    repository.list_stream(&stream_of(URI)).unwrap()
}

/// Returns a moment so many seconds after a beginning.
pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::constant(1_785_579_300, 0) + SignedDuration::from_secs(second)
}

/// Returns a state of so many instances, the `changed`th version of it.
pub(crate) fn state(instances: u64, changed: u64) -> Vec<u8> {
    let instance = |n: u64| {
        let version = if n % 7 == changed % 7 { changed } else { 0 };
        let id = blake3::hash(&[n, version].map(u64::to_le_bytes).concat()).to_hex();
        format!("{{\"attributes\": {{\"id\": \"i-{id}\"}}}}")
    };
    let instances: Vec<String> = (0..instances).map(instance).collect();
    format!(
        "{{\"version\": 4, \"serial\": {changed}, \"resources\": [{{\"instances\": [{}]}}]}}\n",
        instances.join(",\n")
    )
    .into_bytes()
}

/// Returns a state as Terraform writes it, of so many instances, the `changed`th version of it.
pub(crate) fn restorable(instances: u64, changed: u64) -> Vec<u8> {
    let instance = |n: u64| {
        let id = blake3::hash(&[n, changed].map(u64::to_le_bytes).concat()).to_hex();
        format!(
            "{{\"index_key\": {n}, \"schema_version\": 0, \"attributes\": {{\"id\": \"i-{id}\"}}}}"
        )
    };
    let instances: Vec<String> = (0..instances).map(instance).collect();
    format!(
        "{{\"version\": 4, \"terraform_version\": \"1.9.0\", \"serial\": {changed}, \
         \"lineage\": \"6f1a\", \"outputs\": {{}}, \"resources\": [{{\"mode\": \"managed\", \
         \"type\": \"null_resource\", \"name\": \"a\", \"provider\": \
         \"provider[\\\"registry.terraform.io/hashicorp/null\\\"]\", \"instances\": [{}]}}]}}\n",
        instances.join(",\n")
    )
    .into_bytes()
}

/// `SplitMix64`: small, and the same everywhere.
#[derive(Debug)]
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Returns a number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// Returns a number that the environment sets, or the one of the gate.
#[expect(clippy::disallowed_methods, reason = "how long to test is no setting of ours")]
pub(crate) fn bound(name: &str, gate: u64) -> u64 {
    std::env::var(name).map_or(gate, |text| text.parse().unwrap())
}

/// Says aloud that a test did not run: not by `eprintln!`, which is kept back where a test passes.
pub(crate) fn skipped(why: &str) {
    use std::io::Write as _;
    std::io::stderr().write_all(format!("skipped: {why}\n").as_bytes()).unwrap();
}

/// Copies a folder and all that is in it.
pub(crate) fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Returns every file below a folder.
pub(crate) fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}
