//! What text means, and how that looks: one theme for the command line and the browser.
//!
//! Only the sixteen colours of every terminal are used, so that a user's own palette decides what
//! they are. Nothing is told by colour alone. The fronts turn a [`Style`] into their own terms.

/// What a piece of text is to the reader.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Meaning {
    /// Is there now and was not before.
    Added,
    /// Was there and is gone.
    Removed,
    /// Is there with another value.
    Changed,
    /// Is the same under another address.
    Moved,
    /// Stands in the place of a secret, or is one.
    Sensitive,
    /// The address of a resource or the name of an output.
    Address,
    /// The name of an attribute.
    Attribute,
    /// What failed.
    Error,
    /// What may be wrong.
    Warning,
    /// What to do next.
    Hint,
    /// The head of a table or section.
    Heading,
    /// What matters less than the text around it.
    Muted,
}

/// A colour of the terminal's palette.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Color {
    /// Color 1.
    Red,
    /// Color 2.
    Green,
    /// Color 3.
    Yellow,
    /// Color 4.
    Blue,
    /// Color 5.
    Magenta,
    /// Color 6.
    Cyan,
}

/// How a meaning looks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Style {
    /// The colour of the letters; the terminal's own where there is none.
    pub color: Option<Color>,
    /// Whether the letters are heavy.
    pub bold: bool,
    /// Whether the letters are faint.
    pub dim: bool,
}

impl Meaning {
    /// Returns how this looks.
    pub const fn style(self) -> Style {
        match self {
            Self::Added => Style::colored(Color::Green),
            Self::Removed => Style::colored(Color::Red),
            Self::Changed => Style::colored(Color::Yellow),
            Self::Moved | Self::Address => Style::colored(Color::Cyan),
            Self::Sensitive => Style::colored(Color::Magenta),
            Self::Attribute => Style::colored(Color::Blue),
            Self::Error => Style::colored(Color::Red).bold(),
            Self::Warning => Style::colored(Color::Yellow).bold(),
            Self::Hint => Style::colored(Color::Cyan).bold(),
            Self::Heading => Style { color: None, bold: true, dim: false },
            Self::Muted => Style { color: None, bold: false, dim: true },
        }
    }
}

impl Style {
    const fn colored(color: Color) -> Self {
        Self { color: Some(color), bold: false, dim: false }
    }

    const fn bold(self) -> Self {
        Self { bold: true, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_what_went_and_what_changed_look_different() {
        let styles = [Meaning::Added, Meaning::Removed, Meaning::Changed, Meaning::Moved];
        for (i, one) in styles.iter().enumerate() {
            for other in &styles[i + 1..] {
                assert_ne!(one.style(), other.style(), "{one:?} {other:?}");
            }
        }
    }
}
