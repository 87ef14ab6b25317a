//! A bucket of Google Cloud Storage in memory: the part of both its interfaces that is used.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::fake::{self, Answer, Call, Fake, Service, answer};

pub(crate) const TOKEN: &str = "S3CR3T-TOKEN";
pub(crate) const BUCKET: &str = "states";

/// An object, or what it was.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) data: Bytes,
    pub(crate) kind: String,
    pub(crate) generation: u64,
    /// The digest of the key that it is encrypted with.
    pub(crate) key_digest: Option<String>,
    pub(crate) managed_key: Option<String>,
    at: Timestamp,
    deleted: Option<Timestamp>,
}

/// A bucket.
#[derive(Default)]
pub(crate) struct Bucket {
    pub(crate) is_versioned: bool,
    live: BTreeMap<String, Object>,
    old: Vec<(String, Object)>,
    clock: u64,
}

/// Starts a server with one bucket.
pub(crate) fn start(is_versioned: bool) -> Fake<Bucket> {
    Fake::start(Bucket { is_versioned, ..Bucket::default() })
}

impl Bucket {
    pub(crate) fn object(&self, key: &str) -> Option<&Object> {
        self.live.get(key)
    }

    pub(crate) fn put(&mut self, key: &str, data: impl Into<Bytes>) -> u64 {
        self.store(
            key,
            Object {
                data: data.into(),
                kind: String::new(),
                generation: 0,
                key_digest: None,
                managed_key: None,
                at: Timestamp::UNIX_EPOCH,
                deleted: None,
            },
        )
    }

    fn now(&mut self) -> Timestamp {
        self.clock += 1;
        Timestamp::from_millisecond(1_795_000_000_000 + i64::try_from(self.clock).unwrap()).unwrap()
    }

    fn store(&mut self, key: &str, object: Object) -> u64 {
        self.retire(key);
        let at = self.now();
        let generation = 1_795_000_000_000_000 + self.clock;
        self.live.insert(key.to_owned(), Object { generation, at, ..object });
        generation
    }

    pub(crate) fn retire(&mut self, key: &str) {
        let deleted = Some(self.now());
        if let Some(object) = self.live.remove(key)
            && self.is_versioned
        {
            self.old.push((key.to_owned(), Object { deleted, ..object }));
        }
    }

    fn find(&self, key: &str, generation: Option<&str>) -> Option<&Object> {
        let Some(wanted) = generation else { return self.live.get(key) };
        let old = self.old.iter().filter(|(name, _)| name == key).map(|(_, object)| object);
        self.live.get(key).into_iter().chain(old).find(|one| one.generation.to_string() == wanted)
    }

    /// Whether the condition on the generation holds.
    fn fits(&self, call: &Call, key: &str) -> bool {
        let live = self.live.get(key).map_or(0, |object| object.generation);
        call.param("ifGenerationMatch").is_none_or(|wanted| wanted == live.to_string())
    }

    fn list(&self, call: &Call) -> Answer {
        let prefix = call.param("prefix").unwrap_or_default();
        let after = call.param("pageToken").unwrap_or_default();
        let (start, end) = (call.param("startOffset").unwrap_or_default(), call.param("endOffset"));
        let old = self.old.iter().filter(|_| call.param("versions") == Some("true"));
        let live = self.live.iter().chain(old.map(|(name, object)| (name, object)));
        let mut all: Vec<_> = live
            .map(|(name, object)| (format!("{name}\u{0}{}", object.generation), name, object))
            .filter(|(_, name, _)| name.starts_with(prefix))
            .filter(|(_, name, _)| name.as_str() >= start)
            .filter(|(_, name, _)| end.is_none_or(|end| name.as_str() < end))
            .filter(|(place, ..)| place.as_str() > after)
            .collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        let most = call.param("maxResults").map_or(1000, |most| most.parse().unwrap());
        let token = (all.len() > most).then(|| all[most - 1].0.clone());
        all.truncate(most);
        let items: Vec<_> = all.iter().map(|(_, name, object)| resource(name, object)).collect();
        json_answer(&json!({ "items": items, "nextPageToken": token }))
    }

    fn media(&self, call: &Call, key: &str, generation: Option<&str>) -> Answer {
        let Some(object) = self.find(key, generation) else {
            return refusal(404, "notFound", &format!("No such object: {BUCKET}/{key}"));
        };
        if object.key_digest.as_deref() != call.header("x-goog-encryption-key-sha256") {
            return refusal(400, "customerEncryptionKeyIsIncorrect", "the key is another");
        }
        let md5 = fake::md5(&object.data);
        let headers = [
            ("etag", format!("\"{md5}\"")),
            ("last-modified", fake::http_time(object.at)),
            ("x-goog-generation", object.generation.to_string()),
            ("x-goog-hash", format!("crc32c=AAAAAA==,md5={md5}")),
            ("content-type", object.kind.clone()),
        ];
        if call.header("if-match").is_some_and(|tag| tag != headers[0].1) {
            return refusal(412, "conditionNotMet", "it is another");
        }
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        fake::ranged(call, answer(200, &headers, object.data.clone()))
    }

    fn upload(&mut self, call: &Call) -> Answer {
        let kind = call.header("content-type").unwrap_or_default();
        let (_, boundary) = kind.split_once("boundary=").unwrap();
        let text = &call.body[..];
        let marker = format!("--{boundary}");
        let starts: Vec<_> = memchr::memmem::find_iter(text, marker.as_bytes()).collect();
        assert_eq!(starts.len(), 3, "two parts");
        let part = |n: usize| {
            let part = &text[starts[n] + marker.len()..starts[n + 1] - 2];
            let begin = memchr::memmem::find(part, b"\r\n\r\n").unwrap() + 4;
            part[begin..].to_vec()
        };
        let about: Value = serde_json::from_slice(&part(0)).unwrap();
        let data = part(1);
        if about["md5Hash"].as_str() != Some(&fake::md5(&data)) {
            return refusal(400, "invalid", "the digest is another");
        }
        let key = about["name"].as_str().unwrap();
        if !self.fits(call, key) {
            return refusal(
                412,
                "conditionNotMet",
                "At least one of the pre-conditions you specified did not hold.",
            );
        }
        self.put(key, data);
        let object = self.live.get_mut(key).unwrap();
        about["contentType"].as_str().unwrap().clone_into(&mut object.kind);
        object.key_digest = call.header("x-goog-encryption-key-sha256").map(ToOwned::to_owned);
        object.managed_key = call.param("kmsKeyName").map(ToOwned::to_owned);
        json_answer(&resource(key, object))
    }

    fn one(&mut self, call: &Call, key: &str) -> Answer {
        let missing = refusal(404, "notFound", &format!("No such object: {BUCKET}/{key}"));
        match (&call.method, call.param("alt")) {
            (&Method::DELETE, _) if !self.live.contains_key(key) => missing,
            (&Method::DELETE, _) if !self.fits(call, key) => {
                refusal(412, "conditionNotMet", "it is another")
            }
            (&Method::DELETE, _) => {
                self.retire(key);
                answer(204, &[], "")
            }
            (_, Some("media")) => self.media(call, key, call.param("generation")),
            _ => self.live.get(key).map_or(missing, |object| json_answer(&resource(key, object))),
        }
    }
}

impl Service for Bucket {
    fn answer(&mut self, call: &Call) -> Answer {
        if call.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
            return refusal(401, "authError", "Invalid Credentials");
        }
        let path = call.path.clone();
        let segments: Vec<_> = path.trim_start_matches('/').split('/').collect();
        let bucket = match segments[..] {
            ["storage", "v1", "b", bucket, ..] | ["upload", "storage", "v1", "b", bucket, ..] => {
                bucket
            }
            _ => segments[0],
        };
        if bucket != BUCKET {
            return refusal(404, "notFound", "The specified bucket does not exist.");
        }
        match segments[..] {
            ["upload", .., "o"] => self.upload(call),
            ["storage", "v1", "b", _, "o"] => self.list(call),
            ["storage", "v1", "b", _, "o", key] => self.one(call, &fake::decoded(key)),
            ["storage", "v1", "b", _] => {
                json_answer(&json!({ "versioning": { "enabled": self.is_versioned } }))
            }
            _ => {
                let key = fake::decoded(&segments[1..].join("/"));
                self.media(call, &key, call.param("generation"))
            }
        }
    }
}

fn resource(name: &str, object: &Object) -> Value {
    json!({
        "name": name,
        "generation": object.generation.to_string(),
        "size": object.data.len().to_string(),
        "updated": object.at.to_string(),
        "timeCreated": object.at.to_string(),
        "timeDeleted": object.deleted.map(|at| at.to_string()),
    })
}

fn json_answer(value: &Value) -> Answer {
    answer(200, &[("content-type", "application/json")], value.to_string())
}

fn refusal(status: u16, reason: &str, message: &str) -> Answer {
    let errors = json!([{ "reason": reason, "message": message }]);
    let error = json!({ "code": status, "message": message, "errors": errors });
    answer(status, &[], json!({ "error": error }).to_string())
}
