//! The clouds, each of which has its own names.

use crate::base::env::Env;
use crate::store::Error;
use crate::store::backend::Azure;

/// A cloud.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Cloud {
    /// What the names of its services end in.
    pub(super) suffix: &'static str,
    /// Where people and programs sign in.
    pub(super) authority: &'static str,
}

const PUBLIC: Cloud =
    Cloud { suffix: "core.windows.net", authority: "https://login.microsoftonline.com" };

const CHINA: Cloud =
    Cloud { suffix: "core.chinacloudapi.cn", authority: "https://login.chinacloudapi.cn" };

const GOVERNMENT: Cloud =
    Cloud { suffix: "core.usgovcloudapi.net", authority: "https://login.microsoftonline.us" };

impl Cloud {
    /// Returns the cloud that the settings name; nothing where they name a server that says what
    /// its cloud is like, and it is none of those that are known.
    pub(super) fn of(given: &Azure, env: &Env) -> Result<Option<Self>, Error> {
        let host = given.metadata_host.clone();
        let host = host.or_else(|| env.get("ARM_METADATA_HOSTNAME"));
        if let Some(host) = host.or_else(|| env.get("ARM_METADATA_HOST")) {
            return Ok(Self::described_by(&host));
        }
        let name = given.environment.clone().or_else(|| env.get("ARM_ENVIRONMENT"));
        Self::named(name.as_deref().unwrap_or("public")).map(Some)
    }

    fn named(name: &str) -> Result<Self, Error> {
        match name.to_ascii_lowercase().as_str() {
            "public" | "azurecloud" | "azurepubliccloud" => Ok(PUBLIC),
            "china" | "azurechinacloud" => Ok(CHINA),
            "usgovernment" | "azureusgovernment" | "azureusgovernmentcloud" => Ok(GOVERNMENT),
            _ => Err(super::invalid(format!("there is no environment `{name}`"))),
        }
    }

    fn described_by(host: &str) -> Option<Self> {
        match host.to_ascii_lowercase().as_str() {
            "management.azure.com" => Some(PUBLIC),
            "management.chinacloudapi.cn" => Some(CHINA),
            "management.usgovcloudapi.net" => Some(GOVERNMENT),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud(env: &[(&str, &str)]) -> Result<Option<Cloud>, Error> {
        Cloud::of(&Azure::default(), &Env::from_pairs(env.iter().copied()))
    }

    #[test]
    fn a_cloud_is_named_or_described_by_a_server() {
        assert_eq!(cloud(&[]).unwrap(), Some(PUBLIC));
        assert_eq!(cloud(&[("ARM_ENVIRONMENT", "China")]).unwrap(), Some(CHINA));
        let host = ("ARM_METADATA_HOSTNAME", "management.usgovcloudapi.net");
        assert_eq!(cloud(&[host, ("ARM_ENVIRONMENT", "china")]).unwrap(), Some(GOVERNMENT));
        assert_eq!(cloud(&[("ARM_METADATA_HOST", "stack.example")]).unwrap(), None);
        assert!(cloud(&[("ARM_ENVIRONMENT", "moon")]).is_err());
        let given = Azure {
            metadata_host: Some("management.azure.com".to_owned()),
            environment: Some("china".to_owned()),
            ..Azure::default()
        };
        assert_eq!(Cloud::of(&given, &Env::default()).unwrap(), Some(PUBLIC));
    }
}
