//! Who asks: a token, a file of credentials, or what Google's own tools would use here.

use reqsign_core::{Context, ProvideCredential};
use reqsign_google::{
    Credential, DefaultCredentialProvider, FileCredentialProvider,
    ServiceAccountImpersonationCredentialProvider, ServiceAccountImpersonationGrant,
    ServiceAccountTokenCredentialProvider, StaticCredentialProvider, TokenCredentialProvider,
    VmMetadataCredentialProvider,
};

use super::settings::{Credentials, Settings};
use crate::base::env::Env;
use crate::store::object::signing;

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Finds a token, and exchanges it for that of another account where one is to be acted as.
#[derive(Debug)]
pub(super) struct Provider {
    credentials: Credentials,
    impersonate: Option<ServiceAccountImpersonationGrant>,
    /// The surroundings in which to ask the machine; none where it is not asked.
    nearby: Option<Context>,
}

impl Provider {
    /// Returns what finds them.
    pub(super) fn new(settings: &Settings, env: &Env) -> Self {
        let impersonate = settings.impersonate.as_ref().map(|account| {
            ServiceAccountImpersonationGrant::new(account, [SCOPE])
                .with_delegates(&settings.delegates)
        });
        let nearby = match &settings.credentials {
            Credentials::Default => Some(signing::nearby(env)),
            _ => None,
        };
        Self { credentials: settings.credentials.clone(), impersonate, nearby }
    }
}

impl ProvideCredential for Provider {
    type Credential = Credential;

    async fn provide_credential(
        &self,
        context: &Context,
    ) -> reqsign_core::Result<Option<Credential>> {
        let source = Source { credentials: self.credentials.clone(), nearby: self.nearby.clone() };
        match &self.impersonate {
            None => source.provide_credential(context).await,
            Some(grant) => {
                ServiceAccountImpersonationCredentialProvider::new(source, grant.clone())
                    .provide_credential(context)
                    .await
            }
        }
    }
}

/// Finds the token of whoever this machine or its user is.
#[derive(Debug)]
struct Source {
    credentials: Credentials,
    nearby: Option<Context>,
}

impl ProvideCredential for Source {
    type Credential = Credential;

    async fn provide_credential(
        &self,
        context: &Context,
    ) -> reqsign_core::Result<Option<Credential>> {
        let found = match &self.credentials {
            // Nothing else is looked at, above all not the address of the machine's metadata.
            Credentials::Token(token) => {
                return TokenCredentialProvider::new(token.expose())
                    .provide_credential(context)
                    .await;
            }
            Credentials::Text(text) => {
                StaticCredentialProvider::new(text.expose()).provide_credential(context).await?
            }
            Credentials::File(path) => {
                FileCredentialProvider::new(path).provide_credential(context).await?
            }
            Credentials::Default => {
                let files = DefaultCredentialProvider::builder().no_vm_metadata().build();
                let found = files.provide_credential(context).await?;
                match (found, &self.nearby) {
                    (None, Some(nearby)) => {
                        VmMetadataCredentialProvider::new().provide_credential(nearby).await?
                    }
                    (found, _) => found,
                }
            }
        };
        match found {
            // A key is worth a token, which is kept until it expires; the key alone would be
            // exchanged for one at every request.
            Some(Credential { service_account: Some(account), token: None, .. }) => {
                ServiceAccountTokenCredentialProvider::new(account)
                    .with_scope(SCOPE)
                    .provide_credential(context)
                    .await
            }
            found => Ok(found),
        }
    }
}
