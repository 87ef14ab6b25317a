//! The backend `pg` against a private server.

use std::sync::Arc;

use tfstate::base::env::Env;
use tfstate::base::secret::Secret;
use tfstate::store::backend::Pg;
use tfstate::store::{Backend, Body, Error, Expected, Holder, Problem, Store, connect};

use crate::cluster::Cluster;
use crate::contract::{self, Keys, LockTraits, ODD_KEYS, Traits, info, told};

const OLD: &[u8] = br#"{"version":4,"serial":1}"#;

fn open(address: &str) -> Arc<dyn Store> {
    let settings = Pg { conn_str: Some(Secret::new(address)), ..Pg::default() };
    connect(&Backend::Pg(Box::new(settings)), &Env::default()).unwrap()
}

fn create(store: &dyn Store, key: &str) {
    store.write(key, &Body { bytes: OLD, expected: Expected::Nothing, lock: None }).unwrap();
}

#[test]
fn rows_of_a_table_hold_the_contract() {
    let Some(cluster) = Cluster::shared() else { return };
    let address = cluster.database("contract");
    let store = open(&address.replace("tf@", "tf:S3CR3T@"));
    let traits = Traits {
        keys: Keys::Many { prefix: "", odd: ODD_KEYS },
        locks: Some(LockTraits { names_holder: false, can_be_broken: false, notices_thief: true }),
        secrets: &["S3CR3T"],
        ..Traits::EVERYTHING
    };
    contract::holds(&*store, &traits);
}

#[test]
fn the_first_write_makes_the_table_as_terraform_does() {
    let Some(cluster) = Cluster::shared() else { return };
    let store = open(&cluster.database("makes"));
    store.read("default").unwrap();
    store.list("", &mut |_| Ok(())).unwrap();
    store.locks().unwrap().acquire("default", &info(1)).unwrap().release().unwrap();
    let schemas = "SELECT nspname FROM pg_namespace WHERE nspname = 'terraform_remote_state'";
    assert!(cluster.sql("makes", schemas).is_empty(), "reading and locking make nothing");
    create(&*store, "default");
    let columns = "SELECT column_name, data_type, column_default, is_nullable \
                   FROM information_schema.columns WHERE table_schema = 'terraform_remote_state' \
                   ORDER BY ordinal_position";
    assert_eq!(
        cluster.sql("makes", columns),
        [
            "id|bigint|nextval('global_states_id_seq'::regclass)|NO",
            "name|text|NULL|YES",
            "data|text|NULL|YES"
        ]
    );
    let indexes = "SELECT indexname FROM pg_indexes WHERE tablename = 'states' ORDER BY 1";
    assert_eq!(cluster.sql("makes", indexes), ["states_by_name", "states_name_key", "states_pkey"]);
}

#[test]
fn the_layout_of_terraform_0_13_is_used_as_it_is() {
    let Some(cluster) = Cluster::shared() else { return };
    let address = cluster.database("older");
    let sql = "CREATE SCHEMA terraform_remote_state; \
               CREATE TABLE terraform_remote_state.states (id SERIAL PRIMARY KEY, name TEXT, data TEXT); \
               CREATE UNIQUE INDEX states_by_name ON terraform_remote_state.states (name)";
    cluster.sql("older", sql);
    let store = open(&address);
    create(&*store, "default");
    let held = store.locks().unwrap().acquire("default", &info(1)).unwrap();
    assert!(store.locks().unwrap().acquire("default", &info(2)).is_err());
    held.release().unwrap();
    assert_eq!(
        cluster.sql("older", "SELECT id, name FROM terraform_remote_state.states"),
        ["1|default"]
    );
}

#[test]
fn schema_and_table_can_have_any_name() {
    let Some(cluster) = Cluster::shared() else { return };
    let settings = Pg {
        conn_str: Some(Secret::new(cluster.database("quoted"))),
        schema_name: Some("a \"b\".c".to_owned()),
        table_name: Some("d;e".to_owned()),
        ..Pg::default()
    };
    let store = connect(&Backend::Pg(Box::new(settings)), &Env::default()).unwrap();
    create(&*store, "default");
    let held = store.locks().unwrap().acquire("default", &info(1)).unwrap();
    held.release().unwrap();
    let found = cluster.sql("quoted", "SELECT name FROM \"a \"\"b\"\".c\".\"d;e\"");
    assert_eq!(found, ["default"]);
}

#[test]
fn what_is_to_be_skipped_is_not_created() {
    let Some(cluster) = Cluster::shared() else { return };
    let address = Some(Secret::new(cluster.database("skips")));
    let settings = Pg { conn_str: address, ..Pg::default() };
    let write = |settings: Pg, variables: &[(&str, &str)]| {
        let env = Env::from_pairs(variables.iter().copied());
        let store = connect(&Backend::Pg(Box::new(settings)), &env)?;
        let body = Body { bytes: OLD, expected: Expected::Nothing, lock: None };
        store.write("default", &body).map(drop)
    };
    let said = |error: Result<(), Error>| told(&error.unwrap_err());
    let without = Pg { skip_schema_creation: Some(true), ..settings.clone() };
    let schema = "schema \"terraform_remote_state\" does not exist";
    assert!(said(write(without, &[])).contains(schema));
    assert!(said(write(settings.clone(), &[("PG_SKIP_SCHEMA_CREATION", "1")])).contains(schema));
    let without = [("PG_SKIP_TABLE_CREATION", "true")];
    let table = "relation \"terraform_remote_state.states\" does not exist";
    assert!(said(write(settings.clone(), &without)).contains(table));
    let odd = write(settings.clone(), &[("PG_SKIP_TABLE_CREATION", "maybe")]);
    assert!(said(odd).contains("PG_SKIP_TABLE_CREATION is neither true nor false"));
    assert!(
        cluster.sql("skips", "SELECT relname FROM pg_class WHERE relname = 'states'").is_empty()
    );

    // What a setting says goes before the variable.
    let with = Pg { skip_table_creation: Some(false), ..settings };
    write(with, &[without[0], ("PG_SKIP_INDEX_CREATION", "true")]).unwrap();
    let indexes = "SELECT indexname FROM pg_indexes WHERE tablename = 'states' ORDER BY 1";
    assert_eq!(cluster.sql("skips", indexes), ["states_name_key", "states_pkey"]);
}

#[test]
fn the_locks_are_terraforms() {
    let Some(cluster) = Cluster::shared() else { return };
    let store = open(&cluster.database("locks"));
    let locks = "SELECT classid, objid, objsubid FROM pg_locks JOIN pg_database d ON database = d.oid \
                 WHERE locktype = 'advisory' AND d.datname = 'locks' ORDER BY objid DESC";
    let held = store.locks().unwrap().acquire("default", &info(1)).unwrap();
    let creation = cluster.sql("locks", locks);
    assert_eq!((creation.len(), creation[0].as_str()), (2, "4294967295|4294967295|1"));
    held.release().unwrap();
    create(&*store, "default");
    let held = store.locks().unwrap().acquire("default", &info(1)).unwrap();
    assert_eq!(cluster.sql("locks", locks), ["0|1|1"]);
    held.release().unwrap();
    assert!(cluster.sql("locks", locks).is_empty());
}

#[test]
fn the_holder_is_told_as_far_as_the_server_knows_it() {
    let Some(cluster) = Cluster::shared() else { return };
    let store = open(&cluster.database("holder"));
    create(&*store, "default");
    let held = store.locks().unwrap().acquire("default", &info(1)).unwrap();
    let Holder::Unnamed { why } = store.locks().unwrap().holder("default").unwrap() else {
        panic!("nobody holds it")
    };
    assert!(
        why.contains("user tf, calling itself tfstate contract user1@host, from 127.0.0.1"),
        "{why}"
    );
    let error = store.locks().unwrap().break_lock("default", "x").unwrap_err();
    let process = why.split(' ').nth(1).unwrap();
    let said = format!("SELECT pg_terminate_backend({process})");
    assert!(error.to_string().ends_with(&said), "{error}");
    cluster.sql("holder", &said);
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert_eq!(store.locks().unwrap().holder("default").unwrap(), Holder::Nobody);
    assert!(held.release().is_err(), "the session is gone, and the lock with it");
}

#[test]
fn a_broken_connection_is_replaced_by_another() {
    let Some(cluster) = Cluster::shared() else { return };
    let store = open(&cluster.database("broken"));
    create(&*store, "default");
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = 'broken' AND application_name = 'tfstate'";
    cluster.sql("broken", end);
    std::thread::sleep(std::time::Duration::from_millis(200));
    assert_eq!(store.head("default").unwrap().unwrap().len, OLD.len() as u64);
}

fn problem(address: &str) -> Problem {
    let error = open(address).read("default").unwrap_err();
    assert!(
        !told(&error).contains("S3CR3T") && !told(&error).contains("hunter2"),
        "{}",
        told(&error)
    );
    match error {
        Error::Remote { problem, .. } => problem,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_goes_wrong_is_told_by_what_can_be_done() {
    let Some(cluster) = Cluster::shared() else { return };
    let address = cluster.database("wrong_things");
    assert_eq!(
        problem(&address.replace("wrong_things", "nowhere")),
        Problem::NoContainer("database nowhere".to_owned())
    );
    assert_eq!(problem(&address.replace("tf@", "guest:hunter2@")), Problem::Unauthenticated);
    let port = format!(":{}", cluster.port());
    assert!(matches!(problem(&address.replace(&port, ":1")), Problem::Unreachable(_)));
    create(&*open(&address), "default");
    assert_eq!(problem(&address.replace("tf@", "guest:S3CR3T@")), Problem::Denied);
}

#[test]
fn whoever_may_only_write_rows_writes_them() {
    let Some(cluster) = Cluster::shared() else { return };
    let address = cluster.database("rows_only");
    create(&*open(&address), "default");
    let sql = "GRANT USAGE ON SCHEMA terraform_remote_state TO guest; \
               GRANT ALL ON terraform_remote_state.states TO guest; \
               GRANT ALL ON SEQUENCE public.global_states_id_seq TO guest";
    cluster.sql("rows_only", sql);
    create(&*open(&address.replace("tf@", "guest:S3CR3T@")), "second");
    let names = "SELECT name FROM terraform_remote_state.states ORDER BY 1";
    assert_eq!(cluster.sql("rows_only", names), ["default", "second"]);
}

#[test]
fn a_row_holds_text_only() {
    let Some(cluster) = Cluster::shared() else { return };
    let store = open(&cluster.database("text"));
    for bytes in [b"a\0b".as_slice(), b"\xff"] {
        let body = Body { bytes, expected: Expected::Nothing, lock: None };
        let error = store.write("default", &body).unwrap_err();
        assert!(matches!(error, Error::Remote { problem: Problem::Refused, .. }), "{error:?}");
    }
}

#[test]
fn sslmode_says_how_much_of_a_certificate_is_checked() {
    let Some(cluster) = Cluster::shared() else { return };
    let address = cluster.database("encrypted");
    let ca = format!("{}/tests/stores/tls/ca.pem", env!("CARGO_MANIFEST_DIR"));
    let with = |query: &str| address.replace("sslmode=disable", query);
    for fine in [
        "sslmode=require".to_owned(),
        "sslmode=prefer".to_owned(),
        format!("sslmode=verify-ca&sslrootcert={ca}"),
        format!("sslmode=verify-full&sslrootcert={ca}"),
    ] {
        open(&with(&fine)).read("default").unwrap_or_else(|error| panic!("{fine}: {error:?}"));
    }
    assert!(matches!(problem(&with("sslmode=verify-full")), Problem::Tls(_)));
    let client = ca.replace("ca.pem", "client.pem");
    let other = format!("sslmode=require&sslrootcert={client}");
    assert!(matches!(problem(&with(&other)), Problem::Tls(_)));
}

#[test]
fn the_environment_says_where_the_database_is() {
    let Some(cluster) = Cluster::shared() else { return };
    let address = cluster.database("by_env");
    create(&*open(&address), "default");
    let port = cluster.port().to_string();
    let pairs = [
        ("PGHOST", "127.0.0.1"),
        ("PGPORT", &port),
        ("PGUSER", "tf"),
        ("PGDATABASE", "by_env"),
        ("PGSSLMODE", "disable"),
    ];
    for env in [Env::from_pairs(pairs), Env::from_pairs([("PG_CONN_STR", &address)])] {
        let store = connect(&Backend::Pg(Box::default()), &env).unwrap();
        assert!(store.head("default").unwrap().is_some());
    }
}
