//! No credential of a store comes out of any command, at any level of logging: neither where the
//! store refuses them nor where what it answers repeats the headers that it was sent.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tfstate::base::env::Env;
use tfstate::base::fs;

/// What every credential here holds, also as the key of an account in base64.
const MARKER: &str = "MARKMARK";

/// `bob:MARKMARK` as the header of a request has it.
const BASIC: &str = "Ym9iOk1BUktNQVJL";

const LEVELS: [&[&str]; 4] = [&[], &["-v"], &["-vvv"], &["-vvv", "--log-format", "json"]];

const COMMANDS: [&[&str]; 6] = [
    &["list"],
    &["pull"],
    &["lock", "show"],
    &["lock", "run", "--", "true"],
    &["unlock", "--yes", ".", "1"],
    &["push", "new.state"],
];

/// A server that refuses everything, and repeats in its answer what it was sent.
fn refuses() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            counter.fetch_add(1, Ordering::SeqCst);
            std::thread::spawn(move || answer(stream));
        }
    });
    (address, asked)
}

fn answer(mut stream: TcpStream) {
    let mut head = [0; 8192];
    let length = stream.read(&mut head).unwrap_or(0);
    let head = String::from_utf8_lossy(&head[..length]).replace(['<', '&', '\0', '\r', '\n'], " ");
    let body = format!("<Error><Code>AccessDenied</Code><Message>{head}</Message></Error>");
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 403 Forbidden\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    // A client that has gone has shown nothing.
    let _sent = stream.write_all(answer.as_bytes());
}

/// Runs every command at every level in a directory with this backend.
fn keeps(
    backend: impl Fn(&str) -> String,
    variables: impl Fn(&str) -> Vec<(&'static str, String)>,
) {
    let (address, asked) = refuses();
    let folder = tempfile::tempdir().unwrap();
    let block = format!("terraform {{\n{}\n}}\n", backend(&address));
    fs::replace(&folder.path().join("backend.tf"), block.as_bytes()).unwrap();
    let state = r#"{"version": 4, "serial": 1, "lineage": "l", "outputs": {}, "resources": []}"#;
    fs::replace(&folder.path().join("new.state"), state.as_bytes()).unwrap();
    for words in COMMANDS {
        for level in LEVELS {
            let mut command = Command::new(env!("CARGO_BIN_EXE_tfstate"));
            command.args(level).args(words).current_dir(folder.path()).env_clear();
            command.env("HOME", folder.path()).env("TFSTATE_NETWORK_TIMEOUT", "2");
            command.env("PATH", Env::process().path("PATH").unwrap_or_default());
            command.env("RUST_LOG", "trace").envs(variables(&address));
            let output = command.output().unwrap();
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert!(!said.contains(MARKER) && !said.contains(BASIC), "{words:?} {level:?}: {said}");
            assert_eq!(output.status.code(), Some(1), "{words:?} {level:?}: {said}");
        }
    }
    assert!(asked.load(Ordering::SeqCst) > 0, "nobody asked the server: this proves nothing");
}

fn s3(address: &str, more: &str) -> String {
    format!(
        "backend \"s3\" {{\nbucket = \"b\"\nkey = \"k\"\nregion = \"us-east-1\"\nuse_path_style = true\n\
         endpoints = {{ s3 = \"http://{address}\", dynamodb = \"http://{address}\" }}\n{more}\n}}"
    )
}

#[test]
fn s3_in_the_block() {
    let keys =
        "access_key = \"AKIAMARKMARK\"\nsecret_key = \"MARKMARK/a\"\ntoken = \"MARKMARKtoken\"";
    keeps(|at| s3(at, &format!("{keys}\nuse_lockfile = true")), |_| Vec::new());
}

#[test]
fn s3_in_the_environment_with_a_table() {
    let variables = |_: &str| {
        vec![
            ("AWS_ACCESS_KEY_ID", "AKIAMARKMARK".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "MARKMARK/a".to_owned()),
            ("AWS_SESSION_TOKEN", "MARKMARKtoken".to_owned()),
        ]
    };
    keeps(|at| s3(at, "dynamodb_table = \"t\""), variables);
}

#[test]
fn gcs() {
    let block = |at: &str| {
        format!(
            "backend \"gcs\" {{\nbucket = \"b\"\naccess_token = \"ya29.MARKMARK\"\n\
             storage_custom_endpoint = \"http://{at}/storage/v1/b\"\n}}"
        )
    };
    keeps(block, |_| Vec::new());
}

const AZURE: &str =
    "backend \"azurerm\" {\nstorage_account_name = \"a\"\ncontainer_name = \"c\"\nkey = \"k\"\n}";

#[test]
fn azure_with_the_key_of_the_account() {
    let variables = |at: &str| {
        let text = format!("AccountName=a;AccountKey=MARKMARKMARKMARK;BlobEndpoint=http://{at}/a;");
        vec![("AZURE_STORAGE_CONNECTION_STRING", text)]
    };
    keeps(|_| AZURE.to_owned(), variables);
}

#[test]
fn azure_with_a_shared_access_signature() {
    let variables = |at: &str| {
        let sas = "sv=2022-11-02&sig=MARKMARK%3D";
        let text = format!("BlobEndpoint=http://{at}/a;SharedAccessSignature={sas};");
        vec![("AZURE_STORAGE_CONNECTION_STRING", text)]
    };
    keeps(|_| AZURE.to_owned(), variables);
}

#[test]
fn http() {
    let block = |at: &str| {
        let address = format!("http://{at}/state");
        format!(
            "backend \"http\" {{\naddress = \"{address}\"\nlock_address = \"{address}\"\n\
             unlock_address = \"{address}\"\nusername = \"bob\"\npassword = \"MARKMARK\"\n}}"
        )
    };
    keeps(block, |_| Vec::new());
}

#[test]
fn pg() {
    let block = |at: &str| {
        format!(
            "backend \"pg\" {{\nconn_str = \"postgres://bob:MARKMARK@{at}/d?sslmode=disable\"\n}}"
        )
    };
    keeps(block, |_| Vec::new());
}
