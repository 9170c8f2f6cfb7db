//! A checklist in Markdown: headings are lists, items are cards, what is indented below an item is its notes.
//!
//! Read line by line and tolerantly, rather than by the letter of CommonMark: people's lists come from many programs.

use super::item::{ballot, bulleted, checkbox, is_rule, numbered};
use super::{ImportError, ImportedCard, ImportedList, Raw, UNTITLED, counted, one_line};

/// The list for cards that no heading stands above.
const FIRST_LIST: &str = "To do";
/// Columns to the next tab stop.
const TAB: usize = 4;

pub(super) fn read(text: &str) -> Result<Raw, ImportError> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (front_matter, lines) = skip_front_matter(&text);
    let mut reader = Reader::default();
    for line in lines {
        reader.line(line);
    }
    let mut imported = reader.finish();
    if imported.lists.iter().all(|list| list.cards.is_empty()) {
        return Err(ImportError::NoItems);
    }
    if front_matter {
        imported
            .remarks
            .insert(0, "The settings at the top of the file (between \"---\") were not imported.".to_owned());
    }
    Ok(imported)
}

/// YAML between two lines `---` at the very top, as many note-taking programs write.
fn skip_front_matter(text: &str) -> (bool, std::str::Lines<'_>) {
    let mut lines = text.lines();
    if lines.next().is_some_and(|first| first.trim_end() == "---")
        && lines.by_ref().any(|line| line.trim_end() == "---")
    {
        return (true, lines);
    }
    (false, text.lines())
}

/// What stands under one heading.
#[derive(Default)]
struct Section {
    /// 1 for `#`, and so on; 0 above the first heading.
    level: usize,
    title: String,
    cards: Vec<Draft>,
}

/// A card whose notes may go on.
struct Draft {
    title: String,
    done: bool,
    notes: Vec<Line>,
}

/// A line of notes, its indentation apart.
struct Line {
    indent: usize,
    text: String,
}

#[derive(Default)]
struct Reader {
    sections: Vec<Section>,
    /// Least indentation of an item in this section: what is two or more deeper is notes.
    base: usize,
    /// Inside a fenced block of code, which this many of this letter close.
    fence: Option<(char, usize)>,
    /// The line before was blank, or there was none: what is not indented starts something new.
    after_blank: bool,
    /// The line before, if it was free text: an underline makes it a heading.
    free: Option<String>,
    /// Lines of text that belong to no card.
    lost: usize,
}

impl Reader {
    fn line(&mut self, line: &str) {
        let (indent, text) = split_indent(line);
        let free = self.free.take();
        let blank = text.is_empty();
        if blank || self.in_code(text) || self.is_below_card(indent) {
            self.note(indent, text);
        } else if let Some((level, title)) = heading(indent, text) {
            self.start_section(level, title);
        } else if let (Some(title), Some(level)) = (free, underline(indent, text)) {
            self.lost -= 1;
            self.start_section(level, &title);
        } else if let Some(item) = item(text).filter(|_| !is_rule(text)) {
            self.start_card(indent, &item);
        } else if !is_rule(text) {
            self.free_text(indent, text);
        }
        self.after_blank = blank;
    }

    fn in_code(&mut self, text: &str) -> bool {
        let letter = text.chars().next().unwrap_or_default();
        let run = text.chars().take_while(|other| *other == letter).count();
        let is_fence = matches!(letter, '`' | '~') && run >= 3;
        match self.fence {
            None if is_fence => self.fence = Some((letter, run)),
            None => return false,
            Some((open, least)) if is_fence && letter == open && run >= least && text.len() == run => self.fence = None,
            Some(_) => {}
        }
        true
    }

    fn start_section(&mut self, level: usize, title: &str) {
        self.sections.push(Section { level, title: one_line(title), cards: Vec::new() });
        self.base = usize::MAX;
    }

    fn start_card(&mut self, indent: usize, item: &Item<'_>) {
        if self.sections.is_empty() {
            self.start_section(0, "");
        }
        self.base = self.base.min(indent);
        if let Some(section) = self.sections.last_mut() {
            section.cards.push(Draft { title: one_line(item.text), done: item.done, notes: Vec::new() });
        }
    }

    fn is_below_card(&self, indent: usize) -> bool {
        indent >= self.base.saturating_add(2) && self.sections.last().is_some_and(|section| !section.cards.is_empty())
    }

    /// Text at the left margin: the card's above, if it follows on it; else it may turn out a heading.
    fn free_text(&mut self, indent: usize, text: &str) {
        let has_card = self.sections.last().is_some_and(|section| !section.cards.is_empty());
        if has_card && !self.after_blank {
            self.note(indent, text);
        } else {
            self.lost += 1;
            self.free = (indent <= 3).then(|| text.to_owned());
        }
    }

    /// Puts a line into the notes of the card above. Without one it is lost.
    fn note(&mut self, indent: usize, text: &str) {
        match self.sections.last_mut().and_then(|section| section.cards.last_mut()) {
            Some(card) => card.notes.push(Line { indent, text: text.to_owned() }),
            None => self.lost += usize::from(!text.is_empty()),
        }
    }

    fn finish(mut self) -> Raw {
        let title = self.take_title();
        let lists = self.sections.into_iter().map(Section::into_list).collect();
        let mut remarks = Vec::new();
        if self.lost > 0 {
            let verb = if self.lost == 1 { "belongs" } else { "belong" };
            let were = if self.lost == 1 { "was" } else { "were" };
            remarks.push(format!("{} of text that {verb} to no card {were} not imported.", counted(self.lost, "line")));
        }
        Raw { title, named: false, lists, remarks }
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

impl Section {
    fn into_list(self) -> ImportedList {
        ImportedList {
            title: if self.title.is_empty() { FIRST_LIST.to_owned() } else { self.title },
            archived: false,
            cards: self.cards.into_iter().filter_map(Draft::into_card).collect(),
        }
    }
}

impl Draft {
    /// `None` for an item with nothing in it.
    fn into_card(self) -> Option<ImportedCard> {
        let notes = dedented(&self.notes);
        if self.title.is_empty() && notes.is_empty() {
            return None;
        }
        let title = if self.title.is_empty() { UNTITLED.to_owned() } else { self.title };
        Some(ImportedCard { title, notes, done: self.done, ..ImportedCard::default() })
    }
}

/// The lines without the indentation that they share, and without blank ones at the ends.
fn dedented(lines: &[Line]) -> String {
    let shared = lines.iter().filter(|line| !line.text.is_empty()).map(|line| line.indent).min().unwrap_or_default();
    let mut text = String::new();
    for line in lines {
        if !line.text.is_empty() {
            text.extend(std::iter::repeat_n(' ', line.indent - shared));
            text.push_str(&line.text);
        }
        text.push('\n');
    }
    text.trim_matches('\n').to_owned()
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

    /// Lists as `title: card, card`; done cards with a tick, notes in brackets.
    fn shown(text: &str) -> Vec<String> {
        let imported = read(text).expect("a checklist");
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
        let imported = read("**Bold** words\n\n-5 degrees\n\n2026. was\n\n- card [x]\n- [link](https://example.org)\n")
            .expect("a checklist");
        let titles: Vec<_> = imported.lists[0].cards.iter().map(|card| card.title.as_str()).collect();
        assert_eq!(titles, ["was", "card [x]", "[link](https://example.org)"]);
        assert_eq!(imported.remarks, ["2 lines of text that belong to no card were not imported."]);
    }

    #[test]
    fn settings_at_the_top_are_skipped() {
        let imported = read("---\nkanban-plugin: basic\ntags:\n- home\n---\n## A\n- b\n").expect("a checklist");
        assert_eq!(imported.lists.len(), 1);
        assert_eq!(imported.remarks, ["The settings at the top of the file (between \"---\") were not imported."]);
    }

    #[test]
    fn empty_lists_stay_and_empty_items_go() {
        assert_eq!(shown("# Plan\n## A\n- b\n- [ ]\n-\n## C\n"), ["Plan", "A: b", "C: "]);
        assert_eq!(shown("- [ ]\n  words\n"), ["", "To do: Untitled card [words]"]);
    }

    #[test]
    fn text_without_items_is_no_checklist() {
        for text in
            ["Dear all,\n\nsee you.\n", "# Title\n## List\n", "```\n- a\n```\n", "-\n- [ ]\n", "---\n- a\n---\n"]
        {
            assert_eq!(read(text).expect_err("no items"), ImportError::NoItems, "{text:?}");
        }
    }
}
