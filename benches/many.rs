//! Many small states in an object store, of which few changed: what a second backup of them takes
//! beside the least that any program must do, listing them and reading those that changed.
//!
//! As in the claims about stores, each answer takes [`LATENCY`]; what there is where the server,
//! which has the same processors, answers at once is printed beside.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use tokio::runtime::Runtime;

use super::TFSTATE;
use super::measure::{median, ratio, report};
use super::s3_server::{self, Fault, Server, When};
use super::series::Series;

const ROUNDS: usize = 5;
/// As many as `tfstate` reads at once.
const AT_ONCE: usize = 16;
const BYTES: usize = 100_000;
/// How long each answer takes.
const LATENCY: Duration = Duration::from_millis(10);

struct Place {
    server: Server,
    store: Arc<AmazonS3>,
    runtime: Runtime,
    home: tempfile::TempDir,
    recipient: String,
    series: Vec<Series>,
}

pub(crate) fn run(states: usize) {
    let mut place = Place::new(states);
    let start = Instant::now();
    place.back_up();
    println!("the first backup of {states} states took {:.1} s", start.elapsed().as_secs_f64());
    place.compare("answered at once");
    place.server.fail(Fault::slow("", When::After, LATENCY).times(u32::MAX));
    let (backup, floor) = place.compare("answered in 10 ms");
    let claim = format!("backup of {states} states, 1 % changed / list and read");
    report(&claim, ratio(backup, floor), "<= 1.5");
}

impl Place {
    fn new(states: usize) -> Self {
        let server = Server::start();
        let builder = AmazonS3Builder::new()
            .with_endpoint(&server.endpoint)
            .with_allow_http(true)
            .with_region("us-east-1")
            .with_bucket_name("states")
            .with_access_key_id(s3_server::ACCESS_KEY)
            .with_secret_access_key(s3_server::SECRET_KEY);
        // Installs the implementation of TLS that all of this program uses.
        rustls::crypto::ring::default_provider().install_default().unwrap();
        let place = Self {
            server,
            store: Arc::new(builder.build().unwrap()),
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

    /// Measures backups of states that changed, and listing and reading those.
    fn compare(&mut self, how: &str) -> (Duration, Duration) {
        let (mut backups, mut floors, mut unchanged) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let changed = self.change(round);
            // What comes first may find caches colder: it is the other one each time.
            if round % 2 == 0 {
                floors.push(self.list_and_read(&changed));
                backups.push(self.back_up());
            } else {
                backups.push(self.back_up());
                floors.push(self.list_and_read(&changed));
            }
            unchanged.push(self.back_up());
        }
        let (backup, floor) = (median(backups), median(floors));
        println!(
            "{how}: a backup after changes took {:.0} ms, one without {:.0} ms, listing and reading {:.0} ms",
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
            let prefix = Path::from("many");
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

    fn back_up(&self) -> Duration {
        let below = |name: &str| self.home.path().join(name);
        let mut command = Command::new(TFSTATE);
        command
            .args(["backup", "s3://states/many/**", "--repo", "s3://states/backups/x"])
            .args(["--recipient", &self.recipient])
            .env("AWS_ENDPOINT_URL_S3", &self.server.endpoint)
            .env("AWS_ACCESS_KEY_ID", s3_server::ACCESS_KEY)
            .env("AWS_SECRET_ACCESS_KEY", s3_server::SECRET_KEY)
            .env("AWS_REGION", "us-east-1")
            .env("XDG_STATE_HOME", below("state"))
            .env("XDG_CACHE_HOME", below("cache"));
        let start = Instant::now();
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap();
        assert!(status.success(), "the backup of many states failed");
        start.elapsed()
    }
}

fn key(number: usize) -> Path {
    Path::from(format!("many/stack{number:04}/terraform.tfstate"))
}
