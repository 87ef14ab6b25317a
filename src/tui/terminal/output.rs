//! Where frames are written: one write each, shown by the terminal at once.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::rc::Rc;

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Size;

use crate::tui::screen::Cursor;

/// Collects a frame. Flushing is left to [`Output`]: ratatui would flush several times a frame.
#[derive(Clone, Debug, Default)]
struct Frame(Rc<RefCell<Vec<u8>>>);

impl Write for Frame {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Draws frames.
#[derive(Debug)]
pub(crate) struct Output {
    terminal: Terminal<CrosstermBackend<Frame>>,
    frame: Frame,
    device: Device,
}

impl Output {
    pub(crate) fn new() -> io::Result<Self> {
        let frame = Frame::default();
        let terminal = Terminal::new(CrosstermBackend::new(frame.clone()))?;
        Ok(Self { terminal, frame, device: Device::open()? })
    }

    /// Returns the size of the screen, as the next frame will find it.
    pub(crate) fn size(&mut self) -> io::Result<Size> {
        self.terminal.autoresize()?;
        let area = self.terminal.get_frame().area();
        Ok(area.as_size())
    }

    /// Draws one frame.
    pub(crate) fn draw(
        &mut self,
        draw: impl FnOnce(&mut Buffer) -> Option<Cursor>,
    ) -> io::Result<()> {
        let mut sink = self.frame.clone();
        queue!(sink, BeginSynchronizedUpdate)?;
        let mut cursor = None;
        self.terminal.draw(|frame| cursor = draw(frame.buffer_mut()))?;
        match cursor {
            Some(Cursor::Shown(at)) => queue!(sink, MoveTo(at.x, at.y), Show)?,
            Some(Cursor::Hidden(at)) => queue!(sink, Hide, MoveTo(at.x, at.y))?,
            None => queue!(sink, Hide)?,
        }
        queue!(sink, EndSynchronizedUpdate)?;
        self.commit()
    }

    /// Forgets what is on the screen, so that the next frame draws all of it.
    pub(crate) fn forget(&mut self) -> io::Result<()> {
        // `clear` would ask the terminal where its cursor is, and wait for an answer that the
        // reader of keys takes.
        let area = self.terminal.get_frame().area();
        self.terminal.resize(area)?;
        self.commit()
    }

    /// Sends an escape sequence as it is.
    pub(crate) fn send(&mut self, sequence: &str) -> io::Result<()> {
        self.frame.0.borrow_mut().extend_from_slice(sequence.as_bytes());
        self.commit()
    }

    fn commit(&mut self) -> io::Result<()> {
        let bytes = std::mem::take(&mut *self.frame.0.borrow_mut());
        self.device.write(&bytes)
    }
}

/// The terminal itself: standard output, unless that goes elsewhere.
#[derive(Debug)]
pub(super) enum Device {
    Stdout,
    Tty(File),
}

impl Device {
    pub(super) fn open() -> io::Result<Self> {
        if io::stdout().is_terminal() {
            return Ok(Self::Stdout);
        }
        Ok(Self::Tty(OpenOptions::new().write(true).open("/dev/tty")?))
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => {
                let mut out = io::stdout().lock();
                out.write_all(bytes)?;
                out.flush()
            }
            Self::Tty(file) => file.write_all(bytes),
        }
    }
}
