//! Text that a person is typing, stored until it became a change or was discarded.
//!
//! Each page writes records of its own, so two tabs never overwrite each other's text. A page that has ended cannot remove its
//! records: another page takes them over, for places where it has no text of its own. Which pages have ended, the driver knows.
//!
//! A *place* names what is being typed, and is for the app to choose: any text without a slash.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::id::DocumentId;
use super::time::UnixMillis;

/// Longest text that is stored, in bytes: 256 KiB. A longer one stays in memory.
pub const MAX_BYTES: usize = 262_144;

const PREFIX: &str = "sheetbend/draft/";

/// Text being typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// The text.
    pub text: String,
    /// The value that the person started from; empty for something new.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// When the text was last changed.
    pub at: UnixMillis,
}

/// The name of a stored record: `sheetbend/draft/<document>/<place>/<page>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RecordName {
    /// The document that is being edited.
    pub document: DocumentId,
    /// What is being typed.
    pub place: String,
    /// The page that wrote the record.
    pub page: Uuid,
}

/// The start of the names of all records of `document`.
#[must_use]
pub fn prefix(document: DocumentId) -> String {
    format!("{PREFIX}{document}/")
}

impl fmt::Display for RecordName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}/{}/{}", self.document, self.place, self.page)
    }
}

/// A text that is no [`RecordName`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a draft's record")]
pub struct NotARecordName;

impl FromStr for RecordName {
    type Err = NotARecordName;

    fn from_str(text: &str) -> Result<Self, NotARecordName> {
        let mut parts = text.strip_prefix(PREFIX).ok_or(NotARecordName)?.split('/');
        let (Some(document), Some(place), Some(page), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NotARecordName);
        };
        let document = document.parse().map_err(|_| NotARecordName)?;
        let page = page.parse().map_err(|_| NotARecordName)?;
        Ok(Self { document, place: place.to_owned(), page })
    }
}

/// What the driver does to its storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Writes a record.
    Write(RecordName, String),
    /// Removes a record.
    Remove(RecordName),
    /// Leaves the storage as it is: the text is too long to store.
    TooLong,
}

/// The drafts of one page, of all documents it has shown.
#[derive(Debug)]
pub struct Drafts {
    page: Uuid,
    drafts: BTreeMap<(DocumentId, String), Held>,
}

/// A draft, and the page that it was taken over from, unless it was changed since.
#[derive(Debug)]
struct Held {
    draft: Draft,
    of: Option<Uuid>,
}

impl Drafts {
    /// The drafts of a new page.
    #[must_use]
    pub const fn new(page: Uuid) -> Self {
        Self { page, drafts: BTreeMap::new() }
    }

    /// The page's id.
    #[must_use]
    pub const fn page(&self) -> Uuid {
        self.page
    }

    /// The draft at a place, if there is one.
    #[must_use]
    pub fn get(&self, document: DocumentId, place: &str) -> Option<&Draft> {
        self.drafts.get(&(document, place.to_owned())).map(|held| &held.draft)
    }

    /// The drafts of a document with their places, the one typed last first.
    #[must_use]
    pub fn of(&self, document: DocumentId) -> Vec<(String, Draft)> {
        let mine = self.drafts.iter().filter(|((of, _), _)| *of == document);
        let mut mine: Vec<_> = mine.map(|((_, place), held)| (place.clone(), held.draft.clone())).collect();
        mine.sort_by_key(|(_, draft)| std::cmp::Reverse(draft.at));
        mine
    }

    /// Text was typed. It takes the place of what this page had there.
    pub fn put(&mut self, document: DocumentId, place: &str, draft: Draft) -> Command {
        self.hold(document, place, Held { draft, of: None })
    }

    fn hold(&mut self, document: DocumentId, place: &str, held: Held) -> Command {
        let command = self.write(document, place, &held.draft);
        self.drafts.insert((document, place.to_owned()), held);
        command
    }

    /// The text became a change or was discarded. `None` if there was none.
    pub fn remove(&mut self, document: DocumentId, place: &str) -> Option<Command> {
        self.drafts.remove(&(document, place.to_owned()))?;
        Some(Command::Remove(self.name(document, place)))
    }

    /// Takes over a record of a page that has ended, or one that this page itself stored. Empty if the record cannot be read, or if
    /// this page has other text at that place: the record then stays for later. An older record of the same page is no other text:
    /// of two stages of storage, one may be behind.
    pub fn adopt(&mut self, name: &RecordName, text: &str) -> Vec<Command> {
        let Ok(draft) = serde_json::from_str::<Draft>(text) else { return Vec::new() };
        let here = self.drafts.get(&(name.document, name.place.clone()));
        if here.is_some_and(|held| held.of != Some(name.page) || held.draft.at >= draft.at) {
            return Vec::new();
        }
        let write = self.hold(name.document, &name.place, Held { draft, of: Some(name.page) });
        let remove = (name.page != self.page).then(|| Command::Remove(name.clone()));
        [write].into_iter().chain(remove).collect()
    }

    /// Writes all drafts again, as after a time in which other pages may have taken them over.
    #[must_use]
    pub fn rewrite(&self) -> Vec<Command> {
        self.drafts.iter().map(|((document, place), held)| self.write(*document, place, &held.draft)).collect()
    }

    fn write(&self, document: DocumentId, place: &str, draft: &Draft) -> Command {
        if draft.text.len() + draft.from.len() > MAX_BYTES {
            return Command::TooLong;
        }
        // A struct of strings and a number is always written.
        let text = serde_json::to_string(draft).unwrap_or_default();
        Command::Write(self.name(document, place), text)
    }

    fn name(&self, document: DocumentId, place: &str) -> RecordName {
        RecordName { document, place: place.to_owned(), page: self.page }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOARD: DocumentId = DocumentId(Uuid::from_u128(1));

    fn page(n: u128) -> Drafts {
        Drafts::new(Uuid::from_u128(n))
    }

    fn draft(text: &str, at: UnixMillis) -> Draft {
        Draft { text: text.to_owned(), from: String::new(), at }
    }

    /// A device's storage, which all its pages share.
    #[derive(Default)]
    struct Device(BTreeMap<String, String>);

    impl Device {
        fn run(&mut self, command: Command) {
            match command {
                Command::Write(name, text) => drop(self.0.insert(name.to_string(), text)),
                Command::Remove(name) => drop(self.0.remove(&name.to_string())),
                Command::TooLong => {}
            }
        }

        fn adopt(&mut self, by: &mut Drafts, from: &Drafts) {
            for (name, text) in self.0.clone() {
                let name: RecordName = name.parse().expect("a record's name");
                if name.page == from.page() {
                    by.adopt(&name, &text).into_iter().for_each(|command| self.run(command));
                }
            }
        }

        fn texts(&self) -> Vec<String> {
            self.0.values().map(|text| serde_json::from_str::<Draft>(text).expect("a draft").text).collect()
        }
    }

    #[test]
    fn text_of_a_page_that_ended_comes_to_the_next_one() {
        let (mut device, mut first, mut second) = (Device::default(), page(1), page(2));
        device.run(first.put(BOARD, "new-list", draft("Pla", 1)));
        device.run(first.put(BOARD, "new-list", draft("Plan", 2)));
        device.adopt(&mut second, &first);
        assert_eq!(second.get(BOARD, "new-list"), Some(&draft("Plan", 2)));
        assert_eq!(device.texts(), ["Plan"], "as a record of the second page");
        device.run(second.remove(BOARD, "new-list").expect("a draft"));
        assert_eq!(device.texts(), [""; 0]);
    }

    #[test]
    fn two_pages_type_in_one_place_and_neither_loses_its_text() {
        let (mut device, mut first, mut second) = (Device::default(), page(1), page(2));
        device.run(first.put(BOARD, "new-list", draft("mine", 1)));
        device.run(second.put(BOARD, "new-list", draft("yours", 2)));
        device.adopt(&mut second, &first);
        assert_eq!(second.get(BOARD, "new-list"), Some(&draft("yours", 2)));
        assert_eq!(device.texts(), ["mine", "yours"], "the first page's text waits");
        device.run(second.remove(BOARD, "new-list").expect("a draft"));
        device.adopt(&mut second, &first);
        assert_eq!(second.get(BOARD, "new-list"), Some(&draft("mine", 1)));
    }

    #[test]
    fn a_newer_record_of_the_same_page_takes_the_place_of_an_older_one_until_the_text_is_changed() {
        let name = |page: u128| RecordName { document: BOARD, place: "a".into(), page: Uuid::from_u128(page) };
        let text = |text: &str, at| serde_json::to_string(&draft(text, at)).expect("a draft");
        let mut page = page(1);
        assert_eq!(page.adopt(&name(7), &text("Pla", 1)).len(), 2);
        assert_eq!(page.adopt(&name(8), &text("another page's", 9)), []);
        assert_eq!(page.adopt(&name(7), &text("Plan", 2)).len(), 2);
        assert_eq!(page.adopt(&name(7), &text("Pla", 1)), []);
        assert_eq!(page.get(BOARD, "a"), Some(&draft("Plan", 2)));
        let _ = page.put(BOARD, "a", draft("Plans", 3));
        assert_eq!(page.adopt(&name(7), &text("late", 4)), []);
        assert_eq!(page.get(BOARD, "a"), Some(&draft("Plans", 3)));
    }

    #[test]
    fn the_text_typed_last_comes_first() {
        let mut page = page(1);
        let _ = page.put(BOARD, "a", draft("old", 1));
        let _ = page.put(BOARD, "b", draft("new", 2));
        let _ = page.put(DocumentId(Uuid::from_u128(9)), "a", draft("another board's", 3));
        let texts: Vec<_> = page.of(BOARD).into_iter().map(|(_, draft)| draft.text).collect();
        assert_eq!(texts, ["new", "old"]);
    }

    #[test]
    fn text_that_is_too_long_to_store_stays_in_memory() {
        let mut page = page(1);
        let long = "x".repeat(MAX_BYTES + 1);
        assert_eq!(page.put(BOARD, "a", draft(&long, 1)), Command::TooLong);
        assert_eq!(page.get(BOARD, "a").map(|draft| draft.text.len()), Some(MAX_BYTES + 1));
    }

    #[test]
    fn a_record_that_cannot_be_read_is_left_alone() {
        let name = RecordName { document: BOARD, place: "a".into(), page: Uuid::from_u128(7) };
        assert_eq!(page(1).adopt(&name, "{}"), []);
        for text in ["", "sheetbend/draft/", "sheetbend/draft/x/y/z", "sheetbend/outbox/a/b/c"] {
            assert_eq!(text.parse::<RecordName>(), Err(NotARecordName), "{text}");
        }
    }

    proptest! {
        /// Whatever pages type, remove and take over: all text that was typed and not removed is on the device once, and nothing else.
        #[test]
        fn no_text_is_lost_or_doubled(steps in proptest::collection::vec((0_usize..3, 0_usize..3, 0_u8..4), 0..60)) {
            let mut device = Device::default();
            let mut pages: Vec<_> = (0..3).map(page).collect();
            let mut expected: Vec<String> = Vec::new();
            for (n, (who, place, act)) in steps.into_iter().enumerate() {
                let place = format!("p{place}");
                let before = pages[who].get(BOARD, &place).map(|draft| draft.text.clone());
                match act {
                    0 | 1 => {
                        expected.retain(|text| Some(text) != before.as_ref());
                        expected.push(n.to_string());
                        let command = pages[who].put(BOARD, &place, draft(&n.to_string(), 0));
                        device.run(command);
                    }
                    2 => {
                        expected.retain(|text| Some(text) != before.as_ref());
                        if let Some(command) = pages[who].remove(BOARD, &place) {
                            device.run(command);
                        }
                    }
                    _ => {
                        // The page ends, another is opened in its place, and takes over.
                        let ended = std::mem::replace(&mut pages[who], page(100 + n as u128));
                        device.adopt(&mut pages[who], &ended);
                    }
                }
                let (mut found, mut sorted) = (device.texts(), expected.clone());
                found.sort();
                sorted.sort();
                prop_assert_eq!(found, sorted);
            }
        }
    }
}
