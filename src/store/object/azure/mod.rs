//! The backend `azurerm`: a container of Azure Blob Storage.
//!
//! Contents are read through `object_store`. What it has no word for is asked for here: writing
//! under a lease and with the metadata that a write would drop, deleting on a condition, listing
//! any key, versions and snapshots. The locks are in [`locks`].

mod credentials;
mod listing;
mod locks;
mod properties;
mod requests;
mod settings;
mod sign;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use object_store::azure::{AzureCredential, MicrosoftAzure, MicrosoftAzureBuilder};
use object_store::{RetryConfig, StaticCredentialProvider};

use self::listing::{Listing, SNAPSHOT};
use self::properties::Properties;
use self::requests::{Condition, Requests};
use self::settings::Settings;
use self::sign::Authorization;
use super::certainty::{self, Outcome};
use super::client::Client;
use super::error::Fault;
use super::network::Network;
use super::{digest, keys, read};
use crate::base::env::Env;
use crate::store::backend::Azure;
use crate::store::{
    Body, Entry, Error, Expected, Found, Guarantee, Guarantees, Locks, Revision, Store, Version,
    runtime,
};

/// Returns the store of these settings.
pub(in crate::store) fn connect(settings: &Azure, env: &Env) -> Result<Arc<dyn Store>, Error> {
    let settings = Settings::new(settings, env)?;
    let invalid = |problem: String| Error::Settings { backend: "azurerm", problem };
    runtime::block_on(async { Container::new(&settings, env) })
        .map_err(|error| invalid(error.to_string()))?
        .map(|container| Arc::new(container) as Arc<dyn Store>)
        .map_err(invalid)
}

/// A container. Cloning it is cheap.
#[derive(Clone)]
struct Container(Arc<Inner>);

struct Inner {
    requests: Requests,
    client: Client,
    objects: MicrosoftAzure,
    /// Whether a blob is kept as it was before each write.
    snapshot: bool,
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Container").field(&self.container()).finish()
    }
}

impl Container {
    fn new(settings: &Settings, env: &Env) -> Result<Self, String> {
        let network = Network::from_env(env);
        let sign = Authorization::new(settings, &network, env)?;
        let client = Client::new(&network, Box::new(sign))?;
        // Signing happens in the client; with a credential given, no other is looked for.
        let unused = AzureCredential::BearerToken(String::new());
        let objects = MicrosoftAzureBuilder::new()
            .with_account(&settings.account)
            .with_container_name(&settings.container)
            .with_endpoint(settings.endpoint.as_str().trim_end_matches('/').to_owned())
            .with_skip_signature(true)
            .with_credentials(Arc::new(StaticCredentialProvider::new(unused)))
            .with_http_connector(client.clone())
            .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() })
            .build()
            .map_err(|error| error.to_string())?;
        let (requests, snapshot) = (Requests::new(settings), settings.snapshot);
        Ok(Self(Arc::new(Inner { requests, client, objects, snapshot })))
    }

    fn container(&self) -> String {
        format!("container {} in account {}", self.0.requests.container, self.0.requests.account)
    }

    fn fault(&self, fault: Fault, doing: &'static str, key: &str) -> Error {
        fault.while_doing(doing, self.name(key), &self.container())
    }

    fn changed(&self, key: &str) -> Error {
        Error::Changed { what: self.name(key) }
    }

    fn run<T>(
        &self,
        key: &str,
        future: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let failed = |source| Error::Io { what: self.name(key), source };
        runtime::block_on(future).map_err(failed)?
    }

    async fn fetch(&self, key: &str, id: Option<&str>) -> Result<Found, Error> {
        let inner = &self.0;
        let snapshot = id.and_then(|id| id.strip_prefix(SNAPSHOT));
        let (bytes, headers) = match (keys::path(key), snapshot) {
            (Some(path), None) => {
                let found = read::read(&inner.objects, &path, id).await;
                match found.map_err(|failed| failed.explain(self.name(key), &self.container()))? {
                    None => return Ok(Found::Nothing),
                    Some(object) => {
                        (object.bytes, object.headers.map(|headers| headers.0).unwrap_or_default())
                    }
                }
            }
            _ => {
                let query = match (snapshot, id) {
                    (Some(snapshot), _) => format!("?snapshot={}", keys::encode(snapshot)),
                    (None, Some(version)) => format!("?versionid={}", keys::encode(version)),
                    (None, None) => String::new(),
                };
                match inner.client.send(inner.requests.content(key, &query)).await {
                    Err(fault) if fault.is_not_found() => return Ok(Found::Nothing),
                    Err(fault) => return Err(self.fault(fault, "read", key)),
                    Ok(answer) => (answer.body().to_vec(), answer.headers().clone()),
                }
            }
        };
        digest::check(&bytes, properties::md5(&headers))
            .map_err(|fault| self.fault(fault, "read", key))?;
        let mut version = properties::version(&headers);
        if let Some(id) = id {
            version.id = Some(id.to_owned());
        }
        if bytes.is_empty() {
            return Ok(Found::Empty(version));
        }
        Ok(Found::Bytes(bytes.into(), version))
    }

    async fn properties(&self, key: &str) -> Result<Option<Properties>, Fault> {
        match self.0.client.send(self.0.requests.head(key)).await {
            Ok(answer) => Properties::parse(answer.headers()).map(Some),
            Err(fault) if fault.is_not_found() => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    async fn put(&self, key: &str, body: &Body<'_>) -> Result<Version, Error> {
        let failed = |fault| self.fault(fault, "write", key);
        let before = self.properties(key).await.map_err(failed)?;
        let condition = match (body.expected, &before) {
            (Expected::Nothing, None) => Condition::Absent,
            // A lock makes a blob of no bytes where there is none, and that is no state.
            (Expected::Nothing, Some(found)) if found.len == 0 && body.lock.is_some() => {
                Condition::Unchanged(&found.etag)
            }
            (Expected::Version(version), Some(found)) if found.version.tag == version.tag => {
                Condition::Unchanged(&found.etag)
            }
            _ => return Err(self.changed(key)),
        };
        if let (true, Condition::Unchanged(etag)) = (self.0.snapshot, condition) {
            let request = self.0.requests.snapshot(key, etag, body.lock);
            if let Err(fault) = self.0.client.send(request).await {
                return Err(self.refused_write(key, fault, "take a snapshot of").await);
            }
        }
        let metadata = before.as_ref().map(|found| found.metadata.clone()).unwrap_or_default();
        let request = self.0.requests.write(key, body.bytes, condition, body.lock, &metadata);
        match certainty::send(&self.0.client, request).await {
            Outcome::Done(answer) => Ok(properties::version(answer.headers())),
            Outcome::Failed(fault) => Err(self.refused_write(key, fault, "write").await),
            Outcome::Doubtful(fault) => {
                let before = before.map(|found| found.etag);
                self.look(key, body.bytes, before.as_deref(), fault).await
            }
        }
    }

    /// Finds out what became of a write whose answer was lost.
    async fn look(
        &self,
        key: &str,
        bytes: &[u8],
        before: Option<&str>,
        fault: Fault,
    ) -> Result<Version, Error> {
        let lost = |source: Fault| Error::Unknown { what: self.name(key), source: source.into() };
        let Ok(found) = self.properties(key).await else { return Err(lost(fault)) };
        if found.as_ref().map(|found| found.etag.as_str()) == before {
            // A request on its way may still arrive.
            return Err(match fault {
                fault @ Fault::TimedOut(_) => lost(fault),
                fault => self.fault(fault, "write", key),
            });
        }
        let digest = digest::of(bytes);
        match found {
            Some(found) if found.version.tag.as_ref() == Some(&digest) => Ok(found.version),
            _ => Err(self.changed(key)),
        }
    }

    /// Returns the error of a write or a deletion that was refused.
    async fn refused_write(&self, key: &str, fault: Fault, doing: &'static str) -> Error {
        match (fault.status(), fault.code()) {
            (Some(412), "LeaseIdMissing" | "LeaseIdMismatchWithBlobOperation" | "LeaseLost") => {
                match self.look_for_holder(key).await {
                    Ok(holder) => Error::Locked { what: self.name(key), holder: Box::new(holder) },
                    Err(_) => self.fault(fault, doing, key),
                }
            }
            (Some(412), "LeaseNotPresentWithBlobOperation") => self.fault(fault, doing, key),
            (Some(412), _) | (Some(409), "BlobAlreadyExists") => self.changed(key),
            _ => self.fault(fault, doing, key),
        }
    }

    async fn remove(&self, key: &str, expected: &Version, lock: Option<&str>) -> Result<(), Error> {
        let found = self.properties(key).await.map_err(|fault| self.fault(fault, "delete", key))?;
        let Some(found) = found.filter(|found| found.version.tag == expected.tag) else {
            return Err(self.changed(key));
        };
        match certainty::send(&self.0.client, self.0.requests.delete(key, &found.etag, lock)).await
        {
            Outcome::Done(_) => Ok(()),
            Outcome::Doubtful(fault) if fault.is_not_found() => Ok(()),
            Outcome::Failed(fault) if fault.is_not_found() => Err(self.changed(key)),
            Outcome::Failed(fault) | Outcome::Doubtful(fault) => {
                Err(self.refused_write(key, fault, "delete").await)
            }
        }
    }

    async fn page(
        &self,
        prefix: &str,
        marker: Option<&str>,
        include: &str,
    ) -> Result<Listing, Fault> {
        let request = self.0.requests.list(prefix, marker, include);
        let answer: Response<Bytes> = self.0.client.send(request).await?;
        Listing::parse(answer.body())
    }

    async fn revisions(&self, key: &str) -> Result<Vec<Revision>, Error> {
        let mut found = Vec::new();
        let mut include = "snapshots,versions";
        let mut marker: Option<String> = None;
        loop {
            let page = match self.page(key, marker.as_deref(), include).await {
                Ok(page) => page,
                // Not every account knows versions.
                Err(fault) if fault.status() == Some(400) && include != "snapshots" => {
                    include = "snapshots";
                    continue;
                }
                Err(fault) => return Err(self.fault(fault, "list the versions of", key)),
            };
            let own = page.blobs().iter().filter(|blob| blob.key() == key);
            found.extend(own.filter_map(listing::Blob::revision));
            marker = page.marker().map(ToOwned::to_owned);
            if marker.is_none() {
                break;
            }
        }
        if found.is_empty() {
            let container = self.container();
            let why = format!("blob versioning is off for {container}, and it has no snapshots");
            return Err(Error::NoVersions { what: self.name(key), why });
        }
        found.sort_by(|a, b| (b.is_current, b.modified).cmp(&(a.is_current, a.modified)));
        Ok(found)
    }
}

impl Store for Container {
    fn name(&self, key: &str) -> String {
        format!("az://{}/{key}", self.0.requests.container)
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees { create: Guarantee::Atomic, replace: Guarantee::Atomic }
    }

    fn read(&self, key: &str) -> Result<Found, Error> {
        self.run(key, self.fetch(key, None))
    }

    fn read_version(&self, key: &str, id: &str) -> Result<Found, Error> {
        self.run(key, self.fetch(key, Some(id)))
    }

    fn head(&self, key: &str) -> Result<Option<Entry>, Error> {
        let found = self.run(key, async {
            self.properties(key).await.map_err(|fault| self.fault(fault, "read", key))
        })?;
        Ok(found.map(|found| Entry {
            key: key.to_owned(),
            len: found.len,
            modified: found.modified,
            version: found.version,
        }))
    }

    fn write(&self, key: &str, body: &Body<'_>) -> Result<Version, Error> {
        self.run(key, self.put(key, body))
    }

    fn delete(&self, key: &str, expected: &Version, lock: Option<&str>) -> Result<(), Error> {
        self.run(key, self.remove(key, expected, lock))
    }

    fn list(
        &self,
        prefix: &str,
        each: &mut dyn FnMut(Entry) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut marker: Option<String> = None;
        loop {
            let page = self.run(prefix, async {
                let page = self.page(prefix, marker.as_deref(), "").await;
                page.map_err(|fault| self.fault(fault, "list", prefix))
            })?;
            for blob in page.blobs() {
                each(blob.entry())?;
            }
            marker = page.marker().map(ToOwned::to_owned);
            if marker.is_none() {
                return Ok(());
            }
        }
    }

    fn versions(&self, key: &str) -> Result<Vec<Revision>, Error> {
        self.run(key, self.revisions(key))
    }

    fn locks(&self) -> Option<&dyn Locks> {
        Some(self)
    }
}
