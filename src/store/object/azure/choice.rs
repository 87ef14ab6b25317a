//! Who asks: the choice among the credentials of the configuration and of the environment, in the
//! order in which Terraform makes it.
//!
//! What is given in a file as well must be the same there, as it must for Terraform.

use std::fs;
use std::path::PathBuf;

use super::cloud::Cloud;
use super::invalid;
use super::pipeline::Pipeline;
use super::settings::Connection;
use crate::base::env::Env;
use crate::base::secret::Secret;
use crate::store::Error;
use crate::store::backend::Azure;

/// Where the right to ask comes from.
#[derive(Clone, Debug)]
pub(super) enum Credentials {
    /// A key of the account.
    Key(Secret),
    /// A shared access signature.
    Signature(Secret),
    /// An application with a secret.
    Application(Application, Secret),
    /// An application with a token of the workload.
    Workload(Application, Token),
    /// This machine.
    Machine {
        /// Which of its identities; it has a usual one.
        client: Option<String>,
        /// Where it gives out tokens; there is a usual place.
        endpoint: Option<String>,
    },
    /// Whoever is signed in with `az login`.
    CommandLine {
        /// For which tenant; one is set there.
        tenant: Option<String>,
    },
}

/// An application that signs in.
#[derive(Clone, Debug)]
pub(super) struct Application {
    pub(super) tenant: String,
    pub(super) client: String,
    pub(super) authority: &'static str,
}

/// Where the token of a workload is.
#[derive(Clone, Debug)]
pub(super) enum Token {
    Text(Secret),
    File(String),
    /// A service of the pipeline gives it out.
    Pipeline(Pipeline),
}

/// What there is to choose from.
#[derive(Clone, Copy)]
pub(super) struct Choice<'a> {
    pub(super) given: &'a Azure,
    pub(super) env: &'a Env,
    pub(super) connection: &'a Connection,
    pub(super) cloud: Option<Cloud>,
    /// Whether this is the workload of a cluster, which tells it who it is.
    is_in_cluster: bool,
}

impl<'a> Choice<'a> {
    /// Returns the choice there is; the cloud to sign in to may not be known.
    pub(super) fn new(
        given: &'a Azure,
        env: &'a Env,
        connection: &'a Connection,
        cloud: Option<Cloud>,
    ) -> Result<Self, Error> {
        let variable = switch(env, "ARM_USE_AKS_WORKLOAD_IDENTITY")?;
        let is_in_cluster = given.use_aks_workload_identity.or(variable).unwrap_or(false);
        Ok(Self { given, env, connection, cloud, is_in_cluster })
    }

    /// Finds the credentials: what the configuration names wins over what the environment names.
    pub(super) fn credentials(self) -> Result<Credentials, Error> {
        if let Some(of_account) = self.of_account() {
            return Ok(of_account);
        }
        if let Some(secret) = self.client_secret()?
            && let (Some(tenant), Some(client)) = (self.tenant()?, self.client()?)
        {
            let application = self.application(tenant, client)?;
            return Ok(Credentials::Application(application, secret));
        }
        self.refuse_certificates()?;
        if self.is_workload()? {
            return self.workload();
        }
        let machine = switch(self.env, "ARM_USE_MSI")?;
        if self.given.use_msi.or(machine).unwrap_or(false) {
            let endpoint = self.given.msi_endpoint.clone();
            let endpoint = endpoint.or_else(|| self.env.get("ARM_MSI_ENDPOINT"));
            return Ok(Credentials::Machine { client: self.client()?, endpoint });
        }
        if let Some(of_az) = self.of_az() {
            return Ok(of_az);
        }
        let command_line = switch(self.env, "ARM_USE_CLI")?;
        if self.given.use_cli.or(command_line).unwrap_or(true) {
            return Ok(Credentials::CommandLine { tenant: self.tenant()? });
        }
        Err(invalid(
            "nothing says who asks, and `use_cli` is off: set a key, a signature, or how to sign in",
        ))
    }

    /// Returns what Terraform knows of the account itself. A secret in the configuration wins over
    /// a key in the environment.
    fn of_account(self) -> Option<Credentials> {
        if let Some(key) = self.given.access_key.clone() {
            return Some(Credentials::Key(key));
        }
        if let Some(signature) = &self.given.sas_token {
            return Some(signed(signature));
        }
        if self.given.client_secret.is_some() || self.given.client_secret_file_path.is_some() {
            return None;
        }
        if let Some(key) = self.env.get("ARM_ACCESS_KEY") {
            return Some(Credentials::Key(Secret::new(key)));
        }
        self.env.get("ARM_SAS_TOKEN").map(|text| signed(&Secret::new(text)))
    }

    /// Returns what the tools of Azure know of the account, and Terraform doesn't.
    fn of_az(self) -> Option<Credentials> {
        let variable = |name: &str| self.env.get(name).map(Secret::new);
        let key = self.connection.secret("AccountKey");
        if let Some(key) = key.or_else(|| variable("AZURE_STORAGE_KEY")) {
            return Some(Credentials::Key(key));
        }
        let signature = self.connection.secret("SharedAccessSignature");
        signature.or_else(|| variable("AZURE_STORAGE_SAS_TOKEN")).as_ref().map(signed)
    }

    fn client_secret(self) -> Result<Option<Secret>, Error> {
        let given = self.given.client_secret.as_ref().map(|secret| secret.expose().to_owned());
        let text = given.or_else(|| self.env.get("ARM_CLIENT_SECRET"));
        let path = self.given.client_secret_file_path.clone();
        let path = path.or_else(|| self.env.path("ARM_CLIENT_SECRET_FILE_PATH"));
        Ok(agreed("client_secret", text, path)?.map(Secret::new))
    }

    fn client(self) -> Result<Option<String>, Error> {
        let text = self.given.client_id.clone().or_else(|| self.env.get("ARM_CLIENT_ID"));
        let path = self.given.client_id_file_path.clone();
        let path = path.or_else(|| self.env.path("ARM_CLIENT_ID_FILE_PATH"));
        let client = agreed("client_id", text, path)?;
        self.of_cluster("client_id", client, self.env.get("AZURE_CLIENT_ID"))
    }

    fn tenant(self) -> Result<Option<String>, Error> {
        let tenant = self.given.tenant_id.clone().or_else(|| self.env.get("ARM_TENANT_ID"));
        self.of_cluster("tenant_id", tenant, self.env.get("AZURE_TENANT_ID"))
    }

    /// Returns what a cluster tells its workloads, which must be what was set, if something was.
    fn of_cluster(
        self,
        name: &str,
        set: Option<String>,
        told: Option<String>,
    ) -> Result<Option<String>, Error> {
        match (set, told.filter(|_| self.is_in_cluster)) {
            (Some(set), Some(told)) if set != told => Err(invalid(format!(
                "`{name}` is not what the cluster says: leave it or `use_aks_workload_identity` out"
            ))),
            (set, told) => Ok(set.or(told)),
        }
    }

    fn application(self, tenant: String, client: String) -> Result<Application, Error> {
        let authority = self.cloud.ok_or_else(unknown_cloud)?.authority;
        Ok(Application { tenant, client, authority })
    }

    fn refuse_certificates(self) -> Result<(), Error> {
        let variables = ["ARM_CLIENT_CERTIFICATE", "ARM_CLIENT_CERTIFICATE_PATH"];
        let is_set = variables.iter().any(|name| self.env.get(name).is_some());
        if !is_set && self.given.client_certificate.is_none() {
            return Ok(());
        }
        Err(invalid(
            "client certificates are not read (`client_certificate_path`): sign in with it, \
             `az login --service-principal --certificate FILE`, and leave the setting out, \
             or set a client secret",
        ))
    }

    fn is_workload(self) -> Result<bool, Error> {
        let variable = switch(self.env, "ARM_USE_OIDC")?;
        Ok(self.given.use_oidc.or(variable).unwrap_or(false) || self.is_in_cluster)
    }

    fn workload(self) -> Result<Credentials, Error> {
        let tenant = self.tenant()?.or_else(|| self.env.get("AZURE_TENANT_ID"));
        let client = self.client()?.or_else(|| self.env.get("AZURE_CLIENT_ID"));
        match (tenant, client, self.token()?) {
            (Some(tenant), Some(client), Some(token)) => {
                Ok(Credentials::Workload(self.application(tenant, client)?, token))
            }
            _ => Err(invalid(
                "`use_oidc` needs `tenant_id`, `client_id` and one of `oidc_token`, \
                 `oidc_token_file_path`, and `oidc_request_url` with `oidc_request_token`",
            )),
        }
    }

    fn token(self) -> Result<Option<Token>, Error> {
        let given = self.given.oidc_token.as_ref().map(|token| token.expose().to_owned());
        let mut text = given.or_else(|| self.env.get("ARM_OIDC_TOKEN"));
        let path = self.given.oidc_token_file_path.clone();
        let path = path.or_else(|| self.env.path("ARM_OIDC_TOKEN_FILE_PATH"));
        let is_alone = text.is_none() && path.is_none();
        let of_cluster = self.env.path("AZURE_FEDERATED_TOKEN_FILE");
        let of_cluster = of_cluster.filter(|_| is_alone || self.is_in_cluster);
        let mut file = None;
        for path in path.into_iter().chain(of_cluster) {
            text = agreed("oidc_token", text, Some(path.clone()))?;
            // It is read again whenever a token is needed: it may be another one by then.
            file = Some(Token::File(path.to_string_lossy().into_owned()));
        }
        if let Some(text) = text {
            return Ok(Some(file.unwrap_or_else(|| Token::Text(Secret::new(text)))));
        }
        Ok(self.pipeline().map(Token::Pipeline))
    }

    fn pipeline(self) -> Option<Pipeline> {
        let first = |names: [&str; 3]| names.iter().find_map(|name| self.env.get(name));
        let url = self.given.oidc_request_url.clone().or_else(|| {
            first(["ARM_OIDC_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_URL", "SYSTEM_OIDCREQUESTURI"])
        })?;
        let bearer = self.given.oidc_request_token.clone().or_else(|| {
            let names =
                ["ARM_OIDC_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SYSTEM_ACCESSTOKEN"];
            first(names).map(Secret::new)
        })?;
        let connection = self.given.ado_pipeline_service_connection_id.clone().or_else(|| {
            first([
                "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID",
                "ARM_OIDC_AZURE_SERVICE_CONNECTION_ID",
                "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
            ])
        });
        Some(Pipeline { url, bearer, connection })
    }
}

/// The portal gives signatures out with a question mark before them.
fn signed(signature: &Secret) -> Credentials {
    Credentials::Signature(Secret::new(signature.expose().trim_start_matches('?')))
}

/// Returns what is set as text, in a file, or in both if they are the same.
fn agreed(
    name: &str,
    text: Option<String>,
    path: Option<PathBuf>,
) -> Result<Option<String>, Error> {
    let text = text.map(|text| text.trim().to_owned());
    let Some(path) = path else { return Ok(text) };
    let shown = path.display();
    let read = fs::read_to_string(&path)
        .map_err(|error| invalid(format!("cannot read `{name}` from {shown}: {error}")))?;
    let read = read.trim();
    match text {
        Some(text) if text != read => {
            Err(invalid(format!("`{name}` is not what is in {shown}: leave out one of them")))
        }
        _ => Ok(Some(read.to_owned()).filter(|read| !read.is_empty())),
    }
}

/// Returns what a variable says that is true or false.
pub(super) fn switch(env: &Env, name: &str) -> Result<Option<bool>, Error> {
    match env.get(name).map(|text| text.to_ascii_lowercase()).as_deref() {
        None => Ok(None),
        Some("true" | "1" | "t") => Ok(Some(true)),
        Some("false" | "0" | "f") => Ok(Some(false)),
        Some(_) => Err(invalid(format!("`{name}` is neither true nor false"))),
    }
}

/// Returns the error of something that depends on a cloud that only a server describes.
pub(super) fn unknown_cloud() -> Error {
    invalid(
        "clouds that only their `metadata_host` describes are not known: name the endpoint in \
         AZURE_STORAGE_SERVICE_ENDPOINT, and set a key or a signature, or sign in with `az login`",
    )
}
