//! The requests to the interface in JSON, and what it answers.

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE};
use http::{Method, Request};
use jiff::Timestamp;
use serde::Deserialize;

use super::bucket::version;
use super::settings::{Encryption, Settings};
use crate::store::object::error::Fault;
use crate::store::object::{digest, keys};
use crate::store::{Entry, Revision};

/// What is wanted of an object's description.
const FIELDS: &str = "name,generation,size,updated,timeCreated,timeDeleted";

/// What Terraform's uploads are labelled with.
const TYPE: &str = "text/plain; charset=utf-8";

/// Makes the requests to one bucket.
#[derive(Debug)]
pub(super) struct Requests {
    pub(super) bucket: String,
    endpoint: String,
    managed_key: Option<String>,
}

impl Requests {
    pub(super) fn new(settings: &Settings) -> Self {
        let managed_key = match &settings.encryption {
            Encryption::Managed(name) => Some(name.clone()),
            Encryption::Default | Encryption::Key { .. } => None,
        };
        let endpoint = settings.endpoint.as_str().trim_end_matches('/').to_owned();
        Self { bucket: settings.bucket.clone(), endpoint, managed_key }
    }

    fn at(&self, path: &str, query: &[(&str, &str)]) -> String {
        let bucket = keys::encode(&self.bucket);
        let mut url = format!("{}{path}/b/{bucket}", self.endpoint);
        for (n, (name, value)) in query.iter().enumerate() {
            let before = if n == 0 { "/o?" } else { "&" };
            url = format!("{url}{before}{name}={}", keys::encode(value));
        }
        url
    }

    fn object(&self, key: &str, query: &str) -> String {
        let bucket = keys::encode(&self.bucket);
        format!("{}/storage/v1/b/{bucket}/o/{}?{query}", self.endpoint, keys::encode(key))
    }

    /// Asks for a content.
    pub(super) fn content(&self, key: &str, generation: Option<&str>) -> Request<Bytes> {
        let generation = generation.map(|id| format!("&generation={id}")).unwrap_or_default();
        let mut request = empty(Method::GET, &self.object(key, &format!("alt=media{generation}")));
        // What is kept compressed comes as it is kept, so that its digest fits.
        request.headers_mut().insert(ACCEPT_ENCODING, http::HeaderValue::from_static("gzip"));
        request
    }

    /// Asks for an object's description.
    pub(super) fn head(&self, key: &str) -> Request<Bytes> {
        empty(Method::GET, &self.object(key, &format!("fields={}", keys::encode(FIELDS))))
    }

    /// Asks for the bucket's description.
    pub(super) fn bucket(&self) -> Request<Bytes> {
        empty(Method::GET, &format!("{}?fields=versioning", self.at("/storage/v1", &[])))
    }

    /// Writes a state, if the key is of this generation.
    pub(super) fn write(&self, key: &str, bytes: &[u8], generation: &str) -> Request<Bytes> {
        self.upload(key, bytes, generation, self.managed_key.as_deref())
    }

    /// Writes a lock, if there is none. It is not encrypted as states are: whoever is locked out
    /// must be able to read it.
    pub(super) fn lock(&self, key: &str, bytes: &[u8]) -> Request<Bytes> {
        self.upload(key, bytes, "0", None)
    }

    fn upload(
        &self,
        key: &str,
        bytes: &[u8],
        generation: &str,
        managed_key: Option<&str>,
    ) -> Request<Bytes> {
        let mut query = vec![("uploadType", "multipart"), ("ifGenerationMatch", generation)];
        query.extend(managed_key.map(|key| ("kmsKeyName", key)));
        let md5 = digest::of(bytes);
        let about = serde_json::json!({ "name": key, "contentType": TYPE, "md5Hash": md5 });
        // Nothing can hold its own digest.
        let boundary = keys::encode(&md5).replace('%', "_");
        let mut body = format!(
            "--{boundary}\r\nContent-Type: application/json\r\n\r\n{about}\r\n\
             --{boundary}\r\nContent-Type: {TYPE}\r\n\r\n"
        )
        .into_bytes();
        body.reserve_exact(bytes.len() + boundary.len() + 8);
        body.extend_from_slice(bytes);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        let mut request = empty(Method::POST, &self.at("/upload/storage/v1", &query));
        let kind = format!("multipart/related; boundary={boundary}");
        if let Ok(kind) = kind.parse() {
            request.headers_mut().insert(CONTENT_TYPE, kind);
        }
        *request.body_mut() = body.into();
        request
    }

    /// Deletes an object, if it is of this generation.
    pub(super) fn delete(&self, key: &str, generation: &str) -> Request<Bytes> {
        let condition = format!("ifGenerationMatch={}", keys::encode(generation));
        empty(Method::DELETE, &self.object(key, &condition))
    }

    /// Asks for a page of a list, or of what of it comes with or after a key.
    pub(super) fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        token: Option<&str>,
    ) -> Request<Bytes> {
        let from = after.map(|after| ("startOffset", after));
        self.listing(prefix, token, from.as_slice())
    }

    /// Asks for a page of the list of an object's versions.
    pub(super) fn versions(&self, key: &str, token: Option<&str>) -> Request<Bytes> {
        // No name between the key and this one exists but the key's own.
        self.listing(key, token, &[("versions", "true"), ("endOffset", &format!("{key}\u{1}"))])
    }

    fn listing(&self, prefix: &str, token: Option<&str>, more: &[(&str, &str)]) -> Request<Bytes> {
        let fields = format!("nextPageToken,items({FIELDS})");
        let mut query = vec![("prefix", prefix), ("maxResults", "1000"), ("fields", &fields)];
        query.extend(token.map(|token| ("pageToken", token)));
        query.extend_from_slice(more);
        empty(Method::GET, &self.at("/storage/v1", &query))
    }
}

fn empty(method: Method, url: &str) -> Request<Bytes> {
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = method;
    // The parts of the address were encoded one by one, so that it can't be invalid.
    *request.uri_mut() = url.parse().unwrap_or_default();
    request
}

/// The description of an object.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Resource {
    pub(super) name: String,
    pub(super) generation: String,
    size: String,
    updated: Option<String>,
    time_created: Option<String>,
    time_deleted: Option<String>,
}

impl Resource {
    pub(super) fn parse(body: &[u8]) -> Result<Self, Fault> {
        serde_json::from_slice(body).map_err(|error| damaged(&error))
    }

    fn len(&self) -> Result<u64, Fault> {
        self.size.parse().map_err(|_| Fault::Damaged("it has no size".to_owned()))
    }

    pub(super) fn entry(&self) -> Result<Entry, Fault> {
        let (key, version) = (self.name.clone(), version(&self.generation));
        Ok(Entry { key, len: self.len()?, modified: time(self.updated.as_ref()), version })
    }

    pub(super) fn revision(&self) -> Result<Revision, Fault> {
        let modified = time(self.time_created.as_ref().or(self.updated.as_ref()));
        Ok(Revision {
            id: self.generation.clone(),
            modified: modified.ok_or_else(|| Fault::Damaged("it has no time".to_owned()))?,
            len: self.len()?,
            is_current: self.time_deleted.is_none(),
            is_deletion: false,
        })
    }
}

fn time(text: Option<&String>) -> Option<Timestamp> {
    text?.parse().ok()
}

/// A page of a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Listing {
    #[serde(default)]
    pub(super) items: Vec<Resource>,
    pub(super) next_page_token: Option<String>,
}

impl Listing {
    /// Reads the page that comes after this token.
    pub(super) fn after(token: Option<&str>, body: &[u8]) -> Result<Self, Fault> {
        let mut page: Self = serde_json::from_slice(body).map_err(|error| damaged(&error))?;
        page.next_page_token = page.next_page_token.filter(|next| !next.is_empty());
        if page.next_page_token.is_some() && page.next_page_token.as_deref() == token {
            return Err(Fault::Damaged("the list does not go on".to_owned()));
        }
        Ok(page)
    }
}

/// Whether a bucket's description says that it keeps versions.
pub(super) fn is_versioned(body: &[u8]) -> bool {
    let described: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    described["versioning"]["enabled"].as_bool().unwrap_or_default()
}

/// Says where an answer can't be read; its text may be a state.
fn damaged(error: &serde_json::Error) -> Fault {
    Fault::Damaged(format!("the answer is not what was asked for, at byte {}", error.column()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_does_not_go_on_ends() {
        let page = br#"{"nextPageToken": "a"}"#;
        assert_eq!(Listing::after(None, page).unwrap().next_page_token.as_deref(), Some("a"));
        assert!(Listing::after(Some("a"), page).is_err());
        let last = Listing::after(Some("a"), br#"{"nextPageToken": ""}"#).unwrap();
        assert_eq!(last.next_page_token, None);
    }
}
