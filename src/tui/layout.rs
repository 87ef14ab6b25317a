//! Where things stand, by the size of the screen alone.

use ratatui::layout::{Rect, Size};

/// Below this nothing useful can be shown.
const SMALLEST: Size = Size { width: 20, height: 5 };
/// From this width on, tree and detail stand side by side.
const SIDE_BY_SIDE: u16 = 80;
/// From this width on, both fit above each other, given the height.
const STACKED: Size = Size { width: 60, height: 20 };
/// Below this height the hints and the path give up their rows.
const SHORT: u16 = 16;

/// The pane that keys go to.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Focus {
    #[default]
    Tree,
    Detail,
}

/// Which panes the user wants.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Panes {
    #[default]
    Both,
    TreeOnly,
}

/// The parts of the screen. A part that has no room is empty.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Layout {
    pub(crate) header: Rect,
    /// The line under the header that says where the cursor is.
    pub(crate) path: Rect,
    /// The title line of each pane stands in its first row.
    pub(crate) tree: Rect,
    pub(crate) detail: Rect,
    /// The column between panes that stand side by side.
    pub(crate) divider: Rect,
    pub(crate) prompt: Rect,
    pub(crate) status: Rect,
    pub(crate) hints: Rect,
}

impl Layout {
    /// Lays a screen out; `None` where it is too small for anything.
    pub(crate) fn of(size: Size, panes: Panes, focus: Focus) -> Option<Self> {
        if size.width < SMALLEST.width || size.height < SMALLEST.height {
            return None;
        }
        let Size { width, height } = size;
        let is_short = height < SHORT;
        let row = |y| Rect::new(0, y, width, 1);
        let nothing = Rect::new(0, 0, width, 0);
        let head = if is_short { 1 } else { 2 };
        let foot = if is_short { 2 } else { 3 };
        let body = Rect::new(0, head, width, height - head - foot);
        let mut layout = Self {
            header: row(0),
            path: if is_short { nothing } else { row(1) },
            prompt: row(height - foot),
            status: row(height - foot + 1),
            hints: if is_short { nothing } else { row(height - 1) },
            ..Self::default()
        };
        layout.split(body, panes, focus);
        Some(layout)
    }

    fn split(&mut self, body: Rect, panes: Panes, focus: Focus) {
        let Rect { x, y, width, height } = body;
        let nothing = Rect::new(x, y, 0, 0);
        (self.tree, self.detail, self.divider) = (nothing, nothing, nothing);
        let wants_both = panes == Panes::Both;
        if wants_both && width >= SIDE_BY_SIDE && height >= 8 {
            // Addresses end sooner than values: on wide screens the detail gets what is left.
            let left = (width * 11 / 20).min((width * 2 / 5).max(60));
            self.tree = Rect::new(x, y, left, height);
            self.divider = Rect::new(x + left, y, 1, height);
            self.detail = Rect::new(x + left + 1, y, width - left - 1, height);
        } else if wants_both && width >= STACKED.width && height + 5 >= STACKED.height {
            let top = height * 11 / 20;
            self.tree = Rect::new(x, y, width, top);
            self.detail = Rect::new(x, y + top, width, height - top);
        } else if focus == Focus::Detail {
            self.detail = body;
        } else {
            self.tree = body;
        }
    }

    /// Returns the part of a pane under its title line.
    pub(crate) fn inside(pane: Rect) -> Rect {
        let title = pane.height.min(1);
        Rect { y: pane.y + title, height: pane.height - title, ..pane }
    }

    /// Returns the whole space between header and footer.
    pub(crate) fn body(&self) -> Rect {
        let all = self.tree.union(self.detail);
        if self.tree.area() == 0 {
            return self.detail;
        }
        if self.detail.area() == 0 { self.tree } else { all }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(width: u16, height: u16, focus: Focus) -> Option<Layout> {
        Layout::of(Size { width, height }, Panes::Both, focus)
    }

    #[test]
    fn panes_stand_beside_above_or_instead_of_each_other() {
        let wide = layout(80, 24, Focus::Tree).unwrap();
        assert_eq!((wide.tree.width, wide.detail.width), (44, 35));
        let tall = layout(60, 24, Focus::Tree).unwrap();
        assert!(tall.detail.y > tall.tree.y && tall.tree.width == 60);
        let small = layout(40, 12, Focus::Tree).unwrap();
        assert_eq!((small.tree.height, small.detail.area()), (9, 0));
        let small = layout(40, 12, Focus::Detail).unwrap();
        assert_eq!((small.tree.area(), small.detail.height), (0, 9));
    }

    #[test]
    fn the_parts_never_leave_the_screen() {
        for width in 0..200 {
            for height in 0..60 {
                for focus in [Focus::Tree, Focus::Detail] {
                    let Some(parts) = layout(width, height, focus) else { continue };
                    let screen = Rect::new(0, 0, width, height);
                    let Layout { header, path, tree, detail, divider, prompt, status, hints } =
                        parts;
                    for part in [header, path, tree, detail, divider, prompt, status, hints] {
                        assert_eq!(part.intersection(screen), part, "{width}x{height}");
                    }
                    assert!(tree.height > 1 || detail.height > 1, "{width}x{height}");
                }
            }
        }
    }

    #[test]
    fn a_tiny_screen_has_no_layout() {
        assert_eq!(layout(19, 24, Focus::Tree), None);
        assert_eq!(layout(80, 4, Focus::Tree), None);
        assert!(layout(20, 5, Focus::Tree).is_some());
    }
}
