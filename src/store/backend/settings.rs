//! From what a record or a block says to the settings of a backend.
//!
//! What is not known is left alone: a newer Terraform may know it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::values::Settings;
use super::{AssumeRole, Azure, Gcs, Http, Local, Pg, S3, WebIdentity};
use crate::base::secret::Secret;
use crate::state::value::Value;
use crate::store::Error;

/// Why a setting of encryption can't be heeded.
const NO_ENCRYPTION: &str =
    "is not known to this version: read the state with `tofu state pull | tfstate list -`";

/// Why a setting of a role can't be heeded.
const NO_ROLE: &str =
    "is not known to this version: assume the role with `aws sts assume-role`, and give its keys";

impl Settings<'_> {
    pub(super) fn local(self) -> Result<Local, Error> {
        // These are not expanded: Terraform takes a `~` here as the name of a folder.
        let path = |name| Ok(self.text(name)?.map(PathBuf::from));
        Ok(Local { path: path("path")?, workspace_dir: path("workspace_dir")? })
    }

    pub(super) fn s3(self) -> Result<S3, Error> {
        let role = self.inside("assume_role");
        let web_identity = self.inside("assume_role_with_web_identity");
        let one_file = self.path("shared_credentials_file")?;
        let mut credentials_files = self.paths("shared_credentials_files")?;
        credentials_files.extend(one_file);
        let path_style = self.switch("use_path_style")?;
        Ok(S3 {
            bucket: self.required("bucket")?,
            key: self.required("key")?,
            // An empty prefix is a choice: the names of workspaces are not preceded by anything.
            workspace_key_prefix: self.text_or_empty("workspace_key_prefix")?,
            region: self.text("region")?,
            endpoints: self.endpoints()?,
            use_path_style: path_style
                .map_or_else(|| self.switch("force_path_style"), |p| Ok(Some(p)))?,
            encrypt: self.is_on("encrypt")?,
            kms_key_id: self.text("kms_key_id")?,
            sse_customer_key: self.secret("sse_customer_key")?,
            acl: self.text("acl")?,
            dynamodb_table: self.text("dynamodb_table")?,
            use_lockfile: self.is_on("use_lockfile")?,
            skip_s3_checksum: self.is_on("skip_s3_checksum")?,
            profile: self.text("profile")?,
            shared_config_files: self.paths("shared_config_files")?,
            shared_credentials_files: credentials_files,
            access_key: self.secret("access_key")?,
            secret_key: self.secret("secret_key")?,
            token: self.secret("token")?,
            assume_role: role.map_or_else(|| self.flat_role(), Settings::role)?,
            assume_role_with_web_identity: web_identity.map(Settings::web_identity).transpose()?,
            allowed_account_ids: self.texts("allowed_account_ids")?,
            forbidden_account_ids: self.texts("forbidden_account_ids")?,
            custom_ca_bundle: self.path("custom_ca_bundle")?,
            http_proxy: self.text("http_proxy")?,
            https_proxy: self.text("https_proxy")?,
            no_proxy: self.text("no_proxy")?,
            max_retries: self.number("max_retries")?,
            insecure: self.is_on("insecure")?,
        })
    }

    /// Returns the endpoints by service: those of the map, and those of older versions, which
    /// were settings of their own.
    fn endpoints(self) -> Result<BTreeMap<String, String>, Error> {
        let mut endpoints = BTreeMap::new();
        let older = [
            ("endpoint", "s3"),
            ("dynamodb_endpoint", "dynamodb"),
            ("iam_endpoint", "iam"),
            ("sts_endpoint", "sts"),
        ];
        for (name, service) in older {
            if let Some(endpoint) = self.text(name)? {
                endpoints.insert(service.to_owned(), endpoint);
            }
        }
        let Some(inside) = self.inside("endpoints") else { return Ok(endpoints) };
        let Value::Object(members) = inside.config else { return Ok(endpoints) };
        for (service, _) in members {
            if let Some(endpoint) = inside.text(service)? {
                endpoints.insert(service.to_string(), endpoint);
            }
        }
        Ok(endpoints)
    }

    fn role(self) -> Result<Option<AssumeRole>, Error> {
        let Some(role_arn) = self.text("role_arn")? else { return Ok(None) };
        for name in ["source_identity", "transitive_tag_keys"] {
            self.refuse(name, NO_ROLE)?;
        }
        Ok(Some(AssumeRole {
            role_arn,
            session_name: self.text("session_name")?,
            external_id: self.text("external_id")?,
            duration_seconds: self.duration("duration")?,
            policy: self.text("policy")?,
            policy_arns: self.texts("policy_arns")?,
            tags: self.map("tags")?,
        }))
    }

    /// Returns the role of the settings that `assume_role` took the place of, and which OpenTofu
    /// still has.
    fn flat_role(self) -> Result<Option<AssumeRole>, Error> {
        let Some(role_arn) = self.text("role_arn")? else { return Ok(None) };
        self.refuse("assume_role_transitive_tag_keys", NO_ROLE)?;
        Ok(Some(AssumeRole {
            role_arn,
            session_name: self.text("session_name")?,
            external_id: self.text("external_id")?,
            duration_seconds: self.number("assume_role_duration_seconds")?,
            policy: self.text("assume_role_policy")?,
            policy_arns: self.texts("assume_role_policy_arns")?,
            tags: self.map("assume_role_tags")?,
        }))
    }

    fn web_identity(self) -> Result<WebIdentity, Error> {
        Ok(WebIdentity {
            role_arn: self.text("role_arn")?,
            session_name: self.text("session_name")?,
            web_identity_token: self.secret("web_identity_token")?,
            web_identity_token_file: self.path("web_identity_token_file")?,
            duration_seconds: self.duration("duration")?,
            policy: self.text("policy")?,
            policy_arns: self.texts("policy_arns")?,
        })
    }

    pub(super) fn gcs(self) -> Result<Gcs, Error> {
        let delegates = self.texts("impersonate_service_account_delegates")?;
        Ok(Gcs {
            bucket: self.required("bucket")?,
            prefix: self.text("prefix")?.unwrap_or_default(),
            credentials: self.file_or_text("credentials")?,
            access_token: self.secret("access_token")?,
            impersonate_service_account: self.text("impersonate_service_account")?,
            impersonate_service_account_delegates: delegates,
            encryption_key: self.file_or_text("encryption_key")?,
            kms_encryption_key: self.text("kms_encryption_key")?,
            storage_custom_endpoint: self.text("storage_custom_endpoint")?,
        })
    }

    /// Some settings say how Terraform looks up the key of the account, which is not done here:
    /// `resource_group_name`, `subscription_id`, `use_azuread_auth`, and in older versions
    /// `endpoint`. None says where a blob is or who may read it.
    pub(super) fn azure(self) -> Result<Azure, Error> {
        for name in ["customer_provided_key", "encryption_scope"] {
            self.refuse(name, NO_ENCRYPTION)?;
        }
        let certificate = self.secret("client_certificate")?;
        let certificate = certificate.or(self.secret("client_certificate_path")?);
        let connection = self.text("ado_pipeline_service_connection_id")?;
        // This is what OpenTofu calls it.
        let connection = connection.or(self.text("ado_service_connection_id")?);
        Ok(Azure {
            storage_account_name: self.text("storage_account_name")?,
            container_name: self.required("container_name")?,
            key: self.required("key")?,
            access_key: self.secret("access_key")?,
            sas_token: self.secret("sas_token")?,
            tenant_id: self.text("tenant_id")?,
            client_id: self.text("client_id")?,
            client_id_file_path: self.path("client_id_file_path")?,
            client_secret: self.secret("client_secret")?,
            client_secret_file_path: self.path("client_secret_file_path")?,
            client_certificate: certificate,
            environment: self.text("environment")?,
            metadata_host: self.text("metadata_host")?,
            endpoint: None,
            lookup_blob_endpoint: self.switch("lookup_blob_endpoint")?,
            use_msi: self.switch("use_msi")?,
            msi_endpoint: self.text("msi_endpoint")?,
            use_oidc: self.switch("use_oidc")?,
            oidc_token: self.secret("oidc_token")?,
            oidc_token_file_path: self.path("oidc_token_file_path")?,
            oidc_request_url: self.text("oidc_request_url")?,
            oidc_request_token: self.secret("oidc_request_token")?,
            ado_pipeline_service_connection_id: connection,
            use_aks_workload_identity: self.switch("use_aks_workload_identity")?,
            use_cli: self.switch("use_cli")?,
            timeout_seconds: self.number("timeout_seconds")?,
            snapshot: self.switch("snapshot")?,
        })
    }

    pub(super) fn http(self) -> Result<Http, Error> {
        Ok(Http {
            // It can come from the environment alone, which the store looks into.
            address: self.text("address")?.unwrap_or_default(),
            update_method: self.text("update_method")?,
            lock_address: self.text("lock_address")?,
            lock_method: self.text("lock_method")?,
            unlock_address: self.text("unlock_address")?,
            unlock_method: self.text("unlock_method")?,
            username: self.text("username")?,
            password: self.secret("password")?,
            headers: self.headers()?,
            skip_cert_verification: self.is_on("skip_cert_verification")?,
            retry_max: self.number("retry_max")?,
            retry_wait_min: self.number("retry_wait_min")?,
            retry_wait_max: self.number("retry_wait_max")?,
            client_ca_certificate_pem: self.text("client_ca_certificate_pem")?,
            client_certificate_pem: self.text("client_certificate_pem")?,
            client_private_key_pem: self.secret("client_private_key_pem")?,
        })
    }

    fn headers(self) -> Result<BTreeMap<String, Secret>, Error> {
        let Some(inside) = self.inside("headers") else { return Ok(BTreeMap::new()) };
        let Value::Object(members) = inside.config else { return Ok(BTreeMap::new()) };
        let header = |name: &str| Ok(inside.secret(name)?.map(|value| (name.to_owned(), value)));
        members.iter().filter_map(|(name, _)| header(name).transpose()).collect()
    }

    pub(super) fn pg(self) -> Result<Pg, Error> {
        Ok(Pg {
            conn_str: self.secret("conn_str")?,
            schema_name: self.text("schema_name")?,
            table_name: self.text("table_name")?,
            index_name: self.text("index_name")?,
            skip_schema_creation: self.switch("skip_schema_creation")?,
            skip_table_creation: self.switch("skip_table_creation")?,
            skip_index_creation: self.switch("skip_index_creation")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::values::Standing;
    use super::*;
    use crate::base::env::Env;
    use crate::store::backend::{Backend, record};

    fn backend(record: &str) -> Result<Backend, Error> {
        let configured = record::parse(Path::new("record"), record.as_bytes())?.unwrap();
        let env = Env::from_pairs([("HOME", "/home/me")]);
        configured.backend(Standing { dir: Path::new("infra"), env: &env })
    }

    fn of(kind: &str, config: &str) -> Result<Backend, Error> {
        backend(&format!(r#"{{"version":3,"backend":{{"type":"{kind}","config":{config}}}}}"#))
    }

    #[test]
    fn what_terraform_records_of_s3_is_read() {
        let Backend::S3(s3) = backend(include_str!("../../../testdata/backends/s3.json")).unwrap()
        else {
            panic!("it is another backend")
        };
        assert_eq!(
            (s3.bucket.as_str(), s3.key.as_str()),
            ("tfstate", "env/prod/terraform.tfstate")
        );
        assert_eq!(s3.region.as_deref(), Some("us-east-1"));
        let endpoint = ("s3".to_owned(), "http://127.0.0.1:9000".to_owned());
        assert_eq!(s3.endpoints.into_iter().collect::<Vec<_>>(), [endpoint]);
        assert_eq!((s3.use_path_style, s3.use_lockfile, s3.encrypt), (Some(true), true, false));
        assert!(s3.access_key.is_none() && s3.assume_role.is_none() && s3.max_retries.is_none());
        assert_eq!(s3.workspace_key_prefix, None);
    }

    #[test]
    fn what_opentofu_records_of_s3_is_read_with_its_older_settings() {
        let record = include_str!("../../../testdata/backends/s3-opentofu.json");
        let Backend::S3(s3) = backend(record).unwrap() else { panic!("it is another backend") };
        assert_eq!(s3.endpoints["s3"], "http://127.0.0.1:9000");
        assert_eq!((s3.use_path_style, s3.encrypt, s3.max_retries), (Some(true), true, Some(3)));
        let role = s3.assume_role.clone().unwrap();
        assert_eq!(role.role_arn, "arn:aws:iam::123456789012:role/state");
        assert_eq!(
            (role.session_name.as_deref(), role.duration_seconds),
            (Some("state"), Some(5400))
        );
        let files: Vec<_> = s3.shared_credentials_files.iter().map(|file| file.to_str()).collect();
        assert_eq!(files, [Some("/home/me/.aws/acme"), Some("infra/credentials")]);
        assert_eq!(s3.workspace_key_prefix.as_deref(), Some("spaces"));
        assert!(!format!("{s3:?}").contains("S3CR3T"));
    }

    #[test]
    fn what_is_said_of_roles_and_accounts_is_read() {
        let config = r#"{"bucket":"b","key":"k","allowed_account_ids":["123456789012"],
            "forbidden_account_ids":null,
            "assume_role":{"role_arn":"arn:r","policy":"{}","policy_arns":["arn:p"],
                "tags":{"a":"b"},"transitive_tag_keys":[],"source_identity":""},
            "assume_role_with_web_identity":{"role_arn":"arn:w","web_identity_token":"S3CR3T",
                "duration":"15m"}}"#;
        let Backend::S3(s3) = of("s3", config).unwrap() else { panic!("it is another backend") };
        assert_eq!(s3.allowed_account_ids, ["123456789012"]);
        assert!(s3.forbidden_account_ids.is_empty());
        let role = s3.assume_role.unwrap();
        assert_eq!((role.policy.as_deref(), &*role.policy_arns[0]), (Some("{}"), "arn:p"));
        assert_eq!(role.tags["a"], "b");
        let identity = s3.assume_role_with_web_identity.unwrap();
        assert_eq!(
            (identity.role_arn.as_deref(), identity.duration_seconds),
            (Some("arn:w"), Some(900))
        );
        assert_eq!(identity.web_identity_token.as_ref().unwrap().expose(), "S3CR3T");
        assert!(!format!("{identity:?}").contains("S3CR3T"));
    }

    #[test]
    fn what_can_not_be_heeded_of_a_role_is_refused_by_name() {
        let cases = [
            (r#""assume_role":{"role_arn":"r","source_identity":"me"}"#, "`source_identity`"),
            (
                r#""assume_role":{"role_arn":"r","transitive_tag_keys":["a"]}"#,
                "`transitive_tag_keys`",
            ),
            (
                r#""role_arn":"r","assume_role_transitive_tag_keys":["a"]"#,
                "`assume_role_transitive_tag_keys`",
            ),
        ];
        for (setting, name) in cases {
            let error = of("s3", &format!(r#"{{"bucket":"b","key":"k",{setting}}}"#)).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn what_is_said_of_certificates_and_of_what_is_there_already_is_read() {
        let config = r#"{"container_name":"c","key":"k","client_certificate_path":"c.pfx"}"#;
        let Backend::Azure(azure) = of("azurerm", config).unwrap() else { panic!() };
        assert_eq!(azure.client_certificate.unwrap().expose(), "c.pfx");
        let config =
            r#"{"index_name":"i","skip_schema_creation":true,"skip_table_creation":"false"}"#;
        let Backend::Pg(pg) = of("pg", config).unwrap() else { panic!() };
        assert_eq!(pg.index_name.as_deref(), Some("i"));
        let skips = (pg.skip_schema_creation, pg.skip_table_creation, pg.skip_index_creation);
        assert_eq!(skips, (Some(true), Some(false), None));
    }

    #[test]
    fn who_asks_for_a_blob_and_in_which_cloud_is_read() {
        let config = r#"{"container_name":"c","key":"k","client_id_file_path":"id",
            "client_secret_file_path":"~/secret","metadata_host":"h","msi_endpoint":"http://m",
            "lookup_blob_endpoint":"false","use_msi":false,"use_oidc":true,"oidc_token":"S3CR3T",
            "oidc_token_file_path":"/token","oidc_request_url":"http://p",
            "oidc_request_token":"S3CR3T","ado_pipeline_service_connection_id":"connection",
            "use_aks_workload_identity":true,"use_cli":false,"timeout_seconds":"60",
            "endpoint":"https://management.example"}"#;
        let Backend::Azure(azure) = of("azurerm", config).unwrap() else { panic!() };
        let files =
            [azure.client_id_file_path.as_deref(), azure.client_secret_file_path.as_deref()];
        assert_eq!(files, [Some(Path::new("infra/id")), Some(Path::new("/home/me/secret"))]);
        assert_eq!(azure.oidc_token_file_path.as_deref(), Some(Path::new("/token")));
        assert_eq!(azure.metadata_host.as_deref(), Some("h"));
        assert_eq!(azure.msi_endpoint.as_deref(), Some("http://m"));
        assert_eq!(azure.oidc_request_url.as_deref(), Some("http://p"));
        assert_eq!(azure.ado_pipeline_service_connection_id.as_deref(), Some("connection"));
        assert_eq!((azure.lookup_blob_endpoint, azure.use_msi), (Some(false), Some(false)));
        assert_eq!((azure.use_oidc, azure.use_aks_workload_identity), (Some(true), Some(true)));
        assert_eq!((azure.use_cli, azure.timeout_seconds), (Some(false), Some(60)));
        // It is where resources are managed, not where blobs are.
        assert_eq!(azure.endpoint, None);
        assert!(!format!("{azure:?}").contains("S3CR3T"));
        let of_tofu =
            r#"{"container_name":"c","key":"k","ado_service_connection_id":"connection"}"#;
        let Backend::Azure(azure) = of("azurerm", of_tofu).unwrap() else { panic!() };
        assert_eq!(azure.ado_pipeline_service_connection_id.as_deref(), Some("connection"));
    }

    #[test]
    fn what_encrypts_a_blob_is_refused_by_name() {
        for name in ["customer_provided_key", "encryption_scope"] {
            let config = format!(r#"{{"container_name":"c","key":"k","{name}":"S3CR3T"}}"#);
            let error = of("azurerm", &config).unwrap_err().to_string();
            assert!(error.contains(&format!("`{name}`")) && !error.contains("S3CR3T"), "{error}");
        }
    }

    #[test]
    fn what_is_recorded_of_the_other_backends_is_read() {
        let read = |text| backend(text).unwrap();
        let Backend::Gcs(gcs) = read(include_str!("../../../testdata/backends/gcs.json")) else {
            panic!("it is another backend")
        };
        assert_eq!((gcs.bucket.as_str(), gcs.prefix.as_str()), ("tfstate", "env/prod"));
        assert_eq!(gcs.storage_custom_endpoint.as_deref(), Some("http://127.0.0.1:9000"));
        assert_eq!(gcs.access_token.unwrap().expose(), "S3CR3T");
        let Backend::Azure(azure) = read(include_str!("../../../testdata/backends/azurerm.json"))
        else {
            panic!("it is another backend")
        };
        assert_eq!(azure.storage_account_name.as_deref(), Some("acme"));
        assert_eq!(
            (azure.key.as_str(), azure.snapshot, azure.use_oidc),
            ("prod.tfstate", Some(true), None)
        );
        let Backend::Http(http) = read(include_str!("../../../testdata/backends/http.json")) else {
            panic!("it is another backend")
        };
        assert_eq!(http.address, "http://127.0.0.1:9000/state/prod");
        assert_eq!(http.lock_address.as_deref(), Some("http://127.0.0.1:9000/state/prod"));
        assert_eq!(http.password.unwrap().expose(), "S3CR3T");
        let Backend::Pg(pg) = read(include_str!("../../../testdata/backends/pg.json")) else {
            panic!("it is another backend")
        };
        assert!(pg.conn_str.unwrap().expose().contains("S3CR3T"));
        assert_eq!(pg.schema_name.as_deref(), Some("prod"));
        let Backend::Local(local) = read(include_str!("../../../testdata/backends/local.json"))
        else {
            panic!("it is another backend")
        };
        assert_eq!(local.path.as_deref(), Some(Path::new("states/prod.tfstate")));
        assert_eq!(local.workspace_dir.as_deref(), Some(Path::new("states/workspaces")));
    }

    #[test]
    fn numbers_and_switches_may_be_text() {
        let config = r#"{"bucket":"b","key":"k","encrypt":"true","max_retries":"7","insecure":0}"#;
        let Backend::S3(s3) = of("s3", config).unwrap() else { panic!("it is another backend") };
        assert_eq!((s3.encrypt, s3.max_retries, s3.insecure), (true, Some(7), false));
    }

    #[test]
    fn what_can_not_work_is_named_without_its_value() {
        let cases = [
            ("s3", r#"{"key":"k"}"#, "`bucket` is not set"),
            ("s3", r#"{"bucket":"b","key":""}"#, "`key` is not set"),
            ("gcs", "{}", "`bucket` is not set"),
            ("azurerm", r#"{"key":"k"}"#, "`container_name` is not set"),
            ("s3", r#"{"bucket":["S3CR3T"],"key":"k"}"#, "`bucket` is not a string"),
            ("http", r#"{"retry_max":"S3CR3T"}"#, "`retry_max` is not a number that it can be"),
            (
                "http",
                r#"{"skip_cert_verification":"S3CR3T"}"#,
                "`skip_cert_verification` is neither true nor false",
            ),
        ];
        for (kind, config, problem) in cases {
            let error = of(kind, config).unwrap_err();
            assert_eq!(error.to_string(), format!("cannot use the {kind} backend: {problem}"));
        }
    }

    #[test]
    fn backends_that_can_not_be_read_are_recognised_by_name() {
        for kind in
            ["consul", "kubernetes", "cos", "oss", "oci", "remote", "cloud", "etcdv3", "manta"]
        {
            let error = of(kind, r#"{"token":"S3CR3T"}"#).unwrap_err();
            assert!(matches!(&error, Error::Backend { backend, .. } if backend == kind), "{error}");
            assert!(!format!("{error:?}").contains("S3CR3T"));
        }
    }

    #[test]
    fn remote_state_from_before_0_9_keeps_its_meaning_or_is_refused() {
        let remote = |kind: &str, config: &str| {
            let remote = format!(r#""remote":{{"type":"{kind}","config":{config}}}"#);
            backend(&format!(r#"{{"version":3,"serial":2,{remote},"modules":[]}}"#))
        };
        let config = r#"{"bucket":"b","key":"k","region":"eu-west-1","encrypt":"1"}"#;
        let Backend::S3(s3) = remote("s3", config).unwrap() else {
            panic!("it is another backend")
        };
        assert!(s3.encrypt);
        let config = r#"{"container_name":"c","key":"k"}"#;
        assert_eq!(remote("azure", config).unwrap().kind(), "azurerm");
        for kind in ["atlas", "artifactory", "swift", "gcs"] {
            assert!(matches!(remote(kind, "{}"), Err(Error::Backend { .. })), "{kind}");
        }
    }
}
