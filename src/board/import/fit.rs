//! Makes an import fit a board's limits without losing a word: what is cut from a title or a label is in the notes, and
//! notes that are too long go on in a card behind.

use std::collections::BTreeSet;

use super::{Import, ImportError, ImportedCard, ImportedList, counted, one_line};
use crate::board::model::{MAX_CARDS, MAX_LABEL, MAX_LABELS, MAX_LISTS, MAX_NOTES, MAX_TITLE};

/// Longest notes as JSON, in bytes: quotes and line feeds count double there, and a card must fit a change.
const MAX_NOTES_JSON: usize = 2 * MAX_NOTES;

/// What was changed to fit.
#[derive(Default)]
pub(super) struct Tally {
    /// Titles that were cut.
    pub(super) titles: usize,
    labels: usize,
    notes: usize,
}

pub(super) fn fit(mut import: Import) -> Result<Import, ImportError> {
    let mut tally = Tally::default();
    if let Some(cut) = cut(&import.title, MAX_TITLE) {
        let whole = std::mem::replace(&mut import.title, cut);
        import.remarks.push(format!("The board's title was cut to {MAX_TITLE} characters. In full: {whole}"));
    }
    if import.lists.len() > MAX_LISTS {
        return Err(ImportError::TooManyLists { found: import.lists.len() });
    }
    for list in &mut import.lists {
        fit_list(list, &mut tally, &mut import.remarks);
    }
    if import.cards() > MAX_CARDS {
        return Err(ImportError::TooManyCards { found: import.cards() });
    }
    import.remarks.extend(tally.remarks());
    Ok(import)
}

impl Tally {
    fn remarks(&self) -> impl Iterator<Item = String> {
        let one = |count, text: String| (count > 0).then_some(text);
        [
            one(
                self.titles,
                format!("{} too long and cut; the whole title is in the card's notes.", were(self.titles, "title")),
            ),
            one(
                self.labels,
                format!("{} more or longer labels than fit; they are all in its notes.", has(self.labels, "card")),
            ),
            one(
                self.notes,
                format!("{} longer notes than fit; they go on in the cards behind it.", has(self.notes, "card")),
            ),
        ]
        .into_iter()
        .flatten()
    }
}

fn were(count: usize, what: &str) -> String {
    format!("{} {}", counted(count, what), if count == 1 { "was" } else { "were" })
}

fn has(count: usize, what: &str) -> String {
    format!("{} {}", counted(count, what), if count == 1 { "has" } else { "have" })
}

fn fit_list(list: &mut ImportedList, tally: &mut Tally, remarks: &mut Vec<String>) {
    if let Some(cut) = cut(&list.title, MAX_TITLE) {
        let whole = std::mem::replace(&mut list.title, cut);
        remarks.push(format!("A list's title was cut to {MAX_TITLE} characters. In full: {whole}"));
    }
    for card in std::mem::take(&mut list.cards) {
        fit_card(card, &mut list.cards, tally);
    }
}

/// Puts the card on `cards`, within the limits, and behind it as many more as its notes need.
pub(super) fn fit_card(mut card: ImportedCard, cards: &mut Vec<ImportedCard>, tally: &mut Tally) {
    fit_title(&mut card, tally);
    fit_labels(&mut card, tally);
    split_notes(card, cards, tally);
}

fn fit_title(card: &mut ImportedCard, tally: &mut Tally) {
    if let Some(cut) = cut(&card.title, MAX_TITLE) {
        let whole = std::mem::replace(&mut card.title, cut);
        card.notes = above(&whole, &card.notes);
        tally.titles += 1;
    }
}

fn fit_labels(card: &mut ImportedCard, tally: &mut Tally) {
    let fits = |label: &String| !label.trim().is_empty() && label.chars().count() <= MAX_LABEL;
    if card.labels.len() <= MAX_LABELS && card.labels.iter().all(fits) {
        return;
    }
    let mut whole = std::mem::take(&mut card.labels);
    whole.retain(|label| !label.trim().is_empty());
    let short = whole.iter().map(|label| cut(label, MAX_LABEL).unwrap_or_else(|| label.clone()));
    card.labels = short.collect::<BTreeSet<_>>().into_iter().take(MAX_LABELS).collect();
    if !whole.is_subset(&card.labels) {
        let all: Vec<_> = whole.iter().map(|label| one_line(label)).collect();
        card.notes = above(&format!("Labels: {}", all.join(", ")), &card.notes);
        tally.labels += 1;
    }
}

fn split_notes(mut card: ImportedCard, cards: &mut Vec<ImportedCard>, tally: &mut Tally) {
    let notes = std::mem::take(&mut card.notes);
    let (first, mut rest) = notes.split_at(fitting(&notes));
    tally.notes += usize::from(!rest.is_empty());
    cards.push(ImportedCard { notes: first.to_owned(), ..card.clone() });
    for part in 2.. {
        if rest.is_empty() {
            return;
        }
        let (next, behind) = rest.split_at(fitting(rest));
        cards.push(ImportedCard { title: numbered(&card.title, part), notes: next.to_owned(), ..card.clone() });
        rest = behind;
    }
}

fn numbered(title: &str, part: usize) -> String {
    let number = format!(" ({part})");
    let room = MAX_TITLE - number.len();
    format!("{}{number}", cut(title, room).as_deref().unwrap_or(title))
}

/// Where notes must be split: behind the last line feed, else the last space, in what fits; but not in its first half, where
/// it would leave too little.
fn fitting(notes: &str) -> usize {
    let (mut json, mut line, mut space) = (0, 0, 0);
    for (at, letter) in notes.char_indices() {
        json += json_len(letter);
        let end = at + letter.len_utf8();
        if json > MAX_NOTES_JSON || end > MAX_NOTES {
            return [line, space].into_iter().find(|split| *split > at / 2).unwrap_or(at);
        }
        match letter {
            '\n' => line = end,
            letter if letter.is_whitespace() => space = end,
            _ => {}
        }
    }
    notes.len()
}

/// Bytes of a character in a JSON string, as `serde_json` writes it.
const fn json_len(letter: char) -> usize {
    match letter {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        _ => letter.len_utf8(),
    }
}

/// The first `most - 1` characters and an ellipsis, if the text is longer than `most`.
fn cut(text: &str, most: usize) -> Option<String> {
    // Bytes are no fewer than characters: most texts are not counted.
    if text.len() <= most || text.chars().nth(most).is_none() {
        return None;
    }
    Some(text.chars().take(most - 1).chain(['…']).collect())
}

fn above(first: &str, rest: &str) -> String {
    if rest.is_empty() { first.to_owned() } else { format!("{first}\n\n{rest}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fitted(card: ImportedCard) -> Import {
        let list = ImportedList { cards: vec![card], ..ImportedList::default() };
        fit(Import { lists: vec![list], ..Import::default() }).expect("few lists and cards")
    }

    #[test]
    fn a_long_title_is_whole_in_the_notes() {
        let title = "ä".repeat(MAX_TITLE + 1);
        let import = fitted(ImportedCard { title: title.clone(), notes: "More".into(), ..ImportedCard::default() });
        let card = &import.lists[0].cards[0];
        assert_eq!(card.title.chars().count(), MAX_TITLE);
        assert_eq!(card.notes, format!("{title}\n\nMore"));
        assert_eq!(import.remarks, ["1 title was too long and cut; the whole title is in the card's notes."]);
    }

    #[test]
    fn labels_that_do_not_fit_are_in_the_notes() {
        let mut labels: BTreeSet<_> = (0..MAX_LABELS).map(|n| format!("{n:02}")).collect();
        labels.insert("zebra".into());
        let import = fitted(ImportedCard { title: "Card".into(), labels, ..ImportedCard::default() });
        let card = &import.lists[0].cards[0];
        assert_eq!(card.labels.len(), MAX_LABELS);
        assert!(card.notes.starts_with("Labels: 00, 01, ") && card.notes.ends_with("zebra"), "{}", card.notes);
        assert_eq!(import.remarks, ["1 card has more or longer labels than fit; they are all in its notes."]);
    }

    #[test]
    fn long_notes_go_on_in_numbered_cards() {
        let notes = "A line of thirty-two characters\n".repeat(2_500);
        let import = fitted(ImportedCard { title: "Log".into(), notes: notes.clone(), ..ImportedCard::default() });
        let cards = &import.lists[0].cards;
        let titles: Vec<_> = cards.iter().map(|card| card.title.as_str()).collect();
        assert_eq!(titles, ["Log", "Log (2)", "Log (3)"]);
        assert!(cards.iter().all(|card| card.notes.ends_with('\n')), "split between lines");
        assert_eq!(cards.iter().map(|card| card.notes.as_str()).collect::<String>(), notes);
        assert_eq!(import.remarks, ["1 card has longer notes than fit; they go on in the cards behind it."]);
    }

    #[test]
    fn a_board_of_too_much_is_refused_whole() {
        let lists = vec![ImportedList::default(); MAX_LISTS + 1];
        let error = fit(Import { lists, ..Import::default() }).expect_err("too many");
        assert_eq!(error, ImportError::TooManyLists { found: MAX_LISTS + 1 });
        let list = ImportedList { cards: vec![ImportedCard::default(); MAX_CARDS + 1], ..ImportedList::default() };
        let error = fit(Import { lists: vec![list], ..Import::default() }).expect_err("too many");
        assert_eq!(error, ImportError::TooManyCards { found: MAX_CARDS + 1 });
    }

    proptest! {
        #[test]
        fn notes_of_any_letters_fit_and_join_again(unit in "[ -~\n\u{1}é😀]{1,9}", times in 1_usize..9_000) {
            let notes = unit.repeat(times);
            let import = fitted(ImportedCard { title: "x".into(), notes: notes.clone(), ..ImportedCard::default() });
            let mut joined = String::new();
            for card in &import.lists[0].cards {
                let json = serde_json::to_string(&card.notes).expect("JSON");
                prop_assert!(card.notes.len() <= MAX_NOTES && json.len() <= MAX_NOTES_JSON + 2);
                joined.push_str(&card.notes);
            }
            prop_assert_eq!(joined, notes);
        }
    }
}
