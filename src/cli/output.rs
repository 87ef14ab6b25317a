//! The only place that prints: data to standard output, talk to standard error.
//!
//! Text from a state is hostile. Whoever prints it passes it through [`Output::paint`] or a
//! [`Table`], which escape it, or through `base::text`; a line is printed as it comes.

use std::fmt::Write as _;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use serde::Serialize;

use super::error::Failure;
use super::interrupt::Interrupt;
use super::pager;
use super::table::Table;
use crate::base::env::Env;
use crate::base::text;
use crate::base::theme::{Color, Meaning};

/// Standard output did not take what was written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write to standard output")]
pub(crate) struct Error(#[from] io::Error);

impl Error {
    /// Returns whether the reader went away, as `head` does.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

/// Prints text that is all a run prints.
pub(crate) fn print_alone(text: &str) -> Result<(), Error> {
    let mut out = io::stdout();
    Ok(out.write_all(text.as_bytes()).and_then(|()| out.flush())?)
}

/// Says something to the user while a command is at work; only where [`Output::talks`].
pub(crate) fn say(text: &str) {
    // Nobody there to hear it is no reason to stop.
    writeln!(io::stderr(), "{text}").ok();
}

/// Asks something that is answered by yes or no; anything but yes is no.
pub(crate) fn confirm(question: &str) -> io::Result<bool> {
    write!(io::stderr(), "{question} [y/N] ")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Asks as [`confirm`] does, of somebody who may give up: `stop` says when there is no more use in
/// waiting for the answer, and then there is none.
pub(crate) fn confirm_until(question: &str, stop: &dyn Fn() -> bool) -> io::Result<Option<bool>> {
    let (asked, (sender, answers)) = (question.to_owned(), mpsc::channel());
    // A thread that waits for the keyboard can't be woken; it ends with the process.
    thread::spawn(move || sender.send(confirm(&asked)));
    loop {
        match answers.recv_timeout(GLANCE) {
            Ok(answer) => return answer.map(Some),
            Err(RecvTimeoutError::Timeout) if stop() => {
                say("");
                return Ok(None);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(Some(false)),
        }
    }
}

/// How long it takes at the most to notice that nobody waits for an answer any more.
const GLANCE: Duration = Duration::from_millis(50);

/// Asks for a line of text.
pub(crate) fn ask(question: &str) -> io::Result<String> {
    write!(io::stderr(), "{question} ")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(answer.trim().to_owned())
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ColorChoice {
    /// On a terminal that can show them.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Where a command's results and talk go.
pub(crate) struct Output {
    out: BufWriter<Box<dyn Write>>,
    err: Box<dyn Write>,
    /// Whether each of them is a terminal that shows colours.
    capable: Capable,
    color: ColorChoice,
    quiet: bool,
    progress: bool,
    width: Option<u16>,
    /// Whether a person reads the results.
    terminal: bool,
    /// What is kept back for a pager.
    page: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Capable {
    out: bool,
    err: bool,
}

impl Output {
    /// Prints to this process's standard output and error.
    pub(crate) fn standard(env: &Env) -> Self {
        let dumb = env.get("TERM").is_some_and(|term| term == "dumb");
        let (out, err) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        Self {
            // Standard output's own buffer flushes at every line feed, which costs more than the
            // printing does where a state has thousands of resources.
            out: BufWriter::with_capacity(64 * 1024, Box::new(io::stdout())),
            err: Box::new(io::stderr()),
            capable: Capable { out: out && !dumb, err: err && !dumb },
            color: ColorChoice::Auto,
            quiet: false,
            progress: err && !dumb,
            width: width(env, out),
            terminal: out,
            page: None,
        }
    }

    /// Uses colours from now on as this says.
    pub(crate) fn set_color(&mut self, color: ColorChoice) {
        self.color = color;
    }

    /// Prints no talk from now on, except errors.
    pub(crate) fn silence_talk(&mut self) {
        self.quiet = true;
    }

    /// Shows no progress from now on.
    pub(crate) fn silence_progress(&mut self) {
        self.progress = false;
    }

    /// Returns whether progress is to be shown.
    pub(crate) fn shows_progress(&self) -> bool {
        self.progress && !self.quiet
    }

    /// Returns whether there is any talk.
    pub(crate) fn talks(&self) -> bool {
        !self.quiet
    }

    /// Returns whether talk is coloured.
    pub(crate) fn colors_talk(&self) -> bool {
        decide(self.color, self.capable.err)
    }

    fn colors_data(&self) -> bool {
        decide(self.color, self.capable.out)
    }

    /// Returns text escaped, in the colours of its meaning where data is coloured.
    pub(crate) fn paint(&self, meaning: Meaning, text: &str) -> String {
        painted(meaning, text, self.colors_data())
    }

    /// Does as [`paint`](Self::paint), but makes it stand out from text around it that has the
    /// same meaning.
    pub(crate) fn paint_strongly(&self, meaning: Meaning, text: &str) -> String {
        let text = text::escape(text);
        if !self.colors_data() {
            return text.into_owned();
        }
        let style = ansi(meaning).invert();
        format!("{style}{text}{style:#}")
    }

    /// Returns how many columns there are; none where nobody looks.
    pub(crate) fn width(&self) -> Option<u16> {
        self.width
    }

    /// Prints a line of data, which must be safe for a terminal.
    pub(crate) fn line(&mut self, line: &str) -> Result<(), Error> {
        if let Some(page) = &mut self.page {
            page.extend_from_slice(line.as_bytes());
            page.push(b'\n');
            return Ok(());
        }
        self.out.write_all(line.as_bytes())?;
        Ok(self.out.write_all(b"\n")?)
    }

    /// Keeps back the lines from now on for a pager, if a person reads them.
    pub(crate) fn begin_page(&mut self) {
        self.page = self.terminal.then(Vec::new);
    }

    /// Shows what was kept back in the user's pager, or plainly where there is none or it can't
    /// be run.
    pub(crate) fn end_page(&mut self, env: &Env, interrupt: &Interrupt) -> Result<(), Error> {
        let Some(page) = self.page.take() else { return Ok(()) };
        self.flush()?;
        let shown = |command: String| pager::show(&command, env, (&page, interrupt));
        if pager::command(env).is_some_and(shown) {
            return Ok(());
        }
        self.bytes(&page)
    }

    /// Prints one line of text of a state, made safe to show.
    pub(crate) fn data(&mut self, line: &str) -> Result<(), Error> {
        self.line(&text::escape(line))
    }

    /// Prints text of a state and a line feed: as it is where a program reads it, made safe to
    /// show on a terminal.
    pub(crate) fn raw_line(&mut self, text: &str) -> Result<(), Error> {
        if self.terminal { self.line(&text::escape_lines(text)) } else { self.line(text) }
    }

    /// Prints bytes exactly as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Error> {
        Ok(self.out.write_all(bytes)?)
    }

    /// Prints rows in columns, as wide as the terminal at most.
    pub(crate) fn table(&mut self, table: &Table) -> Result<(), Error> {
        for line in table.lines(self.width, self.colors_data()) {
            self.line(&line)?;
        }
        Ok(())
    }

    /// Prints one JSON document, whose first key is to be `schema`. What a terminal would act on
    /// is escaped as JSON does it, so that a program reads the same.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), Error> {
        serde_json::to_writer_pretty(SafeJson(&mut self.out), value).map_err(io::Error::from)?;
        Ok(self.out.write_all(b"\n")?)
    }

    /// Prints text that clap has styled: help and versions to standard output, usage errors to
    /// standard error.
    pub(crate) fn clap(&mut self, answer: &clap::Error) -> Result<(), Error> {
        let styled = answer.render();
        if answer.use_stderr() {
            let text =
                if self.colors_talk() { styled.ansi().to_string() } else { styled.to_string() };
            self.talk(&text);
            return Ok(());
        }
        let text = if self.colors_data() { styled.ansi().to_string() } else { styled.to_string() };
        self.bytes(text.as_bytes())
    }

    /// Says what was done, in sentences.
    pub(crate) fn note(&mut self, text: &str) {
        if !self.quiet {
            self.talk(&format!("{}\n", text::escape_lines(text)));
        }
    }

    /// Says what may be wrong although the command goes on, and what to do about it.
    pub(crate) fn warning(&mut self, text: &str, hint: Option<&str>) {
        if self.quiet {
            return;
        }
        let mut said = self.labelled(Meaning::Warning, "warning:", text);
        if let Some(hint) = hint {
            said.push_str(&self.labelled(Meaning::Hint, "hint:", hint));
        }
        self.talk(&said);
    }

    /// Says what to do next.
    pub(crate) fn hint(&mut self, text: &str) {
        if !self.quiet {
            let said = self.labelled(Meaning::Hint, "hint:", text);
            self.talk(&said);
        }
    }

    /// Says why a command failed; silenced talk leaves out the advice only.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        let mut said = self.labelled(Meaning::Error, "error:", &failure.error);
        for cause in &failure.because {
            // What is shown of a filter or an expression stands with its cause.
            let cause = cause.replace('\n', "\n    ");
            said.push_str(&self.labelled(Meaning::Muted, "  because:", &cause));
        }
        for hint in failure.hints.iter().filter(|_| !self.quiet) {
            said.push_str(&self.labelled(Meaning::Hint, "hint:", hint));
        }
        self.talk(&said);
    }

    /// Hands everything printed so far to the reader.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        Ok(self.out.flush()?)
    }

    fn labelled(&self, meaning: Meaning, label: &str, text: &str) -> String {
        let label = painted(meaning, label, self.colors_talk());
        format!("{label} {}\n", text::escape_lines(text))
    }

    /// Talk comes after the data it is about. That it can't be shown is no reason to stop.
    fn talk(&mut self, text: &str) {
        let _flushed = self.out.flush();
        let _shown = self.err.write_all(text.as_bytes()).and_then(|()| self.err.flush());
    }
}

/// Escapes a JSON document on its way.
struct SafeJson<W>(W);

impl<W: Write> Write for SafeJson<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // The writer hands over text in pieces that end where a character ends.
        let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
        self.0.write_all(text::escape_json(text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output")
            .field("capable", &self.capable)
            .field("color", &self.color)
            .field("quiet", &self.quiet)
            .field("width", &self.width)
            .finish_non_exhaustive()
    }
}

fn decide(choice: ColorChoice, capable: bool) -> bool {
    match choice {
        ColorChoice::Auto => capable,
        ColorChoice::Always => true,
        ColorChoice::Never => false,
    }
}

/// Returns the width to lay tables out for: `COLUMNS`, or the terminal's. A pipe has none, so that
/// scripts get one line a row.
fn width(env: &Env, terminal: bool) -> Option<u16> {
    let columns = env.get("COLUMNS").and_then(|columns| columns.parse().ok());
    columns.filter(|&columns| columns > 0).or_else(|| Table::terminal_width().filter(|_| terminal))
}

fn painted(meaning: Meaning, text: &str, colored: bool) -> String {
    let text = text::escape(text);
    if !colored {
        return text.into_owned();
    }
    let style = ansi(meaning);
    let mut painted = String::new();
    write!(painted, "{style}{text}{style:#}").expect("writing to a string does not fail");
    painted
}

fn ansi(meaning: Meaning) -> anstyle::Style {
    let style = meaning.style();
    let color = style.color.map(|color| match color {
        Color::Red => anstyle::AnsiColor::Red,
        Color::Green => anstyle::AnsiColor::Green,
        Color::Yellow => anstyle::AnsiColor::Yellow,
        Color::Blue => anstyle::AnsiColor::Blue,
        Color::Magenta => anstyle::AnsiColor::Magenta,
        Color::Cyan => anstyle::AnsiColor::Cyan,
    });
    let mut effects = anstyle::Effects::new();
    effects = effects.set(anstyle::Effects::BOLD, style.bold);
    effects = effects.set(anstyle::Effects::DIMMED, style.dim);
    anstyle::Style::new().fg_color(color.map(Into::into)).effects(effects)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn painted_text_is_escaped_and_ends_its_colours() {
        assert_eq!(
            painted(Meaning::Error, "a\u{1b}[0mb", true),
            "\u{1b}[1m\u{1b}[31ma\\u{1b}[0mb\u{1b}[0m"
        );
        assert_eq!(painted(Meaning::Error, "a\u{1b}[0mb", false), "a\\u{1b}[0mb");
    }

    #[test]
    fn columns_decide_the_width_and_a_pipe_has_none() {
        assert_eq!(width(&Env::from_pairs([("COLUMNS", "72")]), false), Some(72));
        assert_eq!(width(&Env::from_pairs([("COLUMNS", "0")]), false), None);
        assert_eq!(width(&Env::from_pairs([("COLUMNS", "wide")]), false), None);
    }
}
