//! The clipboard, over SSH and inside tmux too: the terminal holds it, so the terminal is asked.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::base::env::Env;

/// What terminals take at least, in encoded bytes.
const LIMIT: usize = 74_994;

/// How text gets to the clipboard.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Way {
    /// tmux takes it and passes it on; by default it drops OSC 52 from programs inside it.
    Tmux,
    /// The escape sequence OSC 52, which is not answered.
    Terminal,
}

impl Way {
    pub(crate) fn of(env: &Env) -> Self {
        if env.get("TMUX").is_some() { Self::Tmux } else { Self::Terminal }
    }
}

/// Hands text to tmux; may take a moment.
pub(crate) fn to_tmux(text: &str) -> io::Result<()> {
    let mut child = Command::new("tmux")
        .args(["load-buffer", "-w", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(text.as_bytes())?;
    }
    if !child.wait()?.success() {
        return Err(io::Error::other("tmux refused it"));
    }
    Ok(())
}

/// Returns the escape sequence that hands text to the terminal; `None` where it is too long.
pub(crate) fn osc52(text: &str) -> Option<String> {
    let encoded = STANDARD.encode(text);
    (encoded.len() <= LIMIT).then(|| format!("\x1b]52;c;{encoded}\x07"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tmux_is_asked_where_we_run_in_it() {
        assert_eq!(Way::of(&Env::from_pairs([("TMUX", "/tmp/x,1,0")])), Way::Tmux);
        assert_eq!(Way::of(&Env::from_pairs([("TERM", "xterm")])), Way::Terminal);
    }

    #[test]
    fn the_sequence_is_encoded_and_limited() {
        assert_eq!(osc52("a.b").as_deref(), Some("\x1b]52;c;YS5i\x07"));
        assert_eq!(osc52(&"x".repeat(60_000)), None);
    }
}
