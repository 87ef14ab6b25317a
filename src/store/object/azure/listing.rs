//! Lists of blobs, in XML.

use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Deserialize;

use super::properties;
use crate::store::object::error::Fault;
use crate::store::{Entry, Revision, Version};

/// What begins the id of a version that is a snapshot.
pub(super) const SNAPSHOT: &str = "snapshot:";

/// A page of a list.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listing {
    #[serde(default)]
    blobs: Blobs,
    next_marker: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Blobs {
    #[serde(rename = "Blob", default)]
    blobs: Vec<Blob>,
}

/// A blob, or one of its versions or snapshots.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Blob {
    name: Name,
    snapshot: Option<String>,
    version_id: Option<String>,
    is_current_version: Option<bool>,
    properties: About,
}

#[derive(Debug, Deserialize)]
struct Name {
    #[serde(rename = "@Encoded", default)]
    is_encoded: bool,
    #[serde(rename = "$text", default)]
    text: String,
}

#[derive(Debug, Deserialize)]
struct About {
    #[serde(rename = "Last-Modified")]
    last_modified: Option<String>,
    #[serde(rename = "Etag")]
    etag: Option<String>,
    #[serde(rename = "Content-Length")]
    length: u64,
    #[serde(rename = "Content-MD5")]
    md5: Option<String>,
}

impl Listing {
    pub(super) fn parse(body: &[u8]) -> Result<Self, Fault> {
        let text = String::from_utf8_lossy(body);
        quick_xml::de::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|error| Fault::Damaged(format!("the list can't be read: {error}")))
    }

    /// Returns what to ask for the next page with.
    pub(super) fn marker(&self) -> Option<&str> {
        self.next_marker.as_deref().filter(|marker| !marker.is_empty())
    }

    pub(super) fn blobs(&self) -> &[Blob] {
        &self.blobs.blobs
    }
}

impl Blob {
    pub(super) fn key(&self) -> String {
        if !self.name.is_encoded {
            return self.name.text.clone();
        }
        percent_decode_str(&self.name.text).decode_utf8_lossy().into_owned()
    }

    pub(super) fn entry(&self) -> Entry {
        let md5 = self.properties.md5.clone().filter(|md5| !md5.is_empty());
        // Headers quote the tag, lists do not.
        let etag =
            self.properties.etag.as_ref().map(|tag| format!("\"{}\"", tag.trim_matches('"')));
        Entry {
            key: self.key(),
            len: self.properties.length,
            modified: self.modified(),
            version: Version { tag: md5.or(etag), id: self.version_id.clone() },
        }
    }

    fn modified(&self) -> Option<Timestamp> {
        self.properties.last_modified.as_deref().and_then(properties::time)
    }

    /// Returns the version or snapshot that this is; nothing where it is the blob itself.
    pub(super) fn revision(&self) -> Option<Revision> {
        let id = match (&self.version_id, &self.snapshot) {
            (Some(version), _) => version.clone(),
            (None, Some(snapshot)) => format!("{SNAPSHOT}{snapshot}"),
            (None, None) => return None,
        };
        let named = id.strip_prefix(SNAPSHOT).unwrap_or(&id);
        // The id is the time, and more exact.
        let modified = named.parse().ok().or_else(|| self.modified())?;
        Some(Revision {
            modified,
            len: self.properties.length,
            is_current: self.is_current_version.unwrap_or_default(),
            is_deletion: false,
            id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>
<EnumerationResults ServiceEndpoint=\"x\" ContainerName=\"c\"><Prefix>a</Prefix><Blobs>
<Blob><Name>a &amp; b</Name><Snapshot>2026-11-21T02:09:49.5130710Z</Snapshot><Properties>
<Last-Modified>Sat, 21 Nov 2026 02:09:49 GMT</Last-Modified><Etag>0x8D</Etag>
<Content-Length>3</Content-Length><Content-MD5>bWQ1</Content-MD5></Properties></Blob>
<Blob><Name Encoded=\"true\">a%EF%BF%BEb</Name><VersionId>2026-11-21T03:00:00.0000001Z</VersionId>
<IsCurrentVersion>true</IsCurrentVersion><Properties><Etag>0x8E</Etag>
<Content-Length>0</Content-Length><Content-MD5 /></Properties><OrMetadata /></Blob>
</Blobs><NextMarker>more</NextMarker></EnumerationResults>";

    #[test]
    fn a_page_is_read_with_names_that_xml_cannot_hold() {
        let page = Listing::parse(PAGE.as_bytes()).unwrap();
        assert_eq!(page.marker(), Some("more"));
        let keys: Vec<_> = page.blobs().iter().map(Blob::key).collect();
        assert_eq!(keys, ["a & b", "a\u{fffe}b"]);
        let entry = page.blobs()[0].entry();
        assert_eq!((entry.len, entry.version.tag.as_deref()), (3, Some("bWQ1")));
        assert_eq!(entry.modified.unwrap().to_string(), "2026-11-21T02:09:49Z");
        assert_eq!(page.blobs()[1].entry().version.tag.as_deref(), Some("\"0x8E\""));
    }

    #[test]
    fn snapshots_and_versions_are_told_apart() {
        let page = Listing::parse(PAGE.as_bytes()).unwrap();
        let revision = |n: usize| page.blobs()[n].revision().unwrap();
        assert_eq!(revision(0).id, "snapshot:2026-11-21T02:09:49.5130710Z");
        assert!(!revision(0).is_current && revision(1).is_current);
    }

    #[test]
    fn a_container_without_blobs_is_an_empty_page() {
        let page = "<EnumerationResults><Blobs /><NextMarker /></EnumerationResults>";
        let page = Listing::parse(page.as_bytes()).unwrap();
        assert!(page.blobs().is_empty() && page.marker().is_none());
        assert!(Listing::parse(b"<html>").is_err());
    }
}
