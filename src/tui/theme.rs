//! How things look, by what they mean. Colour is never alone: a mark or a letter says the same.

use ratatui::style::{Color, Modifier, Style};

/// Whether colours may be used.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Colour {
    /// The sixteen colours of the terminal's own palette.
    #[default]
    Ansi,
    /// None: only bold, dim, underlined and reversed text.
    Mono,
}

/// Which characters may be drawn besides what the state holds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Glyphs {
    /// Lines, arrows and ellipses.
    #[default]
    Unicode,
    /// ASCII only.
    Ascii,
}

/// What a piece of text means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Meaning {
    /// Text without a further meaning.
    Plain,
    /// What is there when wanted and does not ask to be read.
    Quiet,
    /// The name of the program, of a pane that has the focus, of a section.
    Title,
    /// A module.
    Module,
    /// The name of an attribute.
    Label,
    /// A number, or `true` and `false`.
    Literal,
    /// A masked value.
    Secret,
    /// A secret that is shown.
    Revealed,
    /// Something to look at: tainted, deposed.
    Warning,
    /// Something that is wrong.
    Problem,
    /// The part of the filter that is wrong.
    BadPart,
    /// A key to press.
    Key,
}

/// Whether keys go to a pane.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Focused {
    Yes,
    No,
}

impl Focused {
    pub(crate) fn when(is_focused: bool) -> Self {
        if is_focused { Self::Yes } else { Self::No }
    }
}

/// Returns what is laid over the selected row: reversed where the keys go, bold elsewhere.
///
/// The reversed row gives up its colours: a coloured reversed cell is a patch of paint.
pub(crate) fn selection(focused: Focused) -> Style {
    let lit = Style::new().remove_modifier(Modifier::DIM);
    match focused {
        Focused::Yes => lit.fg(Color::Reset).add_modifier(Modifier::REVERSED),
        Focused::No => lit.add_modifier(Modifier::BOLD),
    }
}

/// Styles and characters.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Theme {
    pub(crate) colour: Colour,
    pub(crate) glyphs: Glyphs,
}

impl Theme {
    /// Returns the style of a meaning.
    pub(crate) fn style(self, meaning: Meaning) -> Style {
        let plain = Style::new();
        match meaning {
            Meaning::Plain => plain,
            Meaning::Quiet => plain.add_modifier(Modifier::DIM),
            Meaning::Title | Meaning::Key => plain.add_modifier(Modifier::BOLD),
            Meaning::Module => self.coloured(Color::Blue).add_modifier(Modifier::BOLD),
            Meaning::Label => self.coloured(Color::Cyan),
            Meaning::Literal => self.coloured(Color::Green),
            Meaning::Secret => self.coloured(Color::Magenta),
            Meaning::Revealed => self.coloured(Color::Magenta).add_modifier(Modifier::BOLD),
            Meaning::Warning => self.coloured(Color::Yellow).add_modifier(Modifier::BOLD),
            Meaning::Problem => self.coloured(Color::Red).add_modifier(Modifier::BOLD),
            Meaning::BadPart => {
                self.coloured(Color::Red).add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
            }
        }
    }

    fn coloured(self, colour: Color) -> Style {
        match self.colour {
            Colour::Ansi => Style::new().fg(colour),
            Colour::Mono => Style::new(),
        }
    }

    /// Returns one of two spellings.
    fn glyph(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        match self.glyphs {
            Glyphs::Unicode => unicode,
            Glyphs::Ascii => ascii,
        }
    }

    pub(crate) fn open(self) -> &'static str {
        self.glyph("▾", "-")
    }

    pub(crate) fn closed(self) -> &'static str {
        self.glyph("▸", "+")
    }

    pub(crate) fn ellipsis(self) -> &'static str {
        self.glyph("…", "~")
    }

    pub(crate) fn step(self) -> &'static str {
        self.glyph(" › ", " > ")
    }

    pub(crate) fn separator(self) -> &'static str {
        self.glyph(" · ", " | ")
    }

    pub(crate) fn horizontal(self) -> &'static str {
        self.glyph("─", "-")
    }

    pub(crate) fn vertical(self) -> &'static str {
        self.glyph("│", "|")
    }

    pub(crate) fn tee(self) -> &'static str {
        self.glyph("┬", "+")
    }

    /// Returns what stands in the place of a secret.
    pub(crate) fn mask(self, fingerprint: u16) -> String {
        match self.glyphs {
            Glyphs::Unicode => format!("‹secret #{fingerprint:04x}›"),
            Glyphs::Ascii => format!("<secret #{fingerprint:04x}>"),
        }
    }
}
