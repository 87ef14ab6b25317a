//! Encrypts a repository anew: first its record, then state by state.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::backup::vault::Vault;
use crate::backup::{
    Error, Identities, Keys, Protection, Recipients, Rekeyed, Rekeyer, Repository, Signer,
};
use crate::base::clock::Clock;

/// For whom, and with what.
#[derive(Debug)]
pub struct RekeyOptions<'a> {
    /// Who is to read it from now on.
    pub recipients: &'a Recipients,
    /// The keys that read it now.
    pub identities: &'a Identities,
    /// The key of an owner, who is a writer too.
    pub signer: &'a Signer,
    /// The streams to work on; nothing means all.
    pub streams: Option<&'a BTreeSet<String>>,
}

/// Encrypts for new recipients from now on, and what there is anew; hands what became of each
/// stream to `each`.
pub fn run<E: From<Error>>(
    vault: &Arc<dyn Vault>,
    keys: Keys<'_>,
    options: &RekeyOptions<'_>,
    clock: &dyn Clock,
    mut each: impl FnMut(&str, Rekeyed) -> Result<(), E>,
) -> Result<(), E> {
    let mut repository = Repository::open(Arc::clone(vault), keys)?;
    repository.may_remove(options.signer)?;
    repository.may_write(options.signer)?;
    if *repository.protection() != Protection::Recipients(options.recipients.clone()) {
        repository.set_recipients(options.recipients, options.signer, clock.now())?;
        repository = Repository::open(Arc::clone(vault), keys)?;
    }
    let mut rekeyer = Rekeyer::new(&repository, options.identities, options.signer)?;
    let mut streams = rekeyer.streams();
    streams.retain(|name| options.streams.is_none_or(|wanted| wanted.contains(name)));
    let done = streams.iter().try_for_each(|stream| each(stream, rekeyer.run(stream)?));
    // What is done is named whatever became of the rest.
    let named = rekeyer.finish(clock.now());
    done.and(named.map_err(E::from))
}
