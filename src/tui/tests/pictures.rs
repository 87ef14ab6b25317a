//! What the screen looks like: text, and which style is where.
//!
//! Letters of styles: `r` reversed, `b` bold, `d` dim, `u` underlined; `.` is plain.

use crate::tui::app::Event;
use crate::tui::{Colour, Glyphs};

use super::{Browser, STATE, styles, text};

fn picture(browser: &Browser) -> String {
    let buffer = browser.draw();
    format!("{}--- styles\n{}", text(&buffer), styles(&buffer))
}

#[test]
fn resources_at_every_size() {
    for (width, height) in [(20, 5), (40, 12), (80, 24), (160, 45)] {
        let mut browser = Browser::on(STATE);
        browser.size(width, height).press("G k");
        insta::assert_snapshot!(format!("resources_{width}x{height}"), picture(&browser));
    }
}

#[test]
fn the_detail_pane_unfolded_at_every_size() {
    for (width, height) in [(40, 12), (80, 24), (160, 45)] {
        let mut browser = Browser::on(STATE);
        browser.size(width, height).press("G k enter z R");
        insta::assert_snapshot!(format!("detail_{width}x{height}"), picture(&browser));
    }
}

#[test]
fn a_filter_with_a_mistake() {
    let mut browser = Browser::on(STATE);
    browser.press("/ \"type:aws_subnet");
    browser.event(Event::Pasted(String::from(" colour:red")));
    insta::assert_snapshot!("mistake_80x24", picture(&browser));
}

#[test]
fn outputs_and_help() {
    let mut browser = Browser::on(STATE);
    browser.press("o");
    insta::assert_snapshot!("outputs_80x24", picture(&browser));
    browser.press("?");
    insta::assert_snapshot!("help_80x24", picture(&browser));
}

#[test]
fn a_started_sequence_shows_what_can_follow() {
    let mut browser = Browser::on(STATE);
    browser.size(120, 24).press("z");
    let last = browser.text().lines().last().unwrap().to_owned();
    insta::assert_snapshot!(last, @" z… M fold everything  R unfold everything  1 show one level of modules; z 2 to z 9: more");
}

#[test]
fn without_colour_the_selection_is_still_seen() {
    let mut browser = Browser::new(|options| options.colour = Colour::Mono);
    browser.load(STATE);
    browser.press("j");
    let buffer = browser.draw();
    let map = styles(&buffer);
    for colour in ["Red", "Green", "Yellow", "Blue", "Magenta", "Cyan"] {
        assert!(!map.contains(colour), "{map}");
    }
    let rows: Vec<&str> = map.lines().collect();
    assert!(rows.iter().any(|row| row.starts_with(" 4 0:r ")), "{map}");
}

#[test]
fn ascii_means_ascii_besides_the_data() {
    let mut browser = Browser::new(|options| options.glyphs = Glyphs::Ascii);
    browser.load(&STATE.replace("größe 日本語", "data"));
    for keys in ["G k", "enter z R", "esc /", "esc o", "?"] {
        browser.press(keys);
        let text = browser.text();
        assert!(text.is_ascii(), "{keys}: {text}");
    }
}

#[test]
fn a_tiny_window_says_so() {
    let mut browser = Browser::on(STATE);
    browser.size(40, 4);
    assert!(browser.text().contains("window too small (20x5 needed)"));
}

#[test]
fn an_empty_state_says_so() {
    let state = r#"{"version":4,"serial":1,"lineage":"l","outputs":{},"resources":[]}"#;
    let mut browser = Browser::on(state);
    assert!(browser.text().contains("holds no resources"));
    browser.press("o");
    assert!(browser.text().contains("no outputs"));
}
