//! S3, and stores that speak its protocol.

use std::sync::Arc;

use tfstate::base::env::Env;
use tfstate::base::secret::Secret;
use tfstate::store::backend::S3;
use tfstate::store::{Backend, Body, Error, Expected, Found, Guarantee, Holder, Store, connect};

use crate::contract::{self, Traits, info};
use crate::s3_server::{ACCESS_KEY, Conditions, Fault, SECRET_KEY, Server, When};

/// Returns the settings of the server's bucket, and what they are read with.
pub(crate) fn settings(server: &Server) -> (S3, Env) {
    let settings = S3 {
        bucket: "states".to_owned(),
        access_key: Some(Secret::new(ACCESS_KEY)),
        secret_key: Some(Secret::new(SECRET_KEY)),
        use_lockfile: true,
        endpoints: [("s3", &server.endpoint), ("dynamodb", &server.endpoint)]
            .map(|(service, endpoint)| (service.to_owned(), endpoint.clone()))
            .into(),
        ..S3::default()
    };
    // Nothing is to wait for long in a test.
    (settings, Env::from_pairs([("TFSTATE_NETWORK_TIMEOUT", "3")]))
}

pub(crate) fn open(settings: S3, env: &Env) -> Arc<dyn Store> {
    connect(&Backend::S3(Box::new(settings)), env).unwrap()
}

pub(crate) fn store(server: &Server) -> Arc<dyn Store> {
    let (settings, env) = settings(server);
    open(settings, &env)
}

fn with_table(server: &Server) -> Arc<dyn Store> {
    let (settings, env) = settings(server);
    let table = Some("locks".to_owned());
    open(S3 { dynamodb_table: table, use_lockfile: false, ..settings }, &env)
}

const TRAITS: Traits<'static> = Traits { secrets: &[SECRET_KEY], ..Traits::EVERYTHING };

#[test]
fn a_bucket_holds_the_contract() {
    contract::holds(&*store(&Server::start()), &TRAITS);
}

#[test]
fn a_bucket_with_versions_holds_the_contract() {
    let traits = Traits { has_versions: true, listed: 20, ..TRAITS };
    contract::holds(&*store(&Server::versioned()), &traits);
}

#[test]
fn a_bucket_with_a_table_holds_the_contract() {
    contract::holds(&*with_table(&Server::start()), &Traits { listed: 20, ..TRAITS });
}

#[test]
fn a_bucket_with_both_kinds_of_locks_holds_the_contract() {
    let server = Server::start();
    let (settings, env) = settings(&server);
    let both = open(S3 { dynamodb_table: Some("locks".to_owned()), ..settings }, &env);
    contract::holds(&*both, &Traits { listed: 20, ..TRAITS });
}

#[test]
fn without_a_kind_of_lock_there_are_none() {
    let server = Server::start();
    let (settings, env) = settings(&server);
    let none = open(S3 { use_lockfile: false, ..settings }, &env);
    contract::holds(&*none, &Traits { listed: 20, locks: None, ..TRAITS });
}

#[test]
fn the_beginning_of_a_state_is_one_request_for_no_more() {
    let server = Server::start();
    let store = store(&server);
    server.put("a", &vec![b'x'; 50_000]);
    let Found::Bytes(bytes, _) = store.read_start("a", 100).unwrap() else { panic!("nothing") };
    assert_eq!(*bytes, [b'x'; 100]);
    let [(line, headers)] = &server.requests()[..] else { panic!("several requests") };
    assert_eq!((line.as_str(), headers["range"].as_str()), ("GET /states/a", "bytes=0-99"));
}

#[test]
fn a_lock_shows_what_a_store_can_be_relied_on_for() {
    let proven = |conditions| {
        let store = store(&Server::with(conditions));
        assert_eq!(store.guarantees().create, Guarantee::UnderLock);
        store.locks().unwrap().acquire("a", &info(1)).unwrap().release().unwrap();
        (store.guarantees().create, store.guarantees().replace)
    };
    assert_eq!(proven(Conditions::Heeded), (Guarantee::Atomic, Guarantee::Atomic));
    assert_eq!(proven(Conditions::Ignored), (Guarantee::UnderLock, Guarantee::UnderLock));
    assert_eq!(proven(Conditions::NeverMatch), (Guarantee::Atomic, Guarantee::UnderLock));
}

#[test]
fn a_store_with_conditions_of_its_own_kind_is_written_all_the_same() {
    for conditions in [Conditions::Ignored, Conditions::Unquoted, Conditions::NeverMatch] {
        let store = store(&Server::with(conditions));
        let write =
            |bytes: &[u8], expected| store.write("a", &Body { bytes, expected, lock: None });
        let one = write(b"one", Expected::Nothing).unwrap();
        assert!(matches!(write(b"two", Expected::Nothing), Err(Error::Changed { .. })));
        let two = write(b"two", Expected::Version(&one)).unwrap();
        let stale = write(b"three", Expected::Version(&one));
        assert!(matches!(stale, Err(Error::Changed { .. })), "{conditions:?}: {stale:?}");
        assert!(matches!(store.delete("a", &one, None), Err(Error::Changed { .. })));
        store.delete("a", &two, None).unwrap();
        assert!(matches!(store.read("a").unwrap(), Found::Nothing));
    }
}

#[test]
fn what_has_a_name_of_its_own_is_added_by_one_request() {
    for conditions in [Conditions::Heeded, Conditions::Ignored] {
        let server = Server::with(conditions);
        let store = store(&server);
        let before = server.requests().len();
        store.add("a-3f9a", b"{}").unwrap();
        let lines: Vec<_> = server.requests().into_iter().map(|(line, _)| line).collect();
        assert!(lines.len() == before + 1 && lines[before].starts_with("PUT"), "{lines:?}");
        assert_eq!(store.read("a-3f9a").unwrap().bytes().unwrap().as_ref(), b"{}");
        let again = store.add("a-3f9a", b"other");
        let is_refused = matches!(again, Err(Error::Changed { .. }));
        assert_eq!(is_refused, conditions == Conditions::Heeded, "{again:?}");
    }
}

#[test]
fn a_lock_is_respected_by_a_store_that_ignores_conditions() {
    let server = Server::with(Conditions::Ignored);
    let one = store(&server);
    let held = one.locks().unwrap().acquire("a", &info(1)).unwrap();
    let other = store(&server);
    let refused = other.locks().unwrap().acquire("a", &info(2));
    assert!(matches!(refused, Err(Error::Locked { .. })), "{refused:?}");
    held.release().unwrap();
}

#[test]
fn the_lock_of_a_state_is_terraforms() {
    let server = Server::start();
    let both = {
        let (settings, env) = settings(&server);
        open(S3 { dynamodb_table: Some("locks".to_owned()), ..settings }, &env)
    };
    let held = both.locks().unwrap().acquire("env/a.tfstate", &info(1)).unwrap();
    let object = String::from_utf8(server.object("env/a.tfstate.tflock").unwrap()).unwrap();
    assert!(object.starts_with("{\"ID\":\"5b3c1a52-"), "{object}");
    assert!(object.ends_with(",\"Path\":\"states/env/a.tfstate\"}"), "{object}");
    assert_eq!(server.row("states/env/a.tfstate", "Info"), Some(object));
    held.release().unwrap();
    assert_eq!(server.object("env/a.tfstate.tflock"), None);
    assert_eq!(server.row("states/env/a.tfstate", "Info"), None);
}

#[test]
fn where_one_kind_of_lock_is_taken_the_other_is_given_back() {
    let server = Server::start();
    let (settings, env) = settings(&server);
    let both = open(S3 { dynamodb_table: Some("locks".to_owned()), ..settings }, &env);
    server.set_row("states/a", "Info", r#"{"ID":"theirs","Who":"ada@host"}"#);
    match both.locks().unwrap().acquire("a", &info(1)) {
        Err(Error::Locked { holder, .. }) => {
            assert!(matches!(*holder, Holder::Somebody { info, .. } if info.who == "ada@host"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(server.object("a.tflock"), None);
    both.locks().unwrap().break_lock("a", "theirs").unwrap();
    assert_eq!(server.row("states/a", "Info"), None);
}

#[test]
fn a_lock_that_nobody_can_read_says_what_to_delete() {
    let server = Server::start();
    server.put("a.tflock", b"<html>");
    let store = store(&server);
    let locks = store.locks().unwrap();
    let why = "s3://states/a.tflock says nothing of its holder; delete that object";
    assert_eq!(locks.holder("a").unwrap(), Holder::Unnamed { why: why.to_owned() });
    let refused = locks.acquire("a", &info(1)).unwrap_err().to_string();
    assert_eq!(refused, format!("s3://states/a is locked: {why}"));
    let refused = locks.break_lock("a", "1").unwrap_err().to_string();
    assert_eq!(refused, format!("cannot unlock s3://states/a: {why}"));
}

#[test]
fn the_digest_of_a_state_is_written_compared_and_deleted_with_it() {
    let server = Server::start();
    let store = with_table(&server);
    let body = Body { bytes: b"{}", expected: Expected::Nothing, lock: None };
    let version = store.write("a", &body).unwrap();
    let md5 = "99914b932bd37a50b983c5e7c90ae93b";
    assert_eq!(server.row("states/a-md5", "Digest").as_deref(), Some(md5));
    assert!(matches!(store.read("a").unwrap(), Found::Bytes(..)));

    server.put("a", b"other");
    let error = store.read("a").unwrap_err();
    let found = matches!(&error, Error::Digest { found, .. } if matches!(&**found, Found::Bytes(bytes, _) if **bytes == *b"other"));
    assert!(found, "whoever keeps or replaces it gets it: {error:?}");
    let error = error.to_string();
    let expected = format!(
        "cannot read s3://states/a: its MD5 is 795f3202b17cb6bc3d4b771d8c6c9eaf, \
         but the row `states/a-md5` in the table locks says {md5}"
    );
    assert_eq!(error, expected);
    server.set_row("states/a-md5", "Digest", "garbled");
    assert!(matches!(store.read("a").unwrap(), Found::Bytes(..)));

    server.put("a", b"{}");
    store.delete("a", &version, None).unwrap();
    assert_eq!(server.row("states/a-md5", "Digest"), None);
}

#[test]
fn a_state_without_its_digest_says_what_the_row_lacks() {
    let server = Server::start();
    let store = with_table(&server);
    server.fail(Fault::status("POST", When::Before, 403, "AccessDeniedException").times(9));
    let body = Body { bytes: b"{}", expected: Expected::Nothing, lock: None };
    let error = store.write("a", &body).unwrap_err();
    assert!(server.object("a").is_some());
    let Error::Undigested { row, digest, source, .. } = &error else { panic!("{error:?}") };
    let md5 = "99914b932bd37a50b983c5e7c90ae93b";
    assert_eq!((row.as_str(), digest.as_str()), ("states/a-md5", md5));
    let expected = "cannot write the row `states/a-md5` in the table locks: access is denied";
    assert_eq!(source.to_string(), expected);
}

#[test]
fn a_key_that_an_address_would_change_is_listed_and_not_read() {
    let server = Server::start();
    for key in ["odd//a", "odd/../b", "odd/./c", "odd/d/"] {
        server.put(key, b"{}");
    }
    let store = store(&server);
    let mut keys = Vec::new();
    let each = &mut |entry: tfstate::store::Entry| {
        keys.push(entry.key);
        Ok(())
    };
    store.list("odd/", each).unwrap();
    assert_eq!(keys, ["odd/../b", "odd/./c", "odd//a", "odd/d/"]);
    for key in &keys {
        assert!(matches!(store.read(key), Err(Error::Unsupported { .. })), "{key}");
    }
}
