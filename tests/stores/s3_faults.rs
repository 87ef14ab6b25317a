//! What can go wrong between here and S3, at every request of every verb: each time the error is
//! one that people understand, and the state is as it was or as it was to be.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tfstate::base::env::Env;
use tfstate::base::secret::Secret;
use tfstate::store::backend::S3;
use tfstate::store::{
    self, Backend, Body, Cuts, Error, Expected, Found, Problem, Store, Version, connect,
};

use crate::contract::{info, told};
use crate::s3::settings;
use crate::s3_server::{Fault, SECRET_KEY, Server, When};

const OLD: &[u8] = br#"{"version":4,"serial":1}"#;
const NEW: &[u8] = br#"{"version":4,"serial":2}"#;

/// Later than the patience of the stores here.
const SLOW: Duration = Duration::from_millis(800);

/// More often than anything is tried.
const ALWAYS: u32 = 10_000;

/// Returns a store with little patience that tries once more, or this takes minutes.
fn store(server: &Server) -> Arc<dyn Store> {
    with_patience(server, "0.4")
}

pub(crate) fn with_patience(server: &Server, seconds: &str) -> Arc<dyn Store> {
    let (settings, _) = settings(server);
    let settings = S3 { max_retries: Some(1), ..settings };
    let env = Env::from_pairs([("TFSTATE_NETWORK_TIMEOUT", seconds)]);
    connect(&Backend::S3(Box::new(settings)), &env).unwrap()
}

/// Returns everything that can happen to a request, and whether it is worth seeing for long.
fn faults() -> Vec<(String, Fault, bool)> {
    let codes = [
        (403, "AccessDenied"),
        (404, "NoSuchBucket"),
        (409, "ConditionalRequestConflict"),
        (412, "PreconditionFailed"),
        (429, "TooManyRequests"),
        (500, "InternalError"),
        (503, "SlowDown"),
        (400, "ExpiredToken"),
    ];
    let mut faults = Vec::new();
    for (status, code) in codes {
        let lasts = matches!(code, "AccessDenied" | "SlowDown");
        faults.push((code.to_owned(), Fault::status("", When::Before, status, code), lasts));
    }
    for status in [500, 503] {
        let after = Fault::status("", When::After, status, "Unlucky");
        faults.push((format!("{status} after"), after, status == 500));
    }
    for when in [When::Before, When::After] {
        faults.push((format!("drop {when:?}"), Fault::drop("", when), when == When::After));
        faults.push((format!("slow {when:?}"), Fault::slow("", when, SLOW), when == When::After));
    }
    let moved = Fault::status("", When::Before, 301, "PermanentRedirect");
    faults.push(("redirect".to_owned(), moved.header("x-amz-bucket-region", "eu-west-1"), true));
    faults.push(("truncated".to_owned(), Fault::truncated("", 5), true));
    faults
}

/// Something that is done with a store, and what must be true of it afterwards.
struct Verb {
    name: &'static str,
    act: fn(&dyn Store) -> Result<(), Error>,
    holds: fn(&Server, &Result<(), Error>) -> bool,
    locked: bool,
}

fn version(store: &dyn Store) -> Result<Version, Error> {
    Ok(store.head("a")?.map(|entry| entry.version).unwrap_or_default())
}

fn body<'a>(bytes: &'a [u8], expected: Expected<'a>) -> Body<'a> {
    Body { bytes, expected, lock: None }
}

/// The tag that S3 gives to [`OLD`].
fn old() -> Version {
    use md5::{Digest, Md5};
    let digest = u128::from_be_bytes(Md5::digest(OLD).into());
    Version { tag: Some(format!("\"{digest:032x}\"")), id: None }
}

fn is_old(server: &Server, _: &Result<(), Error>) -> bool {
    server.object("a").as_deref() == Some(OLD)
}

/// Whether an object is as the result of writing it says.
fn is_written(
    found: Option<&[u8]>,
    before: Option<&[u8]>,
    after: Option<&[u8]>,
    result: &Result<(), Error>,
) -> bool {
    match result {
        Ok(()) => found == after,
        Err(Error::Unknown { .. }) => found == before || found == after,
        Err(_) => found == before,
    }
}

const VERBS: [Verb; 9] = [
    Verb {
        name: "read",
        act: |store| match store.read("a")? {
            Found::Bytes(bytes, _) if *bytes == *OLD => Ok(()),
            // Where the store says that there is nothing, there is nothing.
            Found::Nothing => Ok(()),
            other => panic!("{other:?}"),
        },
        holds: is_old,
        locked: false,
    },
    Verb { name: "head", act: |store| version(store).map(drop), holds: is_old, locked: false },
    Verb {
        name: "create",
        act: |store| store.write("new", &body(NEW, Expected::Nothing)).map(drop),
        holds: |server, result| {
            is_written(server.object("new").as_deref(), None, Some(NEW), result)
        },
        locked: false,
    },
    Verb {
        name: "replace",
        act: |store| store.write("a", &body(NEW, Expected::Version(&old()))).map(drop),
        holds: |server, result| {
            is_written(server.object("a").as_deref(), Some(OLD), Some(NEW), result)
        },
        locked: false,
    },
    Verb {
        name: "delete",
        act: |store| store.delete("a", &old(), None),
        // One who is told that it failed finds it gone, or as it was.
        holds: |server, result| match result {
            Ok(()) => server.object("a").is_none(),
            Err(_) => server.object("a").as_deref().is_none_or(|found| found == OLD),
        },
        locked: false,
    },
    Verb {
        name: "list",
        act: |store| store.list("", &mut |_| Ok(())),
        holds: is_old,
        locked: false,
    },
    Verb {
        name: "versions",
        act: |store| match store.versions("a") {
            Err(Error::NoVersions { .. }) => Ok(()),
            other => other.map(drop),
        },
        holds: is_old,
        locked: false,
    },
    Verb {
        name: "lock",
        act: |store| store.locks().unwrap().acquire("a", &info(1)).map(std::mem::forget),
        holds: |server, result| {
            let found = server.object("a.tflock").is_some();
            matches!(result, Err(Error::LockStays { .. })) || found == result.is_ok()
        },
        locked: false,
    },
    Verb {
        name: "unlock",
        act: |store| store.locks().unwrap().break_lock("a", &info(1).id),
        // A lock whose end is not known may be gone.
        holds: |server, result| result.is_err() || server.object("a.tflock").is_none(),
        locked: true,
    },
];

/// Does one thing while a fault is about, and returns what it led to.
fn run(verb: &Verb, fault: Option<Fault>) -> (Server, Result<(), Error>) {
    let server = Server::start();
    server.put("a", OLD);
    let store = with_patience(&server, if fault.is_some() { "0.4" } else { "30" });
    if verb.locked {
        let store = with_patience(&server, "30");
        std::mem::forget(store.locks().unwrap().acquire("a", &info(1)).unwrap());
    }
    let _before = server.requests();
    if let Some(fault) = fault {
        server.fail(fault);
    }
    let result = (verb.act)(&*store);
    server.heal();
    (server, result)
}

fn check(verb: &Verb, what: &str, server: &Server, result: &Result<(), Error>) {
    // What the server was late with happens after the answer; it is waited for.
    if what.contains("slow") {
        thread::sleep(SLOW);
    }
    let place = format!("{}, {what}: {result:?}", verb.name);
    assert!((verb.holds)(server, result), "{place}");
    let Err(error) = result else { return };
    let text = error.to_string();
    assert!(text.contains("s3://states/"), "{place}");
    assert!(text.starts_with("cannot ") || text.contains("changed by somebody else"), "{place}");
    assert!(!told(error).contains(SECRET_KEY), "{place}");
    assert!(!told(error).contains("Authorization"), "{place}");
}

fn survives(name: &str) {
    let verb = VERBS.iter().find(|verb| verb.name == name).unwrap();
    let (server, result) = run(verb, None);
    result.unwrap();
    let requests = u32::try_from(server.requests().len()).unwrap();
    assert!(requests > 0);
    let mut cases = Vec::new();
    for spared in 0..requests {
        for (what, fault, lasts) in faults() {
            let fault = fault.after(spared);
            if lasts {
                cases.push((format!("{what} from {spared} on"), fault.clone().times(ALWAYS)));
            }
            cases.push((format!("{what} at {spared}"), fault));
        }
    }
    // Most of the time is spent waiting.
    thread::scope(|scope| {
        for part in cases.chunks(cases.len().div_ceil(24)) {
            scope.spawn(move || {
                for (what, fault) in part {
                    let (server, result) = run(verb, Some(fault.clone()));
                    check(verb, what, &server, &result);
                }
            });
        }
    });
}

#[test]
fn reading_survives() {
    survives("read");
    survives("head");
}

#[test]
fn creating_survives() {
    survives("create");
}

#[test]
fn replacing_survives() {
    survives("replace");
}

#[test]
fn deleting_survives() {
    survives("delete");
}

#[test]
fn listing_survives() {
    survives("list");
    survives("versions");
}

#[test]
fn locking_survives() {
    survives("lock");
}

#[test]
fn unlocking_survives() {
    survives("unlock");
}

/// Returns what reading says while every answer is this.
fn said(fault: Fault) -> String {
    let server = Server::start();
    server.put("a", OLD);
    server.fail(fault.times(ALWAYS));
    store(&server).read("a").unwrap_err().to_string()
}

#[test]
fn an_error_says_what_can_be_done() {
    let status = |status, code| Fault::status("", When::Before, status, code);
    let cases = [
        (status(403, "AccessDenied"), "access is denied"),
        (status(404, "NoSuchBucket"), "there is no bucket states"),
        (status(400, "ExpiredToken"), "the credentials have expired"),
        (status(403, "InvalidAccessKeyId"), "the credentials are refused"),
        (status(503, "SlowDown"), "the store asks for fewer requests"),
        (status(500, "InternalError"), "the store answered with status 500"),
        (Fault::slow("", When::Before, Duration::from_secs(1)), "there was no answer in time"),
        (
            status(301, "PermanentRedirect").header("x-amz-bucket-region", "eu-west-1"),
            "it is kept elsewhere: the region is eu-west-1",
        ),
        (Fault::truncated("GET", 0), "what came is damaged: 0 of 24 bytes came"),
    ];
    for (fault, expected) in cases {
        assert_eq!(said(fault), format!("cannot read s3://states/a: {expected}"));
    }
    let dropped = said(Fault::drop("", When::Before));
    assert!(
        dropped.starts_with("cannot read s3://states/a: no connection to 127.0.0.1:"),
        "{dropped}"
    );
}

/// Returns all keys of a long list, as far as one is to be had.
fn long_list(store: &dyn Store, cuts: &Cuts) -> Result<Vec<String>, Error> {
    store::list((store, "many/"), Some(cuts), &mut |keys, entry| {
        keys.push(entry.key);
        Ok(())
    })
}

#[test]
fn a_list_in_parts_is_whole_or_fails_whatever_happens_to_one_of_them() {
    let server = Server::start();
    let keys: Vec<String> = (0..2500).map(|n| format!("many/{n:05}")).collect();
    for key in &keys {
        server.put(key, b"{}");
    }
    let store = store(&server);
    let folder = tempfile::tempdir().unwrap();
    let cuts = Cuts::below(folder.path(), "here".to_owned());
    assert_eq!(long_list(&*store, &cuts).unwrap(), keys);
    server.requests();
    assert_eq!(long_list(&*store, &cuts).unwrap(), keys);
    let requests = server.requests();
    let parts = requests.iter().filter(|(line, _)| line.contains("start-after=many%2F0"));
    assert_eq!((requests.len(), parts.count()), (3, 2), "{requests:?}");
    let refusals = [(501, "NotImplemented"), (400, "InvalidArgument"), (200, "InternalError")];
    let refusals = refusals.map(|(status, code)| {
        (code.to_owned(), Fault::status("", When::Before, status, code), false)
    });
    let (mut failed, mut whole) = (0, 0);
    for (name, fault, _) in faults().into_iter().chain(refusals) {
        for spared in 0..3 {
            // What was found out by another fault must not spare this one its effect.
            let folder = tempfile::tempdir().unwrap();
            let cuts = Cuts::below(folder.path(), "here".to_owned());
            long_list(&*store, &cuts).unwrap();
            server.fail(fault.clone().after(spared));
            match long_list(&*store, &cuts) {
                Ok(listed) => {
                    assert_eq!(listed, keys, "{name} after {spared}");
                    whole += 1;
                }
                Err(_) => failed += 1,
            }
            server.heal();
        }
    }
    assert!(failed > 0 && whole > 0, "{failed} {whole}");
    assert_eq!(long_list(&*store, &cuts).unwrap(), keys);
}

#[test]
fn a_store_that_begins_nowhere_but_at_the_front_is_listed_from_there() {
    let server = Server::start();
    let keys: Vec<String> = (0..1500).map(|n| format!("many/{n:05}")).collect();
    for key in &keys {
        server.put(key, b"{}");
    }
    let (store, folder) = (store(&server), tempfile::tempdir().unwrap());
    let cuts = Cuts::below(folder.path(), "here".to_owned());
    long_list(&*store, &cuts).unwrap();
    // The beginning of each request that asks for a part.
    let of_parts = || -> Vec<String> {
        let lines = server.requests().into_iter().map(|(line, _)| line);
        let start = |line: String| Some(line.split_once("start-after=")?.0.to_owned());
        lines.filter_map(start).map(|start| start + "start-after=").collect()
    };
    long_list(&*store, &cuts).unwrap();
    let parts = &of_parts()[0];
    server.fail(Fault::status(parts, When::Before, 501, "NotImplemented").times(ALWAYS));
    for _ in 0..2 {
        assert_eq!(long_list(&*store, &cuts).unwrap(), keys);
    }
    assert_eq!(of_parts().len(), 1, "it was asked once");
}

#[test]
fn a_bucket_elsewhere_is_asked_there() {
    let server = Server::start();
    server.put("a", OLD);
    let moved = Fault::status("", When::Before, 301, "PermanentRedirect");
    server.fail(moved.header("x-amz-bucket-region", "eu-west-1"));
    assert!(matches!(store(&server).read("a").unwrap(), Found::Bytes(..)));
    let (_, headers) = server.requests().pop().unwrap();
    assert!(headers["authorization"].contains("/eu-west-1/s3/aws4_request"));
}

#[test]
fn wrong_credentials_are_refused_and_not_shown() {
    let server = Server::start();
    let (settings, env) = settings(&server);
    let wrong = Some(Secret::new("wr0ng/s3cret"));
    let store = crate::s3::open(S3 { secret_key: wrong, ..settings }, &env);
    let error = store.read("a").unwrap_err();
    assert!(matches!(&error, Error::Remote { problem: Problem::Unauthenticated, .. }), "{error:?}");
    assert!(!told(&error).contains("wr0ng"));
    assert!(!format!("{store:?}").contains("wr0ng"));
}

#[test]
fn a_flipped_bit_is_noticed() {
    let server = Server::start();
    let store = store(&server);
    store.write("a", &body(OLD, Expected::Nothing)).unwrap();
    server.fail(Fault::flipped("GET"));
    let error = store.read("a").unwrap_err().to_string();
    let expected =
        "cannot read s3://states/a: what came is damaged: it is not what its SHA-256 says";
    assert_eq!(error, expected);
    assert!(store.read("a").is_ok());
}

#[test]
fn a_large_state_that_breaks_off_is_read_on_and_is_of_one_version() {
    let server = Server::start();
    let large = |byte| vec![byte; 20_000_000];
    server.put("a", &large(b'1'));
    server.fail(Fault::truncated("GET", 1_000_000).times(2));
    let store = store(&server);
    let Found::Bytes(bytes, _) = store.read("a").unwrap() else { panic!("nothing") };
    assert!(*bytes == *large(b'1'));
    let ranges = server.requests();
    assert!(ranges.iter().any(|(_, headers)| headers.contains_key("range")));
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let server = Server::start();
    let (settings, env) = settings(&server);
    let endpoint = "http://127.0.0.1:1".to_owned();
    let endpoints = [("s3".to_owned(), endpoint)].into();
    let gone = S3 { endpoints, max_retries: Some(0), ..settings };
    let error = crate::s3::open(gone, &env).read("a").unwrap_err();
    assert_eq!(error.to_string(), "cannot read s3://states/a: no connection to 127.0.0.1:1");
    assert!(told(&error).contains("because: connection refused"), "{}", told(&error));
}

#[test]
fn a_server_without_encryption_is_told_from_one_that_is_not_there() {
    let server = Server::start();
    let (settings, env) = settings(&server);
    let encrypted = server.endpoint.replace("http:", "https:");
    let endpoints = [("s3".to_owned(), encrypted)].into();
    let error = crate::s3::open(S3 { endpoints, ..settings }, &env).read("a").unwrap_err();
    assert!(matches!(&error, Error::Remote { problem: Problem::Tls(_), .. }), "{error:?}");
}
