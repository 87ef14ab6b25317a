//! Who asks: a key or a signature as it is, or a token for whoever signs in.

use reqsign_azure_storage::{
    ClientSecretCredentialProvider, Credential, ImdsCredentialProvider,
    WorkloadIdentityCredentialProvider,
};
use reqsign_core::{Context, ProvideCredential};

use super::choice::{Credentials, Token};
use super::command_line;
use super::settings::Settings;
use crate::base::env::Env;
use crate::store::object::signing;

/// Finds what requests are signed with.
#[derive(Debug)]
pub(super) struct Provider {
    account: String,
    credentials: Credentials,
    /// The surroundings in which to ask the machine; none where it is not asked.
    nearby: Option<Context>,
}

impl Provider {
    /// Returns what finds them.
    pub(super) fn new(settings: &Settings, env: &Env) -> Self {
        let credentials = settings.credentials.clone();
        let nearby = match &credentials {
            Credentials::Machine { client, .. } => {
                // The search knows which identity of the machine is meant by a variable only.
                let client = client.as_deref().map(|client| ("AZURE_CLIENT_ID", client));
                Some(signing::nearby(&Env::from_pairs(env.texts().chain(client))))
            }
            _ => None,
        };
        Self { account: settings.account.clone(), credentials, nearby }
    }
}

impl ProvideCredential for Provider {
    type Credential = Credential;

    async fn provide_credential(
        &self,
        context: &Context,
    ) -> reqsign_core::Result<Option<Credential>> {
        match &self.credentials {
            Credentials::Key(key) => {
                Ok(Some(Credential::with_shared_key(&self.account, key.expose())))
            }
            Credentials::Signature(text) => Ok(Some(Credential::with_sas_token(text.expose()))),
            Credentials::Application(application, secret) => {
                ClientSecretCredentialProvider::new()
                    .with_tenant_id(&application.tenant)
                    .with_client_id(&application.client)
                    .with_client_secret(secret.expose())
                    .with_authority_host(application.authority)
                    .provide_credential(context)
                    .await
            }
            Credentials::Workload(application, token) => {
                let provider = WorkloadIdentityCredentialProvider::new()
                    .with_tenant_id(&application.tenant)
                    .with_client_id(&application.client)
                    .with_authority_host(application.authority);
                let provider = match token {
                    Token::Text(text) => provider.with_subject_token(text.expose()),
                    Token::File(path) => provider.with_federated_token_file(path),
                    Token::Pipeline(pipeline) => {
                        provider.with_subject_token(pipeline.token(context).await?)
                    }
                };
                provider.provide_credential(context).await
            }
            Credentials::Machine { endpoint, .. } => {
                let context = self.nearby.as_ref().unwrap_or(context);
                // The search passes over an endpoint that is empty.
                ImdsCredentialProvider::new()
                    .with_endpoint(endpoint.clone().unwrap_or_default())
                    .provide_credential(context)
                    .await
            }
            Credentials::CommandLine { tenant } => {
                command_line::credential(context, tenant.as_deref()).await
            }
        }
    }
}
