//! A container: reading, listing, and what goes to the other files.

use std::cmp::Reverse;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Response};
use object_store::azure::{AzureCredential, MicrosoftAzure, MicrosoftAzureBuilder};
use object_store::path::Path;
use object_store::{RetryConfig, StaticCredentialProvider};

use super::listing::{self, Listing, SNAPSHOT};
use super::properties::{self, Properties};
use super::requests::Requests;
use super::settings::Settings;
use super::sign::Authorization;
use crate::base::env::Env;
use crate::store::object::client::{Client, Headers};
use crate::store::object::error::Fault;
use crate::store::object::network::Network;
use crate::store::object::{digest, keys, read, start};
use crate::store::runtime;
use crate::store::{
    Body, Entry, Error, Found, Guarantee, Guarantees, Locks, Revision, Store, Version,
};

/// A content, and the headers that came with it.
type Fetched = (Vec<u8>, HeaderMap);

/// A container. Cloning it is cheap.
#[derive(Clone)]
pub(super) struct Container(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) requests: Requests,
    pub(super) client: Client,
    objects: MicrosoftAzure,
    /// Whether a blob is kept as it was before each write.
    pub(super) snapshot: bool,
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Container").field(&self.container()).finish()
    }
}

impl Container {
    pub(super) fn new(settings: &Settings, env: &Env) -> Result<Self, String> {
        let mut network = Network::from_env(env);
        network.patience = settings.patience.unwrap_or(network.patience);
        let sign = Authorization::new(settings, &network, env);
        let client = Client::new(&network, settings.endpoint.as_str(), Box::new(sign))?;
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

    pub(super) fn fault(&self, fault: Fault, doing: &'static str, key: &str) -> Error {
        fault.while_doing(doing, self.name(key), &self.container())
    }

    pub(super) fn changed(&self, key: &str) -> Error {
        Error::Changed { what: self.name(key) }
    }

    pub(super) fn run<T>(
        &self,
        key: &str,
        future: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let failed = |source| Error::Io { what: self.name(key), source };
        runtime::block_on(future).map_err(failed)?
    }

    async fn fetch(&self, key: &str, id: Option<&str>) -> Result<Found, Error> {
        let snapshot = id.and_then(|id| id.strip_prefix(SNAPSHOT));
        let fetched = match (keys::path(key), snapshot, id) {
            (Some(path), None, _) => self.fetch_path(key, &path, id).await?,
            (_, Some(snapshot), _) => {
                self.fetch_plain(key, &format!("?snapshot={}", keys::encode(snapshot))).await?
            }
            (None, None, Some(version)) => {
                self.fetch_plain(key, &format!("?versionid={}", keys::encode(version))).await?
            }
            (None, None, None) => self.fetch_plain(key, "").await?,
        };
        let Some((bytes, headers)) = fetched else { return Ok(Found::Nothing) };
        digest::check(&bytes, properties::md5(&headers))
            .map_err(|fault| self.fault(fault, "read", key))?;
        let mut version = properties::version(&headers);
        if let Some(id) = id {
            version.id = Some(id.to_owned());
        }
        Ok(Found::of(bytes, version))
    }

    async fn fetch_start(&self, key: &str, len: u64) -> Result<Found, Error> {
        let request = || self.0.requests.content(key, "");
        let found = start::read(&self.0.client, request, len).await;
        let found = found.map_err(|fault| self.fault(fault, "read", key))?;
        let whole = |(bytes, headers)| Found::of(bytes, properties::version(&headers));
        Ok(found.map_or(Found::Nothing, whole))
    }

    async fn fetch_path(
        &self,
        key: &str,
        path: &Path,
        version: Option<&str>,
    ) -> Result<Option<Fetched>, Error> {
        let found = read::read(&self.0.objects, path, version).await;
        let found = found.map_err(|failed| failed.explain(self.name(key), &self.container()))?;
        let headers = |headers: Option<Headers>| headers.map_or_else(HeaderMap::new, |all| all.0);
        Ok(found.map(|object| (object.bytes, headers(object.headers))))
    }

    /// Reads what `object_store` has no word for, with one request.
    async fn fetch_plain(&self, key: &str, query: &str) -> Result<Option<Fetched>, Error> {
        match self.0.client.send(self.0.requests.content(key, query)).await {
            Ok(answer) => Ok(Some((answer.body().to_vec(), answer.headers().clone()))),
            Err(fault) if fault.is_not_found() => Ok(None),
            Err(fault) => Err(self.fault(fault, "read", key)),
        }
    }

    pub(super) async fn properties(&self, key: &str) -> Result<Option<Properties>, Fault> {
        match self.0.client.send(self.0.requests.head(key)).await {
            Ok(answer) => Properties::parse(answer.headers()).map(Some),
            Err(fault) if fault.is_not_found() => Ok(None),
            Err(fault) => Err(fault),
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
        let listing = Listing::parse(answer.body())?;
        if marker.is_some() && listing.marker() == marker {
            return Err(Fault::Damaged("the list does not go on".to_owned()));
        }
        Ok(listing)
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
        found.sort_by_key(|one| Reverse((one.is_current, one.modified)));
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

    fn read_start(&self, key: &str, len: u64) -> Result<Found, Error> {
        self.run(key, self.fetch_start(key, len))
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

    fn add(&self, key: &str, bytes: &[u8]) -> Result<Version, Error> {
        self.run(key, self.add(key, bytes))
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
