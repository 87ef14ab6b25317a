//! The claims about states in object stores, against a server in this process or a real one.
//!
//! `cargo bench --bench stores` fills a bucket and prints each figure with its bound. The server
//! takes its share of the same processors, for both sides alike.
//!
//! It keeps everything in memory and would answer within 80 µs, which no bucket does: then the two
//! sides would be compared by how much work they do on the processors that the server needs too,
//! and reading states does more than fetching them. So each answer takes [`LATENCY`], a tenth of
//! what Amazon names for small objects; what there would be without it is printed beside.
//!
//! `cargo bench --bench stores -- --endpoint http://127.0.0.1:PORT` measures the list against a
//! server that speaks the protocol of S3: it writes the states below `tfstate-bench/` in the
//! bucket `tfstate`, or the one after `--bucket`, and deletes them at the end. The credentials are those
//! in `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or `test` and `test`. To repeat it with moto:
//! `.ci/servers/s3-moto.sh install`, `.ci/servers/s3-moto.sh start PORT`.

#![allow(missing_docs, reason = "a benchmark has no readers but its own")]
#![allow(dead_code, reason = "the server is that of the tests, who ask more of it")]
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark fails by panicking and prints"
)]

mod bucket;
mod measure;
mod peers;
#[path = "../tests/stores/s3_server/mod.rs"]
mod s3_server;
mod states;

use std::cell::Cell;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bucket::Bucket;
use futures_util::StreamExt;
use measure::{paired, ratio, report};
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use s3_server::{Fault, Server, When};
use tfstate::base::env::Env;
use tfstate::base::secret::Secret;
use tfstate::store::backend::S3;
use tfstate::store::{Backend, Body, Expected, connect};
use tokio::runtime::Runtime;

const TFSTATE: &str = env!("CARGO_BIN_EXE_tfstate");
const STATES: usize = 1000;
const RUNS: usize = 5;
const SMALL: &[u8] = &[b'x'; 2000];
/// As many as `tfstate` reads at once.
const AT_ONCE: usize = 16;
/// How long each answer takes.
const LATENCY: Duration = Duration::from_millis(10);

fn main() {
    // Installs the implementation of TLS that all of this program uses.
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!("{:<58} {:>9} {:>9}", "claim", "measured", "bound");
    match Bucket::given() {
        Some(bucket) => against(&bucket, &runtime),
        None => in_process(&runtime),
    }
}

fn in_process(runtime: &Runtime) {
    let server = Server::start();
    let bucket = Bucket::of(&server);
    let store = bucket.client();
    runtime.block_on(fill(&*store));
    runtime.block_on(async {
        let large = PutPayload::from(state(100_000_000));
        store.put(&Path::from("large.tfstate"), large).await.unwrap();
    });
    let (listing, getting) = listing(&bucket, runtime, &store);
    println!("answered at once: {} for the list, {} for the GETs", shown(listing), shown(getting));
    server.fail(Fault::slow("", When::After, LATENCY).times(u32::MAX));
    let (listing, getting) = self::listing(&bucket, runtime, &store);
    println!("answered in {}: {}, {}", shown(LATENCY), shown(listing), shown(getting));
    report(LISTING, ratio(listing, getting), "<= 1.3");
    creation(&server, runtime, &store);
    memory(&bucket);
}

const LISTING: &str = "listing 1,000 states of 100 KB / as many parallel GETs";

fn against(bucket: &Bucket, runtime: &Runtime) {
    let store = bucket.client();
    runtime.block_on(fill(&*store));
    let (listing, getting) = listing(bucket, runtime, &store);
    println!("{} for the list, {} for the GETs", shown(listing), shown(getting));
    report(LISTING, ratio(listing, getting), "<= 1.3");
    runtime.block_on(async {
        for number in 0..STATES {
            store.delete(&key(number)).await.unwrap();
        }
    });
}

/// Lists the states and gets them, in turns.
fn listing(bucket: &Bucket, runtime: &Runtime, store: &Arc<AmazonS3>) -> (Duration, Duration) {
    let keys: Vec<Path> = (0..STATES).map(key).collect();
    let get_all = || {
        runtime.block_on(async {
            let gets = keys.iter().map(|key| {
                let store = Arc::clone(store);
                async move { store.get(key).await.unwrap().bytes().await.unwrap().len() }
            });
            let total: usize = futures_util::stream::iter(gets)
                .buffer_unordered(AT_ONCE)
                .fold(0, |sum, len| async move { sum + len })
                .await;
            assert!(total > STATES * 90_000);
        });
    };
    paired(|| list(bucket), get_all, RUNS)
}

fn key(number: usize) -> Path {
    Path::from(format!("tfstate-bench/stack{number:04}/terraform.tfstate"))
}

async fn fill(store: &dyn ObjectStore) {
    let small = PutPayload::from(state(100_000));
    for number in 0..STATES {
        store.put(&key(number), small.clone()).await.unwrap();
    }
}

fn state(bytes: usize) -> Vec<u8> {
    let mut state = Vec::new();
    states::write(&mut state, bytes, 0).unwrap();
    state
}

fn shown(time: Duration) -> String {
    format!("{:.0} ms", time.as_secs_f64() * 1e3)
}

/// Creates small objects through the library and with the client alone, each run under new names.
fn creation(server: &Server, runtime: &Runtime, client: &Arc<AmazonS3>) {
    let settings = S3 {
        bucket: "states".to_owned(),
        access_key: Some(Secret::new(s3_server::ACCESS_KEY)),
        secret_key: Some(Secret::new(s3_server::SECRET_KEY)),
        endpoints: [("s3".to_owned(), server.endpoint.clone())].into(),
        ..S3::default()
    };
    let own = connect(&Backend::S3(Box::new(settings)), &Env::default()).unwrap();
    let (run, other_run) = (Cell::new(0), Cell::new(0));
    let create_all = || {
        let prefix = format!("own/{}", run.replace(run.get() + 1));
        std::thread::scope(|scope| {
            for thread in 0..AT_ONCE {
                let (own, prefix) = (&own, &prefix);
                scope.spawn(move || {
                    for number in (thread..STATES).step_by(AT_ONCE) {
                        let body = Body { bytes: SMALL, expected: Expected::Nothing, lock: None };
                        own.write(&format!("{prefix}/{number}"), &body).unwrap();
                    }
                });
            }
        });
    };
    let put_all = || {
        let prefix = format!("puts/{}", other_run.replace(other_run.get() + 1));
        runtime.block_on(async {
            let puts = (0..STATES).map(|number| {
                let (client, path) = (Arc::clone(client), Path::from(format!("{prefix}/{number}")));
                async move { client.put(&path, PutPayload::from_static(SMALL)).await.unwrap() }
            });
            futures_util::stream::iter(puts).buffer_unordered(AT_ONCE).for_each(async |_| {}).await;
        });
    };
    let (creating, putting) = paired(create_all, put_all, RUNS);
    let claim = "creating 1,000 objects of 2 KB / as many parallel PUTs";
    report(claim, ratio(creating, putting), "<= 1.3");
}

fn list(bucket: &Bucket) {
    let mut command = Command::new("env");
    let reference = format!("s3://{}/tfstate-bench/**", bucket.name);
    command.args(bucket.variables()).args([TFSTATE, "list", &reference]);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "{reference}");
}

fn memory(bucket: &Bucket) {
    let claim = "reading 100 MB from S3: peak memory / size";
    let (variables, reference) =
        (bucket.variables(), format!("s3://{}/large.tfstate", bucket.name));
    let mut command = vec!["env"];
    command.extend(variables.iter().map(String::as_str));
    command.extend([TFSTATE, "list", &reference]);
    match peers::peak(&command) {
        Some(peak) => report(claim, peak / 1e8, "<= 1.4"),
        None => println!("{claim:<58} {:>9}", "no python3"),
    }
}
