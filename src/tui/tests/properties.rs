//! Whatever is pressed at whatever size: nothing panics, and the cursor is where it can be.

use proptest::prelude::*;

use crate::tui::app::Event;
use crate::tui::command::BINDINGS;

use super::{Browser, STATE, text};

#[derive(Clone, Debug)]
enum Action {
    Keys(&'static str),
    Type(char),
    Paste(String),
    Size(u16, u16),
    Pass(u64),
    LoseFocus,
}

fn action() -> impl Strategy<Value = Action> {
    let keys: Vec<&str> = BINDINGS.iter().flat_map(|binding| binding.keys).copied().collect();
    prop_oneof![
        12 => proptest::sample::select(keys).prop_map(Action::Keys),
        4 => "[a-z:=!()\"/*é日 ]".prop_map(|s| Action::Type(s.chars().next().unwrap_or('a'))),
        1 => any::<String>().prop_map(Action::Paste),
        2 => (0u16..=200, 0u16..=60).prop_map(|(w, h)| Action::Size(w, h)),
        1 => (0u64..40).prop_map(Action::Pass),
        1 => Just(Action::LoseFocus),
    ]
}

fn perform(browser: &mut Browser, action: Action) {
    match action {
        Action::Keys(keys) => _ = browser.press(keys),
        Action::Type(c) => browser.event(Event::Typed(c)),
        Action::Paste(text) => browser.event(Event::Pasted(text)),
        Action::Size(width, height) => _ = browser.size(width, height),
        Action::Pass(seconds) => browser.pass(std::time::Duration::from_secs(seconds)),
        Action::LoseFocus => browser.event(Event::FocusLost),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_actions_breaks_it(actions in proptest::collection::vec(action(), 1..120)) {
        let mut browser = Browser::on(STATE);
        for action in actions {
            perform(&mut browser, action);
            let picture = text(&browser.draw());
            prop_assert!(picture.chars().all(|c| c == '\n' || !c.is_control()));
            let model = &browser.app.model;
            prop_assert!(model.scroll.cursor < model.view.len().max(1));
            prop_assert!(model.detail.scroll.cursor < model.detail.lines.len().max(1));
            prop_assert!(model.revealed.is_some() || !picture.contains("S3CR3T"));
        }
        // Out of a sequence, the prompt, the outputs with their help, the pane, the filter.
        browser.press("esc esc esc esc esc esc");
        prop_assert_eq!(browser.app.depth(), 1);
        prop_assert!(!browser.app.model.search.is_active());
    }

    #[test]
    fn a_filter_lists_a_part_of_what_there_is(filter in "[a-z:=_.!* ]{0,12}") {
        let mut browser = Browser::on(STATE);
        browser.press("z R");
        let all = browser.app.model.view.len();
        browser.press("/");
        browser.event(Event::Pasted(filter));
        prop_assert!(browser.app.model.view.len() <= all);
    }
}
