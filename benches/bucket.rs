//! A bucket to measure with: of a server in this process, or of one that the command line names.

use std::sync::Arc;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use tfstate::base::env::Env;

use super::s3_server::{self, Server};

/// A bucket, and who asks for it.
pub(crate) struct Bucket {
    pub(crate) endpoint: String,
    pub(crate) name: String,
    access_key: String,
    secret_key: String,
}

impl Bucket {
    pub(crate) fn of(server: &Server) -> Self {
        Self {
            endpoint: server.endpoint.clone(),
            name: "states".to_owned(),
            access_key: s3_server::ACCESS_KEY.to_owned(),
            secret_key: s3_server::SECRET_KEY.to_owned(),
        }
    }

    /// Returns the one that the command line names.
    pub(crate) fn given() -> Option<Self> {
        let after = |name: &str| std::env::args().skip_while(|word| word != name).nth(1);
        let env = Env::process();
        let variable = |name: &str| env.get(name).unwrap_or_else(|| "test".to_owned());
        Some(Self {
            endpoint: after("--endpoint")?,
            name: after("--bucket").unwrap_or_else(|| "tfstate".to_owned()),
            access_key: variable("AWS_ACCESS_KEY_ID"),
            secret_key: variable("AWS_SECRET_ACCESS_KEY"),
        })
    }

    pub(crate) fn client(&self) -> Arc<AmazonS3> {
        let builder = AmazonS3Builder::new()
            .with_endpoint(&self.endpoint)
            .with_allow_http(true)
            .with_region("us-east-1")
            .with_bucket_name(&self.name)
            .with_access_key_id(&self.access_key)
            .with_secret_access_key(&self.secret_key);
        Arc::new(builder.build().unwrap())
    }

    /// Returns what `tfstate` finds it by.
    pub(crate) fn variables(&self) -> [String; 4] {
        [
            format!("AWS_ENDPOINT_URL_S3={}", self.endpoint),
            format!("AWS_ACCESS_KEY_ID={}", self.access_key),
            format!("AWS_SECRET_ACCESS_KEY={}", self.secret_key),
            "AWS_REGION=us-east-1".to_owned(),
        ]
    }
}
