//! Terraform's backends: where it keeps states, as its configuration says.
//!
//! The fields are those of the backend blocks, named as there. A field holds what the record or
//! the block says; what neither says is taken from the environment by the store itself, in the
//! order in which Terraform looks.

pub(super) mod block;
mod configured;
pub(super) mod given;
mod literal;
pub(super) mod record;
mod settings;
mod values;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

pub(super) use configured::Configured;
pub(super) use values::Standing;

use crate::base::secret::Secret;

/// A backend that this library can use.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Backend {
    /// Files on this computer.
    Local(Local),
    /// An S3 bucket, or one of a store that speaks its protocol.
    S3(Box<S3>),
    /// A bucket of Google Cloud Storage.
    Gcs(Box<Gcs>),
    /// A container of Azure Blob Storage.
    Azure(Box<Azure>),
    /// An address that answers GET and POST.
    Http(Box<Http>),
    /// A schema of a Postgres database.
    Pg(Box<Pg>),
}

impl Backend {
    /// Returns the type, as a `backend` block names it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Local(_) => "local",
            Self::S3(_) => "s3",
            Self::Gcs(_) => "gcs",
            Self::Azure(_) => "azurerm",
            Self::Http(_) => "http",
            Self::Pg(_) => "pg",
        }
    }
}

/// The backend `local`.
#[derive(Clone, Debug, Default)]
pub struct Local {
    /// The file of the default workspace.
    pub path: Option<PathBuf>,
    /// The folder of the other workspaces.
    pub workspace_dir: Option<PathBuf>,
}

/// The backend `s3`.
#[derive(Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "the settings are those of the block")]
pub struct S3 {
    /// The bucket.
    pub bucket: String,
    /// The object of the default workspace; empty where a reference names a bucket only.
    pub key: String,
    /// What comes before the names of other workspaces; `env:` where it is not set.
    pub workspace_key_prefix: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// Endpoints that stand in for Amazon's, by service: `s3`, `dynamodb`, `sts`, `sso`, `iam`.
    pub endpoints: BTreeMap<String, String>,
    /// Whether the bucket is named in the path and not in the host; decided by the endpoint where
    /// it is not set.
    pub use_path_style: Option<bool>,
    /// Whether objects are encrypted on the server with keys of the store.
    pub encrypt: bool,
    /// The key in the key management service that objects are encrypted with.
    pub kms_key_id: Option<String>,
    /// The key that objects are encrypted with, as base64 of its 32 bytes.
    pub sse_customer_key: Option<Secret>,
    /// The canned access control list of new objects.
    pub acl: Option<String>,
    /// The table of locks and digests.
    pub dynamodb_table: Option<String>,
    /// Whether states are locked by an object beside them.
    pub use_lockfile: bool,
    /// Whether objects are written without a checksum of their own.
    pub skip_s3_checksum: bool,
    /// The profile in the shared files.
    pub profile: Option<String>,
    /// Files that stand in for `~/.aws/config`.
    pub shared_config_files: Vec<PathBuf>,
    /// Files that stand in for `~/.aws/credentials`.
    pub shared_credentials_files: Vec<PathBuf>,
    /// The access key.
    pub access_key: Option<Secret>,
    /// Its secret.
    pub secret_key: Option<Secret>,
    /// The token of a session.
    pub token: Option<Secret>,
    /// The role to assume.
    pub assume_role: Option<AssumeRole>,
    /// The role to begin with, which a token of a web identity opens.
    pub assume_role_with_web_identity: Option<WebIdentity>,
    /// The accounts that credentials may be of; any where there are none.
    pub allowed_account_ids: Vec<String>,
    /// The accounts that credentials may not be of.
    pub forbidden_account_ids: Vec<String>,
    /// A file of certificates to trust.
    pub custom_ca_bundle: Option<PathBuf>,
    /// The proxy for plain requests.
    pub http_proxy: Option<String>,
    /// The proxy for encrypted requests.
    pub https_proxy: Option<String>,
    /// Hosts that are reached without a proxy.
    pub no_proxy: Option<String>,
    /// How often a failed request is tried again.
    pub max_retries: Option<u32>,
    /// Whether certificates go unchecked.
    pub insecure: bool,
}

/// Shows where it is only: the addresses of proxies and endpoints can hold passwords.
impl fmt::Debug for S3 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("S3")
            .field("bucket", &self.bucket)
            .field("key", &self.key)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

/// A role, and how to come by it.
#[derive(Clone, Debug, Default)]
pub struct AssumeRole {
    /// The role.
    pub role_arn: String,
    /// What the session is called.
    pub session_name: Option<String>,
    /// What the role's owner asks for.
    pub external_id: Option<String>,
    /// How long it lasts, in seconds.
    pub duration_seconds: Option<u32>,
    /// A policy in JSON that narrows what the session may do.
    pub policy: Option<String>,
    /// Policies of the account that narrow what the session may do.
    pub policy_arns: Vec<String>,
    /// The tags of the session.
    pub tags: BTreeMap<String, String>,
}

/// A role that the token of a web identity opens. What is not set comes from the variables that
/// the tools of AWS know.
#[derive(Clone, Debug, Default)]
pub struct WebIdentity {
    /// The role.
    pub role_arn: Option<String>,
    /// What the session is called.
    pub session_name: Option<String>,
    /// The token.
    pub web_identity_token: Option<Secret>,
    /// The file of the token.
    pub web_identity_token_file: Option<PathBuf>,
    /// How long it lasts, in seconds.
    pub duration_seconds: Option<u32>,
    /// A policy in JSON that narrows what the session may do.
    pub policy: Option<String>,
    /// Policies of the account that narrow what the session may do.
    pub policy_arns: Vec<String>,
}

/// The backend `gcs`.
#[derive(Clone, Debug, Default)]
pub struct Gcs {
    /// The bucket.
    pub bucket: String,
    /// The folder of the states.
    pub prefix: String,
    /// Credentials: the path of a file, or its text.
    pub credentials: Option<Secret>,
    /// A bearer token.
    pub access_token: Option<Secret>,
    /// The account to act as.
    pub impersonate_service_account: Option<String>,
    /// The accounts through which to come by it.
    pub impersonate_service_account_delegates: Vec<String>,
    /// The key that objects are encrypted with, as base64 of its 32 bytes.
    pub encryption_key: Option<Secret>,
    /// The key in the key management service that objects are encrypted with.
    pub kms_encryption_key: Option<String>,
    /// An endpoint that stands in for Google's.
    pub storage_custom_endpoint: Option<String>,
}

/// The backend `azurerm`.
#[derive(Clone, Debug, Default)]
pub struct Azure {
    /// The account.
    pub storage_account_name: Option<String>,
    /// The container.
    pub container_name: String,
    /// The blob of the default workspace.
    pub key: String,
    /// A key of the account.
    pub access_key: Option<Secret>,
    /// A shared access signature.
    pub sas_token: Option<Secret>,
    /// The tenant.
    pub tenant_id: Option<String>,
    /// The application.
    pub client_id: Option<String>,
    /// The file that says which application it is.
    pub client_id_file_path: Option<PathBuf>,
    /// Its secret.
    pub client_secret: Option<Secret>,
    /// The file of its secret.
    pub client_secret_file_path: Option<PathBuf>,
    /// Its certificate or the file of it, which this library can't use.
    pub client_certificate: Option<Secret>,
    /// The cloud: `public`, `china`, `usgovernment`.
    pub environment: Option<String>,
    /// The server that says what its cloud is like; it wins over the name of a cloud.
    pub metadata_host: Option<String>,
    /// An endpoint that stands in for Azure's. No block says it.
    pub endpoint: Option<String>,
    /// Whether the endpoint is to be looked up, which this library can't do.
    pub lookup_blob_endpoint: Option<bool>,
    /// Whether to sign in as the machine.
    pub use_msi: Option<bool>,
    /// Where the machine gives out tokens.
    pub msi_endpoint: Option<String>,
    /// Whether to sign in with a token of the workload.
    pub use_oidc: Option<bool>,
    /// That token.
    pub oidc_token: Option<Secret>,
    /// The file of that token.
    pub oidc_token_file_path: Option<PathBuf>,
    /// Where the pipeline gives out that token.
    pub oidc_request_url: Option<String>,
    /// What shows the pipeline who asks.
    pub oidc_request_token: Option<Secret>,
    /// The service connection of Azure DevOps whose token it is.
    pub ado_pipeline_service_connection_id: Option<String>,
    /// Whether to sign in as the workload of a cluster, which says who that is.
    pub use_aks_workload_identity: Option<bool>,
    /// Whether to ask as whoever is signed in with `az login`, where nobody else is named.
    pub use_cli: Option<bool>,
    /// How long the account may be silent, which OpenTofu knows.
    pub timeout_seconds: Option<u64>,
    /// Whether a snapshot of the blob is taken before each write.
    pub snapshot: Option<bool>,
}

/// The backend `http`.
#[derive(Clone, Default)]
pub struct Http {
    /// Where the state is.
    pub address: String,
    /// The method that writes; `POST` where it is not set.
    pub update_method: Option<String>,
    /// Where the lock is; none means that there are no locks.
    pub lock_address: Option<String>,
    /// The method that locks; `LOCK` where it is not set.
    pub lock_method: Option<String>,
    /// Where the lock is released.
    pub unlock_address: Option<String>,
    /// The method that unlocks; `UNLOCK` where it is not set.
    pub unlock_method: Option<String>,
    /// The user.
    pub username: Option<String>,
    /// The password.
    pub password: Option<Secret>,
    /// Further headers, which OpenTofu knows.
    pub headers: BTreeMap<String, Secret>,
    /// Whether certificates go unchecked.
    pub skip_cert_verification: bool,
    /// How often a failed request is tried again.
    pub retry_max: Option<u32>,
    /// The shortest time between two tries, in seconds.
    pub retry_wait_min: Option<u64>,
    /// The longest time between two tries, in seconds.
    pub retry_wait_max: Option<u64>,
    /// The authority that signed the server's certificate, as PEM.
    pub client_ca_certificate_pem: Option<String>,
    /// The certificate of this client, as PEM.
    pub client_certificate_pem: Option<String>,
    /// Its key, as PEM.
    pub client_private_key_pem: Option<Secret>,
}

/// Shows nothing of it: its addresses can hold passwords.
impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

/// The backend `pg`.
#[derive(Clone, Debug, Default)]
pub struct Pg {
    /// How to connect: a URL, or `key=value` pairs.
    pub conn_str: Option<Secret>,
    /// The schema; `terraform_remote_state` where it is not set.
    pub schema_name: Option<String>,
    /// The table, which only OpenTofu lets one choose; `states` where it is not set.
    pub table_name: Option<String>,
    /// The index, likewise; `states_by_name` where it is not set.
    pub index_name: Option<String>,
    /// Whether the schema is there already; the environment decides where it is not set.
    pub skip_schema_creation: Option<bool>,
    /// Whether the table is there already, likewise.
    pub skip_table_creation: Option<bool>,
    /// Whether the index is there already, likewise.
    pub skip_index_creation: Option<bool>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_can_hold_passwords_are_not_formatted() {
        let secret = || "http://u:S3CR3T@host".to_owned();
        let s3 = S3 {
            endpoints: [("s3".to_owned(), secret())].into(),
            https_proxy: Some(secret()),
            ..S3::default()
        };
        let http = Http { address: secret(), lock_address: Some(secret()), ..Http::default() };
        for backend in [Backend::S3(Box::new(s3)), Backend::Http(Box::new(http))] {
            assert!(!format!("{backend:?}").contains("S3CR3T"), "{backend:?}");
        }
    }
}
