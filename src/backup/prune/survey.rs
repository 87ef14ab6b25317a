//! What is in one stream, as far as it can be told without keys: who builds on whom, and what can
//! be relied on.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use crate::backup::body::Flaw;
use crate::backup::catalogue::Catalogue;
use crate::backup::container::{self, HEAD, Head};
use crate::backup::repository::SKEW;
use crate::backup::{Error, Kind, Repository, Snapshot};

/// One object of a stream.
#[derive(Debug)]
pub(super) struct Node {
    pub snapshot: Snapshot,
    /// Its head, where it can be read; only without a doubt does it count.
    pub head: Option<Head>,
    /// Why it can't be relied on.
    pub doubt: Option<&'static str>,
    /// Whether it was encrypted anew since.
    pub is_superseded: bool,
}

/// All objects of a stream: first what is not superseded, oldest first.
#[derive(Debug, Default)]
pub(super) struct Survey {
    pub nodes: Vec<Node>,
    /// Of each the node that it builds on.
    pub parents: Vec<Option<usize>>,
    /// Why nothing of it may be removed.
    pub left_alone: Option<&'static str>,
}

/// What an object turned out to be.
enum Look {
    Gone,
    Newer,
    Node(Box<Node>),
}

impl Survey {
    /// Reads the heads of a stream.
    pub(super) fn of(
        repository: &Repository,
        catalogue: &Catalogue,
        stream: &str,
    ) -> Result<Self, Error> {
        let mut survey = Self::default();
        if catalogue.has_unknown(stream) {
            survey.left_alone = Some(NEWER);
        }
        let old = catalogue.superseded(stream).iter();
        let living = catalogue.stream(stream).iter().map(|snapshot| (snapshot, false));
        for (snapshot, is_superseded) in living.chain(old.map(|snapshot| (snapshot, true))) {
            match look(repository, snapshot, is_superseded)? {
                // Another prune removed it since the listing; or it is there, and nobody knows what
                // it builds on.
                Look::Gone => {
                    survey.left_alone.get_or_insert(GONE);
                }
                Look::Newer => survey.left_alone = Some(NEWER),
                Look::Node(node) => survey.nodes.push(*node),
            }
        }
        survey.doubt_times(repository);
        survey.parents = (0..survey.nodes.len()).map(|at| survey.parent(at)).collect();
        for at in 0..survey.nodes.len() {
            let last = survey.chain(at).pop().unwrap_or(at);
            if survey.nodes[last].snapshot.kind != Kind::Full {
                survey.nodes[at].doubt.get_or_insert(MISSING);
            }
        }
        Ok(survey)
    }

    /// Doubts what came long after one that came when it says and is of a later time: it may be there
    /// to stand in for others in a policy. Where all came late, as in a bucket that was copied or under
    /// a clock that was wrong all the time, nothing is known by it.
    fn doubt_times(&mut self, repository: &Repository) {
        let times = |node: &Node| {
            let head =
                node.head.as_ref().filter(|_| node.doubt.is_none() && !node.is_superseded)?;
            let off = repository.off_by(&node.snapshot, &head.header)?;
            Some((node.snapshot.created, node.snapshot.modified?, off))
        };
        let times: Vec<_> = self.nodes.iter().map(times).collect();
        let on_time = || times.iter().flatten().filter(|(.., off)| *off <= SKEW);
        for (node, times) in self.nodes.iter_mut().zip(&times) {
            let Some((created, came, off)) = times else { continue };
            let shows_it = |(of, there, _): &&(Timestamp, Timestamp, SignedDuration)| {
                of > created && came.duration_since(*there) > SKEW
            };
            if *off > SKEW && on_time().any(|witness| shows_it(&witness)) {
                node.doubt = Some(OFF);
            }
        }
    }

    fn parent(&self, at: usize) -> Option<usize> {
        let link = self.nodes[at].head.as_ref()?.header.parent.as_ref()?;
        self.nodes.iter().position(|node| node.head.as_ref().is_some_and(|head| head.is(link)))
    }

    /// Returns a node and all that it builds on, itself first.
    pub(super) fn chain(&self, at: usize) -> Vec<usize> {
        let (mut chain, mut seen) = (vec![at], BTreeSet::from([at]));
        let mut next = self.parents[at];
        while let Some(at) = next.filter(|at| seen.insert(*at)) {
            chain.push(at);
            next = self.parents[at];
        }
        chain
    }

    /// Returns whether a node and all that it builds on are, to the last byte, what was written;
    /// what is not is in doubt from now on.
    pub(super) fn is_good(&mut self, at: usize, repository: &Repository) -> Result<bool, Error> {
        for link in self.chain(at) {
            let checked = match repository.check(&self.nodes[link].snapshot) {
                Err(error @ (Error::Io { .. } | Error::Store(_))) => return Err(error),
                // Whoever signed it may count again; it is as it was written.
                Err(Error::Untrusted { .. }) => {
                    self.nodes[at].doubt.get_or_insert("what it builds on is not trusted");
                    return Ok(false);
                }
                checked => checked,
            };
            if checked.is_err() {
                self.nodes[link].doubt.get_or_insert(DAMAGED);
                self.nodes[at].doubt.get_or_insert(ON_DAMAGED);
                return Ok(false);
            }
        }
        Ok(self.nodes[at].doubt.is_none())
    }

    /// Returns what a node may need in order to be restored: by its header, or, where that can't
    /// be read, whatever is older.
    pub(super) fn may_need(&self, at: usize) -> Vec<usize> {
        let node = &self.nodes[at];
        if node.head.is_some() || node.snapshot.kind == Kind::Full {
            return self.chain(at).split_off(1);
        }
        let older = |other: &usize| {
            let other = &self.nodes[*other].snapshot;
            other.sequence < node.snapshot.sequence || other.created <= node.snapshot.created
        };
        (0..self.nodes.len()).filter(|other| *other != at).filter(older).collect()
    }
}

pub(super) const MISSING: &str = "what it builds on is missing";

const DAMAGED: &str = "damaged";

const ON_DAMAGED: &str = "what it builds on is damaged";

/// Why nobody can restore something.
pub(super) const LOST: [&str; 3] = [MISSING, DAMAGED, ON_DAMAGED];

const OFF: &str = "came later than it says, and than one of a later time";

const GONE: &str = "something in it was just removed, or could not be found";

const NEWER: &str = "a later version of tfstate wrote something in it";

fn look(repository: &Repository, snapshot: &Snapshot, is_superseded: bool) -> Result<Look, Error> {
    let node = |head, doubt| {
        Look::Node(Box::new(Node { snapshot: snapshot.clone(), head, doubt, is_superseded }))
    };
    let Some(start) = repository.vault.start(&snapshot.key, HEAD)? else { return Ok(Look::Gone) };
    Ok(match container::head(&start) {
        Err(Flaw::Newer(_)) => Look::Newer,
        Err(Flaw::Damaged(_)) => node(None, Some(DAMAGED)),
        Ok(head) => match repository.hold_against(snapshot, &head) {
            Ok(()) if head.total() == snapshot.bytes_stored => node(Some(head), None),
            Err(Error::Untrusted { .. }) => node(Some(head), Some("not trusted")),
            // Its own may be put back.
            Err(_) if head.header.snapshot.repo != repository.id() => {
                node(Some(head), Some("of another repository"))
            }
            Ok(()) | Err(_) => node(Some(head), Some(DAMAGED)),
        },
    })
}
