//! The backend `http` against a server of its own.

use std::sync::Arc;
use std::time::Duration;

use tfstate::base::env::Env;
use tfstate::base::secret::Secret;
use tfstate::store::backend::Http;
use tfstate::store::{Backend, Body, Error, Expected, Found, Problem, Store, Version, connect};

use crate::contract::{self, Keys, LockTraits, Traits, info, told};
use crate::server::{Fault, Server};

const OLD: &[u8] = br#"{"version":4,"serial":1}"#;
const NEW: &[u8] = br#"{"version":4,"serial":2}"#;
const SECRETS: &[&str] = &["S3CR3T", "czNjcjN0", "UzNDUjNU"];

fn settings(server: &Server) -> Http {
    Http {
        address: server.url("/state?team=a"),
        lock_address: Some(server.url("/lock")),
        unlock_address: Some(server.url("/lock")),
        retry_wait_min: Some(0),
        ..Http::default()
    }
}

fn open(settings: Http) -> Arc<dyn Store> {
    let env = Env::from_pairs([("TFSTATE_NETWORK_TIMEOUT", "1")]);
    connect(&Backend::Http(Box::new(settings)), &env).unwrap()
}

fn store(server: &Server) -> Arc<dyn Store> {
    open(settings(server))
}

fn version(store: &dyn Store) -> Version {
    match store.read("").unwrap() {
        Found::Bytes(_, version) => version,
        other => panic!("{other:?}"),
    }
}

fn replace(store: &dyn Store, bytes: &[u8], lock: Option<&str>) -> Result<Version, Error> {
    let version = version(store);
    store.write("", &Body { bytes, expected: Expected::Version(&version), lock })
}

#[test]
fn a_state_behind_http_holds_the_contract() {
    let server = Server::start();
    let user = base64(b"bob:S3CR3T");
    server.kept().authorization = Some(format!("Basic {user}"));
    let store = open(Http {
        username: Some("bob".to_owned()),
        password: Some(Secret::new("S3CR3T")),
        ..settings(&server)
    });
    let locks = LockTraits { names_holder: true, can_be_broken: true, notices_thief: true };
    let secrets = [SECRETS, &[&user]].concat();
    let traits =
        Traits { keys: Keys::One(""), locks: Some(locks), secrets: &secrets, ..Traits::EVERYTHING };
    contract::holds(&*store, &traits);
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[test]
fn every_request_is_what_terraform_sends() {
    let server = Server::start();
    let store = store(&server);
    let held = store.locks().unwrap().acquire("", &info(1)).unwrap();
    let body = Body { bytes: OLD, expected: Expected::Nothing, lock: Some(held.id()) };
    store.write("", &body).unwrap();
    held.release().unwrap();
    let seen = server.kept().seen.clone();
    let lines: Vec<_> = seen.iter().map(|r| format!("{} {}", r.method, r.target)).collect();
    let id = info(1).id;
    let post = format!("POST /state?team=a&ID={id}");
    assert_eq!(lines, ["LOCK /lock", "GET /state?team=a", &post, "UNLOCK /lock"]);
    let note = String::from_utf8(seen[0].body.clone()).unwrap();
    assert!(note.starts_with(&format!("{{\"ID\":\"{id}\",\"Operation\":\"contract\"")), "{note}");
    assert!(note.ends_with(",\"Path\":\"\"}"), "{note}");
    assert_eq!(seen[3].body, seen[0].body);
    for request in [&seen[0], &seen[2], &seen[3]] {
        assert_eq!(request.header("Content-Type"), Some("application/json"));
        assert!(request.header("Content-MD5").is_some());
    }
    assert_eq!(seen[1].header("Content-MD5"), None);
}

#[test]
fn methods_headers_and_a_user_in_the_address_are_honoured() {
    let server = Server::start();
    let mut settings = settings(&server);
    settings.address = settings.address.replace("//", "//bob:S3CR%33T@");
    settings.update_method = Some("PUT".to_owned());
    settings.headers.insert("X-Team".to_owned(), Secret::new("S3CR3T-header"));
    let store = open(settings);
    assert_eq!(store.name(""), server.url("/state"));
    assert!(!format!("{store:?}").contains("S3CR3T"));
    let body = Body { bytes: OLD, expected: Expected::Nothing, lock: None };
    store.write("", &body).unwrap();
    let seen = server.kept().seen.clone();
    let put = seen.last().unwrap();
    assert_eq!((put.method.as_str(), put.target.as_str()), ("PUT", "/state?team=a"));
    assert_eq!(put.header("X-Team"), Some("S3CR3T-header"));
    let user = format!("Basic {}", base64(b"bob:S3CR3T"));
    assert_eq!(put.header("Authorization"), Some(user.as_str()));
}

#[test]
fn what_is_not_set_comes_from_the_environment() {
    let server = Server::start();
    let pairs = [
        ("TF_HTTP_ADDRESS", server.url("/e")),
        ("TF_HTTP_LOCK_ADDRESS", server.url("/e")),
        ("TF_HTTP_UNLOCK_ADDRESS", server.url("/e")),
        ("TF_HTTP_LOCK_METHOD", "POST".to_owned()),
        ("TF_HTTP_USERNAME", "bob".to_owned()),
        ("TF_HTTP_PASSWORD", "S3CR3T".to_owned()),
    ];
    let env = Env::from_pairs(pairs);
    let store = connect(&Backend::Http(Box::default()), &env).unwrap();
    let held = store.locks().unwrap().acquire("", &info(1)).unwrap();
    let seen = server.kept().seen.clone();
    assert_eq!(seen[0].method, "POST");
    assert!(seen[0].header("Authorization").is_some());
    std::mem::forget(held);
}

#[test]
fn settings_that_cannot_work_are_refused_without_their_secrets() {
    let refused = |change: &dyn Fn(&mut Http)| {
        let mut settings = Http { address: "http://h/s".to_owned(), ..Http::default() };
        change(&mut settings);
        let error = connect(&Backend::Http(Box::new(settings)), &Env::default()).unwrap_err();
        assert!(!told(&error).contains("S3CR3T"));
        error.to_string().replace("cannot use the http backend: ", "")
    };
    assert_eq!(refused(&|s| s.address.clear()), "`address` is not set");
    assert_eq!(
        refused(&|s| s.address = "u:S3CR3T@h".to_owned()),
        "`address` must begin with http:// or https://"
    );
    assert_eq!(
        refused(&|s| s.lock_address = Some("http://h/l".to_owned())),
        "`lock_address` is set and `unlock_address` is not"
    );
    assert_eq!(
        refused(&|s| s.client_ca_certificate_pem = Some("S3CR3T".to_owned())),
        "`client_ca_certificate_pem` holds no certificate as PEM"
    );
    assert_eq!(
        refused(&|s| s.client_private_key_pem = Some(Secret::new("S3CR3T"))),
        "`client_private_key_pem` is set and `client_certificate_pem` is not"
    );
}

#[test]
fn without_a_lock_address_there_are_no_locks() {
    let server = Server::start();
    let store = open(Http { lock_address: None, ..settings(&server) });
    assert!(store.locks().is_none());
}

/// Returns what a fault in every request of a method makes of `act`.
fn problem<T: std::fmt::Debug>(
    method: &'static str,
    fault: Fault,
    act: impl Fn(&dyn Store) -> Result<T, Error>,
) -> Problem {
    let server = Server::start();
    server.kept().state = Some(OLD.to_vec());
    let store = store(&server);
    for _ in 0..20 {
        server.fail(method, fault);
    }
    let error = act(&*store).unwrap_err();
    assert!(!told(&error).contains("S3CR3T"), "{}", told(&error));
    assert_eq!(server.kept().state.as_deref(), Some(OLD), "the state is as it was");
    match error {
        Error::Remote { problem, .. } => problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_failed_read_says_what_can_be_done() {
    let read = |fault| problem("GET", fault, |store| store.read(""));
    assert_eq!(read(Fault::Status(401)), Problem::Unauthenticated);
    assert_eq!(read(Fault::Status(403)), Problem::Denied);
    assert_eq!(read(Fault::Status(429)), Problem::Throttled);
    assert_eq!(read(Fault::Status(500)), Problem::Unavailable(500));
    assert_eq!(read(Fault::Status(503)), Problem::Unavailable(503));
    assert_eq!(read(Fault::Status(501)), Problem::Unavailable(501));
    assert_eq!(read(Fault::Status(400)), Problem::Refused);
    assert!(matches!(read(Fault::DropBefore), Problem::Unreachable(_)));
    assert!(matches!(read(Fault::Truncated), Problem::Unreachable(_)));
    assert_eq!(read(Fault::Slow(Duration::from_secs(3))), Problem::TimedOut);
    assert_eq!(read(Fault::Redirect), Problem::Redirected("https://elsewhere.test/s".to_owned()));
}

#[test]
fn a_failed_write_says_what_can_be_done_and_changes_nothing() {
    let write = |fault| problem("POST", fault, |store| replace(store, NEW, None));
    assert_eq!(write(Fault::Status(401)), Problem::Unauthenticated);
    assert_eq!(write(Fault::Status(403)), Problem::Denied);
    assert_eq!(write(Fault::Status(404)), Problem::Refused);
    assert_eq!(write(Fault::Status(429)), Problem::Throttled);
    assert_eq!(write(Fault::Status(500)), Problem::Unavailable(500));
    assert!(matches!(write(Fault::DropBefore), Problem::Unreachable(_)));
    assert!(matches!(write(Fault::Redirect), Problem::Redirected(_)));
}

#[test]
fn a_failed_lock_or_delete_says_what_can_be_done() {
    let lock = |fault| problem("LOCK", fault, |store| store.locks().unwrap().acquire("", &info(1)));
    assert_eq!(lock(Fault::Status(403)), Problem::Denied);
    assert_eq!(lock(Fault::Status(405)), Problem::Refused);
    assert_eq!(lock(Fault::Status(503)), Problem::Unavailable(503));
    let delete = |fault| problem("DELETE", fault, |store| store.delete("", &version(store), None));
    assert_eq!(delete(Fault::Status(403)), Problem::Denied);
    assert_eq!(delete(Fault::Status(500)), Problem::Unavailable(500));
    assert!(matches!(delete(Fault::DropBefore), Problem::Unreachable(_)));
}

#[test]
fn what_passes_is_tried_again() {
    let server = Server::start();
    server.kept().state = Some(OLD.to_vec());
    let store = store(&server);
    for fault in [Fault::Status(503), Fault::DropBefore, Fault::Truncated, Fault::Status(429)] {
        server.fail("GET", fault);
        assert!(matches!(store.read("").unwrap(), Found::Bytes(bytes, _) if &*bytes == OLD));
    }
    for fault in [Fault::Status(503), Fault::DropBefore, Fault::Status(429)] {
        let before = server.kept().seen.iter().filter(|r| r.method == "POST").count();
        server.fail("POST", fault);
        replace(&*store, NEW, None).unwrap();
        let after = server.kept().seen.iter().filter(|r| r.method == "POST").count();
        assert_eq!(after, before + 2);
        replace(&*store, OLD, None).unwrap();
    }
}

#[test]
fn a_write_whose_answer_is_lost_is_not_sent_twice() {
    for fault in [Fault::DropAfter, Fault::StatusAfter(503), Fault::Slow(Duration::from_secs(3))] {
        let server = Server::start();
        server.kept().state = Some(OLD.to_vec());
        let store = store(&server);
        server.fail("POST", fault);
        let written = replace(&*store, NEW, None).unwrap();
        assert_eq!(written, version(&*store));
        let posts = server.kept().seen.iter().filter(|r| r.method == "POST").count();
        assert_eq!(posts, 1, "{fault:?}");
    }
}

#[test]
fn a_write_that_cannot_be_looked_up_is_not_called_a_failure() {
    let server = Server::start();
    server.kept().state = Some(OLD.to_vec());
    let store = store(&server);
    let version = version(&*store);
    // The first GET is the check before the write.
    server.fail("GET", Fault::Slow(Duration::ZERO));
    for _ in 0..3 {
        server.fail("GET", Fault::Status(503));
    }
    server.fail("POST", Fault::DropAfter);
    let body = Body { bytes: NEW, expected: Expected::Version(&version), lock: None };
    let result = store.write("", &body);
    assert!(matches!(result, Err(Error::Unknown { .. })), "{result:?}");
}

#[test]
fn a_lock_whose_answer_is_lost_is_held_and_released() {
    for fault in [Fault::DropAfter, Fault::StatusAfter(500)] {
        let server = Server::start();
        let store = store(&server);
        server.fail("LOCK", fault);
        let held = store.locks().unwrap().acquire("", &info(1)).unwrap();
        server.fail("UNLOCK", fault);
        held.release().unwrap();
        assert_eq!(server.kept().lock, None, "{fault:?}");
    }
}

#[test]
fn a_lock_that_may_stay_is_told_with_its_id() {
    for calls in ["LOCK", "UNLOCK"] {
        let server = Server::start();
        let store = store(&server);
        let locks = store.locks().unwrap();
        for _ in 0..9 {
            server.fail(calls, Fault::DropBefore);
        }
        // Who asks for the holder takes the lock for a moment, and may not be able to undo it.
        let error = if calls == "LOCK" {
            locks.acquire("", &info(1)).map(drop).unwrap_err()
        } else {
            locks.holder("").map(drop).unwrap_err()
        };
        assert!(matches!(&error, Error::LockStays { id, .. } if !id.is_empty()), "{error:?}");
    }
}

#[test]
fn a_delete_whose_answer_is_lost_is_done() {
    let server = Server::start();
    server.kept().state = Some(OLD.to_vec());
    let store = store(&server);
    server.fail("DELETE", Fault::DropAfter);
    store.delete("", &version(&*store), None).unwrap();
    assert_eq!(server.kept().state, None);
}

#[test]
fn a_holder_that_does_not_say_who_it_is_is_still_one() {
    let server = Server::start();
    server.kept().lock = Some(b"taken".to_vec());
    let error = store(&server).locks().unwrap().acquire("", &info(1)).unwrap_err();
    let expected = format!(
        "{} is locked: the server answered 423 and did not say by whom",
        server.url("/state")
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let store = open(Http {
        address: "http://127.0.0.1:1/s".to_owned(),
        retry_max: Some(0),
        ..Http::default()
    });
    let error = store.read("").unwrap_err();
    let said = "cannot read http://127.0.0.1:1/s: no connection to 127.0.0.1";
    assert_eq!(error.to_string(), said);
}

fn pem(name: &str) -> String {
    let path = format!("{}/tests/stores/tls/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn a_certificate_that_nobody_trusts_is_refused_until_it_is_trusted() {
    let server = Server::start_tls();
    let error = store(&server).read("").unwrap_err();
    assert!(matches!(error, Error::Remote { problem: Problem::Tls(_), .. }), "{error:?}");
    let trusting = Http { client_ca_certificate_pem: Some(pem("ca.pem")), ..settings(&server) };
    assert!(matches!(open(trusting).read("").unwrap(), Found::Nothing));
    let careless = Http { skip_cert_verification: true, ..settings(&server) };
    assert!(matches!(open(careless).read("").unwrap(), Found::Nothing));
}

#[test]
fn a_certificate_of_the_client_is_shown() {
    let server = Server::start_tls();
    let own = |key: &str| Http {
        client_ca_certificate_pem: Some(pem("ca.pem")),
        client_certificate_pem: Some(pem("client.pem")),
        client_private_key_pem: Some(Secret::new(pem(key))),
        ..settings(&server)
    };
    let store = open(own("client.key"));
    assert!(!format!("{store:?}").contains("PRIVATE KEY"));
    assert!(matches!(store.read("").unwrap(), Found::Nothing));
    // With another's key it is no certificate of ours.
    let wrong = connect(&Backend::Http(Box::new(own("server.key"))), &Env::default());
    assert!(wrong.is_err() || wrong.unwrap().read("").is_err());
}
