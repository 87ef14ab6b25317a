//! The backend `gcs`: a bucket of Google Cloud Storage.
//!
//! Contents are read through `object_store`. What it has no word for goes to the same interface
//! that Terraform uses, whose conditions know the generation: writing with the settings of the
//! bucket's encryption, deleting, listing any key, and versions. The locks are in [`locks`].

mod credentials;
mod locks;
mod requests;
mod settings;
mod sign;

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;
use object_store::gcp::{GcpCredential, GoogleCloudStorage, GoogleCloudStorageBuilder};
use object_store::{RetryConfig, StaticCredentialProvider};

use self::requests::{Listing, Requests, Resource};
use self::settings::Settings;
use self::sign::Bearer;
use super::certainty::{self, Outcome};
use super::client::{Client, Headers};
use super::error::Fault;
use super::network::Network;
use super::{digest, keys, read};
use crate::base::env::Env;
use crate::store::backend::Gcs;
use crate::store::{
    Body, Entry, Error, Expected, Found, Guarantee, Guarantees, Locks, Revision, Store, Version,
    runtime,
};

/// Returns the store of these settings.
pub(in crate::store) fn connect(settings: &Gcs, env: &Env) -> Result<Arc<dyn Store>, Error> {
    let settings = Settings::new(settings, env)?;
    let invalid = |problem: String| Error::Settings { backend: "gcs", problem };
    runtime::block_on(async { Bucket::new(&settings, env) })
        .map_err(|error| invalid(error.to_string()))?
        .map(|bucket| Arc::new(bucket) as Arc<dyn Store>)
        .map_err(invalid)
}

/// A bucket. Cloning it is cheap.
#[derive(Clone)]
struct Bucket(Arc<Inner>);

struct Inner {
    requests: Requests,
    /// Sends what must be encrypted with the key of the configuration, and reads it.
    contents: Client,
    /// Sends everything else.
    client: Client,
    objects: GoogleCloudStorage,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bucket").field(&self.container()).finish()
    }
}

impl Bucket {
    fn new(settings: &Settings, env: &Env) -> Result<Self, String> {
        let network = Network::from_env(env);
        let sign = Bearer::new(settings, &network, env)?;
        let client = Client::new(&network, Box::new(sign.clone()))?;
        let contents = match sign.encrypting(settings) {
            Some(sign) => Client::new(&network, Box::new(sign))?,
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

    fn fault(&self, fault: Fault, doing: &'static str, key: &str) -> Error {
        fault.while_doing(doing, self.name(key), &self.container())
    }

    fn run<T>(
        &self,
        key: &str,
        future: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let failed = |source| Error::Io { what: self.name(key), source };
        runtime::block_on(future).map_err(failed)?
    }

    async fn fetch(&self, key: &str, generation: Option<&str>) -> Result<Found, Error> {
        let inner = &self.0;
        let (bytes, headers) = if let Some(path) = keys::path(key) {
            let found = read::read(&inner.objects, &path, generation).await;
            match found.map_err(|failed| failed.explain(self.name(key), &self.container()))? {
                None => return Ok(Found::Nothing),
                Some(object) => (object.bytes, object.headers.unwrap_or_else(no_headers).0),
            }
        } else {
            match inner.contents.send(inner.requests.content(key, generation)).await {
                Err(fault) if fault.is_not_found() => return Ok(Found::Nothing),
                Err(fault) => return Err(self.fault(fault, "read", key)),
                Ok(answer) => (answer.body().to_vec(), answer.headers().clone()),
            }
        };
        let Some(generation) = header(&headers, "x-goog-generation") else {
            let fault = Fault::Damaged("the answer names no generation".to_owned());
            return Err(self.fault(fault, "read", key));
        };
        let hashes = headers.get_all("x-goog-hash").iter().filter_map(|value| value.to_str().ok());
        let md5 = hashes.flat_map(|text| text.split(',')).find_map(|one| one.strip_prefix("md5="));
        digest::check(&bytes, md5).map_err(|fault| self.fault(fault, "read", key))?;
        let version = version(generation);
        if bytes.is_empty() {
            Ok(Found::Empty(version))
        } else {
            Ok(Found::Bytes(bytes.into(), version))
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

    async fn put(&self, key: &str, body: &Body<'_>) -> Result<Version, Error> {
        let before = match body.expected {
            Expected::Nothing => "0",
            Expected::Version(version) => generation(version),
        };
        let request = self.0.requests.write(key, body.bytes, before);
        match certainty::send(&self.0.contents, request).await {
            Outcome::Done(answer) => match Resource::parse(answer.body()) {
                Ok(resource) => Ok(version(&resource.generation)),
                Err(fault) => self.look(key, body, before, fault).await,
            },
            Outcome::Failed(fault) if is_precondition(&fault) => {
                Err(Error::Changed { what: self.name(key) })
            }
            Outcome::Failed(fault) => Err(self.fault(fault, "write", key)),
            Outcome::Doubtful(fault) => self.look(key, body, before, fault).await,
        }
    }

    /// Finds out what became of a write whose answer was lost.
    async fn look(
        &self,
        key: &str,
        body: &Body<'_>,
        before: &str,
        fault: Fault,
    ) -> Result<Version, Error> {
        let lost = |source: Fault| Error::Unknown { what: self.name(key), source: source.into() };
        let (bytes, found) = match self.fetch(key, None).await {
            Err(_) => return Err(lost(fault)),
            Ok(Found::Bytes(bytes, version)) => (Some(bytes), Some(version)),
            Ok(Found::Empty(version)) => (None, Some(version)),
            Ok(Found::Nothing) => (None, None),
        };
        let is_ours = bytes.as_deref().unwrap_or_default() == body.bytes;
        match found {
            Some(version) if is_ours && version.id.as_deref() != Some(before) => Ok(version),
            // A request on its way may still arrive.
            found if found.as_ref().map_or("0", generation) == before => match fault {
                fault @ Fault::TimedOut(_) => Err(lost(fault)),
                fault => Err(self.fault(fault, "write", key)),
            },
            _ => Err(Error::Changed { what: self.name(key) }),
        }
    }

    async fn remove(&self, key: &str, expected: &Version) -> Result<(), Error> {
        let request = self.0.requests.delete(key, generation(expected));
        match certainty::send(&self.0.client, request).await {
            Outcome::Done(_) => Ok(()),
            Outcome::Doubtful(fault) if fault.is_not_found() => Ok(()),
            Outcome::Failed(fault) | Outcome::Doubtful(fault)
                if fault.is_not_found() || is_precondition(&fault) =>
            {
                Err(Error::Changed { what: self.name(key) })
            }
            Outcome::Failed(fault) | Outcome::Doubtful(fault) => {
                Err(self.fault(fault, "delete", key))
            }
        }
    }

    async fn page(&self, prefix: &str, token: Option<&str>) -> Result<Listing, Error> {
        let answer = self.0.client.send(self.0.requests.list(prefix, token)).await;
        let listing = answer.and_then(|answer| Listing::parse(answer.body()));
        listing.map_err(|fault| self.fault(fault, "list", prefix))
    }

    async fn revisions(&self, key: &str) -> Result<Vec<Revision>, Error> {
        let failed = |fault| self.fault(fault, "list the versions of", key);
        let mut found = Vec::new();
        let mut token = None;
        loop {
            let request = self.0.requests.versions(key, token.as_deref());
            let answer = self.0.client.send(request).await;
            let listing =
                answer.and_then(|answer| Listing::parse(answer.body())).map_err(failed)?;
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
            Ok(answer) => !requests::is_versioned(answer.body()),
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
        let mut token = None;
        loop {
            let page = self.run(prefix, self.page(prefix, token.as_deref()))?;
            for item in &page.items {
                each(item.entry().map_err(|fault| self.fault(fault, "list", prefix))?)?;
            }
            token = page.next_page_token;
            if token.is_none() {
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

fn no_headers() -> Headers {
    Headers(HeaderMap::new())
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Generations name contents, and are never given again.
fn version(generation: &str) -> Version {
    Version { tag: Some(generation.to_owned()), id: Some(generation.to_owned()) }
}

fn generation(version: &Version) -> &str {
    version.id.as_deref().or(version.tag.as_deref()).unwrap_or("0")
}

fn is_precondition(fault: &Fault) -> bool {
    fault.status() == Some(412)
}
