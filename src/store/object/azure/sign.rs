//! What every request to an account carries.

use std::collections::BTreeMap;
use std::fmt;

use futures_util::future::BoxFuture;
use http::HeaderValue;
use http::header::DATE;
use http::request::Parts;
use reqsign_azure_storage::{Credential, RequestSigner};
use reqsign_core::Signer;

use super::credentials::Provider;
use super::settings::Settings;
use crate::base::env::Env;
use crate::store::object::client::Sign;
use crate::store::object::error::Fault;
use crate::store::object::network::Network;
use crate::store::object::signing;

/// The version of the interface: the first with names that XML can't hold, among older things.
const VERSION: HeaderValue = HeaderValue::from_static("2021-12-02");

/// Signs with a key, or adds a signature or a token.
pub(super) struct Authorization(Signer<Credential>);

impl fmt::Debug for Authorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorization").finish_non_exhaustive()
    }
}

impl Authorization {
    pub(super) fn new(settings: &Settings, network: &Network, env: &Env) -> Self {
        let provider = Provider::new(settings, env);
        let context = signing::surroundings(network, env, &[], BTreeMap::new());
        Self(Signer::new(context, provider, RequestSigner::new()))
    }
}

impl Sign for Authorization {
    fn sign<'a>(&'a self, head: &'a mut Parts) -> BoxFuture<'a, Result<(), Fault>> {
        Box::pin(async move {
            // The signature has a date of its own, and would cover this one too.
            head.headers.remove(DATE);
            head.headers.insert("x-ms-version", VERSION);
            self.0.sign(head, None).await.map_err(|error| Fault::NoCredentials(error.to_string()))
        })
    }
}
