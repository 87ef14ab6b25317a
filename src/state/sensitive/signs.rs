//! What gives a secret away: the type of its resource, its name, its looks, what stands beside it.

use std::borrow::Cow;

use crate::state::value::Value;

/// Attributes that hold secrets whatever they are called, by the type of their resource.
pub(super) fn well_known(kind: &str) -> &'static [&'static str] {
    match kind {
        "random_password" => &["result", "bcrypt_hash"],
        "tls_private_key" => &["private_key_pem", "private_key_openssh", "private_key_pem_pkcs8"],
        "aws_iam_access_key" => &["secret", "ses_smtp_password_v4"],
        "aws_secretsmanager_secret_version" => &["secret_string", "secret_binary"],
        "aws_ssm_parameter" | "azurerm_key_vault_secret" | "azuread_application_password" => {
            &["value"]
        }
        "google_service_account_key" => &["private_key"],
        "google_secret_manager_secret_version" => &["secret_data"],
        "vault_generic_secret" | "vault_kv_secret" | "vault_kv_secret_v2" => &["data", "data_json"],
        "kubernetes_secret" | "kubernetes_secret_v1" => &["data", "binary_data"],
        "local_sensitive_file" => &["content", "content_base64"],
        "github_actions_secret" => &["plaintext_value", "encrypted_value"],
        _ => &[],
    }
}

/// Returns whether people give this name to secrets: `db_password`, `apiKey`, `client_secret`.
pub(super) fn is_secret_name(name: &str) -> bool {
    const ENDS: [&str; 24] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "secretkey",
        "secretstring",
        "secretaccesskey",
        "clientsecret",
        "privatekey",
        "privatekeypem",
        "token",
        "apikey",
        "accesskey",
        "accountkey",
        "primarykey",
        "secondarykey",
        "clientkey",
        "clientkeydata",
        "masterkey",
        "connectionstring",
        "credentials",
        "kubeconfig",
        "kubeconfigraw",
        "authkey",
    ];
    let plain: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    ENDS.iter().any(|end| plain.ends_with(end))
}

/// Returns whether a value under a secret name is a secret and not a switch or an empty default.
pub(super) fn is_worth_hiding(value: &Value<'_>) -> bool {
    match value {
        Value::String(text) => {
            !text.is_empty() && !matches!(text.as_ref(), "true" | "false" | "none")
        }
        Value::Array(_) | Value::Object(_) | Value::Number(_) => true,
        Value::Null | Value::Bool(_) | Value::Sensitive => false,
    }
}

/// Returns whether text is a credential by its looks.
pub(super) fn looks_secret(text: &str) -> bool {
    const STARTS: [&str; 7] =
        ["AGE-SECRET-KEY-", "ghp_", "github_pat_", "glpat-", "xoxb-", "xoxp-", "hvs."];
    let token = || {
        let mut parts = text.split('.');
        let head = |part: Option<&str>| part.is_some_and(|part| part.starts_with("eyJ"));
        text.len() > 40 && head(parts.next()) && head(parts.next()) && parts.count() == 1
    };
    text.contains("PRIVATE KEY-----")
        || STARTS.iter().any(|start| text.starts_with(start))
        || token()
}

/// Returns the value of a `{name, value}` pair, such as a variable of an environment, whose name
/// is one that people give to secrets.
pub(super) fn named_value<'v, 'a>(
    members: &'v [(Cow<'a, str>, Value<'a>)],
) -> Option<&'v Value<'a>> {
    let member = |name: &str| members.iter().rev().find(|(key, _)| key == name).map(|(_, v)| v);
    let name = member("name").or_else(|| member("key"))?.as_str()?;
    member("value").filter(|value| is_secret_name(name) && is_worth_hiding(value))
}

/// Returns the members in which a manifest of Kubernetes keeps the data of a `Secret`.
pub(super) fn data_of_secret<'v, 'a>(
    members: &'v [(Cow<'a, str>, Value<'a>)],
) -> impl Iterator<Item = (&'v str, &'v Value<'a>)> {
    let is_secret =
        members.iter().any(|(key, value)| key == "kind" && value.as_str() == Some("Secret"));
    let holds = |key: &str| matches!(key, "data" | "stringData");
    let data = members.iter().filter(move |(key, _)| is_secret && holds(key));
    data.filter(|(_, value)| is_worth_hiding(value)).map(|(key, value)| (&**key, value))
}
