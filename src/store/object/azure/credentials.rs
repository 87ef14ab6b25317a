//! Who asks: a key or a signature as it is, or a token for whoever signs in.

use bytes::Bytes;
use reqsign_azure_storage::{
    AzureCliCredentialProvider, ClientSecretCredentialProvider, Credential, ImdsCredentialProvider,
    WorkloadIdentityCredentialProvider,
};
use reqsign_core::{Context, Error, ProvideCredential, Result};

use super::settings::{Credentials, Settings, Token};

/// Whom a token that a pipeline gives out must be meant for.
const AUDIENCE: &str = "api%3A%2F%2FAzureADTokenExchange";

/// Finds what requests are signed with.
#[derive(Debug)]
pub(super) struct Provider {
    account: String,
    authority: &'static str,
    credentials: Credentials,
}

impl Provider {
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            account: settings.account.clone(),
            authority: settings.authority,
            credentials: settings.credentials.clone(),
        }
    }

    /// Returns the variables that the search must see, whatever the environment says.
    pub(super) fn variables(&self) -> Vec<(&'static str, Option<String>)> {
        match &self.credentials {
            Credentials::Machine { client: Some(client) } => {
                vec![("AZURE_CLIENT_ID", Some(client.clone()))]
            }
            _ => Vec::new(),
        }
    }
}

impl ProvideCredential for Provider {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> Result<Option<Credential>> {
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
                ImdsCredentialProvider::new().provide_credential(context).await
            }
            Credentials::CommandLine => {
                AzureCliCredentialProvider::new().provide_credential(context).await
            }
        }
    }
}

/// Asks a pipeline for the token of its workload.
async fn request(context: &Context, url: &str, bearer: &str) -> Result<String> {
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
