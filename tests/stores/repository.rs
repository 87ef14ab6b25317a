//! A backup repository in each kind of store, over the store's own protocol, and the program beside it.

use std::collections::BTreeSet;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, thread};

use tfstate::backup::prune::Rules;
use tfstate::backup::retention::Policy;
use tfstate::backup::vault::{Created, Stored, Vault};
use tfstate::backup::verify::{Problem, Wrong};
use tfstate::backup::{Error, Keys, Kind, Repository, Strategy, stream_of};
use tfstate::base::env::Env;
use tfstate::store::Store;

use crate::place::{self, Backup, Owner, at, listed, state};
use crate::s3_server::{ACCESS_KEY, Fault, SECRET_KEY, Server, When};
use crate::{azure, azure_server, gcs, gcs_server, rounds, s3, s3_faults};

/// What somebody keeps in a store.
struct Keeping {
    vault: Arc<dyn Vault>,
    owner: Owner,
    home: tempfile::TempDir,
}

impl Keeping {
    fn new(store: Arc<dyn Store>) -> Self {
        let vault = Arc::new(Stored::new(store, &Self::prefix()));
        Self { vault, owner: Owner::new(true), home: place::folder() }
    }

    /// Returns where it is: a real server may have those of other runs.
    fn prefix() -> String {
        format!("backups/{}-{:?}", std::process::id(), thread::current().id())
    }

    /// Returns the same, by way of another store of the same place.
    fn by(&self, store: Arc<dyn Store>) -> Self {
        let vault = Arc::new(Stored::new(store, &Self::prefix()));
        let (owner, home) = (self.owner.with_last_key(), place::folder());
        place::copy_folder(self.home.path(), home.path());
        Self { vault, owner, home }
    }

    fn backup(&self, strategy: Strategy, second: i64) -> Backup<'_> {
        let (vault, home) = (Arc::clone(&self.vault), self.home.path());
        Backup { vault, signer: &self.owner.signer, home, strategy, second }
    }

    fn keep(&self, strategy: Strategy, version: u64) -> tfstate::ops::backup::Report {
        let second = i64::try_from(version).unwrap();
        self.owner.keep(&self.backup(strategy, second), &state(300, version)).unwrap()
    }

    /// Checks that these versions come back, the oldest first, and that nothing is wrong.
    fn holds(&self, versions: &[u64]) {
        let repository = Owner::open(Arc::clone(&self.vault));
        let snapshots = listed(&repository);
        let restored = snapshots.iter().map(|one| self.owner.restore(&repository, one).unwrap());
        let mut restored: Vec<Vec<u8>> = restored.collect();
        let mut expected: Vec<Vec<u8>> = versions.iter().map(|&v| state(300, v)).collect();
        // Which of two at once is the older is not decided.
        restored.sort();
        expected.sort();
        assert!(restored == expected, "{} are there, not {versions:?}", restored.len());
        assert!(self.problems().is_empty(), "{:?}", self.problems());
    }

    fn problems(&self) -> Vec<Problem> {
        let mut found = self.owner.verify(&Owner::open(Arc::clone(&self.vault))).unwrap().1;
        // The clock of these backups is not that of the server.
        found.retain(|problem| problem.wrong != Wrong::Quarantined);
        found
    }

    fn prune(&self) -> usize {
        self.try_prune().unwrap().swept.deleted.len()
    }

    fn try_prune(&self) -> Result<tfstate::ops::prune::Report, Error> {
        let policy = Policy { last: 1, ..Policy::default() };
        let (grace, now) = (jiff::SignedDuration::ZERO, at(1000));
        let rules = Rules { policy: &policy, grace, now, damaged: false };
        self.owner.prune(Arc::clone(&self.vault), rules)
    }
}

/// Does with a repository what people do with one.
fn works_in(store: Arc<dyn Store>) {
    let mut keeping = Keeping::new(store);
    keeping.keep(Strategy::Full, 1);
    let kinds = [Strategy::Incremental, Strategy::Differential];
    let kinds = [2, 3].map(|version| {
        keeping.keep(kinds[usize::try_from(version).unwrap() - 2], version).snapshot.kind
    });
    assert_eq!(kinds, [Kind::Incremental, Kind::Differential]);
    assert!(keeping.keep(Strategy::Auto, 3).skipped());
    keeping.holds(&[1, 2, 3]);
    // Two computers at once, of which neither knows what the other does.
    thread::scope(|scope| {
        for version in [4, 5] {
            let keeping = &keeping;
            scope.spawn(move || {
                let home = place::folder();
                let backup = Backup { home: home.path(), ..keeping.backup(Strategy::Auto, 4) };
                keeping.owner.keep(&backup, &state(300, version)).unwrap();
            });
        }
    });
    keeping.holds(&[1, 2, 3, 4, 5]);
    // What is taken away from the middle is missed.
    let second = listed(&Owner::open(Arc::clone(&keeping.vault)))[1].key.clone();
    let bytes = keeping.vault.read(&second).unwrap().unwrap();
    assert_eq!(keeping.vault.create(&second, b"other").unwrap(), Created::Exists);
    keeping.vault.delete(&second).unwrap();
    assert!(!keeping.problems().is_empty());
    assert_eq!(keeping.vault.create(&second, &bytes).unwrap(), Created::New);
    keeping.holds(&[1, 2, 3, 4, 5]);
    let rekeyed = keeping.owner.rekeyed();
    rekeyed.rekey(&keeping.vault, 100).unwrap();
    keeping.owner = rekeyed.with_last_key();
    keeping.holds(&[1, 2, 3, 4, 5]);
    keeping.keep(Strategy::Full, 6);
    assert!(keeping.prune() + keeping.prune() >= 5, "the old ones go");
    keeping.holds(&[6]);
}

#[test]
fn a_repository_works_in_each_kind_of_store() {
    works_in(s3::store(&Server::start()));
    works_in(gcs::store(&gcs_server::start(false).endpoint, gcs_server::BUCKET));
    let azure = azure_server::start();
    works_in(azure::store(&azure_server::connection(&azure), azure_server::CONTAINER));
}

/// Returns the servers that `.ci/with-servers` starts.
fn real_servers() -> Vec<Arc<dyn Store>> {
    let env = Env::process();
    let mut stores: Vec<Arc<dyn Store>> = crate::s3_real::bucket().into_iter().collect();
    match env.get("TFSTATE_TEST_GCS") {
        Some(endpoint) => stores.push(gcs::store(&endpoint, "tfstate")),
        None => eprintln!("skipped: TFSTATE_TEST_GCS names no server"),
    }
    match env.get("TFSTATE_TEST_AZURE") {
        Some(connection) => stores.push(azure::store(&connection, "tfstate")),
        None => eprintln!("skipped: TFSTATE_TEST_AZURE names no server"),
    }
    stores
}

#[test]
fn a_repository_works_in_each_real_server() {
    real_servers().into_iter().for_each(works_in);
}

/// What is done with a repository while a request of it goes wrong.
#[derive(Clone, Copy, Debug)]
enum Act {
    Backup,
    Prune,
    Rekey,
    Check,
    Restore,
}

impl Act {
    const ALL: [Self; 5] = [Self::Backup, Self::Prune, Self::Rekey, Self::Check, Self::Restore];

    /// Does it in a repository of three; what is said to be done has to be so.
    fn perform(self, keeping: &Keeping, heir: &Owner) -> Result<(), Error> {
        let (owner, vault) = (&keeping.owner, &keeping.vault);
        let open = || Repository::open(Arc::clone(vault), Keys::default());
        match self {
            Self::Backup => {
                owner.keep(&keeping.backup(Strategy::Incremental, 4), &state(300, 4)).map(drop)
            }
            Self::Prune => {
                let denied = keeping.try_prune()?.swept.denied.into_iter().next();
                denied.map_or(Ok(()), |denied| Err(denied.error))
            }
            Self::Rekey => heir.rekey(vault, 100),
            Self::Check => {
                let (looked_at, problems) = owner.verify(&open()?)?;
                let found = problems.iter().filter(|problem| problem.wrong != Wrong::Quarantined);
                assert_eq!((looked_at, found.count()), (3, 0), "{problems:?}");
                Ok(())
            }
            Self::Restore => {
                let repository = open()?;
                let newest = repository.list_stream(&stream_of(place::URI))?.pop().unwrap();
                assert!(owner.restore(&repository, &newest)? == state(300, 3));
                Ok(())
            }
        }
    }

    /// Checks that nothing was lost, and that doing it again heals whatever was left.
    fn examine(self, mut keeping: Keeping, heir: Owner, is_done: bool) {
        let there = listed(&Owner::open(Arc::clone(&keeping.vault))).len();
        match self {
            Self::Backup => {
                assert!(!is_done || there == 4, "what was said to be kept is there");
                keeping.holds(&[1, 2, 3, 4][..there]);
                keeping.keep(Strategy::Incremental, 5);
                keeping.holds(if there == 4 { &[1, 2, 3, 4, 5] } else { &[1, 2, 3, 5] });
            }
            Self::Prune => {
                assert!(!is_done || there == 1, "what was said to be removed is gone");
                // What builds on something goes before that.
                keeping.holds(&[&[1, 2][..there - 1], &[3]].concat());
                keeping.try_prune().unwrap();
                keeping.holds(&[3]);
            }
            Self::Rekey => {
                keeping.owner = heir;
                keeping.holds(&[1, 2, 3]);
                keeping.owner.rekey(&keeping.vault, 101).unwrap();
                keeping.owner = keeping.owner.with_last_key();
                keeping.holds(&[1, 2, 3]);
            }
            Self::Check | Self::Restore => keeping.holds(&[1, 2, 3]),
        }
    }

    /// Does it once with what goes wrong after so many requests; returns whether it was done, and how
    /// many requests there were.
    fn under(self, fault: Fault, spared: u32) -> (bool, u32) {
        let server = Server::start();
        let keeping = Keeping::new(s3::store(&server));
        keeping.keep(Strategy::Full, 1);
        keeping.keep(Strategy::Incremental, 2);
        keeping.keep(Strategy::Full, 3);
        let heir = keeping.owner.rekeyed();
        server.requests();
        server.fail(fault.after(spared));
        let impatient = keeping.by(s3_faults::with_patience(&server, "1.2"));
        let is_done = self.perform(&impatient, &heir).is_ok();
        let asked = u32::try_from(server.requests().len()).unwrap();
        server.heal();
        self.examine(Keeping { vault: keeping.vault, ..impatient }, heir, is_done);
        (is_done, asked)
    }
}

/// What fails, hangs, is lost or is cut short at each request, over the protocol.
#[test]
fn whatever_happens_to_a_request_nothing_is_lost_and_the_next_run_heals_it() {
    const ALWAYS: u32 = 10_000;
    const SLOW: Duration = Duration::from_secs(2);
    // Whether trying again once more helps.
    type Named = (&'static str, bool, fn() -> Fault);
    let faults: [Named; 10] = [
        ("is lost on the way", true, || Fault::drop("", When::Before)),
        ("is lost on the way back", true, || Fault::drop("", When::After)),
        ("is denied", false, || Fault::status("", When::Before, 403, "AccessDenied")),
        ("meets another", false, || Fault::status("", When::Before, 409, "OperationAborted")),
        ("comes too late", false, || Fault::status("", When::Before, 412, "PreconditionFailed")),
        ("is one too many", false, || Fault::status("", When::Before, 429, "SlowDown").times(3)),
        ("is cut short", true, || Fault::truncated("GET", 20)),
        ("hangs", true, || Fault::slow("", When::Before, SLOW)),
        ("hangs when it is done", true, || Fault::slow("", When::After, SLOW)),
        ("and all after it hang", false, || Fault::slow("", When::Before, SLOW).times(ALWAYS)),
    ];
    let every = u32::try_from(place::bound("TFSTATE_TEST_REQUESTS", 5)).unwrap();
    let mut cases = Vec::new();
    for act in Act::ALL {
        let (_, asked) = act.under(Fault::drop("", When::Before), ALWAYS);
        for (number, fault) in faults.into_iter().enumerate() {
            // So that each request and each fault is among those of the gate.
            let first = u32::try_from(number).unwrap() % every;
            let some = (first..=asked).step_by(every as usize);
            cases.extend(some.map(|spared| (act, fault, spared)));
        }
    }
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(BTreeSet::new()));
    let work = || {
        while let Some(&(act, fault, spared)) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
            let (name, _, fault) = fault;
            if !act.under(fault(), spared).0 {
                failed.lock().unwrap().insert((format!("{act:?}"), name));
            }
        }
    };
    // What waits for a server that hangs leaves the processor to others.
    thread::scope(|scope| (0..16).for_each(|_| drop(scope.spawn(work))));
    let failed = failed.into_inner().unwrap();
    for act in Act::ALL {
        for (name, passes, _) in faults {
            let some_failed = failed.contains(&(format!("{act:?}"), name));
            let is_so = if passes { !some_failed } else { some_failed || every > 1 };
            assert!(is_so, "{act:?}: each request {name}");
        }
    }
}

/// Eight that write at once beside one that prunes and one that checks, over each protocol.
#[test]
fn what_works_at_once_in_each_kind_of_store_loses_nothing() {
    let azure = azure_server::start();
    work_at_once(vec![
        s3::store(&Server::start()),
        gcs::store(&gcs_server::start(false).endpoint, gcs_server::BUCKET),
        azure::store(&azure_server::connection(&azure), azure_server::CONTAINER),
    ]);
}

#[test]
fn what_works_at_once_in_each_real_server_loses_nothing() {
    work_at_once(real_servers());
}

fn work_at_once(stores: Vec<Arc<dyn Store>>) {
    let rounds = place::bound("TFSTATE_TEST_RACES", 3);
    for store in stores {
        let prefix = format!("races/{}", std::process::id());
        let vault: Arc<dyn Vault> = Arc::new(Stored::new(store, &prefix));
        let (made, _) = rounds::race(&vault, rounds);
        assert!(made > usize::try_from(rounds).unwrap() * 3, "{made} made");
    }
}

/// Runs the program beside a server, in a folder of its own.
struct Beside {
    server: Server,
    folder: tempfile::TempDir,
}

impl Beside {
    fn new(server: Server) -> Self {
        Self { server, folder: tempfile::tempdir().unwrap() }
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tfstate"));
        command.args(args).current_dir(self.folder.path()).env_clear();
        command.env("HOME", self.folder.path()).env("AWS_REGION", "us-east-1");
        command.env("AWS_ENDPOINT_URL_S3", &self.server.endpoint);
        command.env("AWS_ACCESS_KEY_ID", ACCESS_KEY).env("AWS_SECRET_ACCESS_KEY", SECRET_KEY);
        let ran = command.output().unwrap();
        assert_eq!(ran.status.code(), Some(0), "{args:?}: {ran:?}");
        ran
    }

    fn json(&self, args: &[&str]) -> serde_json::Value {
        serde_json::from_slice(&self.run(&[args, &["-o", "json"]].concat()).stdout).unwrap()
    }
}

#[test]
fn the_versions_that_a_bucket_still_has_become_a_history_once() {
    let beside = Beside::new(Server::versioned());
    let versions: Vec<Vec<u8>> = (1..=4).map(|version| place::restorable(3, version)).collect();
    for version in &versions {
        beside.server.put("prod/a.tfstate", version);
    }
    let args = ["backup", "s3://states/prod/a.tfstate", "--import-versions", "--no-encryption"];
    for _ in 0..2 {
        beside.run(&args);
        let listed = beside.json(&["snapshots"]);
        let listed = listed["snapshots"].as_array().unwrap();
        assert_eq!(listed.len(), versions.len());
        for (number, (snapshot, version)) in listed.iter().zip(&versions).enumerate() {
            let (id, file) = (snapshot["id"].as_str().unwrap(), "back.tfstate");
            beside.run(&["restore", id, "--to", file]);
            let path = beside.folder.path().join(file);
            assert!(fs::read(&path).unwrap() == *version, "{number}");
            fs::remove_file(path).unwrap();
        }
    }
}

#[test]
fn a_state_in_a_bucket_that_lost_all_its_bytes_is_kept_and_told_and_what_it_was_comes_back() {
    let beside = Beside::new(Server::start());
    let whole = place::restorable(3, 1);
    beside.server.put("a.tfstate", &whole);
    beside.server.put("b.tfstate", &whole);
    // Azure's locks leave such a thing where nothing was applied yet.
    beside.server.put("c.tfstate", b"");
    let args = ["backup", "s3://states/**", "--no-encryption", "--metrics-file", "run.prom"];
    beside.run(&args);
    beside.server.put("b.tfstate", b"");
    for _ in 0..2 {
        let told = beside.json(&args);
        assert_eq!(told["snapshots"].as_array().unwrap().len(), 2, "{told}");
        assert!(told["snapshots"][0]["error"].is_null(), "{told}");
        assert!(told["snapshots"][1]["error"].is_string(), "{told}");
        let metrics = fs::read_to_string(beside.folder.path().join("run.prom")).unwrap();
        let readable = |name: &str, is: u8| {
            format!("tfstate_backup_state_readable{{state=\"s3://states/{name}.tfstate\"}} {is}")
        };
        assert!(metrics.contains(&readable("b", 0)), "{metrics}");
    }
    beside.run(&["restore", "s3://states/b.tfstate@-1", "--to", "back.tfstate"]);
    assert!(fs::read(beside.folder.path().join("back.tfstate")).unwrap() == whole);
}
