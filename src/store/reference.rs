//! References to stores: `s3://BUCKET/KEY` and their like become a backend and a key.
//!
//! A key is taken as it is written: `%`, `#`, `[` and the like are legal in the names of objects,
//! so nothing is decoded, and only a last `?version=ID` is no part of it. What a reference does not
//! say, the endpoint among it, is taken from the backend of the directory where that is of the same
//! bucket, and else from the environment.

use std::path::Path;

use percent_encoding::percent_decode_str;

use super::directory::Directory;
use super::place::Place;
use super::{Backend, Context, Error, backend, workspace};
use crate::base::env::Env;
use crate::base::secret::Secret;

/// What a reference can begin with.
const SCHEMES: [&str; 7] =
    ["s3://", "gs://", "az://", "http://", "https://", "postgres://", "postgresql://"];

/// What a reference names.
#[derive(Clone, Debug)]
struct Named {
    backend: Backend,
    key: String,
    version: Option<String>,
}

/// Returns whether a reference names a store.
pub(super) fn is_stored(reference: &str) -> bool {
    scheme(reference).is_some()
}

/// Returns the place that a reference names; nothing where it names no store.
///
/// Nothing is asked over the network.
pub(super) fn resolve(reference: &str, context: Context<'_>) -> Option<Result<Place, Error>> {
    let scheme = scheme(reference)?;
    Some(parse(scheme, reference, context).and_then(|named| {
        let env = environment(&named.backend, context.env);
        let mut place = Place::connect(&named.backend, named.key, &env)?;
        place.version = named.version;
        match (context.workspace, &named.backend) {
            (Some(name), backend) if !matches!(backend, Backend::Pg(_)) => {
                Err(Error::NoWorkspaces { name: name.to_owned(), what: place.name() })
            }
            _ => Ok(place),
        }
    }))
}

fn scheme(reference: &str) -> Option<&'static str> {
    let begins = |scheme: &&str| {
        reference.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    SCHEMES.into_iter().find(|scheme| begins(scheme))
}

fn parse(scheme: &str, reference: &str, context: Context<'_>) -> Result<Named, Error> {
    let rest = &reference[scheme.len()..];
    let invalid = |problem| Error::Reference { reference: without_credentials(reference), problem };
    match scheme {
        "s3://" => {
            let (bucket, key) = container(rest).ok_or_else(|| invalid("it names no bucket"))?;
            let (key, version) = versioned(key, "?version=");
            let mut s3 = near_s3(&bucket, context);
            s3.key.clone_from(&key);
            Ok(Named { backend: Backend::S3(Box::new(s3)), key, version })
        }
        "gs://" => {
            let (bucket, key) = container(rest).ok_or_else(|| invalid("it names no bucket"))?;
            let (key, version) = versioned(key, "?generation=");
            let gcs = near_gcs(bucket, context);
            Ok(Named { backend: Backend::Gcs(Box::new(gcs)), key, version })
        }
        "az://" => {
            let (name, key) = container(rest).ok_or_else(|| invalid("it names no container"))?;
            let (key, version) = versioned(key, "?version=");
            let mut azure = near_azure(name, context);
            azure.key.clone_from(&key);
            Ok(Named { backend: Backend::Azure(Box::new(azure)), key, version })
        }
        "http://" | "https://" => {
            let http =
                near_http(scheme, rest, context).ok_or_else(|| invalid("it names no host"))?;
            Ok(Named { backend: Backend::Http(Box::new(http)), key: String::new(), version: None })
        }
        _ => postgres(reference, context).map_err(invalid),
    }
}

/// Splits the name of a bucket or container, which can't be empty, from the key.
fn container(rest: &str) -> Option<(String, &str)> {
    let (name, key) = rest.split_once('/').unwrap_or((rest, ""));
    (!name.is_empty()).then(|| (name.to_owned(), key))
}

/// Cuts the id of a version off a key. An id holds none of what separates the parts of a URL, so
/// that a key with such text in its middle stays whole.
fn versioned(key: &str, mark: &str) -> (String, Option<String>) {
    let is_id = |id: &str| !id.is_empty() && !id.contains(['/', '?', '&', '=']);
    match key.rsplit_once(mark).filter(|(_, id)| is_id(id)) {
        Some((key, id)) => (key.to_owned(), Some(id.to_owned())),
        None => (key.to_owned(), None),
    }
}

/// Returns the backend of the directory one stands in. What is wrong with it is no matter here.
fn here(context: Context<'_>) -> Option<Backend> {
    let context = Context { workspace: None, ..context };
    match Directory::open(Path::new("."), context) {
        Ok(directory) => Some(directory.backend().clone()),
        Err(error) => {
            tracing::debug!(%error, "the backend of this directory is passed over");
            None
        }
    }
}

fn near_s3(bucket: &str, context: Context<'_>) -> backend::S3 {
    match here(context) {
        Some(Backend::S3(s3)) if s3.bucket == bucket => *s3,
        // Nothing says how Terraform locks states there; the object beside a state is what it
        // does unless it is told otherwise.
        _ => backend::S3 { bucket: bucket.to_owned(), use_lockfile: true, ..Default::default() },
    }
}

fn near_gcs(bucket: String, context: Context<'_>) -> backend::Gcs {
    match here(context) {
        Some(Backend::Gcs(gcs)) if gcs.bucket == bucket => *gcs,
        _ => backend::Gcs { bucket, ..Default::default() },
    }
}

fn near_azure(container_name: String, context: Context<'_>) -> backend::Azure {
    let variable = |names: [&str; 3]| names.into_iter().find_map(|name| context.env.get(name));
    match here(context) {
        Some(Backend::Azure(azure)) if azure.container_name == container_name => *azure,
        _ => backend::Azure {
            container_name,
            storage_account_name: variable([
                "AZURE_STORAGE_ACCOUNT",
                "AZURE_STORAGE_ACCOUNT_NAME",
                "ARM_STORAGE_ACCOUNT_NAME",
            ]),
            ..Default::default()
        },
    }
}

fn near_http(scheme: &str, rest: &str, context: Context<'_>) -> Option<backend::Http> {
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(u, h)| (Some(u), h));
    if host.is_empty() {
        return None;
    }
    let address = format!("{scheme}{host}{path}");
    let mut http = match here(context) {
        Some(Backend::Http(http)) if http.address == address => *http,
        _ => backend::Http { address, ..Default::default() },
    };
    if let Some(user) = user {
        let (name, password) = user.split_once(':').unwrap_or((user, ""));
        http.username = Some(decoded(name));
        http.password = Some(Secret::new(decoded(password)));
    }
    Some(http)
}

/// Takes `schema` and `workspace` out of the parameters of a database's URL, which has no others
/// that the server or its clients would not know.
fn postgres(reference: &str, context: Context<'_>) -> Result<Named, &'static str> {
    let (url, parameters) = reference.split_once('?').unwrap_or((reference, ""));
    let (mut schema, mut named, mut others) = (None, None, Vec::new());
    for parameter in parameters.split('&').filter(|parameter| !parameter.is_empty()) {
        match parameter.split_once('=') {
            Some(("schema", name)) => schema = Some(decoded(name)),
            Some(("workspace", name)) => named = Some(decoded(name)),
            _ => others.push(parameter),
        }
    }
    let asked = context.workspace.map(ToOwned::to_owned);
    if named.is_some() && asked.is_some() && named != asked {
        return Err("it names another workspace than `--workspace` does");
    }
    let key = named.or(asked).unwrap_or_else(|| workspace::DEFAULT.to_owned());
    if !workspace::is_name(&key) {
        return Err("it names no workspace that there can be");
    }
    let mark = if others.is_empty() { "" } else { "?" };
    let conn_str = Some(Secret::new(format!("{url}{mark}{}", others.join("&"))));
    let schema_name = schema.or_else(|| context.env.get("PG_SCHEMA_NAME"));
    let pg = backend::Pg { conn_str, schema_name, ..backend::Pg::default() };
    Ok(Named { backend: Backend::Pg(Box::new(pg)), key, version: None })
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Returns the environment that a store may see.
///
/// `TF_HTTP_*` describes one address. What it says of locks is not true of another one, and its
/// credentials are not for another host.
fn environment(backend: &Backend, env: &Env) -> Env {
    let Backend::Http(http) = backend else { return env.clone() };
    let Some(meant) = env.get("TF_HTTP_ADDRESS").filter(|meant| *meant != http.address) else {
        return env.clone();
    };
    let mut names = vec!["TF_HTTP_LOCK_ADDRESS", "TF_HTTP_UNLOCK_ADDRESS"];
    if host(&meant) != host(&http.address) {
        names.extend(["TF_HTTP_USERNAME", "TF_HTTP_PASSWORD", "TF_HTTP_CLIENT_PRIVATE_KEY_PEM"]);
        names.push("TF_HTTP_CLIENT_CERTIFICATE_PEM");
    }
    env.without(&names)
}

/// Returns scheme and host of an address.
fn host(address: &str) -> Option<(String, &str)> {
    let (scheme, rest) = address.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    Some((scheme.to_ascii_lowercase(), host))
}

/// Cuts the user and password out of a URL, and what follows `?` or `#`, where tokens are passed.
pub(super) fn without_credentials(reference: &str) -> String {
    let end = reference.find(['?', '#']).unwrap_or(reference.len());
    let Some((scheme, rest)) = reference[..end].split_once("://") else {
        return reference[..end].to_owned();
    };
    // The names of objects may hold an `@`; there is no user before the name of a bucket.
    if ["s3", "gs", "az"].iter().any(|own| scheme.eq_ignore_ascii_case(own)) {
        return reference.to_owned();
    }
    // A password may hold `/` or `@` by mistake, so everything up to the last `@` goes.
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(reference: &str, env: &[(&str, &str)]) -> Result<Named, Error> {
        let env = Env::from_pairs(env.iter().copied());
        parse(scheme(reference).unwrap(), reference, Context::of(&env))
    }

    #[test]
    fn a_key_is_taken_as_it_is_written() {
        let cases = [
            ("s3://b/k.tfstate", "k.tfstate", None),
            ("S3://b/a%2Fb~[c]{d}#*?", "a%2Fb~[c]{d}#*?", None),
            ("s3://b//a//b/", "/a//b/", None),
            ("s3://b/env:/dev/a", "env:/dev/a", None),
            ("s3://b", "", None),
            (
                "s3://b/k?version=3HL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY",
                "k",
                Some("3HL4kqtJlcpXroDTDmJ+rmSpXd3dIbrHY"),
            ),
            ("s3://b/k?version=1?version=2", "k?version=1", Some("2")),
            ("s3://b/k?version=1/k", "k?version=1/k", None),
            ("s3://b/k?version=", "k?version=", None),
            ("s3://b/k?generation=1", "k?generation=1", None),
            ("s3://b/a@b.tfstate", "a@b.tfstate", None),
            ("gs://b/p/default.tfstate?generation=17", "p/default.tfstate", Some("17")),
            ("az://c/kenv:dev", "kenv:dev", None),
            (
                "az://c/k?version=2026-11-20T03:00:00.1234567Z",
                "k",
                Some("2026-11-20T03:00:00.1234567Z"),
            ),
        ];
        for (reference, key, version) in cases {
            let named = named(reference, &[]).unwrap();
            assert_eq!(
                (named.key.as_str(), named.version.as_deref()),
                (key, version),
                "{reference}"
            );
        }
    }

    #[test]
    fn a_reference_without_a_place_is_refused_without_its_credentials() {
        let cases = [
            ("s3://", "it names no bucket"),
            ("gs:///k", "it names no bucket"),
            ("az:///k", "it names no container"),
            ("https://u:S3CR3T@/x", "it names no host"),
            ("postgres://u:S3CR3T@h/d?workspace=a%20b", "it names no workspace that there can be"),
        ];
        for (reference, problem) in cases {
            let error = named(reference, &[]).unwrap_err();
            assert!(error.to_string().ends_with(problem), "{error}");
            assert!(!format!("{error:?} {error}").contains("S3CR3T"), "{error:?}");
        }
    }

    #[test]
    fn the_user_of_an_address_is_not_part_of_it() {
        let named = named("HTTPS://bob:S3CR3T%40x@host:8443/state?a=b", &[]).unwrap();
        let Backend::Http(http) = &named.backend else { panic!("it is another backend") };
        assert_eq!(http.address, "https://host:8443/state?a=b");
        assert_eq!(http.username.as_deref(), Some("bob"));
        assert_eq!(http.password.as_ref().unwrap().expose(), "S3CR3T@x");
        assert!(!format!("{named:?}").contains("S3CR3T"));
    }

    #[test]
    fn a_database_is_given_only_the_parameters_that_it_knows() {
        let text = "postgres://tf:S3CR3T@h:5432/d?schema=my%20schema&sslmode=disable&workspace=dev";
        let dev = named(text, &[]).unwrap();
        let Backend::Pg(pg) = &dev.backend else { panic!("it is another backend") };
        let url = pg.conn_str.as_ref().unwrap().expose();
        assert_eq!(url, "postgres://tf:S3CR3T@h:5432/d?sslmode=disable");
        assert_eq!((pg.schema_name.as_deref(), dev.key.as_str()), (Some("my schema"), "dev"));
        assert!(!format!("{dev:?}").contains("S3CR3T"));
        assert_eq!(named("postgresql://h/d", &[]).unwrap().key, "default");
        let env = Env::default();
        let context = Context { workspace: Some("prod"), ..Context::of(&env) };
        assert_eq!(postgres("postgres://h/d", context).unwrap().key, "prod");
        assert!(postgres("postgres://h/d?workspace=dev", context).is_err());
    }

    #[test]
    fn the_account_of_a_container_comes_from_the_environment() {
        let named = named("az://c/k", &[("AZURE_STORAGE_ACCOUNT", "acme")]).unwrap();
        let Backend::Azure(azure) = named.backend else { panic!("it is another backend") };
        assert_eq!(azure.storage_account_name.as_deref(), Some("acme"));
    }

    #[test]
    fn locks_and_credentials_of_another_address_are_not_used() {
        let env = Env::from_pairs([
            ("TF_HTTP_ADDRESS", "https://host/a"),
            ("TF_HTTP_LOCK_ADDRESS", "https://host/a/lock"),
            ("TF_HTTP_PASSWORD", "S3CR3T"),
        ]);
        let seen = |reference: &str| {
            let named = parse("https://", reference, Context::of(&env)).unwrap();
            let seen = environment(&named.backend, &env);
            ["TF_HTTP_LOCK_ADDRESS", "TF_HTTP_PASSWORD"].map(|name| seen.get(name).is_some())
        };
        assert_eq!(seen("https://host/a"), [true, true]);
        assert_eq!(seen("https://host/b"), [false, true]);
        assert_eq!(seen("https://elsewhere/a"), [false, false]);
    }
}
