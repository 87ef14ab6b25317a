//! Azure Blob Storage: the contract, and what its own protocol says.

use std::sync::Arc;

use tfstate::base::env::Env;
use tfstate::store::backend::{Azure, Backend};
use tfstate::store::{Store, connect};

use crate::contract::{self, Keys, ODD_KEYS, Traits};

/// Further keys that `object_store` has no word for.
const SEGMENTS: &[&str] = &["two//slashes", "a/./dot", "a/../dots", "trailing/"];

/// Any key will do, as its form is checked before anything is sent.
const KEY: &str = "UzNDUjNULUtFWQ==";

fn store(connection: &str, container: &str) -> Arc<dyn Store> {
    let settings = Azure { container_name: container.to_owned(), ..Azure::default() };
    let env = Env::from_pairs([("AZURE_STORAGE_CONNECTION_STRING", connection)]);
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
        println!("skipped: TFSTATE_TEST_AZURE is not set");
        return;
    };
    let odd = [ODD_KEYS, SEGMENTS].concat();
    let (_, key) = connection.split_once("AccountKey=").unwrap();
    let key = key.split(';').next().unwrap();
    contract::holds(&*store(&connection, "tfstate"), &traits(&odd, &[key]));
}
