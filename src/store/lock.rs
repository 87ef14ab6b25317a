//! Locks, in the protocol that Terraform speaks with each store.
//!
//! `tfstate-format`: Terraform writes its lock as compact JSON, in the order of [`LockInfo`]'s
//! fields, without a newline.

use std::fmt;
use std::io;

use super::Error;
use crate::base::clock::Clock;
use crate::base::env::Env;

/// What a lock says of its holder, as Terraform writes it.
#[derive(Clone, Debug, Default, Eq, PartialEq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct LockInfo {
    /// What releases the lock: a random UUID.
    #[serde(rename = "ID")]
    pub id: String,
    /// What is being done: `OperationTypeApply`, `state-push`.
    pub operation: String,
    /// What else the holder wanted to say.
    pub info: String,
    /// `user@host`.
    pub who: String,
    /// The version of the program that holds it.
    pub version: String,
    /// Since when: RFC 3339 in UTC, with up to nine digits of a second.
    pub created: String,
    /// What is locked, as the protocol of the store words it.
    pub path: String,
}

impl LockInfo {
    /// Returns what a lock that is taken now says of its holder; the store adds the path.
    ///
    /// # Errors
    ///
    /// The system has no random numbers for the id.
    pub fn new(operation: &str, env: &Env, clock: &dyn Clock) -> io::Result<Self> {
        Ok(Self {
            id: random_id()?,
            operation: operation.to_owned(),
            info: String::new(),
            who: who(env),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            created: clock.now().to_string(),
            path: String::new(),
        })
    }

    /// Returns what Terraform would write: compact, and without a newline.
    #[expect(clippy::missing_panics_doc, reason = "text always becomes JSON")]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("text becomes JSON")
    }

    /// Reads what is written in a lock; nothing where it is not what Terraform writes.
    pub fn from_json(bytes: &[u8]) -> Option<Self> {
        // A list would count as an object without keys.
        let is_object = bytes.trim_ascii_start().starts_with(b"{");
        if is_object { serde_json::from_slice(bytes).ok() } else { None }
    }
}

/// Returns random text in the shape of a UUID, as Terraform makes it.
fn random_id() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let hex = format!("{:032x}", u128::from_be_bytes(bytes));
    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
    Ok(parts.join("-"))
}

/// Returns `user@host`, with what the system does not say left out.
fn who(env: &Env) -> String {
    let named = ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| env.get(name));
    format!("{}@{}", named.or_else(user).unwrap_or_default(), host(env))
}

/// Returns the name of the user where the environment has none, as in containers.
#[cfg(unix)]
fn user() -> Option<String> {
    let id =
        std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").ok()?).to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == id).then(|| name.to_owned())
    });
    Some(name.unwrap_or_else(|| format!("uid {id}")))
}

#[cfg(not(unix))]
fn user() -> Option<String> {
    None
}

#[cfg(unix)]
fn host(_env: &Env) -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host(env: &Env) -> String {
    env.get("COMPUTERNAME").unwrap_or_default()
}

/// The locks of a store.
pub trait Locks: fmt::Debug + Send + Sync {
    /// Takes the lock of a key, or fails at once.
    ///
    /// `info` says who asks and what for; the store fills in `path`, and `id` where its protocol
    /// has ids of its own.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] where somebody else holds it.
    fn acquire(&self, key: &str, info: &LockInfo) -> Result<Box<dyn Held>, Error>;

    /// Returns who holds the lock of a key.
    fn holder(&self, key: &str) -> Result<Holder, Error>;

    /// Breaks the lock of a key, if it has this id.
    ///
    /// # Errors
    ///
    /// [`Error::LockId`] where another lock is held, [`Error::NotLocked`] where none is,
    /// [`Error::Unbreakable`] where the protocol has no way to take a lock from its holder.
    fn break_lock(&self, key: &str, id: &str) -> Result<(), Error>;
}

/// A lock that is held. Dropping it releases it too, but can't say whether that worked.
pub trait Held: fmt::Debug + Send {
    /// Returns what releases it, for [`Body::lock`](super::Body::lock) and [`Locks::break_lock`].
    fn id(&self) -> &str;

    /// Releases it.
    ///
    /// # Errors
    ///
    /// [`Error::LockId`] where somebody broke the lock meanwhile and another one is held now.
    fn release(self: Box<Self>) -> Result<(), Error>;
}

/// Who holds a lock.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Holder {
    /// Nobody.
    Nobody,
    /// This one. `id` is what breaks the lock, which is not always the one in the info.
    Somebody {
        /// What breaks the lock.
        id: String,
        /// What the holder wrote.
        info: LockInfo,
    },
    /// Somebody, of whom the protocol, or a damaged note, says nothing more.
    Unnamed {
        /// What is known, for people.
        why: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Fixed;

    #[test]
    fn a_lock_is_written_as_terraform_writes_it() {
        let env = Env::from_pairs([("USER", "ada")]);
        let clock = Fixed("2026-11-21T01:58:50.7475Z".parse().unwrap());
        let info = LockInfo::new("state-push", &env, &clock).unwrap();
        let info = LockInfo { id: "6617e7d6".to_owned(), path: "b/k".to_owned(), ..info };
        let host = host(&env);
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            info.to_json(),
            format!(
                r#"{{"ID":"6617e7d6","Operation":"state-push","Info":"","Who":"ada@{host}","Version":"{version}","Created":"2026-11-21T01:58:50.7475Z","Path":"b/k"}}"#
            )
        );
        assert_eq!(LockInfo::from_json(info.to_json().as_bytes()), Some(info));
    }

    #[test]
    fn an_id_is_random_and_has_the_shape_of_a_uuid() {
        let (one, other) = (random_id().unwrap(), random_id().unwrap());
        assert_ne!(one, other);
        let lengths: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
    }

    #[test]
    fn what_is_no_lock_is_not_read_as_one() {
        assert_eq!(LockInfo::from_json(b"<html>"), None);
        assert_eq!(LockInfo::from_json(b"[]"), None);
    }
}
