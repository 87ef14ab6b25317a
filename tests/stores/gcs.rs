//! Google Cloud Storage: the contract, and what its own protocol says.

use std::sync::Arc;

use tfstate::base::env::Env;
use tfstate::base::secret::Secret;
use tfstate::store::backend::{Backend, Gcs};
use tfstate::store::{Store, connect};

use crate::contract::{self, Keys, ODD_KEYS, Traits};

const TOKEN: &str = "S3CR3T-TOKEN";

/// Further keys that `object_store` has no word for.
const SEGMENTS: &[&str] = &["two//slashes", "a/./dot", "a/../dots", "trailing/"];

fn store(endpoint: &str, bucket: &str) -> Arc<dyn Store> {
    let settings = Gcs {
        bucket: bucket.to_owned(),
        access_token: Some(Secret::new(TOKEN)),
        storage_custom_endpoint: Some(endpoint.to_owned()),
        ..Gcs::default()
    };
    connect(&Backend::Gcs(Box::new(settings)), &Env::default()).unwrap()
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
        println!("skipped: TFSTATE_TEST_GCS is not set");
        return;
    };
    let odd = [ODD_KEYS, SEGMENTS].concat();
    contract::holds(&*store(&endpoint, "tfstate"), &traits(&odd));
    let versioned = Traits { has_versions: true, ..traits(&odd) };
    contract::holds(&*store(&endpoint, "tfstate-versioned"), &versioned);
}
