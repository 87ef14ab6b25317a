//! How to get to a store: proxies, certificates, patience.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Certificate, NoProxy, Proxy, redirect};

use crate::base::env::Env;
use crate::store::runtime;

/// How long a store may be silent.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);

/// How often a request is tried again; Terraform's number.
const RETRIES: u32 = 5;

/// How to get to a store.
#[derive(Clone, Eq, PartialEq)]
pub(in crate::store) struct Network {
    /// A file of certificates to trust beside those of the system.
    pub(in crate::store) ca_bundle: Option<PathBuf>,
    /// Whether certificates go unchecked.
    pub(in crate::store) insecure: bool,
    /// The proxy for plain requests.
    pub(in crate::store) http_proxy: Option<String>,
    /// The proxy for encrypted requests.
    pub(in crate::store) https_proxy: Option<String>,
    /// Hosts that are reached without a proxy.
    pub(in crate::store) no_proxy: Option<String>,
    /// How often a failed request is tried again.
    pub(in crate::store) retries: u32,
    /// How long the store may be silent.
    pub(in crate::store) patience: Duration,
}

/// Shows no proxy, whose address can hold a password.
impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("retries", &self.retries)
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

impl Network {
    /// Takes from the environment what every program takes from it.
    pub(in crate::store) fn from_env(env: &Env) -> Self {
        let either = |upper: &str| env.get(upper).or_else(|| env.get(&upper.to_lowercase()));
        let seconds = env.get("TFSTATE_NETWORK_TIMEOUT").and_then(|text| text.parse().ok());
        let positive = |seconds: &f64| seconds.is_finite() && *seconds > 0.0 && *seconds < 1e6;
        Self {
            ca_bundle: None,
            insecure: false,
            http_proxy: either("HTTP_PROXY"),
            https_proxy: either("HTTPS_PROXY"),
            no_proxy: either("NO_PROXY"),
            retries: RETRIES,
            patience: seconds.filter(positive).map_or(PATIENCE, Duration::from_secs_f64),
        }
    }

    /// Returns a client that goes this way to an address, or why there can be none.
    ///
    /// There is one for each way: what they have in common are connections, and setting one up
    /// reads all certificates of the system and of the bundle, but for one that has no use for them.
    pub(in crate::store) fn client(&self, address: &str) -> Result<reqwest::Client, String> {
        static CLIENTS: Mutex<Vec<(Network, bool, reqwest::Client)>> = Mutex::new(Vec::new());
        let encrypts = self.encrypts(address);
        let is_it = |client: &&(Network, bool, _)| client.0 == *self && client.1 == encrypts;
        let mut clients = CLIENTS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, client)) = clients.iter().find(is_it) {
            return Ok(client.clone());
        }
        let builder = self.builder()?;
        let builder = if encrypts { self.trusting(builder)? } else { builder.tls_certs_only([]) };
        let client = builder.build().map_err(|error| format!("cannot set up TLS: {error}"))?;
        clients.push((self.clone(), encrypts, client.clone()));
        Ok(client)
    }

    /// Returns whether there is TLS on the way to an address.
    fn encrypts(&self, address: &str) -> bool {
        let is_plain = |address: &str| address.starts_with("http://");
        !is_plain(address) || self.http_proxy.as_ref().is_some_and(|proxy| !is_plain(proxy))
    }

    /// Returns what becomes such a client, for whoever has more to say about certificates.
    pub(in crate::store) fn builder(&self) -> Result<reqwest::ClientBuilder, String> {
        runtime::choose_tls();
        // A failed request says more than a redirected one: it names the region to use. HTTP/2
        // would put parallel reads on one connection, which is slower.
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("tfstate/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT.min(self.patience))
            .http1_only()
            // Azure keeps the names of metadata as they were sent, and this is how Terraform does.
            .http1_title_case_headers()
            .no_proxy()
            .tls_danger_accept_invalid_certs(self.insecure);
        let exceptions = self.exceptions();
        let proxy = |made: reqwest::Result<Proxy>, which: &str| {
            // The address may hold a password, so the library's error stays here.
            let made = made.map_err(|_| format!("the {which} is not an address"))?;
            Ok::<_, String>(made.no_proxy(NoProxy::from_string(&exceptions)))
        };
        if let Some(address) = &self.http_proxy {
            builder = builder.proxy(proxy(Proxy::http(address), "HTTP proxy")?);
        }
        if let Some(address) = &self.https_proxy {
            builder = builder.proxy(proxy(Proxy::https(address), "HTTPS proxy")?);
        }
        Ok(builder)
    }

    /// Trusts the certificates of the bundle too, if there is one.
    fn trusting(&self, builder: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, String> {
        let Some(path) = &self.ca_bundle else { return Ok(builder) };
        let shown = path.display();
        let pem = fs::read(path).map_err(|error| format!("cannot read {shown}: {error}"))?;
        let certificates = Certificate::from_pem_bundle(&pem)
            .map_err(|_| format!("{shown} holds no certificates as PEM"))?;
        Ok(builder.tls_certs_merge(certificates))
    }

    /// Returns the hosts that are reached directly: this computer always is, as for Terraform.
    fn exceptions(&self) -> String {
        let own = "localhost,127.0.0.0/8,::1";
        self.no_proxy.as_ref().map_or(own.to_owned(), |more| format!("{own},{more}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_come_from_the_environment_in_either_case() {
        let env = Env::from_pairs([("https_proxy", "http://p:1"), ("NO_PROXY", "example.com")]);
        let network = Network::from_env(&env);
        assert_eq!(network.https_proxy.as_deref(), Some("http://p:1"));
        assert_eq!(network.exceptions(), "localhost,127.0.0.0/8,::1,example.com");
    }

    #[test]
    fn what_cannot_be_used_is_said_without_its_password() {
        let env = Env::from_pairs([("HTTPS_PROXY", "http://u:hunter2@[")]);
        let problem = Network::from_env(&env).client("https://a").unwrap_err();
        assert_eq!(problem, "the HTTPS proxy is not an address");
        let network = Network {
            ca_bundle: Some("/nowhere/ca.pem".into()),
            ..Network::from_env(&Env::default())
        };
        assert!(
            network.client("https://a").unwrap_err().starts_with("cannot read /nowhere/ca.pem")
        );
        assert!(network.client("http://a").is_ok(), "where nothing is encrypted it has no use");
    }

    #[test]
    fn certificates_are_read_where_something_is_encrypted() {
        let network = |proxy| Network::from_env(&Env::from_pairs([("HTTP_PROXY", proxy)]));
        assert!(!network("http://p:1").encrypts("http://localhost:9000"));
        assert!(network("http://p:1").encrypts("https://localhost:9000"));
        assert!(network("https://p:1").encrypts("http://example.com"));
    }

    #[test]
    fn patience_can_be_set_and_nonsense_is_the_default() {
        let of = |text| Network::from_env(&Env::from_pairs([("TFSTATE_NETWORK_TIMEOUT", text)]));
        assert_eq!(of("0.5").patience, Duration::from_millis(500));
        assert_eq!(of("-1").patience, PATIENCE);
        assert_eq!(of("inf").patience, PATIENCE);
    }
}
