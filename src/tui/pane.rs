//! A list of lines with folds and a cursor: the detail pane, the outputs.

use unicode_width::UnicodeWidthStr;

use super::command::Command;
use super::lines::{Fold, Folds, Line, Spot, indent};
use super::scroll::Scroll;

/// The lines, where the cursor is, and what is folded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pane {
    pub(crate) lines: Vec<Line>,
    /// Columns from the left edge to the values.
    pub(crate) value_column: usize,
    pub(crate) scroll: Scroll,
    pub(crate) folds: Folds,
}

/// What the pane made of a command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    /// It moved, or there was nothing to do.
    Done,
    /// A fold changed: the lines must be written anew.
    Rewrite,
    /// The user wants out on the left.
    Leave,
    /// It does not know the command.
    NotMine,
}

impl Pane {
    /// Takes new lines; the cursor stays at the spot it was at, where that still is.
    pub(crate) fn replace(&mut self, lines: Vec<Line>, width: usize) {
        let at = self.line().and_then(|line| line.spot.clone());
        let found = at.and_then(|at| lines.iter().position(|line| line.spot.as_ref() == Some(&at)));
        if let Some(row) = found {
            self.scroll.cursor = row;
        }
        self.value_column = value_column(&lines, width);
        self.lines = lines;
    }

    /// Returns the line under the cursor.
    pub(crate) fn line(&self) -> Option<&Line> {
        self.lines.get(self.scroll.cursor)
    }

    /// Brings the window to the cursor.
    pub(crate) fn fit(&mut self, height: usize) {
        self.scroll.fit(self.lines.len(), height);
    }

    /// Does what a command asks for.
    pub(crate) fn on(&mut self, command: Command, height: usize) -> Answer {
        let len = self.lines.len();
        if self.scroll.on(command, len, height) {
            return Answer::Done;
        }
        match command {
            Command::NextSibling => self.sibling(1),
            Command::PreviousSibling => self.sibling(-1),
            Command::FoldAll => self.folds.set_all(Fold::Closed),
            Command::UnfoldAll => self.folds.set_all(Fold::Open),
            Command::Enter => return self.toggle(),
            Command::Right => return self.unfold(),
            Command::Left => return self.fold_or_leave(),
            _ => return Answer::NotMine,
        }
        match command {
            Command::FoldAll | Command::UnfoldAll => Answer::Rewrite,
            _ => Answer::Done,
        }
    }

    fn current(&self) -> Option<(Spot, Fold)> {
        let line = self.line()?;
        line.spot.clone().zip(line.fold)
    }

    fn toggle(&mut self) -> Answer {
        let Some((spot, fold)) = self.current() else { return Answer::Done };
        self.folds.set(spot, if fold == Fold::Open { Fold::Closed } else { Fold::Open });
        Answer::Rewrite
    }

    fn unfold(&mut self) -> Answer {
        match self.current() {
            Some((spot, Fold::Closed)) => {
                self.folds.set(spot, Fold::Open);
                Answer::Rewrite
            }
            Some((_, Fold::Open)) => {
                self.scroll.by(1, self.lines.len());
                Answer::Done
            }
            None => Answer::Done,
        }
    }

    fn fold_or_leave(&mut self) -> Answer {
        if let Some((spot, Fold::Open)) = self.current() {
            self.folds.set(spot, Fold::Closed);
            return Answer::Rewrite;
        }
        let depth = self.line().map_or(0, |line| line.depth);
        let above = &self.lines[..self.scroll.cursor.min(self.lines.len())];
        match above.iter().rposition(|line| line.depth < depth) {
            Some(row) => self.scroll.cursor = row,
            None => return Answer::Leave,
        }
        Answer::Done
    }

    /// Moves to the next line of the same depth under the same line.
    fn sibling(&mut self, by: isize) {
        let Some(depth) = self.line().map(|line| line.depth) else { return };
        let mut row = self.scroll.cursor;
        while let Some(next) = row.checked_add_signed(by).filter(|&next| next < self.lines.len()) {
            row = next;
            let found = self.lines[row].depth;
            if found <= depth {
                if found == depth {
                    self.scroll.cursor = row;
                }
                return;
            }
        }
    }
}

/// Returns the column where values begin: behind the widest label, unless values need the room.
fn value_column(lines: &[Line], width: usize) -> usize {
    let pairs = || lines.iter().filter(|line| !line.label.is_empty() && !line.value.is_empty());
    let label = pairs().map(|line| indent(line.depth) + line.label.width()).max().unwrap_or(0);
    let value = pairs().map(|line| line.value.width()).max().unwrap_or(0);
    let room = width.saturating_sub(value.min(width / 2) + 4);
    label.min(room.max(width / 2)) + 2
}
