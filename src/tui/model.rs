//! Everything the screens show. It changes only in answer to events, and drawing only reads it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ratatui::layout::Size;

use crate::base::text;
use crate::state::path::Path;

use super::about;
use super::effect::Effect;
use super::fingerprint::Fingerprints;
use super::jump::History;
use super::layout::{Focus, Layout, Panes};
use super::lines::{Line, Writer};
use super::pane::Pane;
use super::reload::{Arrival, Keep, Loaded, Selected};
use super::scroll::Scroll;
use super::search::Search;
use super::theme::{Meaning, Theme};
use super::view::{Folds, Matches, Row, View};
use super::{Options, Revealing};

/// How long a secret stays on the screen.
pub(crate) const REVEAL: Duration = Duration::from_secs(30);
/// How long a notice stays.
const NOTICE: Duration = Duration::from_secs(4);
/// Up to this many instances all modules begin unfolded.
const SMALL: usize = 200;

/// Where a revealed secret is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    Instance(u32),
    Outputs,
}

/// The one secret that is shown.
#[derive(Clone, Debug)]
pub(crate) struct Revealed {
    pub(crate) place: Place,
    pub(crate) path: Path,
    pub(crate) until: Instant,
}

/// A short word to the user, which goes away by itself.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    pub(crate) text: String,
    pub(crate) meaning: Meaning,
    pub(crate) until: Instant,
}

/// What is shown, and how.
#[derive(Debug)]
pub(crate) struct Model {
    /// Name of the source. Escaped.
    pub(crate) title: String,
    pub(crate) theme: Theme,
    pub(crate) revealing: Revealing,
    pub(crate) prints: Fingerprints,
    pub(crate) size: Size,
    pub(crate) now: Instant,
    pub(crate) loaded: Option<Arc<Loaded>>,
    /// Since when the document is being loaded.
    pub(crate) loading: Option<Instant>,
    pub(crate) view: View,
    pub(crate) scroll: Scroll,
    /// What the user selected last, even while a filter or a fold hides it.
    pub(crate) wanted: Option<Row>,
    pub(crate) folds: Folds,
    /// The folds while a filter narrows the tree: it begins with everything open.
    pub(crate) filtered_folds: Folds,
    pub(crate) search: Search,
    pub(crate) focus: Focus,
    pub(crate) panes: Panes,
    pub(crate) detail: Pane,
    pub(crate) history: History,
    pub(crate) outputs: Pane,
    pub(crate) revealed: Option<Revealed>,
    pub(crate) notice: Option<Notice>,
    /// Keys pressed so far of a sequence.
    pub(crate) pending: String,
    /// What the detail pane was written for.
    written: Option<(Row, usize)>,
}

impl Model {
    pub(crate) fn new(options: &Options, now: Instant) -> Self {
        Self {
            title: text::escape(&options.title).into_owned(),
            theme: Theme { colour: options.colour, glyphs: options.glyphs },
            revealing: options.revealing,
            prints: Fingerprints::new(),
            size: Size::default(),
            now,
            loaded: None,
            loading: Some(now),
            view: View::default(),
            scroll: Scroll::default(),
            wanted: None,
            folds: Folds::default(),
            filtered_folds: Folds::default(),
            search: Search::default(),
            focus: Focus::default(),
            panes: Panes::default(),
            detail: Pane::default(),
            history: History::default(),
            outputs: Pane::default(),
            revealed: None,
            notice: None,
            pending: String::new(),
            written: None,
        }
    }

    /// Returns where things stand; `None` where the screen is too small.
    pub(crate) fn layout(&self) -> Option<Layout> {
        Layout::of(self.size, self.panes, self.focus)
    }

    /// Returns the rows that the tree shows at once.
    pub(crate) fn tree_height(&self) -> usize {
        self.layout().map_or(0, |layout| usize::from(Layout::inside(layout.tree).height))
    }

    /// Returns the rows that the detail pane shows at once.
    pub(crate) fn detail_height(&self) -> usize {
        self.layout().map_or(0, |layout| usize::from(Layout::inside(layout.detail).height))
    }

    /// Returns the rows that a list over the whole body shows at once.
    pub(crate) fn body_height(&self) -> usize {
        self.layout().map_or(0, |layout| usize::from(Layout::inside(layout.body()).height))
    }

    /// Returns the row under the cursor.
    pub(crate) fn selected(&self) -> Option<Row> {
        self.view.row(self.scroll.cursor)
    }

    /// Returns the folds that count now.
    pub(crate) fn folds_mut(&mut self) -> &mut Folds {
        if self.search.result.is_some() { &mut self.filtered_folds } else { &mut self.folds }
    }

    /// Returns the instances that the filter lets through; `None` where all do.
    pub(crate) fn matches(&self) -> Option<&Matches> {
        self.search.result.as_deref()
    }

    /// Says something for a few seconds.
    pub(crate) fn notify(&mut self, meaning: Meaning, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), meaning, until: self.now + NOTICE });
    }

    /// Takes a document that was loaded; returns what must be asked for again.
    pub(crate) fn arrive(&mut self, arrival: Arrival) -> Option<Effect> {
        let tree = &arrival.loaded.tree;
        self.folds = match &arrival.folded {
            Some(paths) => Folds::of_paths(tree, paths),
            None if arrival.loaded.document.len() <= SMALL => Folds::default(),
            None => Folds::to_depth(tree, 1),
        };
        let is_reload = arrival.folded.is_some();
        self.filtered_folds = Folds::default();
        // Its rows are those of the document that goes.
        self.history = History::default();
        self.wanted = arrival.selected;
        self.loaded = Some(arrival.loaded);
        self.loading = None;
        self.search.result = None;
        self.revealed = None;
        self.rebuild();
        self.rewrite();
        if is_reload {
            self.notify(Meaning::Plain, "loaded again");
        }
        self.search.query(self.now)
    }

    /// Takes what a query found so far, or in the end.
    pub(crate) fn found(&mut self, generation: u64, matches: Arc<Matches>, took: Option<Duration>) {
        if generation != self.search.generation {
            return;
        }
        if self.search.result.is_none() {
            self.filtered_folds = Folds::default();
        }
        self.search.result = Some(matches);
        if took.is_some() {
            self.search.took = took;
            self.search.running = None;
        }
        self.rebuild();
    }

    /// Returns what a reload has to keep.
    pub(crate) fn keep(&self) -> Keep {
        let Some(loaded) = &self.loaded else { return Keep::default() };
        let selected = self.wanted.and_then(|row| Selected::of(loaded, row));
        Keep { selected, folded: Some(self.folds.paths(&loaded.tree)) }
    }

    /// Lists the rows anew and finds what was selected among them: itself, else the module
    /// around it, else whatever is at its place.
    pub(crate) fn rebuild(&mut self) {
        let Some(loaded) = self.loaded.clone() else { return };
        let matches = self.search.result.clone();
        let folds = if matches.is_some() { &self.filtered_folds } else { &self.folds };
        self.view = View::build(&loaded.tree, folds, matches.as_deref());
        let found = self.wanted.and_then(|wanted| {
            let node = match wanted {
                Row::Module(node) => node,
                Row::Instance(place) => loaded.tree.node_of(&loaded.document, place),
            };
            let around = loaded.tree.lineage(node).map(Row::Module);
            std::iter::once(wanted).chain(around).find_map(|row| self.view.find(row))
        });
        let mut row = found.unwrap_or(self.scroll.cursor);
        // What a filter is typed for is an instance, not the module it is in.
        if self.search.result.is_some() && self.view.row(row) != self.wanted {
            row = self.view.instance_from(row).unwrap_or(row);
        }
        self.scroll.to(row, self.view.len());
        self.settle();
    }

    /// Unfolds whatever hides the row that is wanted.
    pub(crate) fn unfold_around_wanted(&mut self) {
        let (Some(loaded), Some(wanted)) = (self.loaded.clone(), self.wanted) else { return };
        let node = match wanted {
            Row::Module(node) => loaded.tree.nodes[node].parent,
            Row::Instance(place) => loaded.tree.node_of(&loaded.document, place),
        };
        for around in loaded.tree.lineage(node) {
            self.folds_mut().open(around);
        }
    }

    /// Notes that the user went to the row under the cursor.
    pub(crate) fn went(&mut self) {
        self.wanted = self.selected();
        self.settle();
    }

    /// Makes windows and lines fit the selection and the size. Cheap where nothing changed.
    pub(crate) fn settle(&mut self) {
        self.scroll.fit(self.view.len(), self.tree_height());
        let width = self.layout().map_or(0, |layout| usize::from(layout.detail.width));
        let now = self.selected().map(|row| (row, width));
        if now != self.written {
            let is_other = now.map(|(row, _)| row) != self.written.as_ref().map(|(row, _)| *row);
            if is_other {
                self.detail.scroll = Scroll::default();
                self.detail.lines.clear();
                self.hide_secrets();
            }
            self.written = now;
            self.write_detail();
        }
        self.detail.fit(self.detail_height());
        self.outputs.fit(self.body_height());
    }

    /// Writes the lines of both panes anew.
    pub(crate) fn rewrite(&mut self) {
        self.write_detail();
        self.write_outputs();
        self.settle();
    }

    fn write_detail(&mut self) {
        let Some(loaded) = self.loaded.clone() else { return };
        let width = self.layout().map_or(0, |layout| usize::from(layout.detail.width));
        let place = match self.selected() {
            Some(Row::Instance(place)) => Some(Place::Instance(place)),
            Some(Row::Module(_)) | None => None,
        };
        let mut writer = self.writer(&self.detail, place.as_ref(), width);
        match self.selected() {
            Some(Row::Instance(at)) => {
                about::instance(&mut writer, loaded.document.instance(at as usize));
            }
            Some(Row::Module(node)) => {
                about::module(&mut writer, &loaded.tree, node, self.matches());
            }
            None => {}
        }
        let lines = writer.lines;
        self.detail.replace(lines, width);
    }

    fn write_outputs(&mut self) {
        let Some(loaded) = self.loaded.clone() else { return };
        let width = usize::from(self.size.width);
        let mut writer = self.writer(&self.outputs, Some(&Place::Outputs), width);
        about::outputs(&mut writer, &loaded.document);
        let lines: Vec<Line> = writer.lines;
        self.outputs.replace(lines, width);
    }

    fn writer<'m>(&'m self, pane: &'m Pane, place: Option<&Place>, width: usize) -> Writer<'m> {
        let revealed = self.revealed.as_ref().filter(|revealed| Some(&revealed.place) == place);
        Writer {
            theme: self.theme,
            prints: &self.prints,
            folds: &pane.folds,
            revealed: revealed.map(|revealed| &revealed.path),
            // The column of the cursor mark is not the text's.
            width: width.saturating_sub(2),
            lines: Vec::new(),
        }
    }

    /// Shows one secret for a while.
    pub(crate) fn reveal(&mut self, place: Place, path: Path) {
        self.revealed = Some(Revealed { place, path, until: self.now + REVEAL });
        self.rewrite();
    }

    /// Hides what is revealed; returns whether something was.
    pub(crate) fn hide_secrets(&mut self) -> bool {
        let was_shown = self.revealed.take().is_some();
        if was_shown {
            self.write_detail();
            self.write_outputs();
        }
        was_shown
    }

    /// Takes the size of the screen.
    pub(crate) fn resize(&mut self, size: Size) {
        if self.size != size {
            let wider = self.size.width != size.width;
            self.size = size;
            if wider {
                self.write_outputs();
            }
            self.settle();
        }
    }

    /// Lets time pass.
    pub(crate) fn tick(&mut self, now: Instant) {
        self.now = now;
        if self.notice.as_ref().is_some_and(|notice| notice.until <= now) {
            self.notice = None;
        }
        if self.revealed.as_ref().is_some_and(|revealed| revealed.until <= now) {
            self.hide_secrets();
        }
    }

    /// Returns when something on the screen changes by itself next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        /// Elapsed time is shown in tenths of a second.
        const STEP: Duration = Duration::from_millis(100);
        let waiting = self.loading.is_some() || self.search.running.is_some();
        let notice = self.notice.as_ref().map(|notice| notice.until);
        // The countdown runs by the second.
        let revealed = self
            .revealed
            .as_ref()
            .map(|revealed| revealed.until.min(self.now + Duration::from_secs(1)));
        [waiting.then(|| self.now + STEP), notice, revealed].into_iter().flatten().min()
    }
}
