//! Real terraform and `tfstate` on the same backend: what one writes the other reads, and each
//! respects the other's locks.
//!
//! Each test stands in a working directory of terraform with one backend. The servers are started
//! by `.ci/run`, which names them in the environment; without them, or without terraform, a test
//! says that it is skipped.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stderr, reason = "a test that is skipped says so")]

mod directory;

use directory::Directory;
use tfstate::base::env::Env;

/// The backend block of a server that the environment names, or nothing, said aloud.
fn server(variable: &str) -> Option<String> {
    let address = Env::process().get(variable);
    if address.is_none() {
        eprintln!("{variable} names no server: skipped");
    }
    address
}

fn s3(endpoint: &str, key: &str, locks: &str) -> String {
    format!(
        r#"backend "s3" {{
    bucket = "tfstate"
    key    = "{key}"
    region = "us-east-1"
    endpoints = {{ s3 = "{endpoint}", dynamodb = "{endpoint}" }}
    access_key = "test"
    secret_key = "test"
    use_path_style              = true
    skip_credentials_validation = true
    skip_metadata_api_check     = true
    skip_region_validation      = true
    skip_requesting_account_id  = true
    {locks}
  }}"#
    )
}

#[test]
fn local() {
    let Some(directory) = Directory::new("backend \"local\" {}") else { return };
    directory.everything(true);
}

#[test]
fn s3_with_a_lock_file() {
    let Some(endpoint) = server("TFSTATE_TEST_S3") else { return };
    let block = s3(&endpoint, "interop/lockfile.tfstate", "use_lockfile = true");
    let Some(directory) = Directory::new(&block) else { return };
    directory.everything(true);
}

#[test]
fn s3_with_dynamodb() {
    let Some(endpoint) = server("TFSTATE_TEST_S3") else { return };
    let block = s3(&endpoint, "interop/dynamodb.tfstate", "dynamodb_table = \"tflocks\"");
    let Some(directory) = Directory::new(&block) else { return };
    directory.everything(true);
}

#[test]
fn gcs() {
    let Some(endpoint) = server("TFSTATE_TEST_GCS") else { return };
    let block = format!(
        r#"backend "gcs" {{
    bucket = "tfstate"
    prefix = "interop"
    access_token = "fake"
    storage_custom_endpoint = "{endpoint}/storage/v1/b"
  }}"#
    );
    let Some(directory) = Directory::new(&block) else { return };
    directory.everything(true);
}

#[test]
fn azurerm() {
    let Some(key) = server("TFSTATE_TEST_AZURE_KEY") else { return };
    let proxy = Env::process().get("TFSTATE_TEST_AZURE_PROXY").unwrap_or_default();
    let authority = Env::process().get("TFSTATE_TEST_AZURE_CA").unwrap_or_default();
    let block = format!(
        r#"backend "azurerm" {{
    storage_account_name = "tfstatetest"
    container_name       = "tfstate"
    key                  = "interop/terraform.tfstate"
    access_key           = "{key}"
  }}"#
    );
    let Some(mut directory) = Directory::new(&block) else { return };
    directory.set("HTTPS_PROXY", &proxy);
    directory.set("SSL_CERT_FILE", &authority);
    directory.everything(true);
}

#[test]
fn pg() {
    let Some(address) = server("TFSTATE_TEST_PG") else { return };
    let block = format!(
        "backend \"pg\" {{\n    conn_str = \"{address}\"\n    schema_name = \"interop\"\n  }}"
    );
    let Some(directory) = Directory::new(&block) else { return };
    // The protocol keeps no note of who holds a lock.
    directory.everything(false);
}
