//! A bucket: reading, listing, and what goes to the other files.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use object_store::gcp::{GcpCredential, GoogleCloudStorage, GoogleCloudStorageBuilder};
use object_store::{RetryConfig, StaticCredentialProvider};

use super::requests::{Listing, Requests, Resource};
use super::settings::Settings;
use super::sign::Bearer;
use crate::base::env::Env;
use crate::store::object::client::{Client, Headers};
use crate::store::object::error::Fault;
use crate::store::object::network::Network;
use crate::store::object::{digest, keys, read, start};
use crate::store::{
    Body, Entry, Error, Found, Guarantee, Guarantees, Locks, Pages, Revision, Store, Version,
    runtime,
};

/// A bucket. Cloning it is cheap.
#[derive(Clone)]
pub(super) struct Bucket(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) requests: Requests,
    /// Sends what must be encrypted with the key of the configuration, and reads it.
    pub(super) contents: Client,
    /// Sends everything else.
    pub(super) client: Client,
    objects: GoogleCloudStorage,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bucket").field(&self.container()).finish()
    }
}

impl Bucket {
    pub(super) fn new(settings: &Settings, env: &Env) -> Result<Self, String> {
        let network = Network::from_env(env);
        let sign = Bearer::new(settings, &network, env);
        let address = settings.endpoint.as_str();
        let client = Client::new(&network, address, Box::new(sign.clone()))?;
        let contents = match sign.encrypting(settings) {
            Some(sign) => Client::new(&network, address, Box::new(sign))?,
            None => client.clone(),
        };
        // Signing happens in the client; with a credential given, no other is looked for.
        let unused = GcpCredential { bearer: String::new() };
        let objects = GoogleCloudStorageBuilder::new()
            .with_bucket_name(&settings.bucket)
            .with_base_url(settings.endpoint.as_str().trim_end_matches('/'))
            .with_skip_signature(true)
            .with_credentials(Arc::new(StaticCredentialProvider::new(unused)))
            .with_http_connector(contents.clone())
            .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() })
            .build()
            .map_err(|error| error.to_string())?;
        let requests = Requests::new(settings);
        Ok(Self(Arc::new(Inner { requests, contents, client, objects })))
    }

    fn container(&self) -> String {
        format!("bucket {}", self.0.requests.bucket)
    }

    pub(super) fn fault(&self, fault: Fault, doing: &'static str, key: &str) -> Error {
        fault.while_doing(doing, self.name(key), &self.container())
    }

    pub(super) fn run<T>(
        &self,
        key: &str,
        future: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let failed = |source| Error::Io { what: self.name(key), source };
        runtime::block_on(future).map_err(failed)?
    }

    pub(super) async fn fetch(&self, key: &str, generation: Option<&str>) -> Result<Found, Error> {
        let failed = |fault| self.fault(fault, "read", key);
        let Some((bytes, headers)) = self.content(key, generation).await? else {
            return Ok(Found::Nothing);
        };
        let hashes = headers.get_all("x-goog-hash").iter().filter_map(|value| value.to_str().ok());
        let md5 = hashes.flat_map(|text| text.split(',')).find_map(|one| one.strip_prefix("md5="));
        digest::check(&bytes, md5).map_err(failed)?;
        named(bytes, &headers).map_err(failed)
    }

    async fn fetch_start(&self, key: &str, len: u64) -> Result<Found, Error> {
        let failed = |fault| self.fault(fault, "read", key);
        let request = || self.0.requests.content(key, None);
        let found = start::read(&self.0.contents, request, len).await.map_err(failed)?;
        let Some((bytes, headers)) = found else { return Ok(Found::Nothing) };
        named(bytes, &headers).map_err(failed)
    }

    async fn content(
        &self,
        key: &str,
        generation: Option<&str>,
    ) -> Result<Option<(Vec<u8>, HeaderMap)>, Error> {
        if let Some(path) = keys::path(key) {
            let found = read::read(&self.0.objects, &path, generation).await;
            let found =
                found.map_err(|failed| failed.explain(self.name(key), &self.container()))?;
            let headers =
                |headers: Option<Headers>| headers.map_or_else(HeaderMap::new, |all| all.0);
            return Ok(found.map(|object| (object.bytes, headers(object.headers))));
        }
        match self.0.contents.send(self.0.requests.content(key, generation)).await {
            Ok(answer) => Ok(Some((answer.body().to_vec(), answer.headers().clone()))),
            Err(fault) if fault.is_not_found() => Ok(None),
            Err(fault) => Err(self.fault(fault, "read", key)),
        }
    }

    async fn resource(&self, key: &str) -> Result<Option<Resource>, Error> {
        let fault = match self.0.client.send(self.0.requests.head(key)).await {
            Ok(answer) => match Resource::parse(answer.body()) {
                Ok(resource) => return Ok(Some(resource)),
                Err(fault) => fault,
            },
            Err(fault) if fault.is_not_found() => return Ok(None),
            Err(fault) => fault,
        };
        Err(self.fault(fault, "read", key))
    }

    async fn page(
        &self,
        prefix: &str,
        after: Option<&str>,
        token: Option<&str>,
    ) -> Result<Listing, Error> {
        let answer = self.0.client.send(self.0.requests.list(prefix, after, token)).await;
        let listing = answer.and_then(|answer| Listing::after(token, answer.body()));
        listing.map_err(|fault| self.fault(fault, "list", prefix))
    }

    async fn revisions(&self, key: &str) -> Result<Vec<Revision>, Error> {
        let failed = |fault| self.fault(fault, "list the versions of", key);
        let mut found = Vec::new();
        let mut token = None;
        loop {
            let request = self.0.requests.versions(key, token.as_deref());
            let answer = self.0.client.send(request).await;
            let listing = answer
                .and_then(|answer| Listing::after(token.as_deref(), answer.body()))
                .map_err(failed)?;
            let own = listing.items.into_iter().filter(|item| item.name == key);
            found.extend(
                own.map(|item| item.revision()).collect::<Result<Vec<_>, _>>().map_err(failed)?,
            );
            token = listing.next_page_token;
            if token.is_none() {
                break;
            }
        }
        if found.iter().all(|revision| revision.is_current) && self.is_unversioned().await {
            let why = format!("object versioning is off in {}", self.container());
            return Err(Error::NoVersions { what: self.name(key), why });
        }
        found.sort_by(|a, b| b.modified.cmp(&a.modified).then_with(|| b.id.cmp(&a.id)));
        Ok(found)
    }

    /// Whether the bucket says that it keeps no versions. Whoever may read objects may not always
    /// ask the bucket.
    async fn is_unversioned(&self) -> bool {
        match self.0.client.send(self.0.requests.bucket()).await {
            Ok(answer) => !super::requests::is_versioned(answer.body()),
            Err(_) => false,
        }
    }
}

impl Store for Bucket {
    fn name(&self, key: &str) -> String {
        format!("gs://{}/{key}", self.0.requests.bucket)
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
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Ok(Found::Nothing);
        }
        self.run(key, self.fetch(key, Some(id)))
    }

    fn head(&self, key: &str) -> Result<Option<Entry>, Error> {
        self.run(key, async {
            let Some(resource) = self.resource(key).await? else { return Ok(None) };
            resource.entry().map(Some).map_err(|fault| self.fault(fault, "read", key))
        })
    }

    fn write(&self, key: &str, body: &Body<'_>) -> Result<Version, Error> {
        self.run(key, self.put(key, body))
    }

    fn delete(&self, key: &str, expected: &Version, _lock: Option<&str>) -> Result<(), Error> {
        self.run(key, self.remove(key, expected))
    }

    fn list(
        &self,
        prefix: &str,
        each: &mut dyn FnMut(Entry) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.list_all(prefix, each)
    }

    fn pages(&self) -> Option<&dyn Pages> {
        Some(self)
    }

    fn versions(&self, key: &str) -> Result<Vec<Revision>, Error> {
        self.run(key, self.revisions(key))
    }

    fn locks(&self) -> Option<&dyn Locks> {
        Some(self)
    }
}

impl Pages for Bucket {
    fn list_after(
        &self,
        prefix: &str,
        after: Option<&str>,
        each: &mut dyn FnMut(Vec<Entry>) -> bool,
    ) -> Result<bool, Error> {
        let mut token = None;
        loop {
            let page = self.run(prefix, self.page(prefix, after, token.as_deref()))?;
            // The key itself comes too.
            let others = page.items.iter().filter(|item| Some(item.name.as_str()) != after);
            let entries: Result<Vec<Entry>, Fault> = others.map(Resource::entry).collect();
            let entries = entries.map_err(|fault| self.fault(fault, "list", prefix))?;
            token = page.next_page_token;
            if !each(entries) || token.is_none() {
                return Ok(true);
            }
        }
    }
}

/// Returns what came with the generation that the answer names.
fn named(bytes: Vec<u8>, headers: &HeaderMap) -> Result<Found, Fault> {
    let lacking = || Fault::Damaged("the answer names no generation".to_owned());
    let version = version(header(headers, "x-goog-generation").ok_or_else(lacking)?);
    Ok(Found::of(bytes, version))
}

pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Generations name contents, and are never given again.
pub(super) fn version(generation: &str) -> Version {
    Version { tag: Some(generation.to_owned()), id: Some(generation.to_owned()) }
}

pub(super) fn generation(version: &Version) -> &str {
    version.id.as_deref().or(version.tag.as_deref()).unwrap_or("0")
}

pub(super) fn is_precondition(fault: &Fault) -> bool {
    fault.status() == Some(412)
}
