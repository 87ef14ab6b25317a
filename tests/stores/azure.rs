//! Azure Blob Storage: the contract, and what its own protocol says.

use std::sync::Arc;

use tfstate::base::env::Env;
use tfstate::store::backend::{Azure, Backend};
use tfstate::store::{Body, Error, Expected, Found, Holder, Problem, Store, connect};

use crate::azure_server::{self, ACCOUNT, CONTAINER, KEY};
use crate::contract::{self, Keys, ODD_KEYS, Traits, info};
use crate::faults;
use crate::s3_server::Fault;
use crate::s3_server::fault::When;

/// Further keys that `object_store` has no word for.
const SEGMENTS: &[&str] = &["two//slashes", "a/./dot", "a/../dots", "trailing/"];

pub(crate) fn store(connection: &str, container: &str) -> Arc<dyn Store> {
    let settings = Azure { container_name: container.to_owned(), ..Azure::default() };
    open(settings, connection, "30")
}

fn open(settings: Azure, connection: &str, patience: &str) -> Arc<dyn Store> {
    let env = Env::from_pairs([
        ("AZURE_STORAGE_CONNECTION_STRING", connection),
        ("TFSTATE_NETWORK_TIMEOUT", patience),
    ]);
    connect(&Backend::Azure(Box::new(settings)), &env).unwrap()
}

fn traits<'a>(odd: &'a [&'a str], secrets: &'a [&'a str]) -> Traits<'a> {
    let keys = Keys::Many { prefix: "contract/", odd };
    Traits { keys, secrets, ..Traits::EVERYTHING }
}

/// A server that the connection string in `TFSTATE_TEST_AZURE` leads to, and that has the
/// container `tfstate`.
#[test]
fn a_server_holds_the_contract() {
    let Some(connection) = Env::process().get("TFSTATE_TEST_AZURE") else {
        eprintln!("skipped: TFSTATE_TEST_AZURE names no server");
        return;
    };
    let odd = [ODD_KEYS, SEGMENTS].concat();
    let (_, key) = connection.split_once("AccountKey=").unwrap();
    let key = key.split(';').next().unwrap();
    let store = store(&connection, "tfstate");
    contract::holds(&*store, &traits(&odd, &[key]));
    let mut count = 0;
    let each = &mut |_| {
        count += 1;
        Ok(())
    };
    store.list("", each).unwrap();
    assert!(count > 1_000, "{count}");
}

const NEW: Body<'static> = Body { bytes: b"{}", expected: Expected::Nothing, lock: None };

#[test]
fn a_container_holds_the_contract() {
    let odd = [ODD_KEYS, SEGMENTS].concat();
    let server = azure_server::start();
    let store = store(&azure_server::connection(&server), CONTAINER);
    contract::holds(&*store, &traits(&odd, &[KEY]));
}

#[test]
fn a_container_survives_every_fault() {
    let start = || {
        let server = azure_server::start();
        let settings = Azure { container_name: CONTAINER.to_owned(), ..Azure::default() };
        let store = open(settings, &azure_server::connection(&server), faults::PATIENCE);
        (store, Box::new(server) as Box<dyn faults::Breakable>)
    };
    faults::survives(&start, &[KEY]);
}

#[test]
fn the_lock_of_a_state_is_terraforms() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    let server = azure_server::start();
    let store = store(&azure_server::connection(&server), CONTAINER);
    store.write("env/a.tfstate", &NEW).unwrap();
    let held = store.locks().unwrap().acquire("env/a.tfstate", &info(1)).unwrap();
    let (lease, note) = server.with(|container| {
        let blob = container.blob("env/a.tfstate").unwrap();
        (blob.lease.clone(), blob.metadata["terraformlockid"].clone())
    });
    assert_eq!(lease.as_deref(), Some(held.id()));
    assert_eq!(held.id(), info(1).id);
    let text = String::from_utf8(STANDARD.decode(note).unwrap()).unwrap();
    assert!(text.starts_with("{\"ID\":\"5b3c1a52-"), "{text}");
    assert!(text.ends_with(",\"Path\":\"states/env/a.tfstate\"}"), "{text}");
    held.release().unwrap();
    let (lease, metadata) = server.with(|container| {
        let blob = container.blob("env/a.tfstate").unwrap();
        (blob.lease.clone(), blob.metadata.clone())
    });
    assert!(lease.is_none() && metadata.is_empty(), "{lease:?} {metadata:?}");
}

#[test]
fn metadata_survives_a_lock_and_a_write() {
    let server = azure_server::start();
    let store = store(&azure_server::connection(&server), CONTAINER);
    let version = store.write("a", &NEW).unwrap();
    server.with(|container| {
        let metadata = &mut container.blob("a").unwrap().metadata;
        metadata.insert("owner".to_owned(), "ops".to_owned());
    });
    let held = store.locks().unwrap().acquire("a", &info(1)).unwrap();
    let body = Body { bytes: b"[]", expected: Expected::Version(&version), lock: Some(held.id()) };
    store.write("a", &body).unwrap();
    let noted = server.with(|container| container.blob("a").unwrap().metadata.clone());
    assert_eq!(noted.keys().collect::<Vec<_>>(), ["owner", "terraformlockid"]);
    held.release().unwrap();
    let noted = server.with(|container| container.blob("a").unwrap().metadata.clone());
    assert_eq!(noted.into_iter().collect::<Vec<_>>(), [("owner".to_owned(), "ops".to_owned())]);
    assert_eq!(
        server.with(|container| container.blob("a").unwrap().kind.clone()),
        "application/json"
    );
}

#[test]
fn a_write_without_the_lock_that_is_held_is_refused_with_its_holder() {
    let server = azure_server::start();
    let store = store(&azure_server::connection(&server), CONTAINER);
    let version = store.write("a", &NEW).unwrap();
    let held = store.locks().unwrap().acquire("a", &info(1)).unwrap();
    for lock in [None, Some("00000000-0000-4000-8000-000000000000")] {
        let body = Body { bytes: b"[]", expected: Expected::Version(&version), lock };
        let error = store.write("a", &body).unwrap_err();
        assert_eq!(error.to_string(), "az://states/a is locked by user1@host");
        let error = store.delete("a", &version, lock).unwrap_err();
        assert_eq!(error.to_string(), "az://states/a is locked by user1@host");
    }
    held.release().unwrap();
}

#[test]
fn a_lease_that_names_nobody_says_what_breaks_it() {
    const LEASE: &str = "11111111-0000-4000-8000-000000000000";
    let server = azure_server::start();
    let store = store(&azure_server::connection(&server), CONTAINER);
    store.write("a'b", &NEW).unwrap();
    let lease = |id: Option<&str>| {
        server.with(|container| {
            container.blob("a'b").unwrap().lease = id.map(ToOwned::to_owned);
        });
    };
    lease(Some(LEASE));
    let locks = store.locks().unwrap();
    let why = r"its lease names no holder; `az storage blob lease break --account-name acme --container-name states --blob-name 'a'\''b'` breaks it";
    assert_eq!(locks.holder("a'b").unwrap(), Holder::Unnamed { why: why.to_owned() });
    assert!(matches!(locks.acquire("a'b", &info(1)), Err(Error::Locked { .. })));
    let error = locks.break_lock("a'b", &info(1).id).unwrap_err().to_string();
    assert_eq!(error, format!("cannot unlock az://states/a'b: {why}"));
    locks.break_lock("a'b", LEASE).unwrap();
    assert_eq!(locks.holder("a'b").unwrap(), Holder::Nobody);
}

#[test]
fn a_lock_that_cannot_be_noted_gives_its_lease_back() {
    let server = azure_server::start();
    let store = store(&azure_server::connection(&server), CONTAINER);
    store.write("a", &NEW).unwrap();
    for key in ["a", "not-there"] {
        let note = format!("PUT /{ACCOUNT}/{CONTAINER}/{key}?comp=metadata");
        server.fail(Fault::status(&note, When::Before, 403, "AuthorizationPermissionMismatch"));
        let error = store.locks().unwrap().acquire(key, &info(1)).unwrap_err();
        assert!(matches!(error, Error::Remote { problem: Problem::Denied, .. }), "{error:?}");
        assert_eq!(store.locks().unwrap().holder(key).unwrap(), Holder::Nobody);
    }
    assert!(matches!(store.read("not-there").unwrap(), Found::Nothing));
}

#[test]
fn a_blob_of_no_bytes_that_terraform_left_is_locked_written_and_kept() {
    let server = azure_server::start();
    let store = store(&azure_server::connection(&server), CONTAINER);
    server.with(|container| container.put("a", ""));
    store.locks().unwrap().acquire("a", &info(1)).unwrap().release().unwrap();
    assert!(matches!(store.read("a").unwrap(), Found::Empty(_)));
    let held = store.locks().unwrap().acquire("a", &info(2)).unwrap();
    store.write("a", &Body { lock: Some(held.id()), ..NEW }).unwrap();
    held.release().unwrap();
    assert!(matches!(store.read("a").unwrap(), Found::Bytes(..)));
}

#[test]
fn with_snapshots_what_was_there_before_is_kept() {
    let server = azure_server::start();
    let connection = azure_server::connection(&server);
    let settings =
        Azure { container_name: CONTAINER.to_owned(), snapshot: Some(true), ..Azure::default() };
    let store = open(settings, &connection, "30");
    let version = store.write("a", &NEW).unwrap();
    assert!(matches!(store.versions("a"), Err(Error::NoVersions { .. })));
    let body = Body { bytes: b"[]", expected: Expected::Version(&version), lock: None };
    store.write("a", &body).unwrap();
    let kept = store.versions("a").unwrap();
    assert_eq!((kept.len(), kept[0].len, kept[0].is_current), (1, 2, false));
    let Found::Bytes(bytes, _) = store.read_version("a", &kept[0].id).unwrap() else { panic!() };
    assert_eq!(&*bytes, b"{}");
}

#[test]
fn a_missing_container_and_refused_credentials_are_told() {
    let server = azure_server::start();
    let connection = azure_server::connection(&server);
    let nowhere = store(&connection, "elsewhere");
    let problem = Problem::NoContainer("container elsewhere in account acme".to_owned());
    for error in [
        nowhere.read("a").unwrap_err(),
        nowhere.read("a//b").unwrap_err(),
        nowhere.head("a").unwrap_err(),
        nowhere.list("", &mut |_| Ok(())).unwrap_err(),
        nowhere.write("a", &NEW).unwrap_err(),
        nowhere.locks().unwrap().acquire("a", &info(1)).unwrap_err(),
    ] {
        let Error::Remote { problem: found, .. } = &error else { panic!("{error:?}") };
        assert_eq!(*found, problem, "{error}");
    }
    let store = store(&connection, CONTAINER);
    for (code, problem) in [
        ("AuthenticationFailed", Problem::Unauthenticated),
        ("AuthorizationPermissionMismatch", Problem::Denied),
    ] {
        server.fail(Fault::status("GET", When::Before, 403, code));
        let Error::Remote { problem: found, .. } = store.read("a").unwrap_err() else { panic!() };
        assert_eq!(found, problem);
    }
}

#[test]
fn a_signature_is_sent_and_never_shown() {
    const SIGNATURE: &str = "sv=2021-12-02&ss=b&sig=S3CR3T%2BS1GNATURE";
    let server = azure_server::start();
    let settings = Azure {
        storage_account_name: Some(ACCOUNT.to_owned()),
        container_name: CONTAINER.to_owned(),
        endpoint: Some(format!("{}/{ACCOUNT}", server.endpoint)),
        sas_token: Some(tfstate::base::secret::Secret::new(format!("?{SIGNATURE}"))),
        ..Azure::default()
    };
    let env = Env::default();
    let store = connect(&Backend::Azure(Box::new(settings.clone())), &env).unwrap();
    let traits = Traits { listed: 20, ..traits(ODD_KEYS, &["S3CR3T", "S1GNATURE"]) };
    contract::holds(&*store, &traits);
    assert!(server.requests().iter().all(|line| line.contains("sig=S3CR3T%2BS1GNATURE")));
    let nobody = Azure { endpoint: Some("http://127.0.0.1:1/acme".to_owned()), ..settings };
    let error = connect(&Backend::Azure(Box::new(nobody)), &env).unwrap().read("a").unwrap_err();
    assert!(matches!(error, Error::Remote { problem: Problem::Unreachable(_), .. }), "{error:?}");
    assert!(!contract::told(&error).contains("S3CR3T"), "{}", contract::told(&error));
}
