//! Which references can be in a unit: those to a state that lives and changes, without credentials.

use std::path::Path;

use super::{Error, Repository};
use crate::store::Earlier;

/// A state that a unit names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum State {
    /// A file or a directory of this machine, or several by a glob.
    Path(String),
    /// A place in a store.
    Url(String),
}

/// Object stores, in which nothing but the name of a bucket stands before the first `/`.
const BUCKETS: [&str; 3] = ["s3", "gs", "az"];

/// What the URL of a database may say besides its place. Everything else could be a password.
const POSTGRES: [&str; 14] = [
    "application_name",
    "channel_binding",
    "connect_timeout",
    "dbname",
    "host",
    "hostaddr",
    "port",
    "schema",
    "sslmode",
    "sslnegotiation",
    "sslrootcert",
    "target_session_attrs",
    "user",
    "workspace",
];

impl State {
    /// Reads a reference. What has its literal name on the disk wins.
    ///
    /// # Errors
    ///
    /// [`Error::NotAHome`] for what only reads, [`Error::Credentials`] for what must not be in a
    /// file that others read, [`Error::Unsupported`] for another kind of URL.
    pub fn parse(reference: &str) -> Result<Self, Error> {
        if reference != "-" && Path::new(reference).exists() {
            return Ok(Self::Path(reference.to_owned()));
        }
        let Some((scheme, rest)) = reference.split_once("://") else {
            return local(reference);
        };
        let scheme = scheme.to_ascii_lowercase();
        // Before anything else: every other error repeats the reference.
        let credentials = match scheme.as_str() {
            bucket if BUCKETS.contains(&bucket) => key_of_bucket(rest),
            "postgres" | "postgresql" => user(rest).or_else(|| parameters(rest)),
            _ => user(rest).or_else(|| {
                rest.contains(['?', '#']).then_some("what follows `?`, where tokens are passed,")
            }),
        };
        if let Some(what) = credentials {
            return Err(Error::Credentials { reference: shown(&scheme, rest), what });
        }
        match scheme.as_str() {
            "s3" | "gs" | "az" | "http" | "https" | "postgres" | "postgresql" => {}
            _ => return Err(Error::Unsupported { reference: shown(&scheme, rest) }),
        }
        let is_version = BUCKETS.contains(&scheme.as_str())
            && ["?version=", "?generation="].iter().any(|mark| rest.contains(mark));
        if is_version || Earlier::split(reference).is_some() {
            return fixed(reference, "an earlier version");
        }
        Ok(Self::Url(reference.to_owned()))
    }

    /// Returns the reference as it was written.
    pub fn text(&self) -> &str {
        match self {
            Self::Path(text) | Self::Url(text) => text,
        }
    }
}

impl Repository {
    /// Reads the place of a backup repository: a prefix in an object store, or else a folder.
    ///
    /// # Errors
    ///
    /// As for [`State::parse`].
    pub fn parse(place: &str) -> Result<Self, Error> {
        let Some((scheme, rest)) = place.split_once("://") else {
            return Ok(Self::Folder(place.to_owned()));
        };
        let scheme = scheme.to_ascii_lowercase();
        if !BUCKETS.contains(&scheme.as_str()) {
            return Err(Error::Unsupported { reference: shown(&scheme, rest) });
        }
        match key_of_bucket(rest) {
            Some(what) => Err(Error::Credentials { reference: shown(&scheme, rest), what }),
            None => Ok(Self::Url(place.to_owned())),
        }
    }
}

fn local(reference: &str) -> Result<State, Error> {
    match reference {
        "-" => fixed("standard input", "what is piped in"),
        _ if reference.starts_with("git:") => fixed(reference, "a revision of git"),
        _ if reference.starts_with("snapshot:") => fixed(reference, "a snapshot"),
        _ if Earlier::split(reference).is_some() => fixed(reference, "an earlier version"),
        _ => Ok(State::Path(reference.to_owned())),
    }
}

fn fixed(reference: &str, what: &'static str) -> Result<State, Error> {
    Err(Error::NotAHome { reference: reference.to_owned(), what })
}

/// Returns what there is before the host, if it is more than a name. A password may hold `/`, `?`
/// or `@` by mistake, so everything up to the last `@` counts.
fn user(rest: &str) -> Option<&'static str> {
    let (user, _) = rest.rsplit_once('@')?;
    user.contains(':').then_some("the password in it")
}

/// No bucket has such a name, so it is a key that somebody took for part of the URL.
fn key_of_bucket(rest: &str) -> Option<&'static str> {
    let bucket = rest.split('/').next().unwrap_or_default();
    bucket.contains([':', '@']).then_some("the key in it")
}

fn parameters(rest: &str) -> Option<&'static str> {
    let (_, parameters) = rest.split_once('?')?;
    let is_known = |parameter: &str| {
        let name = parameter.split('=').next().unwrap_or_default();
        parameter.is_empty() || POSTGRES.contains(&name)
    };
    let known = parameters.split('&').all(is_known);
    (!known).then_some("a parameter that may be a password")
}

/// Returns a URL without anything that could be a credential.
fn shown(scheme: &str, rest: &str) -> String {
    if BUCKETS.contains(&scheme) {
        return format!("{scheme}://…");
    }
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let end = rest.find(['?', '#']).unwrap_or(rest.len());
    format!("{scheme}://{}", &rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_taken_as_they_are_written() {
        let urls = [
            "s3://b/a:b@c?#.tfstate",
            "S3://b/**/*.tfstate",
            "gs://b/k",
            "az://c/k",
            "https://tf@host:8443/state",
            "postgres://tf@h:5432/d?schema=a&workspace=b&sslmode=require",
        ];
        for url in urls {
            assert_eq!(State::parse(url).unwrap(), State::Url(url.to_owned()));
        }
        for path in ["/srv/a.tfstate", "envs/*/terraform.tfstate", "."] {
            assert_eq!(State::parse(path).unwrap(), State::Path(path.to_owned()));
        }
    }

    #[test]
    fn credentials_are_refused_and_not_repeated() {
        let references = [
            "postgres://tf:S3CR3T@h/d",
            "POSTGRES://tf:S3CR3T@h/d",
            "postgresql://tf:a/b?c#S3CR3T@h/d",
            "postgres://h/d?user=tf&password=S3CR3T",
            "postgres://h/d?sslpassword=S3CR3T",
            "s3://AKIA:S3CR3T@b/k",
            "s3://AKIA:S3CR/3T@b/k",
            "https://tf:S3CR3T@host/state",
            "https://host/state?token=S3CR3T",
            "https://host/state#S3CR3T",
            "ftp://tf:S3CR3T@host/state",
        ];
        for reference in references {
            let error = State::parse(reference).unwrap_err();
            assert!(matches!(error, Error::Credentials { .. }), "{error:?}");
            assert!(!format!("{error} {error:?}").contains("S3CR"), "{error:?}");
        }
    }

    #[test]
    fn snapshots_go_to_a_folder_or_into_an_object_store() {
        let folder = Repository::Folder("/srv/backups".to_owned());
        assert_eq!(Repository::parse("/srv/backups").unwrap(), folder);
        let url = Repository::Url("s3://b/p@q".to_owned());
        assert_eq!(Repository::parse("s3://b/p@q").unwrap(), url);
        for place in ["sftp://u:S3CR3T@h/x", "s3://u:S3CR3T@b/x"] {
            let error = Repository::parse(place).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("S3CR3T"), "{error:?}");
        }
    }

    #[test]
    fn what_does_not_change_is_refused() {
        let references = [
            "-",
            "git:HEAD:a.tfstate",
            "snapshot:3f9a12bc",
            "@-1",
            "a.tfstate@serial:4",
            "s3://b/k@2026-11-20",
            "s3://b/k?version=1",
            "gs://b/k?generation=1",
        ];
        for reference in references {
            let error = State::parse(reference).unwrap_err();
            assert!(matches!(error, Error::NotAHome { .. }), "{reference}: {error:?}");
        }
        let error = State::parse("ftp://h/x").unwrap_err();
        assert!(matches!(error, Error::Unsupported { .. }), "{error:?}");
    }
}
