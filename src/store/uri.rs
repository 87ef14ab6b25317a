//! From the URI of a place back to the place, as snapshots need it that go where they came from.
//!
//! A URI has no credentials and no settings: those of the directory and of the environment count,
//! as for a reference. What comes out is held against the URI, so that a bucket of another endpoint
//! is never taken for the one that is meant.

use std::path::PathBuf;

use super::place::Place;
use super::{Backend, Context, Earlier, Error, Location, backend, reference};

impl Location {
    /// Returns the place whose [`uri`](Self::uri) this is.
    ///
    /// The state that Terraform uses here is returned as such, with all that is known of its
    /// backend. Nothing is asked over the network.
    ///
    /// # Errors
    ///
    /// [`Error::NoWayBack`] where no state lives at the place, or where the URI does not tell
    /// enough to find it.
    pub fn of_uri(uri: &str, context: Context<'_>) -> Result<Self, Error> {
        if let Ok(here) = Self::resolve(None, context)
            && here.uri().is_ok_and(|own| own == uri)
        {
            return Ok(here);
        }
        let no_way_back = |problem: &str| {
            Err(Error::NoWayBack { uri: uri.to_owned(), problem: problem.to_owned() })
        };
        let is_copy = uri.starts_with("git:") || uri.starts_with("snapshot:");
        let (scheme, rest) = match uri.split_once("://") {
            _ if uri.starts_with("stdin:") => return no_way_back("it came from standard input"),
            _ if is_copy => return no_way_back("it came from a copy"),
            None => return no_way_back("it names no place"),
            Some(parts) => parts,
        };
        let is_earlier = Earlier::split(uri).is_some();
        if scheme == "file" {
            return match PathBuf::from(rest) {
                _ if rest.contains('\u{fffd}') => no_way_back("its path is no text"),
                path if is_earlier && !path.exists() => no_way_back("it came from a copy"),
                path => Ok(Self::File(path)),
            };
        }
        if is_earlier {
            return no_way_back("it came from a copy");
        }
        stored(uri, context).map(Self::Stored)
    }
}

/// Returns the place in a store, by what is set here, or else by what the URI itself says.
fn stored(uri: &str, context: Context<'_>) -> Result<Place, Error> {
    let context = Context { workspace: None, ..context };
    let is_it = |place: &Place| place.version.is_none() && place.uri() == uri;
    let (mut other, mut failed) = (None, None);
    let named = references(uri).into_iter().filter_map(|text| reference::resolve(&text, context));
    for place in named.chain(told(uri, context)) {
        match place {
            Ok(place) if is_it(&place) => return Ok(place),
            Ok(place) => other = other.or(Some(place.uri())),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    let problem = match (other, failed) {
        (None, Some(error)) => return Err(error),
        (Some(other), _) => format!("as it is set here, that would be {other}"),
        (None, None) => "this version does not know such places".to_owned(),
    };
    Err(Error::NoWayBack { uri: uri.to_owned(), problem })
}

/// Returns the references that can have this URI: an endpoint may have a path, and nothing tells
/// where it ends.
fn references(uri: &str) -> Vec<String> {
    let Some((scheme, rest)) = uri.split_once('+').filter(|(scheme, _)| is_scheme(scheme)) else {
        return vec![uri.to_owned()];
    };
    match rest.split_once("://") {
        Some(("http" | "https", key)) => {
            let ends = key.match_indices('/');
            ends.map(|(at, _)| format!("{scheme}://{}", &key[at + 1..])).collect()
        }
        Some((_, key)) => vec![format!("{scheme}://{key}")],
        None => Vec::new(),
    }
}

fn is_scheme(text: &str) -> bool {
    matches!(text, "s3" | "gs" | "az")
}

/// Returns the place by what the URI says of its endpoint or its account.
///
/// A signature of S3 is of no use to another server and the accounts of Azure are all Azure's own,
/// but who gets a token of Google can use it: it is sent to no endpoint that only a URI names.
fn told(uri: &str, context: Context<'_>) -> Option<Result<Place, Error>> {
    let (scheme, rest) = uri.split_once('+')?;
    let (origin, key) = rest.split_once("://")?;
    match (scheme, origin) {
        ("s3", "http" | "https") => {
            let (host, path) = key.split_once('/')?;
            let (bucket, key) = path.split_once('/')?;
            let endpoints = [("s3".to_owned(), format!("{origin}://{host}"))].into();
            let s3 = backend::S3 {
                bucket: bucket.to_owned(),
                key: key.to_owned(),
                endpoints,
                use_lockfile: true,
                ..Default::default()
            };
            let backend = Backend::S3(Box::new(s3));
            Some(Place::connect(&backend, key.to_owned(), context.env))
        }
        ("az", account) => {
            let (container, key) = key.split_once('/')?;
            let azure = backend::Azure {
                storage_account_name: Some(account.to_owned()),
                container_name: container.to_owned(),
                key: key.to_owned(),
                ..Default::default()
            };
            let backend = Backend::Azure(Box::new(azure));
            Some(Place::connect(&backend, key.to_owned(), context.env))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::env::Env;
    use crate::base::fs;

    fn of_uri(uri: &str, env: &[(&str, &str)]) -> Result<Location, String> {
        let env = Env::from_pairs(env.iter().copied());
        Location::of_uri(uri, Context::of(&env)).map_err(|error| error.to_string())
    }

    #[cfg(feature = "remote")]
    #[test]
    fn the_place_of_a_uri_has_that_uri() {
        let minio = ("AWS_ENDPOINT_URL_S3", "http://minio:9000");
        let below = ("AWS_ENDPOINT_URL", "https://host/s3");
        let account = ("AZURE_STORAGE_ACCOUNT", "other");
        let region = ("AWS_REGION", "eu-central-1");
        let cases: [(&str, &[(&str, &str)]); 12] = [
            ("file:///srv/prod/terraform.tfstate", &[]),
            ("s3://b/env:/dev/a?b*.tfstate", &[region]),
            ("s3+http://minio:9000/b/p/k.tfstate", &[minio, region]),
            ("s3+http://minio:9000/b/p/k.tfstate", &[region]),
            ("s3+http://minio:9000/b/p/k.tfstate", &[below, region]),
            ("s3+https://host/s3/b/k", &[below, region]),
            ("gs://b/p/default.tfstate", &[]),
            ("gs+http://g:4443/b/k", &[("GOOGLE_STORAGE_CUSTOM_ENDPOINT", "http://g:4443")]),
            ("az+acme://c/k.tfstate", &[]),
            ("az+acme://c/k.tfstate", &[account]),
            ("https://host:8443/state", &[]),
            ("postgres://h:5432/d?schema=s&workspace=dev", &[("PGUSER", "tf")]),
        ];
        for (uri, env) in cases {
            let place = of_uri(uri, env).unwrap_or_else(|error| panic!("{uri}: {error}"));
            assert_eq!(place.uri().unwrap(), uri, "{env:?}");
            place.home().unwrap();
        }
    }

    #[cfg(feature = "remote")]
    #[test]
    fn a_key_of_another_endpoint_is_not_taken_for_it() {
        let endpoint = [("AWS_ENDPOINT_URL", "http://minio:9000"), ("AWS_REGION", "eu-central-1")];
        let message = "cannot tell where the state of s3://b/k lives: as it is set here, that would \
                       be s3+http://minio:9000/b/k";
        assert_eq!(of_uri("s3://b/k", &endpoint).unwrap_err(), message);
        let http = of_uri("https://host/state?01234567", &[]).unwrap_err();
        assert!(http.contains("as it is set here, that would be https://host/state?"), "{http}");
        let google = of_uri("gs+https://elsewhere/b/k", &[]).unwrap_err();
        assert!(google.ends_with("as it is set here, that would be gs://b/k"), "{google}");
    }

    #[test]
    fn what_is_no_home_of_a_state_is_said() {
        let cases = [
            ("stdin:", "it came from standard input"),
            ("stdin:3f9a12bc00000000", "it came from standard input"),
            ("git:HEAD:/a.tfstate", "it came from a copy"),
            ("snapshot:3f9a12bc", "it came from a copy"),
            ("file:///none/a.tfstate@-1", "it came from a copy"),
            ("s3://b/k@serial:4", "it came from a copy"),
            ("file:///a\u{fffd}", "its path is no text"),
            ("elsewhere", "it names no place"),
            ("memory://a", "this version does not know such places"),
        ];
        for (uri, problem) in cases {
            let error = of_uri(uri, &[]).unwrap_err();
            assert_eq!(error, format!("cannot tell where the state of {uri} lives: {problem}"));
        }
    }

    #[test]
    fn a_file_that_has_the_name_of_an_earlier_version_is_a_home() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tfstate@-1");
        fs::write_new(&path, b"{}").unwrap();
        let uri = format!("file://{}", path.display());
        assert_eq!(of_uri(&uri, &[]).unwrap(), Location::File(path));
    }
}
