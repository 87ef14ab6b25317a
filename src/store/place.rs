//! A place in a store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

#[cfg(feature = "remote")]
use super::object;
use super::{Backend, Cuts, Entry, Error, Store, connect};
use crate::base::env::Env;

/// A key of a store.
///
/// Two are equal where they are called the same.
#[derive(Clone, Debug)]
pub struct Place {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The key.
    pub key: String,
    /// The id of an earlier version, where one was named.
    pub version: Option<String>,
    /// What a listing said that it holds, where the place came from one.
    pub listed: Option<Entry>,
    /// What chose the place, where that was a working directory.
    pub workspace: Option<Workspace>,
    /// What tells stores apart whose keys have the same names.
    origin: String,
}

/// A workspace of a working directory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Workspace {
    /// The directory.
    pub dir: PathBuf,
    /// The name.
    pub name: String,
}

impl Place {
    /// Returns the place of a key in a store.
    pub fn new(store: Arc<dyn Store>, key: String) -> Self {
        Self { store, key, version: None, listed: None, workspace: None, origin: String::new() }
    }

    /// Connects a backend; nothing is asked over the network.
    pub(super) fn connect(backend: &Backend, key: String, env: &Env) -> Result<Self, Error> {
        let (store, origin) = (connect(backend, env)?, origin(backend, env));
        Ok(Self { origin, ..Self::new(store, key) })
    }

    /// Returns the same with another key.
    pub(super) fn with_key(&self, key: String) -> Self {
        Self { key, version: None, listed: None, workspace: None, ..self.clone() }
    }

    /// Returns the place of an entry of a listing of the same store.
    pub(super) fn with_entry(&self, entry: Entry) -> Self {
        let key = entry.key.clone();
        Self { listed: Some(entry), ..self.with_key(key) }
    }

    /// Returns this version of the same; none is the present one.
    pub(super) fn with_version(&self, version: Option<String>) -> Self {
        Self { version, ..self.clone() }
    }

    /// Returns what to call it when talking to the user. Holds no credential.
    pub fn name(&self) -> String {
        let name = self.store.name(&self.key);
        match &self.version {
            Some(id) if name.starts_with("gs://") => format!("{name}?generation={id}"),
            Some(id) => format!("{name}?version={id}"),
            None => name,
        }
    }

    /// Returns text that stays the same for the same place: its name, with what tells its store
    /// from others where the name leaves that open, as in `s3+http://minio:9000/bucket/key` and
    /// `az+account://container/blob`.
    pub(super) fn uri(&self) -> String {
        with_origin(&self.origin, &self.name())
    }

    /// Returns where lists of its store can be cut, as far as a cache folder knows it.
    pub fn cuts(&self, cache: &Path) -> Cuts {
        Cuts::below(cache, self.with_key(String::new()).uri())
    }

    /// Returns the error for there being nothing.
    pub(super) fn nothing(&self) -> Error {
        let looked_for = self.name();
        match &self.workspace {
            Some(Workspace { dir, name }) if self.version.is_none() => {
                Error::NoStateInStore { dir: dir.clone(), workspace: name.clone(), looked_for }
            }
            _ => Error::NotFound { what: looked_for },
        }
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.uri() == other.uri() && self.workspace == other.workspace
    }
}

impl Eq for Place {}

/// Returns what a name leaves open: a bucket of S3 is the only one of its name in the world, a
/// bucket of another server or a container of an account is not. Of an address behind HTTP it is what
/// follows its `?`, by a hash: there may be a token in it.
fn origin(backend: &Backend, env: &Env) -> String {
    let variable = |names: &[&str]| names.iter().find_map(|name| env.get(name));
    let value = match backend {
        #[cfg(feature = "remote")]
        Backend::S3(s3) => object::s3::endpoint(s3, env),
        #[cfg(not(feature = "remote"))]
        Backend::S3(_) => None,
        Backend::Gcs(gcs) => {
            let here = ["GOOGLE_BACKEND_STORAGE_CUSTOM_ENDPOINT", "GOOGLE_STORAGE_CUSTOM_ENDPOINT"];
            gcs.storage_custom_endpoint.clone().or_else(|| variable(&here))
        }
        Backend::Azure(azure) => azure.storage_account_name.clone(),
        Backend::Http(http) => {
            let set = Some(http.address.clone()).filter(|address| !address.is_empty());
            let address = set.or_else(|| variable(&["TF_HTTP_ADDRESS"])).unwrap_or_default();
            let address = address.split('#').next().unwrap_or_default();
            let query = address.split_once('?').map(|(_, query)| query).unwrap_or_default();
            let hash = blake3::hash(query.as_bytes()).to_hex();
            return if query.is_empty() { String::new() } else { format!("?{}", &hash[..8]) };
        }
        Backend::Local(_) | Backend::Pg(_) => None,
    };
    let value = value.map(|value| without_userinfo(&value)).unwrap_or_default();
    let is_own =
        [".amazonaws.com", ".googleapis.com"].iter().any(|own| host_of(&value).ends_with(own));
    if is_own { String::new() } else { value }
}

fn with_origin(origin: &str, name: &str) -> String {
    match name.split_once("://") {
        Some(_) if origin.starts_with('?') => format!("{name}{origin}"),
        Some((scheme, rest)) if !origin.is_empty() => {
            let end = if origin.contains("://") { "/" } else { "://" };
            format!("{scheme}+{origin}{end}{rest}")
        }
        _ => name.to_owned(),
    }
}

fn without_userinfo(url: &str) -> String {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{}", rest.trim_end_matches('/'))
}

fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or_default()
}

/// Returns a path as Go cleans it: no empty parts, no `.`, and `..` resolved.
pub(super) fn clean(path: &str) -> String {
    let is_absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if is_absolute => {}
            part => parts.push(part),
        }
    }
    format!("{}{}", if is_absolute { "/" } else { "" }, parts.join("/"))
}

/// Returns a path below a directory; `./terraform.tfstate` is how nobody would call it.
pub(super) fn below(dir: &Path, path: PathBuf) -> PathBuf {
    if dir == Path::new(".") { path } else { dir.join(path) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fs;
    use crate::store::{Memory, backend};

    #[test]
    fn a_path_is_cleaned_as_go_does() {
        let cases = [("a//b/./c/../d/", "a/b/d"), ("/../a", "/a"), ("../a", "../a"), ("", "")];
        for (path, cleaned) in cases {
            assert_eq!(clean(path), cleaned, "{path}");
        }
    }

    #[test]
    fn stores_whose_keys_have_the_same_names_are_told_apart() {
        let s3 = |endpoint: &str| {
            let endpoints = [("s3".to_owned(), endpoint.to_owned())].into();
            Backend::S3(Box::new(backend::S3 { endpoints, ..Default::default() }))
        };
        let env = Env::default();
        let minio = origin(&s3("https://minio:9000/"), &env);
        assert_eq!(minio, "https://minio:9000");
        assert_eq!(origin(&s3("https://s3.eu-west-1.amazonaws.com"), &env), "");
        let here = Env::from_pairs([("AWS_ENDPOINT_URL", "http://minio")]);
        assert_eq!(origin(&Backend::S3(Box::default()), &here), "http://minio");
        // Nothing but its profile tells where this bucket is.
        let folder = tempfile::tempdir().unwrap();
        let shared = folder.path().join("config");
        let profiles =
            "[profile a]\nendpoint_url = https://a:9000\n[profile b]\nregion = eu-west-1\n";
        fs::write_new(&shared, profiles.as_bytes()).unwrap();
        let of_profile = |name: &str| {
            let shared = shared.to_str().unwrap();
            let env = Env::from_pairs([("AWS_CONFIG_FILE", shared), ("AWS_PROFILE", name)]);
            origin(&Backend::S3(Box::default()), &env)
        };
        assert_eq!(["a", "b"].map(of_profile), ["https://a:9000", ""]);
        let account = Some("acme".to_owned());
        let azure = backend::Azure { storage_account_name: account, ..Default::default() };
        assert_eq!(origin(&Backend::Azure(Box::new(azure)), &env), "acme");
        let http = |address: &str| {
            let http = backend::Http { address: address.to_owned(), ..Default::default() };
            origin(&Backend::Http(Box::new(http)), &env)
        };
        let (a, b) = (http("https://h/state?token=S3CR3T&env=a"), http("https://h/state?env=b#c"));
        assert!(a != b && a.len() == 9 && !a.contains("S3CR3T"), "{a} {b}");
        assert_eq!([http("https://h/state?env=b"), http("https://h/state#c")], [b, String::new()]);
        assert_eq!(with_origin(&a, "https://h/state"), format!("https://h/state{a}"));
        let named = |origin: &str| with_origin(origin, "s3://b/k");
        assert_eq!(named(""), "s3://b/k");
        assert_eq!(named(&minio), "s3+https://minio:9000/b/k");
        assert_eq!(named("acme"), "s3+acme://b/k");
    }

    #[test]
    fn what_is_not_there_is_named_by_what_was_looked_for() {
        let mut place = Place::new(Arc::new(Memory::default()), "k".to_owned());
        let name = place.name();
        assert_eq!(place.nothing().to_string(), format!("cannot find {name}"));
        place.workspace = Some(Workspace { dir: "infra".into(), name: "dev".to_owned() });
        let message = format!("there is no state of workspace dev of infra: nothing at {name}");
        assert_eq!(place.nothing().to_string(), message);
    }
}
