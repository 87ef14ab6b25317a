//! What the configuration leaves open, from the environment.

use url::Url;

use crate::base::env::Env;
use crate::base::secret::Secret;
use crate::store::Error;
use crate::store::backend::Azure;

/// Settings with nothing left open.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) account: String,
    pub(super) container: String,
    /// Where the account's containers are.
    pub(super) endpoint: Url,
    /// Where people and programs sign in.
    pub(super) authority: &'static str,
    pub(super) credentials: Credentials,
    pub(super) snapshot: bool,
}

/// Where the right to ask comes from.
#[derive(Clone, Debug)]
pub(super) enum Credentials {
    /// A key of the account.
    Key(Secret),
    /// A shared access signature.
    Signature(Secret),
    /// An application with a secret.
    Application { tenant: String, client: String, secret: Secret },
    /// An application with a token of the workload.
    Workload { tenant: String, client: String, token: Token },
    /// This machine.
    Machine { client: Option<String> },
    /// Whoever is signed in with `az login`.
    CommandLine,
}

/// Where the token of a workload is.
#[derive(Clone, Debug)]
pub(super) enum Token {
    Text(Secret),
    File(String),
    /// A service of the pipeline gives it out.
    Request {
        url: String,
        bearer: Secret,
    },
}

/// The parts of a cloud that has its own names.
struct Cloud {
    suffix: &'static str,
    authority: &'static str,
}

impl Settings {
    /// Completes the configuration: Terraform's variables first, then those of the `az` program.
    pub(super) fn new(given: &Azure, env: &Env) -> Result<Self, Error> {
        if given.container_name.is_empty() {
            return Err(invalid("no container is set"));
        }
        let connection = Connection::new(env.get("AZURE_STORAGE_CONNECTION_STRING"));
        let named = given.storage_account_name.clone();
        let named = named.or_else(|| env.get("ARM_STORAGE_ACCOUNT_NAME"));
        let account = named.or_else(|| env.get("AZURE_STORAGE_ACCOUNT"));
        let Some(account) = account.or_else(|| connection.get("AccountName")) else {
            return Err(invalid("no storage account is set"));
        };
        let cloud = given.environment.clone().or_else(|| env.get("ARM_ENVIRONMENT"));
        let cloud = Cloud::of(cloud.as_deref().unwrap_or("public"))?;
        let endpoint = given.endpoint.clone().or_else(|| connection.get("BlobEndpoint"));
        let endpoint = endpoint.or_else(|| env.get("AZURE_STORAGE_SERVICE_ENDPOINT"));
        let endpoint = endpoint.unwrap_or_else(|| {
            let suffix = connection.get("EndpointSuffix");
            format!("https://{account}.blob.{}", suffix.as_deref().unwrap_or(cloud.suffix))
        });
        let endpoint = match Url::parse(endpoint.trim_end_matches('/')) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => url,
            _ => return Err(invalid("the endpoint is not the address of a server")),
        };
        Ok(Self {
            account,
            container: given.container_name.clone(),
            endpoint,
            authority: cloud.authority,
            credentials: credentials(given, env, &connection)?,
            snapshot: given.snapshot || is_true(env, "ARM_SNAPSHOT"),
        })
    }
}

impl Cloud {
    fn of(name: &str) -> Result<Self, Error> {
        let (suffix, authority) = match name.to_ascii_lowercase().as_str() {
            "public" | "azurecloud" | "azurepubliccloud" => {
                ("core.windows.net", "https://login.microsoftonline.com")
            }
            "china" | "azurechinacloud" => {
                ("core.chinacloudapi.cn", "https://login.chinacloudapi.cn")
            }
            "usgovernment" | "azureusgovernment" | "azureusgovernmentcloud" => {
                ("core.usgovcloudapi.net", "https://login.microsoftonline.us")
            }
            _ => return Err(invalid(&format!("there is no environment `{name}`"))),
        };
        Ok(Self { suffix, authority })
    }
}

/// Finds the credentials: what the configuration names wins over what the environment names.
fn credentials(given: &Azure, env: &Env, connection: &Connection) -> Result<Credentials, Error> {
    let secret = |name: &str| env.get(name).map(Secret::new);
    if let Some(key) = given.access_key.clone() {
        return Ok(Credentials::Key(key));
    }
    if let Some(signature) = given.sas_token.clone() {
        return Ok(signed(&signature));
    }
    let tenant = given.tenant_id.clone().or_else(|| env.get("ARM_TENANT_ID"));
    let client = given.client_id.clone().or_else(|| env.get("ARM_CLIENT_ID"));
    if given.client_secret.is_none() {
        if let Some(key) = secret("ARM_ACCESS_KEY") {
            return Ok(Credentials::Key(key));
        }
        if let Some(signature) = secret("ARM_SAS_TOKEN") {
            return Ok(signed(&signature));
        }
    }
    let application = given.client_secret.clone().or_else(|| secret("ARM_CLIENT_SECRET"));
    if let (Some(secret), Some(tenant), Some(client)) = (application, &tenant, &client) {
        let (tenant, client) = (tenant.clone(), client.clone());
        return Ok(Credentials::Application { tenant, client, secret });
    }
    let variables = ["ARM_CLIENT_CERTIFICATE", "ARM_CLIENT_CERTIFICATE_PATH"];
    if given.client_certificate.is_some() || variables.iter().any(|name| env.get(name).is_some()) {
        return Err(invalid(
            "client certificates are not read (`client_certificate_path`): sign in with it, \
             `az login --service-principal --certificate FILE`, and leave the setting out, \
             or set a client secret",
        ));
    }
    if given.use_oidc
        || is_true(env, "ARM_USE_OIDC")
        || is_true(env, "ARM_USE_AKS_WORKLOAD_IDENTITY")
    {
        let tenant = tenant.or_else(|| env.get("AZURE_TENANT_ID"));
        let client = client.or_else(|| env.get("AZURE_CLIENT_ID"));
        return match (tenant, client, workload_token(env)) {
            (Some(tenant), Some(client), Some(token)) => {
                Ok(Credentials::Workload { tenant, client, token })
            }
            _ => Err(invalid("use_oidc needs a tenant, a client and the token of a workload")),
        };
    }
    if given.use_msi || is_true(env, "ARM_USE_MSI") {
        return Ok(Credentials::Machine { client });
    }
    if let Some(key) = connection.secret("AccountKey").or_else(|| secret("AZURE_STORAGE_KEY")) {
        return Ok(Credentials::Key(key));
    }
    let signature = connection.secret("SharedAccessSignature");
    if let Some(signature) = signature.or_else(|| secret("AZURE_STORAGE_SAS_TOKEN")) {
        return Ok(signed(&signature));
    }
    Ok(Credentials::CommandLine)
}

/// The portal gives signatures out with a question mark before them.
fn signed(signature: &Secret) -> Credentials {
    Credentials::Signature(Secret::new(signature.expose().trim_start_matches('?')))
}

fn workload_token(env: &Env) -> Option<Token> {
    let first = |names: &[&str]| names.iter().find_map(|name| env.get(name));
    if let Some(text) = env.get("ARM_OIDC_TOKEN") {
        return Some(Token::Text(Secret::new(text)));
    }
    if let Some(path) = first(&["ARM_OIDC_TOKEN_FILE_PATH", "AZURE_FEDERATED_TOKEN_FILE"]) {
        return Some(Token::File(path));
    }
    let url = first(&["ARM_OIDC_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_URL"])?;
    let bearer = first(&["ARM_OIDC_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"])?;
    Some(Token::Request { url, bearer: Secret::new(bearer) })
}

fn is_true(env: &Env, name: &str) -> bool {
    env.get(name)
        .is_some_and(|text| matches!(text.to_ascii_lowercase().as_str(), "true" | "1" | "t"))
}

fn invalid(problem: &str) -> Error {
    Error::Settings { backend: "azurerm", problem: problem.to_owned() }
}

/// A connection string: `Name=value;Name=value`.
struct Connection(Option<Secret>);

impl Connection {
    fn new(text: Option<String>) -> Self {
        Self(text.map(Secret::new))
    }

    fn get(&self, name: &str) -> Option<String> {
        let text = self.0.as_ref()?.expose();
        let mut parts = text.split(';').filter_map(|part| part.split_once('='));
        let (_, value) = parts.find(|(found, _)| found.trim().eq_ignore_ascii_case(name))?;
        Some(value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn secret(&self, name: &str) -> Option<Secret> {
        self.get(name).map(Secret::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(given: &Azure, env: &[(&str, &str)]) -> Result<Settings, Error> {
        Settings::new(given, &Env::from_pairs(env.iter().copied()))
    }

    fn given() -> Azure {
        Azure {
            storage_account_name: Some("acme".to_owned()),
            container_name: "tf".to_owned(),
            ..Azure::default()
        }
    }

    #[test]
    fn the_cloud_decides_the_endpoint() {
        let endpoint =
            |name: &str| settings(&given(), &[("ARM_ENVIRONMENT", name)]).unwrap().endpoint;
        assert_eq!(endpoint("public").as_str(), "https://acme.blob.core.windows.net/");
        assert_eq!(endpoint("china").as_str(), "https://acme.blob.core.chinacloudapi.cn/");
        assert_eq!(endpoint("usgovernment").as_str(), "https://acme.blob.core.usgovcloudapi.net/");
        assert!(settings(&given(), &[("ARM_ENVIRONMENT", "moon")]).is_err());
    }

    #[test]
    fn terraforms_variables_win_over_those_of_az() {
        let env = [("ARM_ACCESS_KEY", "a"), ("AZURE_STORAGE_SAS_TOKEN", "?sig=b")];
        let Credentials::Key(key) = settings(&given(), &env).unwrap().credentials else { panic!() };
        assert_eq!(key.expose(), "a");
        let Credentials::Signature(signature) = settings(&given(), &env[1..]).unwrap().credentials
        else {
            panic!()
        };
        assert_eq!(signature.expose(), "sig=b");
        let Credentials::CommandLine = settings(&given(), &[]).unwrap().credentials else {
            panic!()
        };
    }

    #[test]
    fn a_connection_string_says_account_key_and_endpoint() {
        let text = "DefaultEndpointsProtocol=http;AccountName=dev;AccountKey=a2V5==;\
                    BlobEndpoint=http://127.0.0.1:10000/dev;";
        let given = Azure { container_name: "tf".to_owned(), ..Azure::default() };
        let settings = settings(&given, &[("AZURE_STORAGE_CONNECTION_STRING", text)]).unwrap();
        assert_eq!(settings.account, "dev");
        assert_eq!(settings.endpoint.as_str(), "http://127.0.0.1:10000/dev");
        let Credentials::Key(key) = &settings.credentials else { panic!() };
        assert_eq!(key.expose(), "a2V5==");
        assert!(!format!("{settings:?}").contains("a2V5"));
    }

    #[test]
    fn an_application_a_workload_and_a_machine_sign_in_as_terraform_has_them() {
        let ids = [("ARM_TENANT_ID", "t"), ("ARM_CLIENT_ID", "c")];
        let with = |more: &[(&str, &str)]| settings(&given(), &[&ids, more].concat());
        let credentials = |more: &[(&str, &str)]| with(more).unwrap().credentials;
        assert!(matches!(
            credentials(&[("ARM_CLIENT_SECRET", "s")]),
            Credentials::Application { .. }
        ));
        assert!(matches!(
            credentials(&[("ARM_USE_OIDC", "true"), ("ARM_OIDC_TOKEN", "t")]),
            Credentials::Workload { token: Token::Text(_), .. }
        ));
        assert!(with(&[("ARM_USE_OIDC", "true")]).is_err());
        assert!(matches!(
            credentials(&[("ARM_USE_MSI", "true")]),
            Credentials::Machine { client: Some(_) }
        ));
    }

    #[test]
    fn a_client_certificate_is_refused_where_it_would_be_used() {
        let ids = [("ARM_TENANT_ID", "t"), ("ARM_CLIENT_ID", "c")];
        let with = Azure { client_certificate: Some(Secret::new("c.pfx")), ..given() };
        let error = settings(&with, &ids).unwrap_err().to_string();
        assert!(error.contains("`client_certificate_path`"), "{error}");
        let by_variable = [ids[0], ids[1], ("ARM_CLIENT_CERTIFICATE_PATH", "c.pfx")];
        assert!(settings(&given(), &by_variable).is_err());
        assert!(settings(&with, &[("ARM_ACCESS_KEY", "a")]).is_ok());
        assert!(settings(&with, &[ids[0], ids[1], ("ARM_CLIENT_SECRET", "s")]).is_ok());
    }

    #[test]
    fn an_account_and_a_container_are_needed() {
        let no_account = Azure { storage_account_name: None, ..given() };
        assert!(settings(&no_account, &[]).is_err());
        assert!(settings(&no_account, &[("AZURE_STORAGE_ACCOUNT", "a")]).is_ok());
        assert!(settings(&Azure { container_name: String::new(), ..given() }, &[]).is_err());
    }
}
