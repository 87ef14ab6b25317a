//! Keys and what else the terminal reports, as events.

use std::io;
use std::sync::mpsc::SyncSender;

use crossterm::event::{self, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::tui::app::Event;

/// Reads the terminal until it closes or nobody listens. Blocks; meant for a thread.
///
/// Where standard input is not the terminal, keys come from `/dev/tty`.
pub(crate) fn read_keys(events: &SyncSender<Event>) {
    loop {
        let event = match event::read() {
            Ok(event) => translated(event),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => Some(Event::Closed(error)),
        };
        let Some(event) = event else { continue };
        let is_last = matches!(event, Event::Closed(_));
        if events.send(event).is_err() || is_last {
            return;
        }
    }
}

fn translated(event: event::Event) -> Option<Event> {
    match event {
        event::Event::Key(key) => key_event(key),
        event::Event::Paste(text) => Some(Event::Pasted(text)),
        event::Event::Resize(..) => Some(Event::Resized),
        event::Event::FocusLost => Some(Event::FocusLost),
        event::Event::FocusGained | event::Event::Mouse(_) => None,
    }
}

/// Names a key as the table of keys does. Releases are not keys: Windows reports them too.
fn key_event(key: KeyEvent) -> Option<Event> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let with_ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
    let with_alt = key.modifiers.contains(KeyModifiers::ALT);
    let name = match key.code {
        KeyCode::Char(c) if !with_ctrl && !with_alt => return Some(Event::Typed(c)),
        KeyCode::Char(c) => c.to_lowercase().to_string(),
        KeyCode::F(number) => format!("f{number}"),
        KeyCode::BackTab => String::from("shift-tab"),
        code => named(code)?.to_owned(),
    };
    let ctrl = if with_ctrl { "ctrl-" } else { "" };
    let alt = if with_alt { "alt-" } else { "" };
    Some(Event::Key(format!("{ctrl}{alt}{name}")))
}

fn named(code: KeyCode) -> Option<&'static str> {
    Some(match code {
        KeyCode::Enter => "enter",
        KeyCode::Esc => "esc",
        KeyCode::Tab => "tab",
        KeyCode::Backspace => "backspace",
        KeyCode::Delete => "delete",
        KeyCode::Up => "up",
        KeyCode::Down => "down",
        KeyCode::Left => "left",
        KeyCode::Right => "right",
        KeyCode::Home => "home",
        KeyCode::End => "end",
        KeyCode::PageUp => "pgup",
        KeyCode::PageDown => "pgdn",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(code: KeyCode, modifiers: KeyModifiers) -> String {
        match key_event(KeyEvent::new(code, modifiers)) {
            Some(Event::Key(name)) => name,
            Some(Event::Typed(c)) => format!("typed {c}"),
            _ => String::from("nothing"),
        }
    }

    #[test]
    fn keys_are_named_as_the_table_names_them() {
        assert_eq!(name(KeyCode::Char('G'), KeyModifiers::SHIFT), "typed G");
        assert_eq!(name(KeyCode::Char('d'), KeyModifiers::CONTROL), "ctrl-d");
        assert_eq!(name(KeyCode::BackTab, KeyModifiers::SHIFT), "shift-tab");
        assert_eq!(name(KeyCode::PageDown, KeyModifiers::NONE), "pgdn");
        assert_eq!(name(KeyCode::F(1), KeyModifiers::NONE), "f1");
        assert_eq!(name(KeyCode::CapsLock, KeyModifiers::NONE), "nothing");
    }

    #[test]
    fn a_released_key_is_not_a_key() {
        let mut key = KeyEvent::new(KeyCode::Char('j'), KeyModifiers::NONE);
        key.kind = KeyEventKind::Release;
        assert!(key_event(key).is_none());
        key.kind = KeyEventKind::Repeat;
        assert!(key_event(key).is_some());
    }
}
