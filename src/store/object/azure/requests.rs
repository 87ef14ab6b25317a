//! The requests to a container.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderValue, Method, Request};

use super::properties::Metadata;
use super::settings::Settings;
use crate::store::object::{digest, keys};

/// What Terraform's uploads are labelled with.
const TYPE: &str = "application/json";

const LEASE_ID: &str = "x-ms-lease-id";

/// Makes the requests to one container.
#[derive(Debug)]
pub(super) struct Requests {
    pub(super) account: String,
    pub(super) container: String,
    endpoint: String,
}

/// What a blob must be for something to be done to it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Condition<'a> {
    /// Not there.
    Absent,
    /// As it was, by its `ETag`.
    Unchanged(&'a str),
}

/// Something done to a lease.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lease<'a> {
    /// Takes one that does not end, with this id.
    Acquire(&'a str),
    /// Fails where the lease has another id.
    Renew(&'a str),
    /// Gives it back.
    Release(&'a str),
}

impl Requests {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            account: settings.account.clone(),
            container: settings.container.clone(),
            endpoint: settings.endpoint.as_str().trim_end_matches('/').to_owned(),
        }
    }

    fn blob(&self, key: &str, query: &str) -> String {
        let container = keys::encode(&self.container);
        format!("{}/{container}/{}{query}", self.endpoint, keys::encode(key))
    }

    /// Asks what is known of a blob.
    pub(super) fn head(&self, key: &str) -> Request<Bytes> {
        made(Method::HEAD, &self.blob(key, ""), &[])
    }

    /// Asks for a content; `query` picks a version or a snapshot.
    pub(super) fn content(&self, key: &str, query: &str) -> Request<Bytes> {
        made(Method::GET, &self.blob(key, query), &[])
    }

    /// Writes a blob.
    pub(super) fn write(
        &self,
        key: &str,
        bytes: &[u8],
        condition: Condition<'_>,
        lock: Option<&str>,
        metadata: &Metadata,
    ) -> Request<Bytes> {
        let md5 = digest::of(bytes);
        let mut request = made(
            Method::PUT,
            &self.blob(key, ""),
            &[
                ("x-ms-blob-type", Some("BlockBlob")),
                // Of the two, one is checked on arrival and the other kept.
                ("content-md5", Some(&md5)),
                ("x-ms-blob-content-md5", Some(&md5)),
                (CONTENT_TYPE.as_str(), Some(TYPE)),
                (LEASE_ID, lock),
                condition.header(),
            ],
        );
        metadata.add_to(request.headers_mut());
        request.headers_mut().insert(CONTENT_LENGTH, bytes.len().into());
        *request.body_mut() = Bytes::copy_from_slice(bytes);
        request
    }

    /// Keeps a blob as it is now beside it.
    pub(super) fn snapshot(&self, key: &str, etag: &str, lock: Option<&str>) -> Request<Bytes> {
        let headers = [(LEASE_ID, lock), (IF_MATCH.as_str(), Some(etag))];
        made(Method::PUT, &self.blob(key, "?comp=snapshot"), &headers)
    }

    /// Replaces a blob's metadata, under its lease.
    pub(super) fn describe(&self, key: &str, lock: &str, metadata: &Metadata) -> Request<Bytes> {
        let url = self.blob(key, "?comp=metadata");
        let mut request = made(Method::PUT, &url, &[(LEASE_ID, Some(lock))]);
        metadata.add_to(request.headers_mut());
        request
    }

    /// Deletes a blob with its snapshots, as Terraform deletes a workspace.
    pub(super) fn delete(&self, key: &str, etag: &str, lock: Option<&str>) -> Request<Bytes> {
        let headers = [
            ("x-ms-delete-snapshots", Some("include")),
            (LEASE_ID, lock),
            (IF_MATCH.as_str(), Some(etag)),
        ];
        made(Method::DELETE, &self.blob(key, ""), &headers)
    }

    pub(super) fn lease(&self, key: &str, lease: Lease<'_>) -> Request<Bytes> {
        let action = "x-ms-lease-action";
        let headers = match lease {
            Lease::Acquire(id) => vec![
                (action, Some("acquire")),
                ("x-ms-lease-duration", Some("-1")),
                ("x-ms-proposed-lease-id", Some(id)),
            ],
            Lease::Renew(id) => vec![(action, Some("renew")), (LEASE_ID, Some(id))],
            Lease::Release(id) => vec![(action, Some("release")), (LEASE_ID, Some(id))],
        };
        made(Method::PUT, &self.blob(key, "?comp=lease"), &headers)
    }

    /// Asks for a page of a list; `include` says what to list beside the blobs themselves.
    pub(super) fn list(&self, prefix: &str, marker: Option<&str>, include: &str) -> Request<Bytes> {
        let container = keys::encode(&self.container);
        let mut url = format!("{}/{container}?restype=container&comp=list", self.endpoint);
        let marker = marker.unwrap_or_default();
        for (name, value) in [("prefix", prefix), ("include", include), ("marker", marker)] {
            // A parameter without a value would be signed otherwise than the store reads it.
            if !value.is_empty() {
                url = format!("{url}&{name}={}", keys::encode(value));
            }
        }
        made(Method::GET, &url, &[])
    }
}

impl<'a> Condition<'a> {
    fn header(self) -> (&'static str, Option<&'a str>) {
        match self {
            Self::Absent => (IF_NONE_MATCH.as_str(), Some("*")),
            Self::Unchanged(etag) => (IF_MATCH.as_str(), Some(etag)),
        }
    }
}

/// Makes a request without a body; a header whose value no header can have is left out.
fn made(method: Method, url: &str, headers: &[(&'static str, Option<&str>)]) -> Request<Bytes> {
    let mut request = Request::new(Bytes::new());
    if method == Method::PUT {
        request.headers_mut().insert(CONTENT_LENGTH, 0.into());
    }
    *request.method_mut() = method;
    // The parts of the address were encoded one by one, so that it can't be invalid.
    *request.uri_mut() = url.parse().unwrap_or_default();
    for (name, value) in headers {
        if let Some(Ok(value)) = value.map(HeaderValue::from_str) {
            request.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    request
}
