//! What the configuration leaves open, from the environment.

use std::time::Duration;

use url::Url;

use super::choice::{Choice, Credentials, switch, unknown_cloud};
use super::cloud::Cloud;
use super::invalid;
use crate::base::env::Env;
use crate::base::secret::Secret;
use crate::store::Error;
use crate::store::backend::Azure;

/// What OpenTofu encrypts blobs by, which a write without it would undo.
const ENCRYPTION: [&str; 3] =
    ["ARM_CUSTOMER_PROVIDED_KEY", "ARM_ENCYRPTION_SCOPE", "ARM_ENCRYPTION_SCOPE"];

/// Settings with nothing left open.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) account: String,
    pub(super) container: String,
    /// Where the account's containers are.
    pub(super) endpoint: Url,
    pub(super) credentials: Credentials,
    pub(super) snapshot: bool,
    /// How long the account may be silent; the network says it where it is not set.
    pub(super) patience: Option<Duration>,
}

impl Settings {
    /// Completes the configuration: Terraform's variables first, then those of the `az` program.
    pub(super) fn new(given: &Azure, env: &Env) -> Result<Self, Error> {
        if given.container_name.is_empty() {
            return Err(invalid("no container is set"));
        }
        if let Some(name) = ENCRYPTION.iter().find(|name| env.get(name).is_some()) {
            return Err(invalid(format!("`{name}` is not known to this version")));
        }
        let connection = Connection::new(env.get("AZURE_STORAGE_CONNECTION_STRING"));
        let named = given.storage_account_name.clone();
        let named = named.or_else(|| env.get("ARM_STORAGE_ACCOUNT_NAME"));
        let account = named.or_else(|| env.get("AZURE_STORAGE_ACCOUNT"));
        let Some(account) = account.or_else(|| connection.get("AccountName")) else {
            return Err(invalid("no storage account is set"));
        };
        let cloud = Cloud::of(given, env)?;
        let choice = Choice::new(given, env, &connection, cloud)?;
        Ok(Self {
            endpoint: endpoint(choice, &account)?,
            account,
            container: given.container_name.clone(),
            credentials: choice.credentials()?,
            snapshot: given.snapshot.or(switch(env, "ARM_SNAPSHOT")?).unwrap_or(false),
            patience: patience(given, env)?,
        })
    }
}

/// Returns where the containers of an account are.
fn endpoint(choice: Choice<'_>, account: &str) -> Result<Url, Error> {
    let Choice { given, env, connection, cloud, .. } = choice;
    let named = given.endpoint.clone().or_else(|| connection.get("BlobEndpoint"));
    let named = named.or_else(|| env.get("AZURE_STORAGE_SERVICE_ENDPOINT"));
    let variable = switch(env, "ARM_USE_DNS_ZONE_ENDPOINT")?;
    if named.is_none() && given.lookup_blob_endpoint.or(variable).unwrap_or(false) {
        return Err(invalid(
            "`lookup_blob_endpoint` is not known to this version: name what \
             `az storage account show --query primaryEndpoints.blob` says in \
             AZURE_STORAGE_SERVICE_ENDPOINT",
        ));
    }
    let address = if let Some(named) = named {
        named
    } else {
        let suffix = connection.get("EndpointSuffix");
        let suffix = suffix.or_else(|| Some(cloud?.suffix.to_owned())).ok_or_else(unknown_cloud)?;
        format!("https://{account}.blob.{suffix}")
    };
    match Url::parse(address.trim_end_matches('/')) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err(invalid("the endpoint is not the address of a server")),
    }
}

/// Returns the patience of `timeout_seconds`, which only OpenTofu knows.
fn patience(given: &Azure, env: &Env) -> Result<Option<Duration>, Error> {
    let not = |_| invalid("`ARM_TIMEOUT_SECONDS` is not a number");
    let variable = env.get("ARM_TIMEOUT_SECONDS").map(|text| text.parse().map_err(not));
    match given.timeout_seconds.or(variable.transpose()?) {
        Some(0) => Err(invalid("`timeout_seconds` is 0: nothing would come in time")),
        // What was set for this program says more.
        Some(_) if env.get("TFSTATE_NETWORK_TIMEOUT").is_some() => Ok(None),
        seconds => Ok(seconds.map(Duration::from_secs)),
    }
}

/// A connection string: `Name=value;Name=value`.
pub(super) struct Connection(Option<Secret>);

impl Connection {
    fn new(text: Option<String>) -> Self {
        Self(text.map(Secret::new))
    }

    pub(super) fn get(&self, name: &str) -> Option<String> {
        let text = self.0.as_ref()?.expose();
        let mut parts = text.split(';').filter_map(|part| part.split_once('='));
        let (_, value) = parts.find(|(found, _)| found.trim().eq_ignore_ascii_case(name))?;
        Some(value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    pub(super) fn secret(&self, name: &str) -> Option<Secret> {
        self.get(name).map(Secret::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fs;
    use crate::store::object::azure::choice::{Application, Token};

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

    const IDS: [(&str, &str); 2] = [("ARM_TENANT_ID", "t"), ("ARM_CLIENT_ID", "c")];

    /// Returns what these variables choose, beside a tenant and a client.
    fn chosen(given: &Azure, more: &[(&str, &str)]) -> Result<Credentials, Error> {
        settings(given, &[&IDS, more].concat()).map(|settings| settings.credentials)
    }

    /// Returns why there is no choice.
    fn refused(given: &Azure, env: &[(&str, &str)]) -> String {
        let error = settings(given, env).unwrap_err().to_string();
        assert!(!error.contains("S3CR3T"), "{error}");
        error
    }

    #[expect(clippy::unnecessary_wraps, reason = "so are the settings")]
    fn text(text: &str) -> Option<String> {
        Some(text.to_owned())
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
    fn a_cloud_that_only_a_server_describes_needs_an_endpoint_and_who_does_not_sign_in_there() {
        let with = Azure { metadata_host: text("stack.example"), ..given() };
        assert!(refused(&with, &[]).contains("`metadata_host`"));
        let host = ("ARM_METADATA_HOSTNAME", "stack.example");
        let key = ("ARM_ACCESS_KEY", "a");
        assert!(refused(&given(), &[host, key]).contains("`metadata_host`"));
        let endpoint = ("AZURE_STORAGE_SERVICE_ENDPOINT", "https://acme.blob.stack.example");
        assert!(settings(&with, &[endpoint, key]).is_ok());
        let application = [&IDS[..], &[endpoint, ("ARM_CLIENT_SECRET", "S3CR3T")]].concat();
        assert!(refused(&with, &application).contains("`metadata_host`"));
        let known = Azure { metadata_host: text("management.chinacloudapi.cn"), ..given() };
        let endpoint = settings(&known, &[]).unwrap().endpoint;
        assert_eq!(endpoint.as_str(), "https://acme.blob.core.chinacloudapi.cn/");
    }

    #[test]
    fn an_endpoint_that_would_have_to_be_looked_up_is_to_be_named() {
        let with = Azure { lookup_blob_endpoint: Some(true), ..given() };
        assert!(refused(&with, &[]).contains("`lookup_blob_endpoint`"));
        let variable = ("ARM_USE_DNS_ZONE_ENDPOINT", "true");
        assert!(refused(&given(), &[variable]).contains("`lookup_blob_endpoint`"));
        let without = Azure { lookup_blob_endpoint: Some(false), ..given() };
        assert!(settings(&without, &[variable]).is_ok());
        let named = "https://acme.z7.blob.storage.azure.net";
        let settings = settings(&with, &[("AZURE_STORAGE_SERVICE_ENDPOINT", named)]).unwrap();
        assert_eq!(settings.endpoint.as_str(), format!("{named}/"));
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
        let Credentials::CommandLine { tenant: None } =
            settings(&given(), &[]).unwrap().credentials
        else {
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
        let credentials = |more: &[(&str, &str)]| chosen(&given(), more).unwrap();
        assert!(matches!(
            credentials(&[("ARM_CLIENT_SECRET", "s")]),
            Credentials::Application(Application { .. }, _)
        ));
        assert!(matches!(
            credentials(&[("ARM_USE_OIDC", "true"), ("ARM_OIDC_TOKEN", "t")]),
            Credentials::Workload(_, Token::Text(_))
        ));
        assert!(refused(&given(), &[("ARM_USE_OIDC", "true")]).contains("`use_oidc`"));
        let machine =
            credentials(&[("ARM_USE_MSI", "true"), ("ARM_MSI_ENDPOINT", "http://here/token")]);
        let Credentials::Machine { client, endpoint } = machine else { panic!() };
        assert_eq!(client.as_deref(), Some("c"));
        assert_eq!(endpoint.as_deref(), Some("http://here/token"));
        let Credentials::CommandLine { tenant } = credentials(&[]) else { panic!() };
        assert_eq!(tenant.as_deref(), Some("t"));
    }

    #[test]
    fn what_the_configuration_turns_off_no_variable_turns_on() {
        let off = Azure {
            use_msi: Some(false),
            use_oidc: Some(false),
            use_aks_workload_identity: Some(false),
            snapshot: Some(false),
            use_cli: Some(true),
            ..given()
        };
        let variables = [
            ("ARM_USE_MSI", "true"),
            ("ARM_USE_OIDC", "true"),
            ("ARM_USE_AKS_WORKLOAD_IDENTITY", "1"),
            ("ARM_SNAPSHOT", "true"),
            ("ARM_USE_CLI", "false"),
        ];
        let settings = settings(&off, &variables).unwrap();
        assert!(matches!(settings.credentials, Credentials::CommandLine { .. }));
        assert!(!settings.snapshot);
        for (name, _) in variables {
            assert!(refused(&given(), &[(name, "S3CR3T")]).contains(name), "{name}");
        }
    }

    #[test]
    fn without_the_command_line_somebody_else_must_ask() {
        let off = Azure { use_cli: Some(false), ..given() };
        assert!(refused(&off, &[]).contains("`use_cli`"));
        assert!(refused(&given(), &[("ARM_USE_CLI", "false")]).contains("`use_cli`"));
        assert!(settings(&off, &[("AZURE_STORAGE_KEY", "a")]).is_ok());
    }

    #[test]
    fn a_client_and_its_secret_are_read_from_files() {
        let folder = tempfile::tempdir().unwrap();
        let (id, secret) = (folder.path().join("id"), folder.path().join("secret"));
        fs::write_new(&id, b"of-file\n").unwrap();
        fs::write_new(&secret, b" S3CR3T\n").unwrap();
        let with = Azure {
            tenant_id: text("t"),
            client_id_file_path: Some(id.clone()),
            client_secret_file_path: Some(secret.clone()),
            ..given()
        };
        // It is of the configuration, and wins over a key of the environment.
        let found = settings(&with, &[("ARM_ACCESS_KEY", "a")]).unwrap().credentials;
        let Credentials::Application(application, secret_read) = found else { panic!() };
        assert_eq!((application.client.as_str(), secret_read.expose()), ("of-file", "S3CR3T"));
        let variables = [
            ("ARM_TENANT_ID", "t"),
            ("ARM_CLIENT_ID_FILE_PATH", id.to_str().unwrap()),
            ("ARM_CLIENT_SECRET_FILE_PATH", secret.to_str().unwrap()),
        ];
        let found = settings(&given(), &variables).unwrap().credentials;
        assert!(matches!(found, Credentials::Application(..)));
        let other = Azure { client_id: text("other"), ..with.clone() };
        assert!(refused(&other, &[]).contains("`client_id` is not what is in"));
        let gone = Azure { client_secret_file_path: Some(folder.path().join("gone")), ..with };
        assert!(refused(&gone, &[]).contains("cannot read `client_secret` from"));
    }

    #[test]
    fn the_token_of_a_workload_is_text_a_file_or_that_of_a_pipeline() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        fs::write_new(&file, b"S3CR3T").unwrap();
        let on = Azure { use_oidc: Some(true), ..given() };
        let token = |given: &Azure, env: &[(&str, &str)]| {
            let Credentials::Workload(_, token) = chosen(given, env).unwrap() else { panic!() };
            token
        };
        let in_text = Azure { oidc_token: Some(Secret::new("S3CR3T")), ..on.clone() };
        assert!(matches!(token(&in_text, &[]), Token::Text(_)));
        let both = Azure { oidc_token_file_path: Some(file.clone()), ..in_text.clone() };
        assert!(matches!(token(&both, &[]), Token::File(_)));
        let differ = Azure { oidc_token: Some(Secret::new("0THER")), ..both };
        assert!(refused(&differ, &IDS).contains("`oidc_token` is not what is in"));
        let path = file.to_str().unwrap();
        assert!(matches!(token(&on, &[("AZURE_FEDERATED_TOKEN_FILE", path)]), Token::File(_)));
        let pipeline = Azure {
            oidc_request_url: text("http://p"),
            oidc_request_token: Some(Secret::new("S3CR3T")),
            ado_pipeline_service_connection_id: text("id"),
            ..on.clone()
        };
        let Token::Pipeline(found) = token(&pipeline, &[]) else { panic!() };
        assert_eq!((found.url.as_str(), found.connection.as_deref()), ("http://p", Some("id")));
        assert!(!format!("{found:?}").contains("S3CR3T"));
        let variables = [
            ("SYSTEM_OIDCREQUESTURI", "http://p"),
            ("SYSTEM_ACCESSTOKEN", "S3CR3T"),
            ("ARM_OIDC_AZURE_SERVICE_CONNECTION_ID", "id"),
        ];
        let Token::Pipeline(found) = token(&on, &variables) else { panic!() };
        assert_eq!(found.connection.as_deref(), Some("id"));
    }

    #[test]
    fn a_workload_of_a_cluster_is_who_the_cluster_says() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        fs::write_new(&file, b"S3CR3T").unwrap();
        let env = [
            ("AZURE_CLIENT_ID", "of-cluster"),
            ("AZURE_TENANT_ID", "t"),
            ("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap()),
        ];
        let with = Azure { use_aks_workload_identity: Some(true), ..given() };
        let found = settings(&with, &env).unwrap().credentials;
        let Credentials::Workload(application, Token::File(_)) = found else { panic!() };
        assert_eq!(application.client, "of-cluster");
        let other = Azure { client_id: text("other"), ..with.clone() };
        assert!(refused(&other, &env).contains("`client_id`"));
        let other = Azure { oidc_token: Some(Secret::new("0THER")), ..with };
        assert!(refused(&other, &env).contains("`oidc_token`"));
    }

    #[test]
    fn a_client_certificate_is_refused_where_it_would_be_used() {
        let with = Azure { client_certificate: Some(Secret::new("c.pfx")), ..given() };
        assert!(refused(&with, &IDS).contains("`client_certificate_path`"));
        assert!(chosen(&given(), &[("ARM_CLIENT_CERTIFICATE_PATH", "c.pfx")]).is_err());
        assert!(settings(&with, &[("ARM_ACCESS_KEY", "a")]).is_ok());
        assert!(chosen(&with, &[("ARM_CLIENT_SECRET", "s")]).is_ok());
    }

    #[test]
    fn what_encrypts_is_refused() {
        for name in ENCRYPTION {
            assert!(refused(&given(), &[(name, "S3CR3T")]).contains(name), "{name}");
        }
    }

    #[test]
    fn patience_is_that_of_the_configuration_if_none_was_set_for_this_program() {
        let patience =
            |given: &Azure, env: &[(&str, &str)]| settings(given, env).map(|found| found.patience);
        let with = |seconds| Azure { timeout_seconds: Some(seconds), ..given() };
        let second = Some(Duration::from_secs(1));
        let variable = ("ARM_TIMEOUT_SECONDS", "1");
        assert_eq!(patience(&with(1), &[]).unwrap(), second);
        assert_eq!(patience(&given(), &[variable]).unwrap(), second);
        assert_eq!(patience(&with(1), &[("TFSTATE_NETWORK_TIMEOUT", "5")]).unwrap(), None);
        assert!(refused(&with(0), &[]).contains("`timeout_seconds`"));
        assert!(refused(&given(), &[("ARM_TIMEOUT_SECONDS", "x")]).contains("ARM_TIMEOUT_SECONDS"));
    }

    #[test]
    fn an_account_and_a_container_are_needed() {
        let no_account = Azure { storage_account_name: None, ..given() };
        assert!(settings(&no_account, &[]).is_err());
        assert!(settings(&no_account, &[("AZURE_STORAGE_ACCOUNT", "a")]).is_ok());
        assert!(settings(&Azure { container_name: String::new(), ..given() }, &[]).is_err());
    }
}
