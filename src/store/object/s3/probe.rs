//! Tries out whether a store refuses to create what is there.
//!
//! Where that is not known, whoever creates an object looks first, which doubles the requests of
//! one who creates thousands. A lock shows it too; this is for those who take none.

use bytes::Bytes;

use super::bucket::{Bucket, Condition, Conditions};
use crate::store::PROBE;
use crate::store::object::error::Fault;

/// How many objects are created with a look before it is worth three requests to find out.
const WORTH_IT: u32 = 8;

const TEXT: &[u8] =
    b"tfstate tried out whether this store creates an object twice. This can be deleted.\n";

/// Counts a creation that needs a look, and finds out at the right one whether the next ones do.
pub(super) async fn count(bucket: &Bucket, key: &str) {
    let conditions = &bucket.conditions;
    if conditions.count_look() != WORTH_IT || Conditions::has(&conditions.ignored) {
        return;
    }
    if let Err(fault) = try_out(bucket, key).await {
        tracing::info!(%fault, bucket = bucket.name, "cannot find out whether it creates twice");
    }
}

/// Creates an object twice that nobody else knows of, beside the one that is to be created: what
/// is tried with that one itself could be somebody's by then.
async fn try_out(bucket: &Bucket, key: &str) -> Result<(), Fault> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(|error| Fault::Other(error.to_string()))?;
    let folder = key.rfind('/').map_or("", |at| &key[..=at]);
    let name = format!("{folder}{PROBE}{:016x}", u64::from_be_bytes(random));
    let path = bucket.path(&name).map_err(|error| Fault::Other(error.to_string()))?;
    let bytes = Bytes::from_static(TEXT);
    bucket.put(&path, bytes.clone(), Condition::Nothing).await?;
    match bucket.put(&path, bytes, Condition::Nothing).await {
        Ok(_) => Conditions::note(&bucket.conditions.ignored),
        Err(fault) if matches!(fault.status(), Some(409 | 412)) => {
            Conditions::note(&bucket.conditions.create);
        }
        Err(_) => {}
    }
    bucket.delete(&name, None).await
}
