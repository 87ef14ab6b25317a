//! What keys do.

use std::time::Duration;

use crate::tui::Revealing;
use crate::tui::app::Event;
use crate::tui::effect::Effect;
use crate::tui::layout::Focus;
use crate::tui::model::REVEAL;
use crate::tui::reload::Selected;
use crate::tui::view::Row;

use super::{Browser, STATE};

/// Returns what is selected, by its name.
fn selected(browser: &Browser) -> String {
    let model = &browser.app.model;
    match Selected::of(model.loaded.as_ref().unwrap(), model.selected().unwrap()).unwrap() {
        Selected::Module { path } => path,
        Selected::Instance { address, deposed: None } => address,
        Selected::Instance { address, deposed: Some(key) } => format!("{address} deposed {key}"),
    }
}

#[test]
fn the_first_picture_says_that_it_loads() {
    let mut browser = Browser::new(|_| {});
    assert!(browser.text().contains("loading…\n") || browser.text().contains("loading…  "));
    browser.pass(Duration::from_millis(400));
    assert!(browser.text().contains("loading… 0.4 s"), "{}", browser.text());
}

#[test]
fn modules_fold_and_unfold_under_the_cursor() {
    let mut browser = Browser::on(STATE);
    browser.press("j j j");
    assert_eq!(selected(&browser), "module.network");
    let rows = browser.app.model.view.len();
    browser.press("enter");
    assert_eq!(browser.app.model.view.len(), rows - 7);
    browser.press("l l l");
    assert_eq!(selected(&browser), "module.network[\"eu\"].aws_subnet.private[0]");
    browser.press("h");
    assert_eq!(selected(&browser), "module.network[\"eu\"]");
    browser.press("h h");
    assert_eq!(selected(&browser), "module.network");
}

#[test]
fn folds_go_to_a_depth_and_the_selection_to_what_is_left_of_it() {
    let mut browser = Browser::on(STATE);
    browser.press("G");
    assert_eq!(
        selected(&browser),
        "module.network[\"eu\"].module.edge.aws_instance.web[\"green\"]"
    );
    browser.press("z 2");
    assert_eq!(selected(&browser), "module.network[\"eu\"]");
    browser.press("z M");
    assert_eq!(selected(&browser), "module.network");
    assert_eq!(browser.app.model.view.len(), 2);
    browser.press("z R");
    assert_eq!(browser.app.model.view.len(), 11);
}

#[test]
fn siblings_skip_what_is_inside() {
    let mut browser = Browser::on(STATE);
    browser.press("J");
    assert_eq!(selected(&browser), "module.network");
    browser.press("K");
    // The root module has no name.
    assert_eq!(selected(&browser), "");
}

#[test]
fn deposed_and_tainted_objects_are_told_apart() {
    let mut browser = Browser::on(STATE);
    browser.press("G k k k k");
    assert_eq!(selected(&browser), "module.network[\"eu\"].aws_subnet.private[1]");
    assert!(browser.text().contains("status   tainted"), "{}", browser.text());
    browser.press("j");
    let name = "module.network[\"eu\"].aws_subnet.private[1] deposed 3f9a01bc";
    assert_eq!(selected(&browser), name);
    assert!(browser.text().contains("status   deposed 3f9a01bc"), "{}", browser.text());
}

#[test]
fn a_filter_narrows_as_one_types_and_shows_counts() {
    let mut browser = Browser::on(STATE);
    browser.press("/ \"private");
    let text = browser.text();
    assert!(text.contains("3 of 7"), "{text}");
    assert!(text.contains("3/5"), "{text}");
    assert!(!text.contains("random_password"), "{text}");
    assert_eq!(selected(&browser), "module.network[\"eu\"].aws_subnet.private[0]");
}

#[test]
fn a_mistake_in_the_filter_keeps_the_last_result() {
    let mut browser = Browser::on(STATE);
    browser.press("/ \"type:aws_subnet");
    let rows = browser.app.model.view.len();
    browser.press("backspace backspace \"et ctrl-a \"( ctrl-e");
    assert!(browser.app.model.search.mistake.is_some());
    assert_eq!(browser.app.model.view.len(), rows);
}

#[test]
fn the_selection_survives_a_filter_that_is_cleared() {
    let mut browser = Browser::on(STATE);
    browser.press("z M / \"green enter");
    assert_eq!(
        selected(&browser),
        "module.network[\"eu\"].module.edge.aws_instance.web[\"green\"]"
    );
    browser.press("esc");
    assert!(!browser.app.model.search.is_active());
    assert_eq!(
        selected(&browser),
        "module.network[\"eu\"].module.edge.aws_instance.web[\"green\"]"
    );
}

#[test]
fn a_late_result_of_an_older_filter_is_dropped() {
    let mut browser = Browser::on(STATE);
    browser.press("/ \"green");
    let generation = browser.app.model.search.generation - 1;
    let matches = std::sync::Arc::default();
    browser.event(Event::Found { generation, matches, took: None });
    assert_eq!(browser.app.model.matches().unwrap().total, 1);
}

#[test]
fn the_first_filter_is_applied_when_the_document_arrives() {
    let mut browser = Browser::new(|options| options.filter = String::from("green"));
    browser.load(STATE);
    assert_eq!(browser.app.model.matches().unwrap().total, 1);
}

#[test]
fn escape_backs_out_level_by_level_and_never_quits() {
    let mut browser = Browser::on(STATE);
    browser.press("/ \"green enter enter");
    assert_eq!(browser.app.model.focus, Focus::Detail);
    browser.press("?");
    assert_eq!(browser.app.depth(), 2);
    browser.press("esc");
    assert_eq!(browser.app.depth(), 1);
    browser.press("esc");
    assert_eq!(browser.app.model.focus, Focus::Tree);
    browser.press("esc esc esc");
    assert!(!browser.app.model.search.is_active());
    assert!(browser.effects.is_empty());
    browser.press("q");
    assert!(matches!(browser.effects[..], [Effect::Quit]));
}

#[test]
fn one_secret_is_shown_for_half_a_minute() {
    let mut browser = Browser::on(STATE);
    browser.press("j j tab");
    assert!(!browser.text().contains("S3CR3T"));
    browser.press("x");
    let text = browser.text();
    assert!(text.contains("S3CR3T-hash") && !text.contains("S3CR3T-result"), "{text}");
    browser.pass(REVEAL.checked_sub(Duration::from_secs(1)).unwrap());
    assert!(browser.text().contains("S3CR3T-hash"));
    browser.pass(Duration::from_secs(1));
    assert!(!browser.text().contains("S3CR3T"));
}

#[test]
fn whatever_takes_the_eye_off_a_secret_hides_it() {
    let hiders: [fn(&mut Browser); 6] = [
        |browser| _ = browser.press("X"),
        |browser| _ = browser.press("x"),
        |browser| _ = browser.press("tab j"),
        |browser| _ = browser.press("ctrl-z"),
        |browser| _ = browser.press("o"),
        |browser| browser.event(Event::FocusLost),
    ];
    for (at, hide) in hiders.iter().enumerate() {
        let mut browser = Browser::on(STATE);
        browser.press("j j tab x");
        assert!(browser.text().contains("S3CR3T"));
        hide(&mut browser);
        assert!(!browser.text().contains("S3CR3T"), "{at}");
        assert!(browser.app.model.revealed.is_none(), "{at}");
    }
}

#[test]
fn nothing_is_revealed_where_that_is_forbidden() {
    let mut browser = Browser::new(|options| options.revealing = Revealing::Never);
    browser.load(STATE);
    browser.press("j j tab x");
    assert!(!browser.text().contains("S3CR3T"));
    assert!(browser.text().contains("never shown"));
}

#[test]
fn a_reload_keeps_selection_and_folds() {
    let mut browser = Browser::on(STATE);
    browser.press("j j j l l l h");
    browser.press("j j j j h h");
    assert_eq!(selected(&browser), "module.network[\"eu\"].module.edge");
    let rows = browser.app.model.view.len();
    browser.state = STATE.replace("\"aws_region\"", "\"zzz_region\"");
    browser.press("R");
    assert_eq!(selected(&browser), "module.network[\"eu\"].module.edge");
    assert_eq!(browser.app.model.view.len(), rows);
    assert!(browser.text().contains("zzz_region"));
}

#[test]
fn what_is_copied_is_named_exactly() {
    let mut browser = Browser::on(STATE);
    browser.press("G y a y i");
    let [Effect::Copy(address), Effect::Copy(id)] = &browser.effects[..] else {
        panic!("two texts are copied")
    };
    assert_eq!(address, "module.network[\"eu\"].module.edge.aws_instance.web[\"green\"]");
    assert_eq!(id, "i-2");
}

#[test]
fn a_paste_goes_into_the_prompt_and_nowhere_else() {
    let mut browser = Browser::on(STATE);
    browser.event(Event::Pasted(String::from("q\nq")));
    assert!(browser.effects.is_empty() && !browser.app.model.search.is_active());
    browser.press("/");
    browser.event(Event::Pasted("green\n".repeat(2000)));
    assert_eq!(browser.app.model.search.text.len(), 12_000);
    browser.text();
}

#[test]
fn a_list_of_many_rows_formats_only_those_in_sight() {
    let instances: Vec<String> = (0..50_000)
        .map(|at| format!(r#"{{"index_key":{at},"attributes":{{"id":"x"}}}}"#))
        .collect();
    let state = format!(
        r#"{{"version":4,"serial":1,"lineage":"l","outputs":{{}},"resources":[{{"mode":"managed",
            "type":"a_b","name":"c","provider":"provider[\"registry.terraform.io/a/a\"]",
            "instances":[{}]}}]}}"#,
        instances.join(",")
    );
    let mut browser = Browser::on(&state);
    browser.press("G");
    assert!(matches!(browser.app.model.selected(), Some(Row::Instance(49_999))));
    assert!(browser.text().contains("50,000/50,000"));
    let start = std::time::Instant::now();
    for _ in 0..100 {
        browser.press("k");
        browser.draw();
    }
    // Unoptimised and on a busy machine: formatting every row would take minutes.
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn the_clock_of_the_model_only_moves_when_told() {
    let browser = Browser::on(STATE);
    assert_eq!(browser.app.model.now, browser.start);
    assert_eq!(browser.app.model.deadline(), None);
}

#[test]
fn a_dependency_is_followed_and_left_again() {
    let mut browser = Browser::on(STATE);
    let web = "module.network[\"eu\"].module.edge.aws_instance.web[\"blue\"]";
    let subnet = "module.network[\"eu\"].aws_subnet.private[0]";
    browser.press("G k g d j j");
    assert!(browser.text().contains("› module.network.aws_subnet.private\n"));
    browser.press("enter");
    assert_eq!(selected(&browser), subnet);
    browser.press("[");
    assert_eq!(selected(&browser), web);
    browser.press("]");
    assert_eq!(selected(&browser), subnet);
    browser.press("]");
    assert_eq!(selected(&browser), subnet);
}

#[test]
fn a_jump_to_what_the_filter_hides_ends_the_filter() {
    let mut browser = Browser::on(STATE);
    browser.press("/ \"aws_instance").event(Event::Key(String::from("enter")));
    browser.press("g d j enter");
    assert_eq!(selected(&browser), "data.aws_region.current");
    assert!(!browser.app.model.search.is_active());
}

#[test]
fn what_depends_on_an_instance_is_filtered_for() {
    let mut browser = Browser::on(STATE);
    browser.press("/ \"subnet").event(Event::Key(String::from("enter")));
    browser.press("g r");
    assert_eq!(browser.app.model.search.text, "dep:module.network.aws_subnet.private");
    assert_eq!(selected(&browser), "module.network[\"eu\"].module.edge.aws_instance.web[\"blue\"]");
}

#[test]
fn a_missing_dependency_is_said_to_be_missing() {
    let state = STATE.replace("data.aws_region.current", "aws_vpc.gone");
    let mut browser = Browser::on(&state);
    browser.press("G k g d j enter");
    assert!(browser.text().contains("this state does not hold it"), "{}", browser.text());
}

#[test]
fn a_long_title_keeps_its_end_and_a_gap() {
    let mut browser =
        Browser::new(|options| options.title = "environments/".repeat(9) + "a.tfstate");
    browser.load(STATE);
    let header = browser.text().lines().next().unwrap().to_owned();
    insta::assert_snapshot!(header, @" tfstate  …nvironments/environments/a.tfstate  serial 42 · 7 instances · 2.7 KB");
}

#[test]
fn the_status_counts_the_rows_of_the_list_that_keys_go_to() {
    let mut browser = Browser::on(STATE);
    let status = |browser: &Browser| browser.text().lines().rev().nth(1).unwrap().to_owned();
    assert!(status(&browser).starts_with(" 1/11 "), "{}", status(&browser));
    browser.press("o j");
    assert!(status(&browser).starts_with(" 2/5 "), "{}", status(&browser));
    browser.press("?");
    assert!(status(&browser).starts_with("   "), "{}", status(&browser));
}

#[test]
fn the_outputs_offer_no_filter_for_they_have_none() {
    let mut browser = Browser::on(STATE);
    assert!(browser.text().contains("/ filter"));
    browser.press("o");
    assert!(!browser.text().contains("/ filter"), "{}", browser.text());
}
