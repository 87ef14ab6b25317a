//! From the settings of the backend `http`, and the environment, to what is sent where.

use std::time::Duration;

use percent_encoding::percent_decode_str;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Certificate, ClientBuilder, Identity, Method, Url};

use super::client::{Client, Inner};
use super::{Address, Http, Target};
use crate::base::env::Env;
use crate::base::secret::Secret;
use crate::store::backend;
use crate::store::object::network::Network;

/// How often Terraform sends a request again.
const RETRIES: u32 = 2;

/// Returns the store of these settings, or why there is none.
pub(super) fn http(settings: &backend::Http, env: &Env) -> Result<Http, String> {
    let set = Set { env };
    let address = set.text(Some(&settings.address), "TF_HTTP_ADDRESS");
    let address = parse(&address.ok_or("`address` is not set")?, "address")?;
    let user = user(settings, set, &address);
    let target = |address: &Url, method: Option<String>, default: &str, name| {
        let method = method.unwrap_or_else(|| default.to_owned());
        let method = Method::from_bytes(method.as_bytes());
        let method = method.map_err(|_| format!("`{name}` is not a method"))?;
        let mut address = address.clone();
        // An address with a user is one that has a host, and can do without the user.
        let (_user, _password) = (address.set_username(""), address.set_password(None));
        Ok::<_, String>(Target { method, address: Address(address) })
    };
    let other = |value: &Option<String>, variable, name| {
        set.text(value.as_ref(), variable).map(|text| parse(&text, name)).transpose()
    };
    let text = |value: &Option<String>, variable| set.text(value.as_ref(), variable);
    let lock = other(&settings.lock_address, "TF_HTTP_LOCK_ADDRESS", "lock_address")?;
    let unlock = other(&settings.unlock_address, "TF_HTTP_UNLOCK_ADDRESS", "unlock_address")?;
    let lock_method = text(&settings.lock_method, "TF_HTTP_LOCK_METHOD");
    let unlock_method = text(&settings.unlock_method, "TF_HTTP_UNLOCK_METHOD");
    let locks = match (lock, unlock) {
        (None, _) => None,
        (Some(_), None) => {
            return Err("`lock_address` is set and `unlock_address` is not".to_owned());
        }
        (Some(lock), Some(unlock)) => Some((
            target(&lock, lock_method, "LOCK", "lock_method")?,
            target(&unlock, unlock_method, "UNLOCK", "unlock_method")?,
        )),
    };
    let update = text(&settings.update_method, "TF_HTTP_UPDATE_METHOD");
    let read = target(&address, None, "GET", "address")?;
    Ok(Http {
        name: read.address.shown(),
        client: client(settings, set, user)?,
        update: target(&address, update, "POST", "update_method")?,
        read,
        locks,
        env: env.clone(),
    })
}

/// Where settings come from: what is set, else the environment. What is empty is not set.
#[derive(Clone, Copy)]
struct Set<'a> {
    env: &'a Env,
}

impl Set<'_> {
    fn text(self, value: Option<&String>, variable: &str) -> Option<String> {
        value.filter(|text| !text.is_empty()).cloned().or_else(|| self.env.get(variable))
    }

    fn secret(self, value: Option<&Secret>, variable: &str) -> Option<Secret> {
        let value = value.filter(|secret| !secret.expose().is_empty()).cloned();
        value.or_else(|| self.env.get(variable).map(Secret::new))
    }

    fn number<N: std::str::FromStr + Copy>(
        self,
        value: Option<N>,
        variable: &str,
    ) -> Result<Option<N>, String> {
        let parse = |text: String| text.parse().map_err(|_| format!("{variable} is not a number"));
        value.map_or_else(|| self.env.get(variable).map(parse).transpose(), |n| Ok(Some(n)))
    }
}

/// The address may hold a password, so it is not repeated where it can't be used.
fn parse(text: &str, name: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| format!("`{name}` is not an address"))?;
    match url.scheme() {
        "http" | "https" if url.has_host() => Ok(url),
        _ => Err(format!("`{name}` must begin with http:// or https://")),
    }
}

/// Returns the user and password: those that are set, else those of the address.
fn user(settings: &backend::Http, set: Set<'_>, address: &Url) -> Option<(String, Secret)> {
    if let Some(user) = set.text(settings.username.as_ref(), "TF_HTTP_USERNAME") {
        let password = set.secret(settings.password.as_ref(), "TF_HTTP_PASSWORD");
        return Some((user, password.unwrap_or_else(|| Secret::new(""))));
    }
    let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let password = Secret::new(plain(address.password().unwrap_or_default()));
    (!address.username().is_empty()).then(|| (plain(address.username()), password))
}

fn client(
    settings: &backend::Http,
    set: Set<'_>,
    user: Option<(String, Secret)>,
) -> Result<Client, String> {
    let network =
        Network { insecure: settings.skip_cert_verification, ..Network::from_env(set.env) };
    let builder = certificates(network.builder()?, settings, set)?;
    let http = builder.build().map_err(|error| format!("cannot set up TLS: {error}"))?;
    let seconds = |value: Option<u64>, default| Duration::from_secs(value.unwrap_or(default));
    let shortest = set.number(settings.retry_wait_min, "TF_HTTP_RETRY_WAIT_MIN")?;
    let longest = set.number(settings.retry_wait_max, "TF_HTTP_RETRY_WAIT_MAX")?;
    Ok(Client::new(Inner {
        http,
        user,
        headers: headers(settings)?,
        retries: set.number(settings.retry_max, "TF_HTTP_RETRY_MAX")?.unwrap_or(RETRIES),
        shortest_pause: seconds(shortest, 1),
        longest_pause: seconds(longest, 30),
        patience: network.patience,
    }))
}

/// Adds whom to trust, and who we are.
fn certificates(
    mut builder: ClientBuilder,
    settings: &backend::Http,
    set: Set<'_>,
) -> Result<ClientBuilder, String> {
    let authority = settings.client_ca_certificate_pem.as_ref();
    if let Some(pem) = set.text(authority, "TF_HTTP_CLIENT_CA_CERTIFICATE_PEM") {
        let trusted = Certificate::from_pem_bundle(pem.as_bytes()).ok();
        let trusted = trusted.filter(|certificates| !certificates.is_empty());
        let problem = "`client_ca_certificate_pem` holds no certificate as PEM";
        builder = builder.tls_certs_only(trusted.ok_or(problem)?);
    }
    let own = settings.client_certificate_pem.as_ref();
    let own = set.text(own, "TF_HTTP_CLIENT_CERTIFICATE_PEM");
    let key = settings.client_private_key_pem.as_ref();
    let key = set.secret(key, "TF_HTTP_CLIENT_PRIVATE_KEY_PEM");
    match (own, key) {
        (None, None) => Ok(builder),
        (Some(own), Some(key)) => {
            let pem = format!("{own}\n{}", key.expose());
            let identity = Identity::from_pem(pem.as_bytes());
            // The library's error could quote what it read.
            let problem = "`client_certificate_pem` and `client_private_key_pem` are not PEM";
            Ok(builder.identity(identity.map_err(|_| problem)?))
        }
        (Some(_), None) => {
            Err("`client_certificate_pem` is set and `client_private_key_pem` is not".to_owned())
        }
        (None, Some(_)) => {
            Err("`client_private_key_pem` is set and `client_certificate_pem` is not".to_owned())
        }
    }
}

fn headers(settings: &backend::Http) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in &settings.headers {
        let problem = || format!("the header `{}` can't be sent", name.escape_debug());
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| problem())?;
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| problem())?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}
