//! What errors of stores and locks mean to a person.

use super::{Exit, Failure};
use crate::base::text::{escape, shell_word};
use crate::store::{Error, Holder, LockInfo, Problem};

/// Returns the failure for what happened between here and a store, or at a lock; nothing for an
/// error of another kind.
pub(super) fn failure(error: &Error) -> Option<Failure> {
    let failure = Failure::of(error);
    Some(match error {
        Error::Locked { what, holder } => locked(failure, what, holder),
        Error::LockId { .. } | Error::NotLocked { .. } => {
            failure.hint("see who holds it: `tfstate lock show STATE`")
        }
        Error::NotAHome { .. } => {
            failure.hint("name the file, the directory or the URL that it came from")
        }
        Error::Changed { .. } => failure
            .hint("somebody writes without a lock: look at what is there now, then do it again"),
        Error::Unknown { .. } => {
            failure.hint("look at what is there before you do it again: `tfstate pull`")
        }
        Error::Undigested { table, row, digest, .. } => {
            failure.hint(digest_hint(table, row, digest))
        }
        Error::Digest { found, .. } if found.bytes().is_some() => failure.hint(
            "do it again, if somebody is just writing; if it stays so, put an earlier one there, and the row right: `tfstate restore --force`",
        ),
        Error::Digest { .. } => {
            failure.hint("it was deleted; bring it back, and the row with it: `tfstate restore`")
        }
        Error::LockStays { id, .. } => failure.hint(unlock_hint(id)),
        Error::Remote { problem, .. } => failure.hints(hint(problem)),
        _ => return None,
    })
}

/// Says how to free a lock that stays.
pub(super) fn unlock_hint(id: &str) -> String {
    format!(
        "see who holds it now: `tfstate lock show STATE`; then free it: `tfstate unlock STATE {id}`"
    )
}

/// Says how to write the digest that a table lacks.
fn digest_hint(table: &str, row: &str, digest: &str) -> String {
    let item = serde_json::json!({ "LockID": { "S": row }, "Digest": { "S": digest } });
    let (table, item) = (shell_word(&escape(table)), shell_word(&item.to_string()));
    format!("write it: `aws dynamodb put-item --table-name {table} --item {item}`")
}

/// Names the holder, and the two ways on.
fn locked(failure: Failure, what: &str, holder: &Holder) -> Failure {
    let failure = failure.exit(Exit::Locked);
    let failure = match holder {
        Holder::Somebody { id, info } => {
            let (what, id) = (shell_word(&escape(what)), shell_word(&escape(id)));
            let unlock = format!("if that is long gone: `tfstate unlock {what} {id}`");
            told(failure, info).hint("wait for it: `--lock-timeout 5m`").hint(unlock)
        }
        Holder::Nobody | Holder::Unnamed { .. } => failure.hint("wait for it: `--lock-timeout 5m`"),
    };
    let what = shell_word(&escape(what));
    failure.hint(format!("see what is known of it: `tfstate lock show {what}`"))
}

fn told(mut failure: Failure, info: &LockInfo) -> Failure {
    let said =
        |text: &str| if text.is_empty() { "?".to_owned() } else { escape(text).into_owned() };
    failure.because.push(format!(
        "it is held for {} since {}",
        said(&info.operation),
        said(&info.created)
    ));
    failure
}

fn hint(problem: &Problem) -> Option<&'static str> {
    Some(match problem {
        Problem::NoCredentials => {
            "sign in as for the cloud's own tools (`aws sso login`, `gcloud auth application-default login`, `az login`), or set their variables"
        }
        Problem::Expired => "sign in again, then do it again",
        Problem::Unauthenticated => {
            "see that the credentials are those of this store: S3 says whose they are with `aws sts get-caller-identity`, an http backend takes TF_HTTP_USERNAME and TF_HTTP_PASSWORD"
        }
        Problem::Denied => {
            "ask who owns the store for the right to do this, or use another profile"
        }
        Problem::NoContainer(_) => "check the name, the account and the region",
        Problem::Redirected(_) => "name the region: `region` in the backend block, or AWS_REGION",
        Problem::Throttled => "wait a little; many states at once ask for much",
        Problem::Unavailable(_) => "the store has trouble: do it again later",
        Problem::TimedOut => {
            "do it again, or be more patient: TFSTATE_NETWORK_TIMEOUT=120 (seconds)"
        }
        Problem::Unreachable(_) => "check the network, the proxy (HTTPS_PROXY) and the endpoint",
        Problem::Tls(_) => {
            "give the authority that signed its certificate: SSL_CERT_FILE, or AWS_CA_BUNDLE for S3"
        }
        Problem::Damaged(_) => {
            "do it again; if it stays so, restore an earlier version: put `@-1` behind it"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_names_its_holder_and_ends_with_its_own_status() {
        let info = LockInfo {
            who: "root@ci".to_owned(),
            operation: "OperationTypeApply".to_owned(),
            created: "2026-11-21T01:58:50Z".to_owned(),
            ..LockInfo::default()
        };
        let holder = Box::new(Holder::Somebody { id: "abc".to_owned(), info });
        let failure = failure(&Error::Locked { what: "s3://b/k".to_owned(), holder })
            .expect("it is a lock's");
        assert_eq!(failure.exit, Exit::Locked);
        assert_eq!(failure.error, "s3://b/k is locked by root@ci");
        assert_eq!(
            failure.because,
            ["it is held for OperationTypeApply since 2026-11-21T01:58:50Z"]
        );
        assert!(failure.hints.iter().any(|hint| hint.contains("tfstate unlock s3://b/k abc")));
    }
}
