//! What every request to a bucket carries.

use std::collections::BTreeMap;
use std::fmt;

use futures_util::future::BoxFuture;
use http::HeaderValue;
use http::header::HeaderName;
use http::request::Parts;
use reqsign_core::Signer;
use reqsign_google::{Credential, RequestSigner};

use super::credentials::Provider;
use super::settings::{Encryption, Settings};
use crate::base::env::Env;
use crate::store::object::client::Sign;
use crate::store::object::error::Fault;
use crate::store::object::network::Network;
use crate::store::object::signing;

/// Adds a token, and the key of contents where there is one.
#[derive(Clone)]
pub(super) struct Bearer {
    signer: Signer<Credential>,
    encryption: Vec<(HeaderName, HeaderValue)>,
}

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearer").finish_non_exhaustive()
    }
}

impl Bearer {
    pub(super) fn new(settings: &Settings, network: &Network, env: &Env) -> Self {
        // Google's tools look below the home directory, whatever else is set.
        let home = env.home().map(|home| home.join(".config").to_string_lossy().into_owned());
        let changed: Vec<_> = home.map(|home| ("XDG_CONFIG_HOME", home)).into_iter().collect();
        let context = signing::surroundings(network, env, &changed, BTreeMap::new());
        let provider = Provider::new(settings, env);
        let signer = Signer::new(context, provider, RequestSigner::new("storage"));
        Self { signer, encryption: Vec::new() }
    }

    /// Returns what adds the key of contents too, if there is one.
    pub(super) fn encrypting(&self, settings: &Settings) -> Option<Self> {
        let Encryption::Key { key, sha256 } = &settings.encryption else { return None };
        let header = |name: &'static str, value: &str| {
            let mut value = HeaderValue::from_str(value).ok()?;
            value.set_sensitive(true);
            Some((HeaderName::from_static(name), value))
        };
        let encryption = vec![
            header("x-goog-encryption-algorithm", "AES256")?,
            header("x-goog-encryption-key", key.expose())?,
            header("x-goog-encryption-key-sha256", sha256)?,
        ];
        Some(Self { signer: self.signer.clone(), encryption })
    }
}

impl Sign for Bearer {
    fn sign<'a>(&'a self, head: &'a mut Parts) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            head.headers.extend(self.encryption.clone());
            self.signer
                .sign(head, None)
                .await
                .map_err(|error| Fault::NoCredentials(error.to_string()))
        })
    }
}
