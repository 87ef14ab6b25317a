//! What the base and both sides have in one place, and whose it is to be.

/// One of the three states of a merge.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Side {
    /// What both sides come from.
    Base,
    /// The side that is merged into.
    Ours,
    /// The side that is merged.
    Theirs,
}

impl Side {
    /// Returns what to call its state.
    pub(super) fn of(self) -> &'static str {
        match self {
            Self::Base => "the common ancestor",
            Self::Ours => "our side",
            Self::Theirs => "their side",
        }
    }
}

/// Whose version is taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Choice {
    /// Both sides have the same; the spelling is ours.
    Same,
    /// Only our side changed it.
    Ours,
    /// Only their side changed it.
    Theirs,
    /// Both changed it, in ways that can't both be had.
    Clash,
}

/// What the three states have in one place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Three<T> {
    pub(super) base: Option<T>,
    pub(super) ours: Option<T>,
    pub(super) theirs: Option<T>,
}

impl<T> Default for Three<T> {
    fn default() -> Self {
        Self { base: None, ours: None, theirs: None }
    }
}

impl<T: Copy> Three<T> {
    /// Returns what there is.
    pub(super) fn sides(self) -> impl Iterator<Item = (Side, T)> {
        let all = [(Side::Base, self.base), (Side::Ours, self.ours), (Side::Theirs, self.theirs)];
        all.into_iter().filter_map(|(side, what)| Some((side, what?)))
    }

    /// Decides whose it is to be.
    pub(super) fn choose(self, same: impl Fn(T, T) -> bool) -> Choice {
        let equal = |a: Option<T>, b: Option<T>| match (a, b) {
            (None, None) => true,
            (Some(a), Some(b)) => same(a, b),
            (Some(_), None) | (None, Some(_)) => false,
        };
        match self {
            Self { ours, theirs, .. } if equal(ours, theirs) => Choice::Same,
            Self { base, theirs, .. } if equal(base, theirs) => Choice::Ours,
            Self { base, ours, .. } if equal(base, ours) => Choice::Theirs,
            _ => Choice::Clash,
        }
    }

    /// Returns the same places of what `find` finds in each.
    pub(super) fn map<U>(self, find: impl Fn(T) -> Option<U>) -> Three<U> {
        Three {
            base: self.base.and_then(&find),
            ours: self.ours.and_then(&find),
            theirs: self.theirs.and_then(&find),
        }
    }
}

impl<T> Three<T> {
    /// Returns the place of a side.
    pub(super) fn side(&mut self, side: Side) -> &mut Option<T> {
        match side {
            Side::Base => &mut self.base,
            Side::Ours => &mut self.ours,
            Side::Theirs => &mut self.theirs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_alone_changed_it_decides() {
        let choose = |base, ours, theirs| Three { base, ours, theirs }.choose(|a: i32, b| a == b);
        assert_eq!(choose(Some(1), Some(1), Some(1)), Choice::Same);
        assert_eq!(choose(Some(1), Some(2), Some(2)), Choice::Same);
        assert_eq!(choose(Some(1), Some(2), Some(1)), Choice::Ours);
        assert_eq!(choose(Some(1), Some(1), None), Choice::Theirs);
        assert_eq!(choose(Some(1), Some(2), None), Choice::Clash);
        assert_eq!(choose(None, Some(2), Some(3)), Choice::Clash);
        assert_eq!(choose(None, None, Some(3)), Choice::Theirs);
    }
}
