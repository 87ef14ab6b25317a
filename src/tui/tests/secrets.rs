//! No screen shows a secret that was not asked for, whatever the state.

use std::fs;
use std::path::{Path, PathBuf};

use crate::state::document::Document;
use crate::tui::app::Event;
use crate::tui::reload::{Arrival, Keep};

use super::Browser;

fn states(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            states(&path, out);
        } else if path.extension().is_some_and(|extension| extension == "tfstate") {
            out.push(path);
        }
    }
}

#[test]
fn no_state_of_the_test_data_shows_a_secret_or_a_control_character() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata");
    let mut files = Vec::new();
    states(&root, &mut files);
    let mut seen = 0;
    for file in files {
        let Ok(document) = Document::parse(fs::read(&file).unwrap()) else { continue };
        if document.len() > 200 {
            continue;
        }
        seen += 1;
        let mut browser = Browser::new(|_| {});
        browser.event(Event::Loaded(Arrival::new(document, Keep::default())));
        browser.size(200, 120).press("z R tab z R tab");
        for row in 0..=browser.app.model.view.len() {
            check(&browser, &file, row);
            browser.press("j");
        }
        browser.press("o z R");
        check(&browser, &file, 0);
    }
    assert!(seen > 20, "{seen}");
}

fn check(browser: &Browser, file: &Path, row: usize) {
    let text = browser.text();
    let file = file.display();
    assert!(!text.contains("S3CR3T"), "{file}, row {row}");
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{file}, row {row}");
}
