//! What the settings leave open, from the environment and the shared files, in Terraform's order.

use super::profile::Profiles;
use crate::base::env::Env;
use crate::store::Error;
use crate::store::backend::S3;
use crate::store::object::network::Network;

/// Where a bucket is, and how to get there.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// The region to begin with.
    pub(super) region: String,
    /// The address of the bucket, without a slash at its end.
    pub(super) bucket_url: String,
    /// Whether it is Amazon's own.
    pub(super) is_amazon: bool,
    /// The address of `DynamoDB`.
    pub(super) table_url: String,
    /// The way there.
    pub(super) network: Network,
}

impl Config {
    /// Decides on everything.
    pub(super) fn new(settings: &S3, env: &Env, profiles: &Profiles) -> Result<Self, Error> {
        let from_env = || env.get("AWS_REGION").or_else(|| env.get("AWS_DEFAULT_REGION"));
        let from_profile = || profiles.setting("region").map(ToOwned::to_owned);
        // A bucket that is elsewhere says so, and is then asked there.
        let region = settings.region.clone().or_else(from_env).or_else(from_profile);
        let region = region.unwrap_or_else(|| "us-east-1".to_owned());
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        if !region.bytes().all(legal) {
            return Err(invalid(format!("`{region}` is not a region")));
        }
        let bucket = &settings.bucket;
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if bucket.is_empty() || !bucket.bytes().all(legal) || bucket.starts_with('.') {
            return Err(invalid(format!("`{bucket}` is not the name of a bucket")));
        }
        let endpoint = |service| endpoint(settings, env, profiles, service);
        let custom = endpoint("s3")?;
        let is_amazon = custom.as_deref().is_none_or(is_amazon);
        let bucket_url = match custom {
            Some(endpoint) if settings.use_path_style == Some(false) => in_host(&endpoint, bucket)?,
            Some(endpoint) => format!("{endpoint}/{bucket}"),
            // A certificate for `*.s3.amazonaws.com` is not valid for further dots.
            None if settings.use_path_style == Some(true) || bucket.contains('.') => {
                format!("https://{}/{bucket}", amazon("s3", &region))
            }
            None => format!("https://{bucket}.{}", amazon("s3", &region)),
        };
        let table_url = match endpoint("dynamodb")? {
            Some(endpoint) => endpoint,
            None => format!("https://{}", amazon("dynamodb", &region)),
        };
        Ok(Self { region, bucket_url, is_amazon, table_url, network: network(settings, env) })
    }
}

fn invalid(problem: String) -> Error {
    Error::Settings { backend: "s3", problem }
}

/// Returns the host of a service of Amazon's.
pub(super) fn amazon(service: &str, region: &str) -> String {
    let end = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("{service}.{region}.{end}")
}

fn is_amazon(endpoint: &str) -> bool {
    let host = endpoint.split("://").nth(1).unwrap_or(endpoint);
    let host = host.split(['/', ':']).next().unwrap_or(host);
    host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn")
}

/// Returns the address that stands in for Amazon's, without a slash at its end.
pub(super) fn endpoint(
    settings: &S3,
    env: &Env,
    profiles: &Profiles,
    service: &str,
) -> Result<Option<String>, Error> {
    let upper = service.to_uppercase();
    let found = settings
        .endpoints
        .get(service)
        .filter(|endpoint| !endpoint.is_empty())
        .cloned()
        .or_else(|| env.get(&format!("AWS_ENDPOINT_URL_{upper}")))
        .or_else(|| env.get(&format!("AWS_{upper}_ENDPOINT")))
        .or_else(|| env.get("AWS_ENDPOINT_URL"))
        .or_else(|| profiles.setting("endpoint_url").map(ToOwned::to_owned));
    let Some(found) = found else { return Ok(None) };
    // Terraform takes a bare host for an encrypted one.
    let full = if found.contains("://") { found.clone() } else { format!("https://{found}") };
    let url = url::Url::parse(&full).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    match url {
        Some(url) if url.host().is_some() && url.password().is_none() => {
            Ok(Some(full.trim_end_matches('/').to_owned()))
        }
        _ => Err(invalid(format!("the endpoint of {service} is not an address that can be used"))),
    }
}

/// Returns an address with the bucket in its host.
fn in_host(endpoint: &str, bucket: &str) -> Result<String, Error> {
    let Some((scheme, rest)) = endpoint.split_once("://") else {
        return Err(invalid("the endpoint is not an address".to_owned()));
    };
    Ok(format!("{scheme}://{bucket}.{rest}"))
}

fn network(settings: &S3, env: &Env) -> Network {
    let usual = Network::from_env(env);
    Network {
        ca_bundle: settings.custom_ca_bundle.clone().or_else(|| env.path("AWS_CA_BUNDLE")),
        insecure: settings.insecure,
        http_proxy: settings.http_proxy.clone().or(usual.http_proxy),
        https_proxy: settings.https_proxy.clone().or(usual.https_proxy),
        no_proxy: settings.no_proxy.clone().or(usual.no_proxy),
        retries: settings.max_retries.unwrap_or(usual.retries),
        patience: usual.patience,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(settings: &S3, env: &[(&str, &str)]) -> Result<Config, Error> {
        let env = Env::from_pairs(env.iter().copied());
        Config::new(settings, &env, &Profiles::read(settings, &env))
    }

    fn bucket(name: &str) -> S3 {
        S3 { bucket: name.to_owned(), ..S3::default() }
    }

    #[test]
    fn the_region_is_looked_for_in_terraforms_order() {
        let env = [("AWS_REGION", "eu-west-1"), ("AWS_DEFAULT_REGION", "eu-west-2")];
        let set = S3 { region: Some("eu-west-3".to_owned()), ..bucket("b") };
        assert_eq!(config(&set, &env).unwrap().region, "eu-west-3");
        assert_eq!(config(&bucket("b"), &env).unwrap().region, "eu-west-1");
        assert_eq!(config(&bucket("b"), &env[1..]).unwrap().region, "eu-west-2");
        assert_eq!(config(&bucket("b"), &[]).unwrap().region, "us-east-1");
    }

    #[test]
    fn the_bucket_is_in_the_host_unless_that_cannot_work() {
        let url = |settings: &S3, env: &[(&str, &str)]| config(settings, env).unwrap().bucket_url;
        assert_eq!(url(&bucket("b"), &[]), "https://b.s3.us-east-1.amazonaws.com");
        assert_eq!(url(&bucket("b.c"), &[]), "https://s3.us-east-1.amazonaws.com/b.c");
        let minio = [("AWS_ENDPOINT_URL", "http://m:9000/")];
        assert_eq!(url(&bucket("b"), &minio), "http://m:9000/b");
        let virtual_host = S3 { use_path_style: Some(false), ..bucket("b") };
        assert_eq!(url(&virtual_host, &minio), "http://b.m:9000");
        let china = [("AWS_REGION", "cn-north-1")];
        assert_eq!(url(&bucket("b"), &china), "https://b.s3.cn-north-1.amazonaws.com.cn");
    }

    #[test]
    fn a_custom_endpoint_is_of_one_service() {
        let env =
            [("AWS_ENDPOINT_URL_DYNAMODB", "http://d:8000"), ("AWS_S3_ENDPOINT", "s.example")];
        let config = config(&bucket("b"), &env).unwrap();
        assert_eq!(config.table_url, "http://d:8000");
        assert_eq!(config.bucket_url, "https://s.example/b");
        assert!(!config.is_amazon);
        let vpc =
            [("AWS_ENDPOINT_URL_S3", "https://bucket.vpce-1.s3.eu-west-1.vpce.amazonaws.com")];
        assert!(super::tests::config(&bucket("b"), &vpc).unwrap().is_amazon);
    }

    #[test]
    fn what_is_no_address_is_refused_without_repeating_it() {
        for endpoint in ["ftp://x", "http://", "http://u:hunter2@h"] {
            let error = config(&bucket("b"), &[("AWS_ENDPOINT_URL", endpoint)]).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        assert!(config(&bucket("a/b"), &[]).is_err());
        assert!(config(&bucket(""), &[]).is_err());
    }
}
