//! What it means to a person that a backup can't be scheduled.

use super::Failure;
use crate::ops::schedule::Error;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let hint = match &error {
            Error::NotAHome { .. } => {
                "name the file, the directory or the URL where the state lives"
            }
            Error::Credentials { .. } => {
                "put it into the environment of the backup (PGPASSWORD, TF_HTTP_PASSWORD, or what the cloud's own tools read): `--env-file FILE`"
            }
            Error::Unsupported { .. } => {
                "states are at s3://, gs://, az://, https:// and postgres://, or in files; repositories at the first three, or in folders"
            }
            Error::Text { .. } => "name it by a glob, or rename it",
            Error::Every { .. } => {
                "give hourly, daily, weekly or a length that divides an hour or a day, from 5m on: `--every 15m`; else: `--calendar EXPR`"
            }
            Error::Calendar { .. } => {
                "systemd: try it with `systemd-analyze calendar EXPR`; all others: `--calendar '17 3 * * *'`"
            }
            Error::Name { .. } => {
                "use lower-case letters, digits and `-`, 52 at most: `--name tfstate-prod`"
            }
            Error::User { .. } => "name one that is there: `getent passwd` lists them",
            Error::Reach { .. } => {
                "name the state by its URL; for GitHub, a file by its path from the top of the repository"
            }
            Error::Repository { .. } => "name a place that lasts: `--repo s3://BUCKET/PREFIX`",
            Error::NoSigningKey { .. } => {
                "name one that the repository knows, or will: `--signing-key FILE`; any backup makes one in a FILE that is not there"
            }
            Error::Long { .. } => "name the states by a glob: `s3://BUCKET/**/*.tfstate`",
        };
        Self::of(&error).hint(hint)
    }
}
