//! The backend `s3`: a bucket of S3, or of a store that speaks its protocol.
//!
//! Conditions make writes safe where the store heeds them. Amazon's does; others ignore them
//! silently, or heed only some (Garage, s3rver, Ceph on a bucket with versions). So elsewhere what
//! is there is compared just before a write as well, until a lock has shown that the store refuses what
//! it must ([`lock`]), but for what is [added](Store::add) under a name of its own.

mod account;
mod bucket;
mod config;
mod credentials;
mod list;
mod lock;
mod profile;
mod sign;
mod table;
mod write;
mod xml;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use md5::{Digest, Md5};
use tokio::time::sleep;

use self::bucket::{Bucket, Conditions, hex};
use self::config::Config;
use self::lock::{Locking, S3Held};
use self::profile::Profiles;
use self::sign::{S3Sign, TableSign};
use self::table::Table;
use super::client::Client;
use super::read::Object;
use crate::base::env::Env;
use crate::store::backend::S3;
use crate::store::{
    Body, Entry, Error, Expected, Found, Guarantee, Guarantees, Held, Holder, LockInfo, Locks,
    Pages, Revision, Store, Version, runtime,
};

/// How often a state is read that is not the one its digest is of; the digest may be late.
const DIGEST_READS: u32 = 6;

/// Returns the address that stands in for Amazon's, if one does that can be used.
pub(in crate::store) fn endpoint(settings: &S3, env: &Env) -> Option<String> {
    config::endpoint(settings, env, &Profiles::read(settings, env), "s3").ok()?
}

/// Returns the store of these settings.
pub(in crate::store) fn connect(settings: &S3, env: &Env) -> Result<Arc<dyn Store>, Error> {
    let invalid = |problem| Error::Settings { backend: "s3", problem };
    let profiles = Profiles::read(settings, env);
    let config = Config::new(settings, env, &profiles)?;
    let signer = credentials::signer(settings, env, &profiles, &config)?;
    let set = settings.sse_customer_key.as_ref().map(|key| key.expose().to_owned());
    let customer_key = set.or_else(|| env.get("AWS_SSE_CUSTOMER_KEY"));
    let sign = S3Sign::new(settings, customer_key.as_deref(), &config, signer.clone())?;
    let client =
        Client::new(&config.network, &config.bucket_url, Box::new(sign)).map_err(invalid)?;
    let table = match settings.dynamodb_table.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => {
            let sign = Box::new(TableSign::new(&signer, &config.region));
            let client = Client::new(&config.network, &config.table_url, sign).map_err(invalid)?;
            Some(Arc::new(Table::new(name, &config.table_url, client)))
        }
        None => None,
    };
    let bucket = Arc::new(Bucket::new(&settings.bucket, &config, client)?);
    let locking = Locking { bucket, use_lockfile: settings.use_lockfile, table };
    // Two seconds, with the usual patience.
    let digest_pause = config.network.patience / 15;
    Ok(Arc::new(Bucketed { locking: Arc::new(locking), digest_pause }))
}

/// The store of a bucket.
#[derive(Debug)]
struct Bucketed {
    locking: Arc<Locking>,
    digest_pause: Duration,
}

impl Bucketed {
    fn bucket(&self) -> &Bucket {
        &self.locking.bucket
    }

    fn wait<T>(
        &self,
        key: &str,
        future: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let failed = |source| Error::Io { what: self.name(key), source };
        runtime::block_on(future).map_err(failed)?
    }

    fn digest_row(&self, key: &str) -> String {
        format!("{}-md5", self.locking.row(key))
    }

    /// Reads a key, until it is what its digest is of.
    async fn read_whole(&self, key: &str) -> Result<Found, Error> {
        let mut reads = 1;
        loop {
            let object = self.bucket().get(key, None).await?;
            let Some((expected, found)) = self.mismatch(key, object.as_ref()).await else {
                return Ok(write::found(object));
            };
            if reads == DIGEST_READS {
                let why = self.why_not(key, &expected, found.as_deref());
                let found = Box::new(write::found(object));
                return Err(Error::Digest { what: self.name(key), why, found });
            }
            tracing::info!(key, reads, "the state is not the one its digest is of; reading again");
            reads += 1;
            sleep(self.digest_pause).await;
        }
    }

    /// Returns the digest that a key should have and the one that it has, where they differ.
    async fn mismatch(
        &self,
        key: &str,
        object: Option<&Object>,
    ) -> Option<(String, Option<String>)> {
        let table = self.locking.table.as_ref()?;
        let expected = match table.digest(&self.digest_row(key)).await {
            Ok(expected) => expected?,
            Err(fault) => {
                // Terraform reads on without it too.
                tracing::warn!(%fault, "cannot read the digest of {}", self.name(key));
                return None;
            }
        };
        let found = object.map(|object| hex(&Md5::digest(&object.bytes)));
        (found.as_ref() != Some(&expected)).then_some((expected, found))
    }

    fn why_not(&self, key: &str, expected: &str, found: Option<&str>) -> String {
        let table = self.locking.table.as_ref().map(|table| table.name()).unwrap_or_default();
        let found =
            found.map_or("there is no object".to_owned(), |md5| format!("its MD5 is {md5}"));
        let row = self.digest_row(key);
        format!("{found}, but the row `{row}` in the table {table} says {expected}")
    }

    async fn write_whole(&self, key: &str, body: &Body<'_>) -> Result<Version, Error> {
        let version = match write::write(self.bucket(), key, body).await {
            Err(error @ Error::Unknown { .. }) if self.locking.table.is_some() => {
                // A state whose digest is that of the one before it can be read by nobody.
                let found = self.bucket().get(key, None).await.ok().flatten();
                found.filter(|found| found.bytes == *body.bytes).ok_or(error)?.version
            }
            written => written?,
        };
        if let Some(table) = &self.locking.table {
            let (row, digest) = (self.digest_row(key), hex(&Md5::digest(body.bytes)));
            if let Err(fault) = table.set_digest(&row, &digest).await {
                let source = Box::new(table.failed(fault, "write", &format!("the row `{row}`")));
                let (what, table) = (self.name(key), table.name().to_owned());
                return Err(Error::Undigested { what, table, row, digest, source });
            }
        }
        Ok(version)
    }

    async fn delete_whole(&self, key: &str, expected: &Version) -> Result<(), Error> {
        write::delete(self.bucket(), key, expected).await?;
        if let Some(table) = &self.locking.table {
            let failed = |fault| {
                let what = format!("{}, which is deleted,", self.name(key));
                table.failed(fault, "delete the digest of", &what)
            };
            table.delete(&self.digest_row(key)).await.map_err(failed)?;
        }
        Ok(())
    }
}

impl Store for Bucketed {
    fn name(&self, key: &str) -> String {
        self.bucket().call(key)
    }

    fn guarantees(&self) -> Guarantees {
        let bucket = self.bucket();
        let sure = |is_seen: bool| {
            if is_seen { Guarantee::Atomic } else { Guarantee::UnderLock }
        };
        let conditions = &bucket.conditions;
        let create = bucket.is_amazon || Conditions::has(&conditions.create);
        let replace = bucket.is_amazon || Conditions::has(&conditions.replace);
        Guarantees {
            create: sure(create && !Conditions::has(&conditions.ignored)),
            replace: sure(replace && !Conditions::has(&conditions.useless)),
        }
    }

    fn read(&self, key: &str) -> Result<Found, Error> {
        self.wait(key, self.read_whole(key))
    }

    fn read_start(&self, key: &str, len: u64) -> Result<Found, Error> {
        self.wait(key, self.bucket().start(key, len))
    }

    fn read_version(&self, key: &str, id: &str) -> Result<Found, Error> {
        let read = async {
            match self.bucket().get(key, Some(id)).await {
                // What a marker of a deletion holds, or what has no such id.
                Err(Error::Remote { source: Some(source), .. })
                    if source.downcast_ref().is_some_and(list::is_no_version) =>
                {
                    Ok(Found::Nothing)
                }
                read => read.map(write::found),
            }
        };
        self.wait(key, read)
    }

    fn head(&self, key: &str) -> Result<Option<Entry>, Error> {
        self.wait(key, self.bucket().head(key))
    }

    fn write(&self, key: &str, body: &Body<'_>) -> Result<Version, Error> {
        self.wait(key, self.write_whole(key, body))
    }

    fn add(&self, key: &str, bytes: &[u8]) -> Result<Version, Error> {
        let body = Body { bytes, expected: Expected::Nothing, lock: None };
        // Who reads it back holds it against its digest.
        if self.locking.table.is_some() {
            return self.write(key, &body);
        }
        self.wait(key, write::add(self.bucket(), key, &body))
    }

    fn delete(&self, key: &str, expected: &Version, _lock: Option<&str>) -> Result<(), Error> {
        self.wait(key, self.delete_whole(key, expected))
    }

    fn list(
        &self,
        prefix: &str,
        each: &mut dyn FnMut(Entry) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.list_all(prefix, each)
    }

    fn pages(&self) -> Option<&dyn Pages> {
        Some(self)
    }

    fn versions(&self, key: &str) -> Result<Vec<Revision>, Error> {
        self.wait(key, list::versions(self.bucket(), key))
    }

    fn locks(&self) -> Option<&dyn Locks> {
        let are_on = self.locking.use_lockfile || self.locking.table.is_some();
        are_on.then_some(self)
    }
}

impl Pages for Bucketed {
    fn list_after(
        &self,
        prefix: &str,
        after: Option<&str>,
        each: &mut dyn FnMut(Vec<Entry>) -> bool,
    ) -> Result<bool, Error> {
        let mut from = after.map(list::Start::Key);
        loop {
            let page = match self.wait(prefix, list::page(self.bucket(), prefix, from.as_ref())) {
                // Not every server knows how to begin at a key.
                Err(Error::Remote { source: Some(source), .. })
                    if matches!(from, Some(list::Start::Key(_)))
                        && source.downcast_ref().is_some_and(list::is_refused) =>
                {
                    return Ok(false);
                }
                page => page?,
            };
            from = page.next.map(list::Start::Token);
            if !each(page.entries) || from.is_none() {
                return Ok(true);
            }
        }
    }
}

impl Locks for Bucketed {
    fn acquire(&self, key: &str, info: &LockInfo) -> Result<Box<dyn Held>, Error> {
        let info = self.wait(key, self.locking.acquire(key, info))?;
        Ok(Box::new(S3Held::new(Arc::clone(&self.locking), key, info)))
    }

    fn holder(&self, key: &str) -> Result<Holder, Error> {
        self.wait(key, self.locking.holder(key))
    }

    fn break_lock(&self, key: &str, id: &str) -> Result<(), Error> {
        self.wait(key, self.locking.release(key, id))
    }
}
