//! Reading one object: small ones with one request, large ones with several at once into one
//! buffer, all of the same version.

use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, GetResult, ObjectStore};
use tokio::time::sleep;

use super::client::Headers;
use super::error::Fault;
use crate::store::{Error, Version};

/// How much one request brings of a large object.
const PIECE: u64 = 8 << 20;

/// How many pieces come at once.
const AT_ONCE: usize = 6;

/// No state is that large; what says so is not to be believed.
const LIMIT: u64 = 4 << 30;

/// How often a piece that broke off is taken up again.
const RESUMES: u32 = 5;

/// How often reading begins anew when the object was replaced meanwhile.
const RESTARTS: u32 = 3;

/// An object as it was read.
#[derive(Debug)]
pub(in crate::store) struct Object {
    /// What it holds.
    pub(in crate::store) bytes: Vec<u8>,
    /// Which version that is.
    pub(in crate::store) version: Version,
    /// What the store said beside it.
    pub(in crate::store) headers: Option<Headers>,
}

/// Why an object was not read.
#[derive(Debug)]
pub(in crate::store) enum Failed {
    /// A request failed.
    Fault(Fault),
    /// It was replaced each time that it was read.
    Changing,
    /// It holds more than this many bytes.
    TooLarge(u64),
}

impl Failed {
    /// Returns the error of reading what is called `what` from a container.
    pub(in crate::store) fn explain(self, what: String, container: &str) -> Error {
        match self {
            Self::Fault(fault) => fault.while_doing("read", what, container),
            Self::Changing => Error::Changing { what },
            Self::TooLarge(limit) => Error::TooLarge { what, limit },
        }
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Reads an object, or one of its versions; nothing where there is none.
pub(in crate::store) async fn read(
    store: &dyn ObjectStore,
    path: &Path,
    version: Option<&str>,
) -> Result<Option<Object>, Failed> {
    for _ in 0..RESTARTS {
        match attempt(store, path, version).await {
            Err(Failed::Changing) => {}
            Err(Failed::Fault(fault)) if fault.is_not_found() => return Ok(None),
            done => return done.map(Some),
        }
    }
    Err(Failed::Changing)
}

async fn attempt(
    store: &dyn ObjectStore,
    path: &Path,
    version: Option<&str>,
) -> Result<Object, Failed> {
    let options = GetOptions { version: version.map(ToOwned::to_owned), ..GetOptions::default() };
    let first = get(store, path, options.clone()).await?;
    let size = first.meta.size;
    if size > LIMIT {
        return Err(Failed::TooLarge(LIMIT));
    }
    let headers = first.extensions.get::<Headers>().cloned();
    let tag = first.meta.e_tag.clone();
    let named = Version { tag: tag.clone(), id: first.meta.version.clone() };
    let mut bytes = vec![0; usize::try_from(size).map_err(|_| Failed::TooLarge(LIMIT))?];
    let source = Source { store, path, options: GetOptions { if_match: tag, ..options } };
    // Pieces of an object without a tag might be of two versions.
    if size <= PIECE || source.options.if_match.is_none() {
        source.fill(&mut bytes, 0, Some(first)).await?;
    } else {
        let piece = usize::try_from(PIECE).unwrap_or(usize::MAX);
        let mut first = Some(first);
        let starts = (0..).step_by(piece);
        let fills = bytes.chunks_mut(piece).zip(starts).map(|(part, start)| {
            // The first piece comes with the answer that told the size.
            source.fill(part, start, first.take())
        });
        let fills: Vec<_> = fills.collect();
        stream::iter(fills).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    }
    Ok(Object { bytes, version: named, headers })
}

async fn get(
    store: &dyn ObjectStore,
    path: &Path,
    options: GetOptions,
) -> Result<GetResult, Fault> {
    store.get_opts(path, options).await.map_err(|error| Fault::of(&error))
}

/// The version of an object that is being read.
struct Source<'a> {
    store: &'a dyn ObjectStore,
    path: &'a Path,
    options: GetOptions,
}

impl Source<'_> {
    /// Fills a part of the buffer with what begins at `start`; takes up again what breaks off.
    async fn fill(
        &self,
        part: &mut [u8],
        start: u64,
        mut opened: Option<GetResult>,
    ) -> Result<(), Failed> {
        let (mut done, mut resumes) = (0, 0);
        loop {
            let fault = match self.pour(part, &mut done, start, opened.take()).await {
                Ok(()) if done == part.len() => return Ok(()),
                Ok(()) => Fault::Damaged(format!("{done} of {} bytes came", part.len())),
                Err(fault) if fault.status() == Some(412) => return Err(Failed::Changing),
                Err(fault) => fault,
            };
            // What the store refuses has been tried often enough already.
            if resumes == RESUMES || fault.status().is_some() || !fault.is_passing() {
                return Err(match fault {
                    Fault::Broken { .. } => {
                        Fault::Damaged(format!("{done} of {} bytes came", part.len())).into()
                    }
                    fault => fault.into(),
                });
            }
            resumes += 1;
            tracing::info!(%fault, done, of = part.len(), "reading on, {resumes} of {RESUMES}");
            sleep(Duration::from_millis(100) * resumes).await;
        }
    }

    async fn pour(
        &self,
        part: &mut [u8],
        done: &mut usize,
        start: u64,
        opened: Option<GetResult>,
    ) -> Result<(), Fault> {
        let opened = if let Some(opened) = opened {
            opened
        } else {
            let range = GetRange::Bounded(start + *done as u64..start + part.len() as u64);
            let options = GetOptions { range: Some(range), ..self.options.clone() };
            get(self.store, self.path, options).await?
        };
        let mut chunks = opened.into_stream();
        while *done < part.len() {
            let Some(chunk) = chunks.next().await else { return Ok(()) };
            let chunk = chunk.map_err(|error| Fault::of(&error))?;
            let taken = chunk.len().min(part.len() - *done);
            part[*done..*done + taken].copy_from_slice(&chunk[..taken]);
            *done += taken;
        }
        Ok(())
    }
}
