//! Where credentials come from, in the order of the AWS tools.
//!
//! Keys in the settings; the profile that the settings name; keys in the environment; a web
//! identity; the profile of the environment, or `default`; the container; the machine. Nothing
//! further down is asked where something above has them. A role in the settings is assumed with
//! what was found.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use reqsign_aws_v4::{
    AssumeRoleCredentialProvider, AssumeRoleWithWebIdentityCredentialProvider, Credential,
    ECSCredentialProvider, EnvCredentialProvider, IMDSv2CredentialProvider,
    ProcessCredentialProvider, RequestSigner, SSOCredentialProvider, StaticCredentialProvider,
};
use reqsign_core::{Context, ProvideCredential, ProvideCredentialDyn, Signer};

use super::account;
use super::config::{self, Config};
use super::profile::{self, Profiles};
use crate::base::env::Env;
use crate::store::Error;
use crate::store::backend::{AssumeRole, S3, WebIdentity};
use crate::store::object::signing::{nearby, surroundings};

/// How many profiles may lead from one to the next.
const DEPTH: usize = 5;

/// What a session is called that nobody named.
const SESSION: &str = "tfstate";

/// Something that may have credentials.
pub(super) type Source = Arc<dyn ProvideCredentialDyn<Credential = Credential>>;

/// Returns what signs requests to S3 with the credentials that are found when first needed.
pub(super) fn signer(
    settings: &S3,
    env: &Env,
    profiles: &Profiles,
    config: &Config,
) -> Result<Signer<Credential>, Error> {
    let invalid = |problem| Error::Settings { backend: "s3", problem };
    // The libraries know one file of each kind, and only through these variables.
    let first = |name, files: Vec<PathBuf>| Some((name, files.first()?.to_str()?.to_owned()));
    let files = [
        first("AWS_CONFIG_FILE", profile::config_files(settings, env)),
        first("AWS_SHARED_CREDENTIALS_FILE", profile::credentials_files(settings, env)),
    ];
    let changed: Vec<_> = files.into_iter().flatten().collect();
    let region = config.region.clone();
    let mut elsewhere = BTreeMap::new();
    if let Some(endpoint) = config::endpoint(settings, env, profiles, "sts")? {
        elsewhere.insert(format!("https://{}", config::amazon("sts", &region)), endpoint);
    }
    let context = surroundings(&config.network, env, &changed, elsewhere);
    let search = Search { settings, profiles, context: context.clone(), region: region.clone() };
    let found = search.all(nearby(env)).map_err(invalid)?;
    let found = account::checked(settings, &region, found);
    Ok(Signer::new(context, found, RequestSigner::new("s3", &region)))
}

/// The search for credentials.
struct Search<'a> {
    settings: &'a S3,
    profiles: &'a Profiles,
    context: Context,
    region: String,
}

impl Search<'_> {
    fn all(&self, nearby: Context) -> Result<Source, String> {
        let base = match &self.settings.assume_role_with_web_identity {
            Some(role) => Arc::new(self.web_identity(role)),
            None => self.base(nearby)?,
        };
        let Some(role) = &self.settings.assume_role else { return Ok(base) };
        Ok(Arc::new(self.assume(role, base)))
    }

    fn base(&self, nearby: Context) -> Result<Source, String> {
        let settings = self.settings;
        match (&settings.access_key, &settings.secret_key) {
            (Some(key), Some(secret)) => {
                let mut found = StaticCredentialProvider::new(key.expose(), secret.expose());
                if let Some(token) = &settings.token {
                    found = found.with_session_token(token.expose());
                }
                return Ok(Arc::new(found));
            }
            (None, None) => {}
            _ => return Err("an access key and a secret key belong together".to_owned()),
        }
        if settings.profile.is_some() {
            return self.profile(self.profiles.name(), 0);
        }
        let mut sources: Vec<(Source, Option<Context>)> = vec![
            (Arc::new(EnvCredentialProvider::new()), None),
            (Arc::new(self.web_identity_of_environment()), None),
        ];
        match self.profile(self.profiles.name(), 0) {
            Ok(profile) => sources.push((profile, None)),
            // Keys in the environment go before a profile that does not work.
            Err(why) => sources.push((Arc::new(Unusable(why)), None)),
        }
        sources.push((Arc::new(ECSCredentialProvider::new()), Some(nearby.clone())));
        sources.push((Arc::new(IMDSv2CredentialProvider::new()), Some(nearby)));
        Ok(Arc::new(FirstOf(sources)))
    }

    /// Returns what a profile says where credentials come from; nothing where it says nothing.
    fn profile(&self, name: &str, depth: usize) -> Result<Source, String> {
        if let Some(missing) = self.profiles.missing() {
            return Err(format!("there is no profile `{missing}` in the shared files"));
        }
        if depth > DEPTH {
            return Err(format!("the profiles before `{name}` lead in a circle"));
        }
        let of = |key: &str| self.profiles.of(name, key).map(ToOwned::to_owned);
        let keys: Option<Source> = of("aws_access_key_id").zip(of("aws_secret_access_key")).map(
            |(key, secret)| -> Source {
                let found = StaticCredentialProvider::new(&key, &secret);
                let token = of("aws_session_token");
                Arc::new(token.iter().fold(found, |found, token| found.with_session_token(token)))
            },
        );
        if let Some(role_arn) = of("role_arn") {
            let role = AssumeRole {
                role_arn,
                session_name: of("role_session_name"),
                external_id: of("external_id"),
                duration_seconds: of("duration_seconds").and_then(|text| text.parse().ok()),
                ..AssumeRole::default()
            };
            if of("mfa_serial").is_some() {
                return Err(format!(
                    "profile `{name}` asks for a second factor: get a session first, with `aws configure export-credentials --profile {name} --format env`"
                ));
            }
            if let Some(file) = of("web_identity_token_file") {
                return Ok(Arc::new(self.web_identity(&WebIdentity {
                    role_arn: Some(role.role_arn),
                    session_name: role.session_name,
                    duration_seconds: role.duration_seconds,
                    web_identity_token_file: Some(file.into()),
                    ..WebIdentity::default()
                })));
            }
            let base = match (of("source_profile"), of("credential_source").as_deref(), keys) {
                (Some(source), _, Some(keys)) if source == name => keys,
                (Some(source), ..) => self.profile(&source, depth + 1)?,
                (None, Some("Environment"), _) => Arc::new(EnvCredentialProvider::new()),
                (None, Some("EcsContainer"), _) => Arc::new(ECSCredentialProvider::new()),
                (None, Some("Ec2InstanceMetadata"), _) => Arc::new(IMDSv2CredentialProvider::new()),
                (None, _, Some(keys)) => keys,
                (None, _, None) => {
                    return Err(format!("profile `{name}` has a role, and no `source_profile`"));
                }
            };
            return Ok(Arc::new(self.assume(&role, base)));
        }
        if let Some(keys) = keys {
            return Ok(keys);
        }
        if of("sso_session").is_some() || of("sso_start_url").is_some() {
            return Ok(Arc::new(SSOCredentialProvider::new().with_profile(name)));
        }
        if let Some(command) = of("credential_process") {
            return Ok(Arc::new(ProcessCredentialProvider::new().with_command(command)));
        }
        Ok(Arc::new(FirstOf(Vec::new())))
    }

    fn assume(&self, role: &AssumeRole, base: Source) -> Assumed {
        let signer = RequestSigner::new("sts", &self.region);
        let signer = Signer::new(self.context.clone(), Arc::clone(&base), signer);
        let session = role.session_name.clone().unwrap_or_else(|| SESSION.to_owned());
        let mut provider = AssumeRoleCredentialProvider::new(role.role_arn.clone(), signer)
            .with_role_session_name(session)
            .with_region(self.region.clone())
            .with_regional_sts_endpoint();
        if let Some(id) = &role.external_id {
            provider = provider.with_external_id(id.clone());
        }
        if let Some(seconds) = role.duration_seconds {
            provider = provider.with_duration_seconds(seconds);
        }
        if let Some(policy) = &role.policy {
            provider = provider.with_policy(policy.clone());
        }
        let tags = role.tags.clone().into_iter().collect();
        let role = provider.with_policy_arns(role.policy_arns.clone()).with_tags(tags);
        Assumed { role, base }
    }

    fn web_identity(&self, role: &WebIdentity) -> AssumeRoleWithWebIdentityCredentialProvider {
        let mut provider = self.web_identity_of_environment();
        if let Some(arn) = &role.role_arn {
            provider = provider.with_role_arn(arn.clone());
        }
        if let Some(file) = &role.web_identity_token_file {
            provider = provider.with_web_identity_token_file(file);
        }
        if let Some(token) = &role.web_identity_token {
            provider = provider.with_subject_token(token.expose());
        }
        if let Some(seconds) = role.duration_seconds {
            provider = provider.with_duration_seconds(seconds);
        }
        if let Some(policy) = &role.policy {
            provider = provider.with_policy(policy.clone());
        }
        if !role.policy_arns.is_empty() {
            provider = provider.with_policy_arns(role.policy_arns.clone());
        }
        let session = role.session_name.clone().unwrap_or_else(|| SESSION.to_owned());
        provider.with_role_session_name(session)
    }

    fn web_identity_of_environment(&self) -> AssumeRoleWithWebIdentityCredentialProvider {
        AssumeRoleWithWebIdentityCredentialProvider::new()
            .with_region(self.region.clone())
            .with_regional_sts_endpoint()
    }
}

/// The credentials of a role, and those that it is assumed with.
#[derive(Debug)]
struct Assumed {
    role: AssumeRoleCredentialProvider,
    base: Source,
}

impl ProvideCredential for Assumed {
    type Credential = Credential;

    async fn provide_credential(
        &self,
        context: &Context,
    ) -> reqsign_core::Result<Option<Credential>> {
        let error = match self.role.provide_credential(context).await {
            Err(error) => error,
            found => return found,
        };
        // Where there was nothing to ask with, the library does not say why.
        match self.base.provide_credential_dyn(context).await {
            Ok(Some(_)) => Err(error),
            without => without,
        }
    }
}

/// The first of several sources that has credentials, each in its own surroundings if it has some.
///
/// Where none has them, the first that should have had some says why.
#[derive(Debug)]
struct FirstOf(Vec<(Source, Option<Context>)>);

impl ProvideCredential for FirstOf {
    type Credential = Credential;

    async fn provide_credential(
        &self,
        context: &Context,
    ) -> reqsign_core::Result<Option<Credential>> {
        let mut first = None;
        for (source, own) in &self.0 {
            match source.provide_credential_dyn(own.as_ref().unwrap_or(context)).await {
                Ok(Some(credential)) => return Ok(Some(credential)),
                Ok(None) => {}
                // That a service of the machine is not there is no news.
                Err(_) if own.is_some() => {}
                Err(error) => first = first.or(Some(error)),
            }
        }
        first.map_or(Ok(None), Err)
    }
}

/// A source that can't have credentials, and why.
#[derive(Debug)]
struct Unusable(String);

impl ProvideCredential for Unusable {
    type Credential = Credential;

    async fn provide_credential(&self, _: &Context) -> reqsign_core::Result<Option<Credential>> {
        Err(reqsign_core::Error::config_invalid(self.0.clone()))
    }
}
