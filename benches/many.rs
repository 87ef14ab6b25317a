//! Many small states in an object store, of which few changed: what a second backup of them takes
//! beside the least that any program must do, listing them and reading those that changed.
//!
//! The repository is in the same bucket, or in a folder. The claim is about a server that works for its
//! answers, and about a folder: `-- --only many --endpoint http://127.0.0.1:PORT` measures against one,
//! as the claims about stores do. The server of this process only waits, [`LATENCY`] for each answer,
//! and shares the processors with what is measured: beside it, what snapshots take to compute counts.
//! What there is where it answers at once is printed too.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use tokio::runtime::Runtime;

use super::TFSTATE;
use super::bucket::Bucket;
use super::measure::{median, ratio, report};
use super::s3_server::{Fault, Server, When};
use super::series::Series;

const ROUNDS: usize = 5;
/// As many as `tfstate` reads at once.
const AT_ONCE: usize = 16;
const BYTES: usize = 100_000;
/// What all keys in the bucket begin with.
const PREFIX: &str = "tfstate-bench";
/// How long each answer takes.
const LATENCY: Duration = Duration::from_millis(10);

struct Place {
    bucket: Bucket,
    store: Arc<AmazonS3>,
    runtime: Runtime,
    home: tempfile::TempDir,
    recipient: String,
    series: Vec<Series>,
}

/// Where a repository is.
const REPOSITORIES: [&str; 2] = ["in the same bucket", "in a folder"];

pub(crate) fn run(states: usize) {
    let server = Server::start();
    let given = Bucket::given();
    let is_given = given.is_some();
    let mut place = Place::new(states, given.unwrap_or_else(|| Bucket::of(&server)));
    for repository in REPOSITORIES {
        place.back_up(repository);
        // What is known of what was just added is known by the run after it.
        place.back_up(repository);
    }
    if !is_given {
        place.compare(REPOSITORIES[0], "answered at once");
        server.fail(Fault::slow("", When::After, LATENCY).times(u32::MAX));
    }
    for repository in REPOSITORIES {
        let (backup, floor) = place.compare(repository, "measured");
        let claim = format!("{states} states, 1 % changed, {repository} / list and read");
        report(&claim, ratio(backup, floor), "<= 1.5");
    }
    if is_given {
        place.clear();
    }
}

impl Place {
    fn new(states: usize, bucket: Bucket) -> Self {
        // Installs the implementation of TLS that all of this program uses.
        rustls::crypto::ring::default_provider().install_default().unwrap();
        let place = Self {
            store: bucket.client(),
            bucket,
            runtime: tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap(),
            home: tempfile::tempdir().unwrap(),
            recipient: age::x25519::Identity::generate().to_public().to_string(),
            series: (0..states).map(|number| Series::new(BYTES, number as u64)).collect(),
        };
        for number in 0..states {
            place.put(number);
        }
        place
    }

    /// Removes all that was put into the bucket.
    fn clear(&self) {
        self.runtime.block_on(async {
            let listed = self.store.list(Some(&Path::from(PREFIX)));
            let keys: Vec<_> = listed.map_ok(|object| object.location).try_collect().await.unwrap();
            for key in keys {
                self.store.delete(&key).await.unwrap();
            }
        });
    }

    /// Measures backups of states that changed, and listing and reading those.
    fn compare(&mut self, repository: &str, how: &str) -> (Duration, Duration) {
        let (mut backups, mut floors, mut unchanged) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let changed = self.change(round);
            // What comes first may find caches colder: it is the other one each time.
            if round % 2 == 0 {
                floors.push(self.list_and_read(&changed));
                backups.push(self.back_up(repository));
            } else {
                backups.push(self.back_up(repository));
                floors.push(self.list_and_read(&changed));
            }
            unchanged.push(self.back_up(repository));
        }
        let (backup, floor) = (median(backups), median(floors));
        println!(
            "{how}, {repository}: a backup after changes took {:.0} ms, one without {:.0} ms, listing and reading {:.0} ms",
            backup.as_secs_f64() * 1e3,
            median(unchanged).as_secs_f64() * 1e3,
            floor.as_secs_f64() * 1e3
        );
        (backup, floor)
    }

    fn put(&self, number: usize) {
        let payload = PutPayload::from(self.series[number].bytes());
        self.runtime.block_on(self.store.put(&key(number), payload)).unwrap();
    }

    /// Makes a later version of every hundredth state.
    fn change(&mut self, round: usize) -> Vec<Path> {
        let numbers: Vec<usize> = (round..self.series.len()).step_by(100).collect();
        for &number in &numbers {
            self.series[number].advance();
            self.put(number);
        }
        numbers.into_iter().map(key).collect()
    }

    fn list_and_read(&self, changed: &[Path]) -> Duration {
        let start = Instant::now();
        self.runtime.block_on(async {
            let prefix = Path::from(format!("{PREFIX}/many"));
            let listed: Vec<_> = self.store.list(Some(&prefix)).try_collect().await.unwrap();
            assert_eq!(listed.len(), self.series.len());
            let gets = changed.iter().map(|key| {
                let store = Arc::clone(&self.store);
                async move { store.get(key).await.unwrap().bytes().await.unwrap().len() }
            });
            let total: usize = futures_util::stream::iter(gets)
                .buffer_unordered(AT_ONCE)
                .fold(0, |sum, len| async move { sum + len })
                .await;
            assert!(total > changed.len() * BYTES / 2);
        });
        start.elapsed()
    }

    fn back_up(&self, repository: &str) -> Duration {
        let below = |name: &str| self.home.path().join(name);
        let pattern = format!("s3://{}/{PREFIX}/many/**", self.bucket.name);
        let repository = match repository {
            "in a folder" => below("repository").display().to_string(),
            _ => format!("s3://{}/{PREFIX}/backups", self.bucket.name),
        };
        let mut command = Command::new("env");
        command
            .args(self.bucket.variables())
            .args([TFSTATE, "backup", &pattern, "--repo", &repository])
            .args(["--recipient", &self.recipient])
            .env("XDG_STATE_HOME", below("state"))
            .env("XDG_CACHE_HOME", below("cache"));
        let start = Instant::now();
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap();
        assert!(status.success(), "the backup of many states failed");
        start.elapsed()
    }
}

fn key(number: usize) -> Path {
    Path::from(format!("{PREFIX}/many/stack{number:04}/terraform.tfstate"))
}
