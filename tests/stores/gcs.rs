//! Google Cloud Storage: the contract, and what its own protocol says.

use std::sync::Arc;

use tfstate::base::env::Env;
use tfstate::base::secret::Secret;
use tfstate::store::backend::{Backend, Gcs};
use tfstate::store::{Body, Error, Expected, Found, Holder, Problem, Store, connect};

use crate::contract::{self, Keys, ODD_KEYS, Traits, info};
use crate::faults;
use crate::gcs_server::{self, BUCKET, TOKEN};
use crate::s3_server::Fault;

/// Further keys that `object_store` has no word for.
const SEGMENTS: &[&str] = &["two//slashes", "a/./dot", "a/../dots", "trailing/"];

fn settings(endpoint: &str, bucket: &str) -> Gcs {
    Gcs {
        bucket: bucket.to_owned(),
        access_token: Some(Secret::new(TOKEN)),
        storage_custom_endpoint: Some(endpoint.to_owned()),
        ..Gcs::default()
    }
}

fn open(settings: Gcs) -> Arc<dyn Store> {
    let env = Env::from_pairs([("TFSTATE_NETWORK_TIMEOUT", faults::PATIENCE)]);
    connect(&Backend::Gcs(Box::new(settings)), &env).unwrap()
}

pub(crate) fn store(endpoint: &str, bucket: &str) -> Arc<dyn Store> {
    connect(&Backend::Gcs(Box::new(settings(endpoint, bucket))), &Env::default()).unwrap()
}

fn traits<'a>(odd: &'a [&'a str]) -> Traits<'a> {
    let keys = Keys::Many { prefix: "contract/", odd };
    Traits { keys, secrets: &[TOKEN], ..Traits::EVERYTHING }
}

/// A server that is reached at `TFSTATE_TEST_GCS` and has the buckets `tfstate`, without versions,
/// and `tfstate-versioned`.
#[test]
fn a_server_holds_the_contract() {
    let Some(endpoint) = Env::process().get("TFSTATE_TEST_GCS") else {
        eprintln!("skipped: TFSTATE_TEST_GCS names no server");
        return;
    };
    let odd = [ODD_KEYS, SEGMENTS].concat();
    contract::holds(&*store(&endpoint, "tfstate"), &traits(&odd));
    let versioned = Traits { has_versions: true, ..traits(&odd) };
    contract::holds(&*store(&endpoint, "tfstate-versioned"), &versioned);
}

#[test]
fn a_bucket_holds_the_contract() {
    let odd = [ODD_KEYS, SEGMENTS].concat();
    let server = gcs_server::start(false);
    contract::holds(&*store(&server.endpoint, BUCKET), &traits(&odd));
}

#[test]
fn a_bucket_with_versions_holds_the_contract() {
    let server = gcs_server::start(true);
    let traits = Traits { has_versions: true, listed: 20, ..traits(ODD_KEYS) };
    contract::holds(&*store(&server.endpoint, BUCKET), &traits);
}

#[test]
fn a_bucket_survives_every_fault() {
    let start = || {
        let server = gcs_server::start(false);
        (open(settings(&server.endpoint, BUCKET)), Box::new(server) as Box<dyn faults::Breakable>)
    };
    faults::survives(&start, &[TOKEN]);
}

#[test]
fn the_lock_of_a_state_is_terraforms() {
    let server = gcs_server::start(false);
    let store = store(&server.endpoint, BUCKET);
    let held = store.locks().unwrap().acquire("env/default.tfstate", &info(1)).unwrap();
    let (lock, kind, generation) = server.with(|bucket| {
        let object = bucket.object("env/default.tflock").unwrap();
        (object.data.clone(), object.kind.clone(), object.generation)
    });
    let text = str::from_utf8(&lock).unwrap();
    assert!(text.starts_with("{\"ID\":\"5b3c1a52-"), "{text}");
    assert!(text.ends_with(",\"Path\":\"gs://states/env/default.tflock\"}"), "{text}");
    assert_eq!(kind, "text/plain; charset=utf-8");
    assert_eq!(held.id(), generation.to_string());
    held.release().unwrap();
    assert!(server.with(|bucket| bucket.object("env/default.tflock").is_none()));
}

#[test]
fn a_lock_that_nobody_can_read_can_be_broken_by_its_generation() {
    let server = gcs_server::start(false);
    let id = server.with(|bucket| bucket.put("a.tflock", "<html>")).to_string();
    let store = store(&server.endpoint, BUCKET);
    let locks = store.locks().unwrap();
    let why = format!("gs://states/a.tflock is not readable as a lock; its id is {id}");
    assert_eq!(locks.holder("a").unwrap(), Holder::Unnamed { why });
    assert!(matches!(locks.acquire("a", &info(1)), Err(Error::Locked { .. })));
    locks.break_lock("a", &id).unwrap();
    assert_eq!(locks.holder("a").unwrap(), Holder::Nobody);
}

#[test]
fn states_are_encrypted_with_the_key_of_the_configuration_and_locks_are_not() {
    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let server = gcs_server::start(false);
    let key = Some(Secret::new(KEY));
    let encrypting = open(Gcs { encryption_key: key, ..settings(&server.endpoint, BUCKET) });
    let body = Body { bytes: b"{}", expected: Expected::Nothing, lock: None };
    for name in ["a.tfstate", "odd//b.tfstate"] {
        let version = encrypting.write(name, &body).unwrap();
        assert!(matches!(encrypting.read(name).unwrap(), Found::Bytes(..)));
        assert_eq!(encrypting.head(name).unwrap().unwrap().version, version);
        let digest = server.with(|bucket| bucket.object(name).unwrap().key_digest.clone());
        assert_eq!(digest.as_deref(), Some("Yw3NKWbEM2aRElRIu7JbT/QSpJxzLbLIq8G4WBvXEN0="));
    }
    let held = encrypting.locks().unwrap().acquire("a.tfstate", &info(1)).unwrap();
    let digest = server.with(|bucket| bucket.object("a.tflock").unwrap().key_digest.clone());
    assert_eq!(digest, None);
    held.release().unwrap();
    let without = store(&server.endpoint, BUCKET).read("a.tfstate").unwrap_err();
    assert!(matches!(without, Error::Remote { problem: Problem::Refused, .. }), "{without:?}");
    assert!(!contract::told(&without).contains(KEY));

    let name = "projects/p/locations/l/keyRings/r/cryptoKeys/k";
    let managed =
        Gcs { kms_encryption_key: Some(name.to_owned()), ..settings(&server.endpoint, BUCKET) };
    open(managed).write("c.tfstate", &body).unwrap();
    let used = server.with(|bucket| bucket.object("c.tfstate").unwrap().managed_key.clone());
    assert_eq!(used.as_deref(), Some(name));
}

#[test]
fn a_wrong_token_and_a_missing_bucket_are_told() {
    let server = gcs_server::start(false);
    let no_bucket = store(&server.endpoint, "elsewhere");
    let problem = Problem::NoContainer("bucket elsewhere".to_owned());
    let body = Body { bytes: b"{}", expected: Expected::Nothing, lock: None };
    for error in [
        no_bucket.read("a").unwrap_err(),
        no_bucket.read("a//b").unwrap_err(),
        no_bucket.head("a").unwrap_err(),
        no_bucket.list("", &mut |_| Ok(())).unwrap_err(),
        no_bucket.write("a", &body).unwrap_err(),
        no_bucket.locks().unwrap().acquire("a", &info(1)).unwrap_err(),
        no_bucket.locks().unwrap().holder("a").unwrap_err(),
    ] {
        let Error::Remote { problem: found, .. } = &error else { panic!("{error:?}") };
        assert_eq!(*found, problem, "{error}");
    }
    let token = Some(Secret::new("ANOTHER-T0KEN"));
    let refused = open(Gcs { access_token: token, ..settings(&server.endpoint, BUCKET) });
    let error = refused.read("a").unwrap_err();
    assert_eq!(
        contract::told(&error).lines().next(),
        Some("cannot read gs://states/a: the credentials are refused")
    );
    assert!(!contract::told(&error).contains("ANOTHER-T0KEN"));
}

#[test]
fn without_credentials_it_says_so() {
    let server = gcs_server::start(false);
    let none = Gcs { access_token: None, ..settings(&server.endpoint, BUCKET) };
    let file = Gcs { credentials: Some(Secret::new("/nowhere/key.json")), ..none.clone() };
    // Nothing answers there, and nothing is to be looked for elsewhere.
    let env = [("GCE_METADATA_HOST", "127.0.0.1:1"), ("TFSTATE_NETWORK_TIMEOUT", "1")];
    for settings in [none, file] {
        let store = connect(&Backend::Gcs(Box::new(settings)), &Env::from_pairs(env)).unwrap();
        match store.read("a").unwrap_err() {
            Error::Remote { problem, .. } => assert_eq!(problem, Problem::NoCredentials),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(server.requests(), Vec::<String>::new());
}

#[test]
fn a_damaged_state_is_not_returned() {
    let server = gcs_server::start(false);
    let store = store(&server.endpoint, BUCKET);
    server.with(|bucket| bucket.put("a", "{}"));
    server.fail(Fault::flipped("GET "));
    let error = store.read("a").unwrap_err();
    assert!(matches!(error, Error::Remote { problem: Problem::Damaged(_), .. }), "{error:?}");
}
