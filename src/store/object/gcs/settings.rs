//! What the configuration leaves open, from the environment.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use crate::base::env::Env;
use crate::base::secret::Secret;
use crate::base::sha256;
use crate::store::Error;
use crate::store::backend::Gcs;

/// Settings with nothing left open.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) bucket: String,
    pub(super) endpoint: Url,
    pub(super) credentials: Credentials,
    pub(super) impersonate: Option<String>,
    pub(super) delegates: Vec<String>,
    pub(super) encryption: Encryption,
}

/// Where the right to ask comes from.
#[derive(Clone, Debug)]
pub(super) enum Credentials {
    /// A token, which is used as it is.
    Token(Secret),
    /// The text of a credentials file.
    Text(Secret),
    /// The path of one.
    File(String),
    /// What Google's own tools would use here.
    Default,
}

/// How objects are encrypted, beyond what the bucket does anyway.
#[derive(Debug)]
pub(super) enum Encryption {
    Default,
    /// With a key that is sent along.
    Key {
        key: Secret,
        sha256: String,
    },
    /// With a key in the key management service.
    Managed(String),
}

impl Settings {
    /// Completes the configuration, in Terraform's order.
    pub(super) fn new(given: &Gcs, env: &Env) -> Result<Self, Error> {
        if given.bucket.is_empty() {
            return Err(invalid("no bucket is set"));
        }
        let first = |names: &[&str]| names.iter().find_map(|name| env.get(name));
        let token = given.access_token.clone();
        let token = token.or_else(|| first(&["GOOGLE_OAUTH_ACCESS_TOKEN"]).map(Secret::new));
        let file = given.credentials.clone().or_else(|| {
            first(&["GOOGLE_BACKEND_CREDENTIALS", "GOOGLE_CREDENTIALS"]).map(Secret::new)
        });
        let impersonate = given.impersonate_service_account.clone().or_else(|| {
            let backend = "GOOGLE_BACKEND_IMPERSONATE_SERVICE_ACCOUNT";
            first(&[backend, "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT"])
        });
        let endpoint = given.storage_custom_endpoint.clone().or_else(|| {
            first(&["GOOGLE_BACKEND_STORAGE_CUSTOM_ENDPOINT", "GOOGLE_STORAGE_CUSTOM_ENDPOINT"])
        });
        Ok(Self {
            bucket: given.bucket.clone(),
            endpoint: endpoint_url(endpoint.as_deref())?,
            credentials: credentials(token, file, env),
            impersonate,
            delegates: given.impersonate_service_account_delegates.clone(),
            encryption: encryption(given, env)?,
        })
    }
}

fn credentials(token: Option<Secret>, file: Option<Secret>, env: &Env) -> Credentials {
    if let Some(token) = token {
        return Credentials::Token(token);
    }
    let Some(text) = file else { return Credentials::Default };
    if text.expose().trim_start().starts_with('{') {
        return Credentials::Text(text);
    }
    let path = match (text.expose().strip_prefix("~/"), env.get("HOME")) {
        (Some(rest), Some(home)) => format!("{home}/{rest}"),
        _ => text.expose().to_owned(),
    };
    Credentials::File(path)
}

fn encryption(given: &Gcs, env: &Env) -> Result<Encryption, Error> {
    let key = given.encryption_key.clone();
    let key = key.or_else(|| env.get("GOOGLE_ENCRYPTION_KEY").map(Secret::new));
    let managed = given.kms_encryption_key.clone();
    let managed = managed.or_else(|| env.get("GOOGLE_KMS_ENCRYPTION_KEY"));
    match (key, managed) {
        (Some(_), Some(_)) => {
            Err(invalid("both an encryption key and a key of the key management service are set"))
        }
        (Some(key), None) => {
            let bytes = STANDARD.decode(key.expose()).ok().filter(|bytes| bytes.len() == 32);
            let Some(bytes) = bytes else {
                return Err(invalid("the encryption key is not the base64 of 32 bytes"));
            };
            Ok(Encryption::Key { key, sha256: STANDARD.encode(sha256::of(&bytes)) })
        }
        (None, Some(name)) => Ok(Encryption::Managed(name)),
        (None, None) => Ok(Encryption::Default),
    }
}

/// Returns where the interface is: Terraform's users name the host, or the path of the buckets.
fn endpoint_url(given: Option<&str>) -> Result<Url, Error> {
    let text = given.unwrap_or("https://storage.googleapis.com").trim_end_matches('/');
    let text = text.strip_suffix("/b").unwrap_or(text).trim_end_matches('/');
    let text = text.strip_suffix("/storage/v1").unwrap_or(text);
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err(invalid("the custom endpoint is not the address of a server")),
    }
}

fn invalid(problem: &str) -> Error {
    Error::Settings { backend: "gcs", problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    fn settings(given: &Gcs, env: &[(&str, &str)]) -> Result<Settings, Error> {
        Settings::new(given, &Env::from_pairs(env.iter().copied()))
    }

    fn bucket() -> Gcs {
        Gcs { bucket: "b".to_owned(), ..Gcs::default() }
    }

    #[test]
    fn an_endpoint_is_named_as_terraform_takes_it() {
        for text in [
            "http://127.0.0.1:4443",
            "http://127.0.0.1:4443/",
            "http://127.0.0.1:4443/storage/v1/b",
            "http://127.0.0.1:4443/storage/v1/",
        ] {
            assert_eq!(endpoint_url(Some(text)).unwrap().as_str(), "http://127.0.0.1:4443/");
        }
        assert_eq!(endpoint_url(None).unwrap().as_str(), "https://storage.googleapis.com/");
        for text in ["127.0.0.1:4443", "ftp://host", "nonsense"] {
            assert!(matches!(endpoint_url(Some(text)), Err(Error::Settings { .. })), "{text}");
        }
    }

    #[test]
    fn the_configuration_wins_over_the_environment_and_the_token_over_the_file() {
        let env = [
            ("GOOGLE_OAUTH_ACCESS_TOKEN", "token"),
            ("GOOGLE_CREDENTIALS", "{}"),
            ("GOOGLE_STORAGE_CUSTOM_ENDPOINT", "http://other"),
        ];
        let given = Gcs { storage_custom_endpoint: Some("http://one".to_owned()), ..bucket() };
        let settings = settings(&given, &env).unwrap();
        assert_eq!(settings.endpoint.as_str(), "http://one/");
        assert!(matches!(settings.credentials, Credentials::Token(_)));
    }

    #[test]
    fn credentials_are_a_text_or_the_path_of_a_file() {
        let credentials = |env: &[(&str, &str)]| settings(&bucket(), env).unwrap().credentials;
        assert!(matches!(credentials(&[]), Credentials::Default));
        let text = [("GOOGLE_CREDENTIALS", " {\"type\": 1}")];
        assert!(matches!(credentials(&text), Credentials::Text(_)));
        let file = [("GOOGLE_BACKEND_CREDENTIALS", "~/key.json"), ("HOME", "/home/me")];
        let Credentials::File(path) = credentials(&file) else { panic!() };
        assert_eq!(path, "/home/me/key.json");
    }

    #[test]
    fn a_key_that_is_none_is_refused_without_showing_it() {
        let error = settings(&bucket(), &[("GOOGLE_ENCRYPTION_KEY", "hunter2")]).unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"));
        let both = [("GOOGLE_ENCRYPTION_KEY", KEY), ("GOOGLE_KMS_ENCRYPTION_KEY", "projects/p")];
        assert!(settings(&bucket(), &both).is_err());
        let one = settings(&bucket(), &[("GOOGLE_ENCRYPTION_KEY", KEY)]).unwrap();
        let Encryption::Key { sha256, .. } = &one.encryption else { panic!() };
        assert_eq!(sha256, "Yw3NKWbEM2aRElRIu7JbT/QSpJxzLbLIq8G4WBvXEN0=");
        assert!(!format!("{one:?}").contains(KEY));
    }
}
