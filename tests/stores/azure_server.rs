//! A container of Azure Blob Storage in memory: the part of its interface that is used. It looks
//! whether requests are signed, not whether rightly: a real emulator does.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use bytes::Bytes;
use http::Method;
use jiff::Timestamp;

use crate::fake::{self, Answer, Call, Fake, Service, answer};

pub(crate) const ACCOUNT: &str = "acme";
pub(crate) const CONTAINER: &str = "states";
/// Any key will do, as long as it is base64.
pub(crate) const KEY: &str = "UzNDUjNULUtFWS1PRi1USEUtQUNDT1VOVA==";

/// A blob.
#[derive(Clone, Debug)]
pub(crate) struct Blob {
    pub(crate) data: Bytes,
    pub(crate) kind: String,
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) lease: Option<String>,
    etag: String,
    at: Timestamp,
    snapshots: Vec<(String, Bytes)>,
}

/// A container.
#[derive(Default)]
pub(crate) struct Container {
    blobs: BTreeMap<String, Blob>,
    clock: i64,
}

pub(crate) fn start() -> Fake<Container> {
    Fake::start(Container::default())
}

/// Returns how to get to a server with a key.
pub(crate) fn connection(fake: &Fake<Container>) -> String {
    let endpoint = format!("{}/{ACCOUNT}", fake.endpoint);
    format!("AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={endpoint}")
}

impl Container {
    pub(crate) fn blob(&mut self, key: &str) -> Option<&mut Blob> {
        self.blobs.get_mut(key)
    }

    /// Puts a blob there as somebody else would; its lease stays.
    pub(crate) fn put(&mut self, key: &str, data: impl Into<Bytes>) {
        let (etag, at) = self.stamp();
        let before = self.blobs.remove(key);
        let blob = Blob {
            data: data.into(),
            kind: String::new(),
            metadata: BTreeMap::new(),
            lease: before.as_ref().and_then(|blob| blob.lease.clone()),
            etag,
            at,
            snapshots: before.map(|blob| blob.snapshots).unwrap_or_default(),
        };
        self.blobs.insert(key.to_owned(), blob);
    }

    fn stamp(&mut self) -> (String, Timestamp) {
        self.clock += 1;
        let at = Timestamp::from_millisecond(1_795_000_000_000 + self.clock).unwrap();
        (format!("\"0x8D{:X}\"", self.clock), at)
    }

    /// Returns the refusal of a write by its conditions or by a lease, if there is one.
    fn refusal(&self, call: &Call, key: &str) -> Option<Answer> {
        let blob = self.blobs.get(key);
        if call.header("if-none-match") == Some("*") && blob.is_some() {
            return Some(refusal(409, "BlobAlreadyExists"));
        }
        if call.header("if-match").is_some_and(|tag| blob.is_none_or(|blob| blob.etag != tag)) {
            return Some(refusal(412, "ConditionNotMet"));
        }
        let lease = blob.and_then(|blob| blob.lease.as_deref());
        match (lease, call.header("x-ms-lease-id")) {
            (Some(_), None) => Some(refusal(412, "LeaseIdMissing")),
            (Some(held), Some(sent)) if held != sent => {
                Some(refusal(412, "LeaseIdMismatchWithBlobOperation"))
            }
            (None, Some(_)) => Some(refusal(412, "LeaseNotPresentWithBlobOperation")),
            _ => None,
        }
    }

    fn read(&self, call: &Call, key: &str) -> Answer {
        let Some(blob) = self.blobs.get(key) else { return refusal(404, "BlobNotFound") };
        let data = match call.param("snapshot") {
            None => &blob.data,
            Some(wanted) => match blob.snapshots.iter().find(|(id, _)| id == wanted) {
                None => return refusal(404, "BlobNotFound"),
                Some((_, data)) => data,
            },
        };
        if call.header("if-match").is_some_and(|tag| tag != blob.etag) {
            return refusal(412, "ConditionNotMet");
        }
        let md5 = fake::md5(data);
        let (modified, length) = (fake::http_time(blob.at), data.len().to_string());
        let lease = if blob.lease.is_some() { "locked" } else { "unlocked" };
        let headers = [
            ("etag", blob.etag.as_str()),
            ("last-modified", &modified),
            ("x-ms-blob-content-md5", &md5),
            ("x-ms-lease-status", lease),
            ("content-type", &blob.kind),
            ("x-ms-blob-type", "BlockBlob"),
        ];
        let mut full = answer(200, &headers, data.clone());
        for (name, value) in &blob.metadata {
            let name: http::HeaderName = format!("x-ms-meta-{name}").parse().unwrap();
            full.headers_mut().insert(name, value.parse().unwrap());
        }
        if call.method == Method::HEAD {
            full.headers_mut().insert("content-length", length.parse().unwrap());
            *full.body_mut() = Bytes::new();
            return full;
        }
        fake::ranged(call, full)
    }

    fn write(&mut self, call: &Call, key: &str) -> Answer {
        if let Some(refusal) = self.refusal(call, key) {
            return refusal;
        }
        let md5 = fake::md5(&call.body);
        if call.header("content-md5").is_some_and(|sent| sent != md5) {
            return refusal(400, "Md5Mismatch");
        }
        self.put(key, call.body.clone());
        let blob = self.blobs.get_mut(key).unwrap();
        blob.metadata = metadata(call);
        call.header("content-type").unwrap_or_default().clone_into(&mut blob.kind);
        answer(201, &[("etag", &blob.etag), ("content-md5", &md5)], "")
    }

    fn lease(&mut self, call: &Call, key: &str) -> Answer {
        let Some(blob) = self.blobs.get_mut(key) else { return refusal(404, "BlobNotFound") };
        let sent = call.header("x-ms-lease-id");
        match (call.header("x-ms-lease-action").unwrap(), blob.lease.clone()) {
            ("acquire", held) => {
                let id = call.header("x-ms-proposed-lease-id").unwrap();
                assert_eq!(call.header("x-ms-lease-duration"), Some("-1"));
                if held.is_some_and(|held| held != id) {
                    return refusal(409, "LeaseAlreadyPresent");
                }
                blob.lease = Some(id.to_owned());
                answer(201, &[("x-ms-lease-id", id)], "")
            }
            (action, held) if held.as_deref() == sent && sent.is_some() => {
                if action == "release" {
                    blob.lease = None;
                }
                answer(200, &[], "")
            }
            _ => refusal(409, "LeaseIdMismatchWithLeaseOperation"),
        }
    }

    fn describe(&mut self, call: &Call, key: &str) -> Answer {
        if !self.blobs.contains_key(key) {
            return refusal(404, "BlobNotFound");
        }
        if let Some(refusal) = self.refusal(call, key) {
            return refusal;
        }
        let (etag, at) = self.stamp();
        let blob = self.blobs.get_mut(key).unwrap();
        (blob.metadata, blob.etag, blob.at) = (metadata(call), etag, at);
        answer(200, &[], "")
    }

    fn snapshot(&mut self, key: &str) -> Answer {
        let (_, at) = self.stamp();
        let Some(blob) = self.blobs.get_mut(key) else { return refusal(404, "BlobNotFound") };
        blob.snapshots.push((at.to_string(), blob.data.clone()));
        answer(201, &[("x-ms-snapshot", &at.to_string())], "")
    }

    fn delete(&mut self, call: &Call, key: &str) -> Answer {
        if !self.blobs.contains_key(key) {
            return refusal(404, "BlobNotFound");
        }
        if let Some(refusal) = self.refusal(call, key) {
            return refusal;
        }
        self.blobs.remove(key);
        answer(202, &[], "")
    }

    fn list(&self, call: &Call) -> Answer {
        const PAGE: usize = 500;
        if call.param("include").is_some_and(|include| include.contains("versions")) {
            return refusal(400, "InvalidQueryParameterValue");
        }
        let prefix = call.param("prefix").unwrap_or_default();
        let after = call.param("marker").unwrap_or_default();
        let all = self.blobs.iter().filter(|(key, _)| key.starts_with(prefix));
        let all = all.map(|(key, _)| key).filter(|key| key.as_str() > after);
        let keys: Vec<_> = all.take(PAGE + 1).collect();
        let mut xml = String::from("\u{feff}<?xml version=\"1.0\"?><EnumerationResults><Blobs>");
        for key in keys.iter().take(PAGE) {
            let blob = &self.blobs[*key];
            if call.param("include") == Some("snapshots") {
                for (id, data) in &blob.snapshots {
                    self.item(&mut xml, key, data, &format!("<Snapshot>{id}</Snapshot>"));
                }
            }
            self.item(&mut xml, key, &blob.data, "");
        }
        let next = if keys.len() > PAGE { escaped(keys[PAGE - 1]) } else { String::new() };
        write!(xml, "</Blobs><NextMarker>{next}</NextMarker></EnumerationResults>").unwrap();
        answer(200, &[("content-type", "application/xml")], xml)
    }

    fn item(&self, xml: &mut String, key: &str, data: &Bytes, more: &str) {
        let blob = &self.blobs[key];
        write!(
            xml,
            "<Blob><Name>{}</Name>{more}<Properties><Last-Modified>{}</Last-Modified>\
             <Etag>{}</Etag><Content-Length>{}</Content-Length><Content-MD5>{}</Content-MD5>\
             </Properties></Blob>",
            escaped(key),
            fake::http_time(blob.at),
            blob.etag.trim_matches('"'),
            data.len(),
            fake::md5(data),
        )
        .unwrap();
    }
}

impl Service for Container {
    fn answer(&mut self, call: &Call) -> Answer {
        let signed = call.header("authorization").is_some_and(|signed| {
            signed.starts_with("SharedKey ") || signed.starts_with("Bearer ")
        });
        if !signed && call.param("sig").is_none() {
            return refusal(401, "NoAuthenticationInformation");
        }
        let path = call.path.clone();
        let mut parts = path.trim_start_matches('/').splitn(3, '/').map(fake::decoded);
        let (account, container) = (parts.next().unwrap(), parts.next().unwrap_or_default());
        assert_eq!(account, ACCOUNT);
        if container != CONTAINER {
            return refusal(404, "ContainerNotFound");
        }
        let Some(key) = parts.next() else { return self.list(call) };
        match (&call.method, call.param("comp")) {
            (&Method::GET | &Method::HEAD, _) => self.read(call, &key),
            (&Method::DELETE, _) => self.delete(call, &key),
            (_, None) => self.write(call, &key),
            (_, Some("lease")) => self.lease(call, &key),
            (_, Some("metadata")) => self.describe(call, &key),
            (_, Some("snapshot")) => self.snapshot(&key),
            (_, Some(other)) => panic!("{other}"),
        }
    }
}

fn metadata(call: &Call) -> BTreeMap<String, String> {
    let own = call.headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix("x-ms-meta-")?;
        Some((name.to_owned(), value.to_str().unwrap().to_owned()))
    });
    own.collect()
}

fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

fn refusal(status: u16, code: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>as told</Message></Error>"
    );
    answer(status, &[("x-ms-error-code", code)], body)
}
