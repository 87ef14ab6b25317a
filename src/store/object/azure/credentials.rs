//! Who asks: a key or a signature as it is, or a token for whoever signs in.

use bytes::Bytes;
use reqsign_azure_storage::{
    AzureCliCredentialProvider, ClientSecretCredentialProvider, Credential, ImdsCredentialProvider,
    WorkloadIdentityCredentialProvider,
};
use reqsign_core::{Context, Error, ProvideCredential};

use super::settings::{Credentials, Settings, Token};
use crate::base::env::Env;
use crate::store::object::signing;

/// Whom a token that a pipeline gives out must be meant for.
const AUDIENCE: &str = "api%3A%2F%2FAzureADTokenExchange";

/// Finds what requests are signed with.
#[derive(Debug)]
pub(super) struct Provider {
    account: String,
    authority: &'static str,
    credentials: Credentials,
    /// The surroundings in which to ask the machine; none where it is not asked.
    nearby: Option<Context>,
}

impl Provider {
    /// Returns what finds them, or why there can be nothing.
    pub(super) fn new(settings: &Settings, env: &Env) -> Result<Self, String> {
        let credentials = settings.credentials.clone();
        let nearby = match &credentials {
            Credentials::Machine { client } => {
                // The search knows which identity of the machine is meant by a variable only.
                let client = client.as_deref().map(|client| ("AZURE_CLIENT_ID", client));
                Some(signing::nearby(&Env::from_pairs(env.texts().chain(client)))?)
            }
            _ => None,
        };
        let (account, authority) = (settings.account.clone(), settings.authority);
        Ok(Self { account, authority, credentials, nearby })
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
            Credentials::Application { tenant, client, secret } => {
                ClientSecretCredentialProvider::new()
                    .with_tenant_id(tenant)
                    .with_client_id(client)
                    .with_client_secret(secret.expose())
                    .with_authority_host(self.authority)
                    .provide_credential(context)
                    .await
            }
            Credentials::Workload { tenant, client, token } => {
                let provider = WorkloadIdentityCredentialProvider::new()
                    .with_tenant_id(tenant)
                    .with_client_id(client)
                    .with_authority_host(self.authority);
                let provider = match token {
                    Token::Text(text) => provider.with_subject_token(text.expose()),
                    Token::File(path) => provider.with_federated_token_file(path),
                    Token::Request { url, bearer } => {
                        provider.with_subject_token(request(context, url, bearer.expose()).await?)
                    }
                };
                provider.provide_credential(context).await
            }
            Credentials::Machine { .. } => {
                let context = self.nearby.as_ref().unwrap_or(context);
                ImdsCredentialProvider::new().provide_credential(context).await
            }
            Credentials::CommandLine => {
                AzureCliCredentialProvider::new().provide_credential(context).await
            }
        }
    }
}

/// Asks a pipeline for the token of its workload.
async fn request(context: &Context, url: &str, bearer: &str) -> reqsign_core::Result<String> {
    let failed = |why: &str| Error::credential_invalid(format!("the token of the pipeline {why}"));
    let separator = if url.contains('?') { '&' } else { '?' };
    let request = http::Request::get(format!("{url}{separator}audience={AUDIENCE}"))
        .header("authorization", format!("Bearer {bearer}"))
        .header("accept", "application/json")
        .body(Bytes::new())
        .map_err(|_| failed("has no valid address"))?;
    let answer = context.http_send(request).await?;
    let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    match body["value"].as_str() {
        Some(token) if answer.status().is_success() => Ok(token.to_owned()),
        _ => Err(failed("was refused")),
    }
}
