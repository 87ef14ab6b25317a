//! Rows in columns without borders, for people; scripts read JSON.

use comfy_table::{Attribute, CellAlignment, ContentArrangement, presets};

use crate::base::text;
use crate::base::theme::{Color, Meaning};

/// Rows under a heading.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    heading: Vec<&'static str>,
    numbers: std::ops::Range<usize>,
    rows: Vec<Vec<Cell>>,
}

/// One cell: text, which is escaped when it is shown, and what it means.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    meaning: Option<Meaning>,
}

impl Cell {
    /// Makes a cell of plain text.
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), meaning: None }
    }

    /// Makes a cell of text with a meaning.
    pub(crate) fn of(meaning: Meaning, text: impl Into<String>) -> Self {
        Self { text: text.into(), meaning: Some(meaning) }
    }
}

impl Table {
    /// Makes a table without rows.
    pub(crate) fn new<const N: usize>(heading: [&'static str; N]) -> Self {
        Self { heading: heading.to_vec(), ..Self::default() }
    }

    /// Puts these columns against the right, as numbers are compared by their length.
    pub(crate) fn numbers(mut self, columns: std::ops::Range<usize>) -> Self {
        self.numbers = columns;
        self
    }

    /// Adds a row, which has as many cells as the heading.
    pub(crate) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push(Vec::from(cells));
    }

    /// Leaves out those of these columns in which there is nothing.
    pub(crate) fn without_empty(mut self, columns: std::ops::Range<usize>) -> Self {
        for at in columns.rev() {
            let is_empty = |row: &Vec<Cell>| row.get(at).is_none_or(|cell| cell.text.is_empty());
            if self.rows.iter().all(is_empty) {
                self.heading.remove(at);
                self.rows.iter_mut().for_each(|row| drop(row.remove(at)));
            }
        }
        self
    }

    /// Returns the width of the terminal that standard output is, if it is one.
    pub(super) fn terminal_width() -> Option<u16> {
        comfy_table::Table::new().width()
    }

    /// Lays the table out; wraps cells where a row would not fit into `width`.
    pub(super) fn lines(&self, width: Option<u16>, colored: bool) -> Vec<String> {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::NOTHING).force_no_tty();
        if colored {
            table.enforce_styling();
            table.style_text_only();
        }
        if let Some(width) = width {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        let heading = self.heading.iter().map(|&name| shown(name, Some(Meaning::Heading)));
        table.set_header(heading.collect::<Vec<_>>());
        for row in &self.rows {
            table.add_row(
                row.iter().map(|cell| shown(&cell.text, cell.meaning)).collect::<Vec<_>>(),
            );
        }
        for (at, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, 2));
            if self.numbers.contains(&at) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.lines().map(|line| line.trim_end().to_owned()).collect()
    }
}

fn shown(text: &str, meaning: Option<Meaning>) -> comfy_table::Cell {
    let mut cell = comfy_table::Cell::new(text::escape(text));
    let style = meaning.map(Meaning::style).unwrap_or_default();
    if let Some(color) = style.color {
        cell = cell.fg(match color {
            Color::Red => comfy_table::Color::DarkRed,
            Color::Green => comfy_table::Color::DarkGreen,
            Color::Yellow => comfy_table::Color::DarkYellow,
            Color::Blue => comfy_table::Color::DarkBlue,
            Color::Magenta => comfy_table::Color::DarkMagenta,
            Color::Cyan => comfy_table::Color::DarkCyan,
        });
    }
    if style.bold {
        cell = cell.add_attribute(Attribute::Bold);
    }
    if style.dim {
        cell = cell.add_attribute(Attribute::Dim);
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(["Address", "Size"]);
        table.row([Cell::of(Meaning::Address, "aws_vpc.main"), Cell::plain("12")]);
        table.row([Cell::plain("a\u{1b}b"), Cell::plain("")]);
        table
    }

    #[test]
    fn columns_line_up_and_hostile_text_is_escaped() {
        assert_eq!(
            table().lines(None, false),
            ["Address       Size", "aws_vpc.main  12", "a\\u{1b}b"]
        );
    }

    #[test]
    fn columns_in_which_there_is_nothing_can_be_left_out() {
        let mut table = Table::new(["A", "B", "C"]);
        table.row([Cell::plain("a"), Cell::plain(""), Cell::plain("c")]);
        table.row([Cell::plain(""), Cell::plain(""), Cell::plain("d")]);
        assert_eq!(table.without_empty(0..3).lines(None, false), ["A  C", "a  c", "   d"]);
    }

    #[test]
    fn a_narrow_terminal_wraps_cells() {
        let lines = table().lines(Some(14), false);
        assert!(lines.len() > 3, "{lines:?}");
        assert!(lines.iter().all(|line| line.len() <= 14), "{lines:?}");
    }

    #[test]
    fn colours_go_around_the_text() {
        let lines = table().lines(None, true);
        assert!(lines[1].contains("\u{1b}["), "{lines:?}");
        assert!(lines[1].contains("aws_vpc.main"), "{lines:?}");
    }
}
