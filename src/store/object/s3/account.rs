//! Whose account credentials are of, where the settings say whose they may be.
//!
//! It is asked for with the credentials themselves before anything is signed with them, as
//! Terraform does: a state of one account must not be written to another by mistake.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use reqsign_aws_v4::{Credential, EMPTY_STRING_SHA256, RequestSigner};
use reqsign_core::{Context, Error, ProvideCredential, Result, SignRequest};

use super::config::amazon;
use super::credentials::Source;
use super::xml::Element;
use crate::store::backend::S3;
use crate::store::object::answer::Answer;

/// Credentials, if they are of an account that they may be of.
#[derive(Debug)]
struct Checked {
    base: Source,
    region: String,
    allowed: Vec<String>,
    forbidden: Vec<String>,
}

/// Returns a source that has only the credentials of accounts that the settings allow.
pub(super) fn checked(settings: &S3, region: &str, base: Source) -> Source {
    let (allowed, forbidden) = (&settings.allowed_account_ids, &settings.forbidden_account_ids);
    if allowed.is_empty() && forbidden.is_empty() {
        return base;
    }
    let (allowed, forbidden) = (allowed.clone(), forbidden.clone());
    Arc::new(Checked { base, region: region.to_owned(), allowed, forbidden })
}

impl ProvideCredential for Checked {
    type Credential = Credential;

    async fn provide_credential(&self, context: &Context) -> Result<Option<Credential>> {
        let Some(found) = self.base.provide_credential_dyn(context).await? else { return Ok(None) };
        let account = self.account(context, &found).await?;
        let why = if self.forbidden.contains(&account) {
            "`forbidden_account_ids` has"
        } else if !self.allowed.is_empty() && !self.allowed.contains(&account) {
            "`allowed_account_ids` has not"
        } else {
            return Ok(Some(found));
        };
        Err(Error::permission_denied(format!("they are of the account {account}, which {why}")))
    }
}

impl Checked {
    async fn account(&self, context: &Context, credential: &Credential) -> Result<String> {
        let host = amazon("sts", &self.region);
        let request =
            Request::get(format!("https://{host}/?Action=GetCallerIdentity&Version=2011-06-15"))
                .header("x-amz-content-sha256", EMPTY_STRING_SHA256)
                .body(Bytes::new())?;
        let (mut head, body) = request.into_parts();
        let signer = RequestSigner::new("sts", &self.region);
        signer.sign_request(context, &mut head, Some(credential), None).await?;
        let failed = |why: String| {
            Error::permission_denied(format!("whose account they are of is not known: {why}"))
        };
        let answer = context.http_send(Request::from_parts(head, body)).await;
        let answer = answer.map_err(|error| failed(error.to_string()))?;
        if !answer.status().is_success() {
            let said = Answer::read(answer.status(), answer.headers(), answer.body());
            return Err(failed(said.to_string()));
        }
        let account = Element::parse(answer.body()).and_then(|answer| {
            let result =
                answer.children().iter().find(|one| one.name() == "GetCallerIdentityResult")?;
            Some(result.text("Account").to_owned()).filter(|account| !account.is_empty())
        });
        account.ok_or_else(|| failed("the answer does not say".to_owned()))
    }
}
