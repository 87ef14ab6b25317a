//! Commands and the one table that says which key gives which: help and hints are made from it.

/// What a user can ask for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Command {
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    HalfUp,
    HalfDown,
    Top,
    Bottom,
    NextSibling,
    PreviousSibling,
    Enter,
    SwitchPane,
    ToggleDetail,
    FoldAll,
    UnfoldAll,
    FoldTo(u16),
    Filter,
    Dependencies,
    Dependents,
    JumpBack,
    JumpForward,
    Back,
    Reveal,
    HideAll,
    CopyAddress,
    CopyId,
    Reload,
    Resources,
    Outputs,
    Help,
    Quit,
    QuitNow,
    Suspend,
    Redraw,
    Accept,
    Cancel,
    DeleteBack,
    Delete,
    DeleteWord,
    DeleteLine,
    Home,
    End,
    /// A character for the line that is being edited; no key of the table gives it.
    Type(char),
}

/// Where keys go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Context {
    /// The tree of resources, with its detail pane.
    Resources,
    /// The outputs.
    Outputs,
    /// The help.
    Help,
    /// The line that the filter is typed into.
    Prompt,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Binding {
    /// Names of keys; several presses in a row are separated by spaces.
    pub(crate) keys: &'static [&'static str],
    pub(crate) command: Command,
    pub(crate) contexts: &'static [Context],
    /// The line in the help; empty where the line of another binding speaks for this one too.
    pub(crate) help: &'static str,
    /// The word in the bar at the bottom; empty where there is none.
    pub(crate) hint: &'static str,
}

const LISTS: &[Context] = &[Context::Resources, Context::Outputs, Context::Help];
const DATA: &[Context] = &[Context::Resources, Context::Outputs];
const TREE: &[Context] = &[Context::Resources];
const PROMPT: &[Context] = &[Context::Prompt];
const ALL: &[Context] = &[Context::Resources, Context::Outputs, Context::Help, Context::Prompt];

const fn bind(
    keys: &'static [&'static str],
    command: Command,
    contexts: &'static [Context],
    help: &'static str,
) -> Binding {
    Binding { keys, command, contexts, help, hint: "" }
}

const fn hinted(binding: Binding, hint: &'static str) -> Binding {
    Binding { hint, ..binding }
}

/// Every key there is. Hints stand in the bar in this order; what does not fit is left out.
pub(crate) const BINDINGS: &[Binding] = &[
    hinted(bind(&["?", "f1"], Command::Help, DATA, "this help"), "help"),
    hinted(bind(&["/"], Command::Filter, TREE, "filter: results follow as you type"), "filter"),
    hinted(
        bind(&["enter", "space"], Command::Enter, DATA, "fold or unfold; go into an instance"),
        "open",
    ),
    hinted(bind(&["tab", "shift-tab"], Command::SwitchPane, TREE, "other pane"), "pane"),
    hinted(
        bind(&["x"], Command::Reveal, DATA, "show the secret under the cursor for 30 s"),
        "reveal",
    ),
    bind(&["X"], Command::HideAll, DATA, "hide every secret now"),
    hinted(bind(&["o", "2"], Command::Outputs, TREE, "outputs"), "outputs"),
    hinted(bind(&["1", "o"], Command::Resources, &[Context::Outputs], "resources"), "resources"),
    bind(&["j", "down"], Command::Down, LISTS, "down"),
    bind(&["k", "up"], Command::Up, LISTS, "up"),
    bind(&["l", "right"], Command::Right, DATA, "unfold, then go in"),
    bind(&["h", "left"], Command::Left, DATA, "fold, then go out"),
    bind(&["J"], Command::NextSibling, DATA, "next on the same level"),
    bind(&["K"], Command::PreviousSibling, DATA, "previous on the same level"),
    bind(&["pgdn", "ctrl-f"], Command::PageDown, LISTS, "a page down"),
    bind(&["pgup", "ctrl-b"], Command::PageUp, LISTS, "a page up"),
    bind(&["ctrl-d"], Command::HalfDown, LISTS, "half a page down"),
    bind(&["ctrl-u"], Command::HalfUp, LISTS, "half a page up"),
    bind(&["g g", "home"], Command::Top, LISTS, "first row"),
    bind(&["G", "end"], Command::Bottom, LISTS, "last row"),
    bind(&["z M"], Command::FoldAll, DATA, "fold everything"),
    bind(&["z R"], Command::UnfoldAll, DATA, "unfold everything"),
    bind(&["z 1"], Command::FoldTo(1), TREE, "show one level of modules; z 2 to z 9: more"),
    bind(&["z 2"], Command::FoldTo(2), TREE, ""),
    bind(&["z 3"], Command::FoldTo(3), TREE, ""),
    bind(&["z 4"], Command::FoldTo(4), TREE, ""),
    bind(&["z 5"], Command::FoldTo(5), TREE, ""),
    bind(&["z 6"], Command::FoldTo(6), TREE, ""),
    bind(&["z 7"], Command::FoldTo(7), TREE, ""),
    bind(&["z 8"], Command::FoldTo(8), TREE, ""),
    bind(&["z 9"], Command::FoldTo(9), TREE, ""),
    bind(&["g d"], Command::Dependencies, TREE, "what it depends on; Enter on one goes there"),
    bind(&["g r"], Command::Dependents, TREE, "filter for what depends on it"),
    bind(&["["], Command::JumpBack, TREE, "back to where a jump came from"),
    bind(&["]"], Command::JumpForward, TREE, "forward again"),
    bind(&["p"], Command::ToggleDetail, TREE, "detail pane on or off"),
    bind(&["y a", "y y"], Command::CopyAddress, TREE, "copy the address"),
    bind(&["y i"], Command::CopyId, TREE, "copy the id"),
    bind(&["R"], Command::Reload, DATA, "load the state again"),
    bind(&["ctrl-l"], Command::Redraw, ALL, "draw the screen again"),
    bind(&["ctrl-z"], Command::Suspend, ALL, "suspend"),
    hinted(bind(&["esc"], Command::Back, LISTS, "back out, clear the filter; never quits"), "back"),
    hinted(bind(&["q"], Command::Quit, LISTS, "quit, or close this"), "quit"),
    bind(&["ctrl-c"], Command::QuitNow, ALL, "quit now"),
    hinted(bind(&["enter"], Command::Accept, PROMPT, "keep the filter"), "keep"),
    hinted(bind(&["esc"], Command::Cancel, PROMPT, "clear the filter"), "clear"),
    bind(&["down", "ctrl-n"], Command::Down, PROMPT, "move in the list while typing"),
    bind(&["up", "ctrl-p"], Command::Up, PROMPT, ""),
    bind(&["pgdn"], Command::PageDown, PROMPT, ""),
    bind(&["pgup"], Command::PageUp, PROMPT, ""),
    bind(&["left", "ctrl-b"], Command::Left, PROMPT, "cursor to the left"),
    bind(&["right", "ctrl-f"], Command::Right, PROMPT, "cursor to the right"),
    bind(&["home", "ctrl-a"], Command::Home, PROMPT, "to the start of the line"),
    bind(&["end", "ctrl-e"], Command::End, PROMPT, "to the end of the line"),
    bind(&["backspace", "ctrl-h"], Command::DeleteBack, PROMPT, "delete a character"),
    bind(&["delete"], Command::Delete, PROMPT, "delete the character under the cursor"),
    hinted(bind(&["ctrl-w"], Command::DeleteWord, PROMPT, "delete a word"), "delete word"),
    hinted(bind(&["ctrl-u"], Command::DeleteLine, PROMPT, "delete the line"), "delete line"),
];

/// What a key means after those pressed before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Lookup {
    Command(Command),
    /// More keys must follow.
    Prefix,
    Nothing,
}

/// Looks up presses in a context, such as `z M`.
pub(crate) fn lookup(context: Context, presses: &str) -> Lookup {
    let mut found = Lookup::Nothing;
    for binding in of(context) {
        for keys in binding.keys {
            if *keys == presses {
                return Lookup::Command(binding.command);
            }
            if continues(keys, presses) {
                found = Lookup::Prefix;
            }
        }
    }
    found
}

/// Returns the bindings of a context in the order of the table.
pub(crate) fn of(context: Context) -> impl Iterator<Item = &'static Binding> {
    BINDINGS.iter().filter(move |binding| binding.contexts.contains(&context))
}

/// Returns what can follow the presses so far: the last key, and what it does.
pub(crate) fn after(
    context: Context,
    presses: &str,
) -> impl Iterator<Item = (&'static str, &'static str)> {
    of(context).filter(|binding| !binding.help.is_empty()).filter_map(move |binding| {
        let keys = binding.keys.iter().find(|keys| continues(keys, presses))?;
        Some((keys[presses.len() + 1..].trim(), binding.help))
    })
}

fn continues(keys: &str, presses: &str) -> bool {
    keys.strip_prefix(presses).is_some_and(|rest| rest.starts_with(' '))
}

/// Returns the presses as people write them: `Ctrl-d`, `PgUp`, `z M`.
pub(crate) fn shown(keys: &str) -> String {
    let mut out = String::new();
    for (i, key) in keys.split(' ').enumerate() {
        if i > 0 {
            out.push(' ');
        }
        match key {
            "pgup" => out.push_str("PgUp"),
            "pgdn" => out.push_str("PgDn"),
            key if key.chars().count() > 1 => {
                let (head, tail) = key.split_at(1);
                out.push_str(&head.to_ascii_uppercase());
                out.push_str(tail);
            }
            key => out.push_str(key),
        }
    }
    out.replace("Shift-tab", "Shift-Tab")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXTS: [Context; 4] =
        [Context::Resources, Context::Outputs, Context::Help, Context::Prompt];

    #[test]
    fn no_key_has_two_meanings_in_one_context() {
        for context in CONTEXTS {
            let mut seen: Vec<&str> = of(context).flat_map(|b| b.keys).copied().collect();
            seen.sort_unstable();
            for pair in seen.windows(2) {
                assert_ne!(pair[0], pair[1], "{context:?}");
                assert!(!continues(pair[1], pair[0]), "{context:?}: {pair:?}");
            }
        }
    }

    #[test]
    fn every_command_of_a_list_is_explained() {
        for binding in BINDINGS.iter().filter(|b| b.help.is_empty()) {
            let explained = |b: &&Binding| b.contexts == binding.contexts && !b.help.is_empty();
            assert!(BINDINGS.iter().any(|b| explained(&b)), "{binding:?}");
        }
    }

    #[test]
    fn the_hints_fit_into_eighty_columns() {
        for context in CONTEXTS {
            let hinted = of(context).filter(|b| !b.hint.is_empty());
            let widths = hinted.map(|b| shown(b.keys[0]).len() + b.hint.len() + 3);
            assert!(widths.sum::<usize>() <= 80, "{context:?}");
        }
    }

    #[test]
    fn a_sequence_is_waited_for_and_then_found() {
        assert_eq!(lookup(Context::Resources, "z"), Lookup::Prefix);
        assert_eq!(lookup(Context::Resources, "z R"), Lookup::Command(Command::UnfoldAll));
        assert_eq!(lookup(Context::Resources, "z q"), Lookup::Nothing);
        assert_eq!(after(Context::Outputs, "z").count(), 2);
    }

    #[test]
    fn keys_are_named_in_words() {
        assert_eq!(shown("ctrl-d"), "Ctrl-d");
        assert_eq!(shown("g g"), "g g");
        assert_eq!(shown("f1"), "F1");
    }
}
