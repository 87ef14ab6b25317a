//! What the headers of an answer say of a blob.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CONTENT_LENGTH, ETAG, HeaderName, LAST_MODIFIED};
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use crate::store::object::error::Fault;
use crate::store::{LockInfo, Version};

/// What begins the names of headers with metadata.
const PREFIX: &str = "x-ms-meta-";

/// The metadata in which Terraform notes who holds the lease.
const NOTE: &str = "x-ms-meta-terraformlockid";

/// A blob, but not its content.
#[derive(Debug)]
pub(super) struct Properties {
    /// Changes with every write, also of metadata.
    pub(super) etag: String,
    pub(super) version: Version,
    pub(super) len: u64,
    pub(super) modified: Option<Timestamp>,
    pub(super) is_leased: bool,
    pub(super) metadata: Metadata,
}

impl Properties {
    pub(super) fn parse(headers: &HeaderMap) -> Result<Self, Fault> {
        let lacks = |what: &str| Fault::Damaged(format!("the answer has no {what}"));
        let etag = text(headers, ETAG.as_str()).ok_or_else(|| lacks("tag"))?;
        let length = text(headers, CONTENT_LENGTH.as_str()).and_then(|length| length.parse().ok());
        let modified = text(headers, LAST_MODIFIED.as_str());
        Ok(Self {
            etag: etag.to_owned(),
            version: version(headers),
            len: length.ok_or_else(|| lacks("length"))?,
            modified: modified.and_then(time),
            is_leased: text(headers, "x-ms-lease-status") == Some("locked"),
            metadata: Metadata::parse(headers)?,
        })
    }
}

/// Returns which content an answer is about.
///
/// The tag of a blob changes with its metadata too, and so with every lock; the digest names the
/// content alone. Terraform's and our uploads have one; what has none is named by the blob's tag.
pub(super) fn version(headers: &HeaderMap) -> Version {
    let tag = md5(headers).or_else(|| text(headers, ETAG.as_str()));
    let id = text(headers, "x-ms-version-id");
    Version { tag: tag.map(ToOwned::to_owned), id: id.map(ToOwned::to_owned) }
}

/// Returns the digest of the whole content, as base64.
pub(super) fn md5(headers: &HeaderMap) -> Option<&str> {
    text(headers, "x-ms-blob-content-md5").or_else(|| text(headers, "content-md5"))
}

/// Reads a time as HTTP writes it.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    Some(rfc2822::DateTimeParser::new().parse_zoned(text).ok()?.timestamp())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// What people and programs noted at a blob. A write drops what is not sent again.
#[derive(Clone, Debug, Default)]
pub(super) struct Metadata(Vec<(HeaderName, HeaderValue)>);

impl Metadata {
    fn parse(headers: &HeaderMap) -> Result<Self, Fault> {
        let own = headers.iter().filter(|(name, _)| name.as_str().starts_with(PREFIX));
        let all: Vec<_> = own.map(|(name, value)| (name.clone(), value.clone())).collect();
        if all.iter().any(|(_, value)| value.to_str().is_err()) {
            return Err(Fault::Other("its metadata is not ASCII, and would be lost".to_owned()));
        }
        Ok(Self(all))
    }

    pub(super) fn add_to(&self, headers: &mut HeaderMap) {
        headers.extend(self.0.clone());
    }

    /// Returns who holds the lease, if that is noted and readable.
    pub(super) fn holder(&self) -> Option<LockInfo> {
        let (_, value) = self.0.iter().find(|(name, _)| name == NOTE)?;
        LockInfo::from_json(&STANDARD.decode(value.as_bytes()).ok()?)
    }

    /// Returns the same without a note of a holder.
    pub(super) fn without_holder(mut self) -> Self {
        self.0.retain(|(name, _)| name != NOTE);
        self
    }

    /// Returns the same with this holder.
    pub(super) fn with_holder(self, info: &LockInfo) -> Self {
        let mut metadata = self.without_holder();
        let note = STANDARD.encode(info.to_json());
        if let Ok(note) = HeaderValue::from_str(&note) {
            metadata.0.push((HeaderName::from_static(NOTE), note));
        }
        metadata
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (HeaderName::from_static(k), v.parse().unwrap())).collect()
    }

    #[test]
    fn a_holder_is_noted_and_forgotten_and_other_metadata_stays() {
        let before = headers(&[("x-ms-meta-owner", "ops"), ("etag", "\"1\"")]);
        let info = LockInfo { id: "1".to_owned(), who: "ä@b".to_owned(), ..LockInfo::default() };
        let noted = Metadata::parse(&before).unwrap().with_holder(&info);
        let mut sent = HeaderMap::new();
        noted.add_to(&mut sent);
        assert_eq!(sent.len(), 2);
        assert_eq!(Metadata::parse(&sent).unwrap().holder(), Some(info));
        let mut sent = HeaderMap::new();
        noted.without_holder().add_to(&mut sent);
        assert_eq!(sent, headers(&[("x-ms-meta-owner", "ops")]));
    }

    #[test]
    fn a_note_that_is_damaged_names_nobody() {
        for note in ["", "%", "bm90IGpzb24="] {
            let metadata = Metadata::parse(&headers(&[(NOTE, note)])).unwrap();
            assert_eq!(metadata.holder(), None, "{note}");
        }
    }

    #[test]
    fn a_content_is_named_by_its_digest_where_it_has_one() {
        let tag = |pairs: &[(&'static str, &str)]| version(&headers(pairs)).tag;
        assert_eq!(tag(&[("etag", "\"1\""), ("content-md5", "d")]).as_deref(), Some("d"));
        assert_eq!(tag(&[("etag", "\"1\"")]).as_deref(), Some("\"1\""));
    }
}
