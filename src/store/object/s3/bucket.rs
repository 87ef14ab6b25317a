//! One bucket: single requests about its objects, whatever they are for.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, header};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{
    Attribute, Attributes, GetOptions, ObjectStore, PutMode, PutOptions, PutPayload, RetryConfig,
    UpdateVersion,
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::time::sleep;

use super::config::Config;
use super::sign::AboutBucket;
use crate::base::sha256;
use crate::store::object::client::{BodyDigest, Client, Headers};
use crate::store::object::error::Fault;
use crate::store::object::read::{self, Failed, Object};
use crate::store::object::start;
use crate::store::{Entry, Error, Found, Version};

/// What stays as it is in an address, by S3's own rules.
const PLAIN: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// How long the first pause between two tries is.
const PAUSE: Duration = Duration::from_millis(100);

/// A bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    /// Its name.
    pub(super) name: String,
    /// Whether it is Amazon's own.
    pub(super) is_amazon: bool,
    /// What was learned about how it treats conditions.
    pub(super) conditions: Conditions,
    /// How often a write whose fate is unclear is tried again.
    pub(super) retries: u32,
    url: String,
    client: Client,
    objects: AmazonS3,
}

/// How a bucket treats the condition of a conditional write.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    /// It was seen to refuse what is there already.
    pub(super) create: AtomicBool,
    /// It was seen to refuse to replace another version.
    pub(super) replace: AtomicBool,
    /// It was seen to ignore them when creating.
    pub(super) ignored: AtomicBool,
    /// It knows a tag only without quotes: an old Ceph.
    pub(super) unquoted: AtomicBool,
    /// It never finds a tag to match.
    pub(super) useless: AtomicBool,
}

impl Conditions {
    /// Returns whether something was seen.
    pub(super) fn has(fact: &AtomicBool) -> bool {
        fact.load(Ordering::Relaxed)
    }

    /// Notes that something was seen.
    pub(super) fn note(fact: &AtomicBool) {
        fact.store(true, Ordering::Relaxed);
    }
}

/// The condition of a write.
#[derive(Clone, Copy, Debug)]
pub(super) enum Condition<'a> {
    /// There is nothing yet.
    Nothing,
    /// There is what has this tag.
    Tag(&'a str),
    /// None: it was just checked, and that is all that this store can do.
    Checked,
}

impl Bucket {
    /// Returns the bucket of a configuration.
    pub(super) fn new(name: &str, config: &Config, client: Client) -> Result<Self, Error> {
        // Neither signatures nor repetitions: both are the client's.
        let retry = RetryConfig { max_retries: 0, ..RetryConfig::default() };
        let objects = AmazonS3Builder::new()
            .with_bucket_name(name)
            .with_region(&config.region)
            .with_endpoint(&config.bucket_url)
            .with_virtual_hosted_style_request(true)
            .with_allow_http(true)
            .with_skip_signature(true)
            .with_retry(retry)
            .with_http_connector(client.clone())
            .build()
            .map_err(|error| Error::Settings { backend: "s3", problem: error.to_string() })?;
        Ok(Self {
            name: name.to_owned(),
            is_amazon: config.is_amazon,
            conditions: Conditions::default(),
            retries: config.network.retries,
            url: config.bucket_url.clone(),
            client,
            objects,
        })
    }

    /// Waits before the next try of a request that is not simply repeated.
    pub(super) async fn pause(&self, tries: u32) {
        sleep(PAUSE * (1 << tries.min(6))).await;
    }

    /// Returns what to call an object.
    pub(super) fn call(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    /// Returns the error of doing something to an object.
    pub(super) fn failed(&self, fault: Fault, doing: &'static str, key: &str) -> Error {
        fault.while_doing(doing, self.call(key), &format!("bucket {}", self.name))
    }

    /// Returns an object's path, exactly as its key is.
    pub(super) fn path(&self, key: &str) -> Result<Path, Error> {
        // An address would lose such segments on its way, and another object would be meant.
        let same = Path::parse(key).ok().filter(|path| path.as_ref() == key && !key.is_empty());
        same.ok_or_else(|| Error::Unsupported {
            reference: self.call(key),
            kind: "keys with an empty segment, `.` or `..`",
        })
    }

    /// Reads an object or one of its versions; nothing where there is none.
    pub(super) async fn get(
        &self,
        key: &str,
        version: Option<&str>,
    ) -> Result<Option<Object>, Error> {
        let path = self.path(key)?;
        let explain =
            |failed: Failed| failed.explain(self.call(key), &format!("bucket {}", self.name));
        let object = read::read(&self.objects, &path, version).await.map_err(explain)?;
        if let Some(object) = &object {
            check(object).map_err(|fault| self.failed(fault, "read", key))?;
        }
        Ok(object)
    }

    /// Reads the first bytes of an object.
    pub(super) async fn start(&self, key: &str, len: u64) -> Result<Found, Error> {
        self.path(key)?;
        let request = || self.get_request(key);
        let found = start::read(&self.client, request, len).await;
        let found = found.map_err(|fault| self.failed(fault, "read", key))?;
        let found = found.map(|(bytes, headers)| Found::of(bytes, version(&headers)));
        Ok(found.unwrap_or(Found::Nothing))
    }

    fn get_request(&self, key: &str) -> Request<Bytes> {
        let mut request = Request::new(Bytes::new());
        // The key is encoded, so that the address can't be invalid.
        *request.uri_mut() = format!("{}/{}", self.url, encoded(key)).parse().unwrap_or_default();
        request
    }

    /// Returns what is known of an object without reading it.
    pub(super) async fn head(&self, key: &str) -> Result<Option<Entry>, Error> {
        let path = self.path(key)?;
        let options = GetOptions { head: true, ..GetOptions::default() };
        let meta = match self.objects.get_opts(&path, options).await {
            Ok(found) => found.meta,
            Err(error) => {
                let fault = Fault::of(&error);
                if fault.is_not_found() {
                    return Ok(None);
                }
                return Err(self.failed(fault, "look at", key));
            }
        };
        let modified = meta.last_modified;
        Ok(Some(Entry {
            key: key.to_owned(),
            len: meta.size,
            modified: jiff::Timestamp::from_second(modified.timestamp()).ok(),
            version: Version { tag: meta.e_tag, id: meta.version },
        }))
    }

    /// Writes an object once.
    pub(super) async fn put(
        &self,
        path: &Path,
        bytes: Bytes,
        condition: Condition<'_>,
    ) -> Result<Version, Fault> {
        let mode = match condition {
            Condition::Nothing => PutMode::Create,
            Condition::Checked => PutMode::Overwrite,
            Condition::Tag(tag) => {
                let bare = Conditions::has(&self.conditions.unquoted);
                let tag = if bare { tag.trim_matches('"') } else { tag };
                PutMode::Update(UpdateVersion { e_tag: Some(tag.to_owned()), version: None })
            }
        };
        let mut options = PutOptions { mode, ..PutOptions::default() };
        options.attributes = Attributes::from_iter([(Attribute::ContentType, "application/json")]);
        options.extensions.insert(digest(&bytes));
        let put = self.objects.put_opts(path, PutPayload::from(bytes), options).await;
        let put = put.map_err(|error| Fault::of(&error))?;
        Ok(Version { tag: put.e_tag, id: put.version })
    }

    /// Deletes an object once, on a condition if one is given.
    pub(super) async fn delete(&self, key: &str, tag: Option<&str>) -> Result<(), Fault> {
        let mut request = Request::delete(format!("{}/{}", self.url, encoded(key)));
        if let Some(tag) = tag {
            request = request.header(header::IF_MATCH, tag);
        }
        self.send(request).await.map(drop)
    }

    /// Asks about the bucket itself.
    pub(super) async fn ask(&self, query: &[(&str, &str)]) -> Result<Response<Bytes>, Fault> {
        let encode = |text| utf8_percent_encode(text, &PLAIN);
        let pairs: Vec<String> = query
            .iter()
            .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
            .collect();
        // A bucket in the host has no path of its own.
        let slash = if self.url.matches('/').count() == 2 { "/" } else { "" };
        let address = format!("{}{slash}?{}", self.url, pairs.join("&"));
        self.send(Request::get(address).extension(AboutBucket)).await
    }

    async fn send(&self, request: http::request::Builder) -> Result<Response<Bytes>, Fault> {
        let request =
            request.body(Bytes::new()).map_err(|error| Fault::Other(error.to_string()))?;
        debug_assert!(request.method() != Method::PUT, "what is written has a digest");
        self.client.send(request).await
    }
}

/// Returns a key as it is in an address.
fn encoded(key: &str) -> String {
    let segments: Vec<String> =
        key.split('/').map(|segment| utf8_percent_encode(segment, &PLAIN).to_string()).collect();
    segments.join("/")
}

/// Returns the digest that a request with this body is signed with.
pub(super) fn digest(body: &[u8]) -> BodyDigest {
    BodyDigest(hex(&sha256::of(body)))
}

/// Returns bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Returns which version an answer is about.
fn version(headers: &HeaderMap) -> Version {
    let header = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
    Version { tag: header(header::ETAG.as_str()), id: header("x-amz-version-id") }
}

/// Compares what came with the checksum that the store keeps of it, where it keeps one.
fn check(object: &Object) -> Result<(), Fault> {
    use base64::Engine as _;
    let Some(Headers(headers)) = &object.headers else { return Ok(()) };
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(expected) = header("x-amz-checksum-sha256") else { return Ok(()) };
    // That of an object in parts is one of the checksums of its parts.
    if expected.contains('-') || header("x-amz-checksum-type") == Some("COMPOSITE") {
        return Ok(());
    }
    let found = base64::engine::general_purpose::STANDARD.encode(sha256::of(&object.bytes));
    if found == expected {
        return Ok(());
    }
    Err(Fault::Damaged("it is not what its SHA-256 says".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_encoded_segment_by_segment() {
        assert_eq!(encoded("env:/a b/~x%.tfstate"), "env%3A/a%20b/~x%25.tfstate");
    }

    #[test]
    fn what_is_not_what_its_checksum_says_is_damaged() {
        let object = |sum: &str| {
            let mut headers = http::HeaderMap::new();
            headers.insert("x-amz-checksum-sha256", sum.parse().unwrap());
            let headers = Some(Headers(headers));
            Object { bytes: b"abc".to_vec(), version: Version::default(), headers }
        };
        let right = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
        assert!(check(&object(right)).is_ok());
        assert!(check(&object("AAAA")).is_err());
        assert!(check(&object("AAAA-3")).is_ok());
    }
}
