//! The claims about states in object stores, against a server in this process.
//!
//! `cargo bench --bench stores` fills a bucket and prints each figure with its bound. The server
//! takes its share of the same processors, for both sides alike.

#![allow(missing_docs, reason = "a benchmark has no readers but its own")]
#![allow(dead_code, reason = "the server is that of the tests, who ask more of it")]
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark fails by panicking and prints"
)]

mod measure;
mod peers;
#[path = "../tests/stores/s3_server/mod.rs"]
mod s3_server;
mod states;

use std::process::{Command, Stdio};
use std::sync::Arc;

use futures_util::StreamExt;
use measure::{paired, ratio, report};
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload};
use s3_server::Server;

const TFSTATE: &str = env!("CARGO_BIN_EXE_tfstate");
const STATES: usize = 1000;
const RUNS: usize = 5;
/// As many as `tfstate` reads at once.
const AT_ONCE: usize = 16;

fn main() {
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
    let store = Arc::new(builder.build().unwrap());
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(fill(&*store));
    println!("{:<58} {:>9} {:>9}", "claim", "measured", "bound");

    let keys: Vec<Path> = (0..STATES).map(key).collect();
    let get_all = || {
        runtime.block_on(async {
            let gets = keys.iter().map(|key| {
                let store = Arc::clone(&store);
                async move { store.get(key).await.unwrap().bytes().await.unwrap().len() }
            });
            let total: usize = futures_util::stream::iter(gets)
                .buffer_unordered(AT_ONCE)
                .fold(0, |sum, len| async move { sum + len })
                .await;
            assert!(total > STATES * 90_000);
        });
    };
    let list_all = || list(&server, "s3://states/many/**");
    let (listing, getting) = paired(list_all, get_all, RUNS);
    println!(
        "listing took {:.0} ms, the GETs alone {:.0} ms",
        listing.as_secs_f64() * 1e3,
        getting.as_secs_f64() * 1e3
    );
    report(
        "listing 1,000 states of 100 KB / as many parallel GETs",
        ratio(listing, getting),
        "<= 1.3",
    );
    memory(&server);
}

fn key(number: usize) -> Path {
    Path::from(format!("many/stack{number:04}/terraform.tfstate"))
}

async fn fill(store: &dyn ObjectStore) {
    let state = |bytes: usize| {
        let mut state = Vec::new();
        states::write(&mut state, bytes, 0).unwrap();
        PutPayload::from(state)
    };
    let small = state(100_000);
    for number in 0..STATES {
        store.put(&key(number), small.clone()).await.unwrap();
    }
    store.put(&Path::from("large.tfstate"), state(100_000_000)).await.unwrap();
}

fn variables(server: &Server) -> [String; 4] {
    [
        format!("AWS_ENDPOINT_URL_S3={}", server.endpoint),
        format!("AWS_ACCESS_KEY_ID={}", s3_server::ACCESS_KEY),
        format!("AWS_SECRET_ACCESS_KEY={}", s3_server::SECRET_KEY),
        "AWS_REGION=us-east-1".to_owned(),
    ]
}

fn list(server: &Server, reference: &str) {
    let mut command = Command::new("env");
    command.args(variables(server)).args([TFSTATE, "list", reference]);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "{reference}");
}

fn memory(server: &Server) {
    let claim = "reading 100 MB from S3: peak memory / size";
    let variables = variables(server);
    let mut command = vec!["env"];
    command.extend(variables.iter().map(String::as_str));
    command.extend([TFSTATE, "list", "s3://states/large.tfstate"]);
    match peers::peak(&command) {
        Some(peak) => report(claim, peak / 1e8, "<= 1.4"),
        None => println!("{claim:<58} {:>9}", "no python3"),
    }
}
