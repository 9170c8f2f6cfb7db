//! A checklist in Markdown: headings are lists, items are cards, what is indented below an item is its notes.
//!
//! Read line by line and tolerantly, rather than by the letter of CommonMark: people's lists come from many programs. Code is
//! the exception, because a fence that is taken for one by mistake swallows cards.
//!
//! | module | what it is |
//! |---|---|
//! | `fence` | fenced blocks of code |
//! | `front_matter` | settings at the top |
//! | `kanban` | the dialect of Obsidian's Kanban plugin |
//! | `draft` | sections and cards while they are read |

mod draft;
mod fence;
mod front_matter;
mod kanban;

use self::draft::{Draft, Section};
use self::fence::{Closings, Fence};
use super::item::{ballot, bulleted, checkbox, is_rule, numbered};
use super::raw::Raw;
use super::{ImportError, one_line};
use crate::board::model::{MAX_CARDS, MAX_LISTS};

/// Columns to the next tab stop.
const TAB: usize = 4;

/// A checklist, and whether it is one rather than lines of plain text.
#[derive(Debug)]
pub(super) struct Checklist {
    pub(super) raw: Raw,
    /// It has headings, or settings at the top.
    pub(super) is_likely: bool,
}

pub(super) fn read(text: &str) -> Result<Checklist, ImportError> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (front_matter, body) =
        front_matter::split(&text).map_or((None, text.as_str()), |(settings, body)| (Some(settings), body));
    let mut reader = Reader { kanban: kanban::is_kanban(front_matter, body), ..Reader::default() };
    let mut lines = body.lines();
    let mut has_settings = reader.kanban;
    while let Some(line) = lines.next() {
        if has_settings && line.trim_end() == kanban::SETTINGS {
            let mut behind = lines.clone();
            // Looked for once: what is not closed here is not closed further down.
            has_settings = behind.any(ends_comment);
            if has_settings {
                lines = behind;
                continue;
            }
        }
        let (indent, text) = split_indent(line);
        reader.line(indent, text, lines.clone());
    }
    let is_kanban = reader.kanban;
    let headings = reader.sections.iter().any(|section| section.level > 0);
    let mut raw = reader.finish()?;
    let is_likely = headings || front_matter.is_some();
    // The plugin's own settings mean nothing to a person.
    if let Some(settings) = front_matter.filter(|_| !is_kanban) {
        raw.leave("The settings at the top of the file", settings);
    }
    Ok(Checklist { raw, is_likely })
}

fn ends_comment(line: &str) -> bool {
    line.trim_end().ends_with("%%")
}

#[derive(Default)]
struct Reader {
    sections: Vec<Section>,
    /// Cards and headings found, those included that are over a board's limits and not stored.
    cards: usize,
    headings: usize,
    /// Least indentation of an item in this section: what is two or more deeper is notes.
    base: usize,
    /// The block of code that this line may be in.
    fence: Option<Fence>,
    closings: Closings,
    /// The line before was blank, or there was none: what is not indented starts something new.
    after_blank: bool,
    /// The line before, if it was free text: an underline makes it a heading.
    free: Option<String>,
    /// Lines of text that belong to no card.
    lost: Vec<String>,
    /// The file is one of Obsidian's Kanban plugin.
    kanban: bool,
    /// The sections that begin here are archived.
    archive: bool,
}

impl Reader {
    /// Reads a line, its indentation apart. `behind` are the lines below it.
    fn line(&mut self, indent: usize, text: &str, behind: std::str::Lines<'_>) {
        let free = self.free.take();
        let blank = text.is_empty();
        if self.in_code(indent, text) || blank || self.opens_code(indent, text, behind) || self.is_below_card(indent) {
            self.note(indent, text);
        } else if let Some((level, title)) = heading(indent, text) {
            self.start_section(level, title);
        } else if let (Some(title), Some(level)) = (free, underline(indent, text)) {
            self.lost.pop();
            self.start_section(level, &title);
        } else if is_rule(text) {
            self.archive |= self.kanban && text == "***";
        } else if let Some(item) = item(text) {
            self.start_card(indent, indent + text.len() - item.text.len(), &item);
        } else if !(self.kanban && !self.has_card() && kanban::is_complete_mark(text)) {
            self.free_text(indent, text);
        }
        self.after_blank = blank;
    }

    /// Whether the line belongs to the block of code that is open.
    fn in_code(&mut self, indent: usize, text: &str) -> bool {
        let Some(fence) = self.fence else { return false };
        let outside = !text.is_empty() && indent < fence.container;
        if outside || fence.is_closed_by(indent, text) {
            self.fence = None;
        }
        !outside
    }

    /// Whether the line opens a block of code. One at the left margin must be closed further down: else it would swallow all
    /// cards below it, by a mistake of the author or of this reader.
    fn opens_code(&mut self, indent: usize, text: &str, behind: std::str::Lines<'_>) -> bool {
        let below_card = self.is_below_card(indent);
        let container = if below_card { self.base + 2 } else { 0 };
        let fence = Fence::opened(indent, text, container);
        self.fence =
            fence.filter(|fence| below_card || (indent <= 3 && self.closings.has(fence, behind.map(split_indent))));
        self.fence.is_some()
    }

    fn start_section(&mut self, level: usize, title: &str) {
        self.headings += 1;
        self.base = usize::MAX;
        // One more than a board has lists: the first may be its title.
        if self.headings <= MAX_LISTS + 1 {
            self.sections.push(Section { level, title: one_line(title), archived: self.archive, cards: Vec::new() });
        }
    }

    fn start_card(&mut self, indent: usize, content: usize, item: &Item<'_>) {
        match self.sections.last() {
            None => self.start_section(0, ""),
            Some(section) if self.archive && !section.archived => self.start_section(0, "Archive"),
            Some(_) => {}
        }
        self.base = self.base.min(indent);
        let Some(section) = self.sections.last_mut() else { return };
        // An item with nothing in it is no card.
        self.cards -= usize::from(section.cards.pop_if(|card| card.is_empty()).is_some());
        self.cards += 1;
        if self.cards > MAX_CARDS {
            return;
        }
        let (text, due) = if self.kanban { kanban::card(item.text) } else { (item.text.to_owned(), None) };
        let below = indent + 2;
        let mut card = Draft::new(&text, below, item.done, due);
        self.fence = Fence::opened(content, &text, below);
        if self.fence.is_some() {
            card.start_with_code(below, &text);
        }
        section.cards.push(card);
    }

    fn has_card(&self) -> bool {
        self.sections.last().is_some_and(|section| !section.cards.is_empty())
    }

    fn is_below_card(&self, indent: usize) -> bool {
        indent >= self.base.saturating_add(2) && self.has_card()
    }

    /// Text at the left margin: the card's above, if it follows on it; else it may turn out a heading.
    fn free_text(&mut self, indent: usize, text: &str) {
        if self.has_card() && !self.after_blank {
            self.note(indent, text);
        } else {
            self.lost.push(text.to_owned());
            self.free = (indent <= 3).then(|| text.to_owned());
        }
    }

    /// Puts a line into the notes of the card above. Without one it belongs to none.
    fn note(&mut self, indent: usize, text: &str) {
        match self.sections.last_mut().and_then(|section| section.cards.last_mut()) {
            Some(card) => card.note(indent, text),
            None if text.is_empty() => {}
            None => self.lost.push(text.to_owned()),
        }
    }

    fn finish(mut self) -> Result<Raw, ImportError> {
        if self.cards > MAX_CARDS {
            return Err(ImportError::TooManyCards { found: self.cards });
        }
        if self.headings > MAX_LISTS + 1 {
            return Err(ImportError::TooManyLists { found: self.headings });
        }
        let title = self.take_title();
        let lists: Vec<_> = self.sections.into_iter().map(Section::into_list).collect();
        if lists.iter().all(|list| list.cards.is_empty()) {
            return Err(ImportError::NoItems);
        }
        let mut raw = Raw { title, lists, ..Raw::default() };
        if !self.lost.is_empty() {
            raw.leave("Text that belongs to no card", &self.lost.join("\n"));
        }
        Ok(raw)
    }

    /// The first heading, if it is of the first level and no list: it has no cards, or is the only one of its level.
    fn take_title(&mut self) -> String {
        let tops = self.sections.iter().filter(|section| section.level == 1).count();
        let Some(at) = self.sections.iter().position(|section| section.level > 0) else { return String::new() };
        let first = &mut self.sections[at];
        if first.level != 1 || (tops > 1 && !first.cards.is_empty()) {
            return String::new();
        }
        let title = std::mem::take(&mut first.title);
        if first.cards.is_empty() {
            self.sections.remove(at);
        }
        title
    }
}

/// The width of the white space that a line begins with, and what follows, without white space at its end.
fn split_indent(line: &str) -> (usize, &str) {
    let mut width = 0;
    for (at, letter) in line.char_indices() {
        match letter {
            ' ' | '\u{a0}' => width += 1,
            '\t' => width = (width / TAB + 1) * TAB,
            _ => return (width, line[at..].trim_end()),
        }
    }
    (width, "")
}

/// `## Title` and `## Title ##`.
fn heading(indent: usize, text: &str) -> Option<(usize, &str)> {
    let level = text.bytes().take_while(|byte| *byte == b'#').count();
    let rest = &text[level..];
    if indent > 3 || !(1..=6).contains(&level) || !(rest.is_empty() || rest.starts_with([' ', '\t'])) {
        return None;
    }
    let bare = rest.trim().trim_end_matches('#');
    let title = if bare.is_empty() || bare.ends_with([' ', '\t']) { bare } else { rest };
    Some((level, title.trim()))
}

/// `===` or `---` below a line makes it a heading of the first or second level.
fn underline(indent: usize, text: &str) -> Option<usize> {
    let only = |letter| text.len() >= 2 && text.chars().all(|other| other == letter);
    match (only('='), only('-')) {
        _ if indent > 3 => None,
        (true, _) => Some(1),
        (_, true) => Some(2),
        _ => None,
    }
}

struct Item<'a> {
    done: bool,
    text: &'a str,
}

/// `- card`, `* [ ] card`, `3. [x] card`, `☐ card`.
fn item(text: &str) -> Option<Item<'_>> {
    let marked = bulleted(text).or_else(|| numbered(text).map(|(_, rest)| rest));
    let (done, text) = match marked {
        Some(rest) => checkbox(rest).unwrap_or((false, rest)),
        None => ballot(text)?,
    };
    Some(Item { done, text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::import::{ImportedCard, ImportedList};

    /// Lists as `title: card, card`; done cards with a tick, notes in brackets.
    fn shown(text: &str) -> Vec<String> {
        let imported = read(text).expect("a checklist").raw;
        let card = |card: &ImportedCard| {
            let notes = if card.notes.is_empty() { String::new() } else { format!(" [{}]", card.notes) };
            format!("{}{}{notes}", if card.done { "✓" } else { "" }, card.title)
        };
        let list = |list: &ImportedList| {
            format!("{}: {}", list.title, list.cards.iter().map(card).collect::<Vec<_>>().join(", "))
        };
        let mut shown = vec![imported.title];
        shown.extend(imported.lists.iter().map(list));
        shown
    }

    #[test]
    fn headings_are_lists_and_items_are_cards() {
        assert_eq!(
            shown("# Trip\n\n## Before\n- [ ] Book\n- [x] Pay\n* Pack\n+ Go\n### After\n1. Rest\n2) [X] Unpack\n"),
            ["Trip", "Before: Book, ✓Pay, Pack, Go", "After: Rest, ✓Unpack"]
        );
    }

    #[test]
    fn items_before_any_heading_are_to_do() {
        assert_eq!(shown("- [ ] Milk\n- [x] Eggs\n"), ["", "To do: Milk, ✓Eggs"]);
        assert_eq!(shown("- a\n\n# Later\n- b\n"), ["Later", "To do: a", "To do: b"]);
        assert_eq!(shown("# Shopping\n- Milk"), ["Shopping", "To do: Milk"]);
    }

    #[test]
    fn several_first_headings_with_cards_are_lists() {
        assert_eq!(shown("# Todo\n- a\n# Done\n- [x] b"), ["", "Todo: a", "Done: ✓b"]);
        assert_eq!(shown("# Plan\n# Todo\n- a\n# Done\n- [x] b"), ["Plan", "Todo: a", "Done: ✓b"]);
    }

    #[test]
    fn what_is_indented_is_notes() {
        assert_eq!(
            shown("- Tent\n  the green one\n  - [ ] pegs\n    - ten\n\n  and rope\n- Stove\n"),
            ["", "To do: Tent [the green one\n- [ ] pegs\n  - ten\n\nand rope], Stove"]
        );
        assert_eq!(shown("-\tTabs\n\tbelow\n\t\t- deep\n"), ["", "To do: Tabs [below\n    - deep]"]);
        assert_eq!(shown("  - a\n  - b\n    c\n"), ["", "To do: a, b [c]"]);
        assert_eq!(shown("- a\ngoes on\n"), ["", "To do: a [goes on]"]);
    }

    #[test]
    fn code_is_no_card() {
        assert_eq!(
            shown("- Run\n  ```sh\n  - not a card\n  # nor a list\n  ```\n- Next\n"),
            ["", "To do: Run [```sh\n- not a card\n# nor a list\n```], Next"]
        );
    }

    #[test]
    fn endings_of_lines_do_not_matter() {
        let expected = ["Plan", "A: b [c], ✓d"];
        let text = "# Plan\n## A\n- b\n  c\n- [x] d\n";
        assert_eq!(shown(text), expected);
        assert_eq!(shown(&text.replace('\n', "\r\n")), expected);
        assert_eq!(shown(&text.replace('\n', "\r")), expected);
    }

    #[test]
    fn underlined_headings_and_rules() {
        assert_eq!(shown("Plan\n====\n\nA\n---\n- b\n\n---\n* * *\n- c\n"), ["Plan", "A: b, c"]);
    }

    #[test]
    fn what_only_looks_like_an_item_is_text() {
        let mut imported =
            read("**Bold** words\n\n-5 degrees\n\n2026. was\n\n- card [x]\n- [link](https://example.org)\n")
                .expect("a checklist")
                .raw;
        let titles: Vec<_> = imported.lists[0].cards.iter().map(|card| card.title.as_str()).collect();
        assert_eq!(titles, ["was", "card [x]", "[link](https://example.org)"]);
        imported.add_left();
        assert_eq!(imported.lists[1].cards[0].notes, "Text that belongs to no card:\n\n**Bold** words\n-5 degrees");
    }

    #[test]
    fn settings_at_the_top_are_no_cards() {
        let mut imported = read("---\ntitle: Home\ntags:\n- home\n---\n## A\n- b\n").expect("a checklist").raw;
        assert_eq!(imported.lists.len(), 1);
        imported.add_left();
        let card = &imported.lists[1].cards[0];
        assert_eq!(card.notes, "The settings at the top of the file:\n\ntitle: Home\ntags:\n- home");
    }

    #[test]
    fn a_rule_at_the_top_drops_nothing() {
        assert_eq!(shown("---\n\n## A\n- b\n\n---\n\n## C\n- d\n"), ["", "A: b", "C: d"]);
    }

    #[test]
    fn a_fence_that_is_none_swallows_no_card() {
        assert_eq!(shown("- a\n```npm version minor```\n- b\n"), ["", "To do: a [```npm version minor```], b"]);
        assert_eq!(shown("- a\n```sh\n- b\n- c\n"), ["", "To do: a [```sh], b, c"]);
        assert_eq!(shown("- a\n    ```\n    code\n- b\n"), ["", "To do: a [```\ncode], b"]);
        assert_eq!(shown("- a\n```\n- code\n```\n- b\n"), ["", "To do: a [```\n- code\n```], b"]);
        assert_eq!(shown("- a\n~~~\n```\n~~~\n- b\n```\n- c\n"), ["", "To do: a [~~~\n```\n~~~], b [```], c"]);
    }

    #[test]
    fn an_item_of_code_is_called_after_it() {
        assert_eq!(
            shown("- ```sh\n  make all\n  ```\n- [ ] Tag it\n"),
            ["", "To do: make all [```sh\nmake all\n```], Tag it"]
        );
        assert_eq!(shown("1. ```\n   - x\n- b"), ["", "To do: - x [```\n - x], b"]);
        assert_eq!(shown("- ```\n  ```\n- b"), ["", "To do: Untitled card [```\n```], b"]);
    }

    #[test]
    fn a_break_ends_the_title() {
        assert_eq!(shown("- a<br>b<br />c\n  d\n- <br/>e\n"), ["", "To do: a [b\nc\nd], e"]);
    }

    #[test]
    fn a_kanban_note_has_dates_marks_and_an_archive() {
        let text = "---\nkanban-plugin: board\n---\n## Do\n- [ ] a @{2026-11-24} ^x1\n\n## Done\n\n**Complete**\n- [x] b\n\n\
                    ***\n\n## Archive\n\n- [x] c\n\n%% kanban:settings\n```\n- {}\n```\n%%\n";
        let mut imported = read(text).expect("a checklist").raw;
        assert_eq!(shown(text), ["", "Do: a", "Done: ✓b", "Archive: ✓c"]);
        assert_eq!(imported.lists.iter().map(|list| list.archived).collect::<Vec<_>>(), [false, false, true]);
        assert!(imported.lists[0].cards[0].due.is_some());
        imported.add_left();
        assert_eq!((imported.lists.len(), imported.remarks.len()), (3, 0));
        assert_eq!(shown("- [ ] a @{2026-11-24}\n\n***\n- b"), ["", "To do: a @{2026-11-24}, b"]);
        let unclosed = "---\nkanban-plugin: board\n---\n- [ ] a\n***\n- b\n%% kanban:settings\n- c\n";
        assert_eq!(shown(unclosed), ["", "To do: a", "Archive: b [%% kanban:settings], c"]);
    }

    #[test]
    fn empty_lists_stay_and_empty_items_go() {
        assert_eq!(shown("# Plan\n## A\n- b\n- [ ]\n-\n## C\n"), ["Plan", "A: b", "C: "]);
        assert_eq!(shown("- [ ]\n  words\n"), ["", "To do: Untitled card [words]"]);
    }

    #[test]
    fn text_without_items_is_no_checklist() {
        for text in ["Dear all,\n\nsee you.\n", "# Title\n## List\n", "```\n- a\n```\n", "-\n- [ ]\n"] {
            assert_eq!(read(text).expect_err("no items"), ImportError::NoItems, "{text:?}");
        }
    }
}
