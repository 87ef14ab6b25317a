//! Encrypts a repository anew: first its record, then state by state.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::backup::vault::Vault;
use crate::backup::{
    Error, Identities, Keys, Protection, Recipients, Rekeyed, Rekeyer, Repository, Signer,
};
use crate::base::clock::Clock;
use crate::base::secret::Secret;

/// Who is to read a repository.
#[derive(Clone, Copy, Debug)]
pub enum Readers<'a> {
    /// Whoever has one of these keys.
    Recipients(&'a Recipients),
    /// Whoever knows this: a new identity is kept in the repository under it.
    Passphrase(&'a Secret),
}

/// For whom, and with what.
#[derive(Debug)]
pub struct RekeyOptions<'a> {
    /// Who is to read it from now on.
    pub readers: Readers<'a>,
    /// The keys that read it now.
    pub identities: &'a Identities,
    /// The key of an owner, who is a writer too.
    pub signer: &'a Signer,
    /// The streams to work on; nothing means all.
    pub streams: Option<&'a BTreeSet<String>>,
    /// Whether what there is stays as it is, as where no key of it is left.
    pub new_only: bool,
}

/// What was done.
#[derive(Debug)]
pub enum Step<'a> {
    /// From now on, what is written is encrypted for others, for these.
    Recipients(&'a Recipients),
    /// A stream was encrypted anew.
    Stream(&'a str, Rekeyed),
}

/// Encrypts for new readers from now on, and what there is anew; tells each step, and stops where
/// that is an error.
pub fn run<E: From<Error>>(
    vault: &Arc<dyn Vault>,
    keys: Keys<'_>,
    options: &RekeyOptions<'_>,
    clock: &dyn Clock,
    mut tell: impl FnMut(Step<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut repository = Repository::open(Arc::clone(vault), keys)?;
    repository.may_remove(options.signer)?;
    repository.may_write(options.signer)?;
    if !reads(&repository, options.readers)? {
        if !options.new_only {
            repository.may_read(options.identities)?;
        }
        let recipients = match options.readers {
            Readers::Recipients(recipients) => recipients.clone(),
            Readers::Passphrase(passphrase) => Repository::keep_identity(&**vault, passphrase)?,
        };
        repository.set_recipients(&recipients, options.signer, clock.now())?;
        tell(Step::Recipients(&recipients))?;
        repository = Repository::open(Arc::clone(vault), keys)?;
    }
    if options.new_only {
        return Ok(());
    }
    let mut identities = options.identities.clone();
    if let Readers::Passphrase(passphrase) = options.readers {
        // What was written for it meanwhile may build on what is not encrypted anew yet.
        repository.unlock(&mut identities, passphrase)?;
    }
    let mut rekeyer = Rekeyer::new(&repository, &identities, options.signer)?;
    let mut streams = rekeyer.streams();
    streams.retain(|name| options.streams.is_none_or(|wanted| wanted.contains(name)));
    let done =
        streams.iter().try_for_each(|stream| tell(Step::Stream(stream, rekeyer.run(stream)?)));
    // What is done is named whatever became of the rest.
    let named = rekeyer.finish(clock.now());
    done.and(named.map_err(E::from))
}

/// Returns whether what is written now is for these, and for nobody else.
fn reads(repository: &Repository, readers: Readers<'_>) -> Result<bool, Error> {
    match (readers, repository.protection()) {
        (_, Protection::None) => Ok(false),
        (Readers::Recipients(wanted), Protection::Recipients(now)) => Ok(wanted == now),
        (Readers::Passphrase(passphrase), _) => repository.is_under(passphrase),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backup::vault::Folder;
    use crate::backup::{SourceFacts, stream_of};
    use crate::base::clock::Fixed;
    use crate::ops::backup::{BackupOptions, Manner, Source};

    #[test]
    fn where_it_is_stopped_what_was_done_until_then_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let vault: Arc<dyn Vault> = Arc::new(Folder::new(folder.path()));
        let (signer, clock) =
            (Signer::generate().unwrap(), Fixed("2026-08-01T10:15:00Z".parse().unwrap()));
        let keys = Keys { signer: Some(&signer), known: None };
        for uri in ["file:///a", "file:///b"] {
            let options = BackupOptions {
                vault: Arc::clone(&vault),
                protection: Some(&Protection::None),
                keys,
                cache: None,
                manner: Manner::default(),
            };
            let (facts, document, version) = (SourceFacts::default(), None, None);
            let source = Source { uri, bytes: b"{}", facts, document, version };
            crate::ops::backup::run(&source, &options, &clock).unwrap();
        }
        let key = age::x25519::Identity::generate().to_public().to_string();
        let recipients = Recipients::parse(&[key]).unwrap().unwrap();
        let options = RekeyOptions {
            readers: Readers::Recipients(&recipients),
            identities: &Identities::default(),
            signer: &signer,
            streams: None,
            new_only: false,
        };
        let stopped = run(&vault, keys, &options, &clock, |step| match step {
            Step::Recipients(_) => Ok(()),
            Step::Stream(..) => Err(Error::NoSigner),
        });
        assert!(matches!(stopped, Err(Error::NoSigner)));
        let lists = vault.list("gc/").unwrap();
        assert_eq!(lists.len(), 1);
        let list = String::from_utf8(vault.read(&lists[0].key).unwrap().unwrap()).unwrap();
        let is_named = |uri| list.contains(&stream_of(uri));
        assert!(is_named("file:///a") && !is_named("file:///b"), "{list}");
    }
}
