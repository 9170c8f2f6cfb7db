//! Boards from files: our own export, a board exported from Trello, a Markdown checklist.
//!
//! | module | what it is |
//! |---|---|
//! | `own`, `trello`, `markdown` | one reader a format |
//! | [`lines`] | plain text, one card a line: for pasting too |
//! | `item` | bullets, numbers and checkboxes |
//! | `fit` | cuts and splits what is over the board's limits, without losing it |
//! | `changes` | the changes that put an import on a board |
//! | `error` | what a person is told of a file that cannot be read |

mod changes;
mod error;
mod fit;
mod item;
pub mod lines;
mod markdown;
mod own;
mod trello;

use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::IgnoredAny;

pub use error::ImportError;

use super::model::Date;

/// Largest file that is read, in bytes. A page should look at the file's size before it reads it.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;

/// What a card is called that the file gives no title.
const UNTITLED: &str = "Untitled card";

/// What a file holds, within the limits of a board.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// The board's title; may be empty.
    pub title: String,
    /// Its lists in order, archived ones included.
    pub lists: Vec<ImportedList>,
    /// What the person should know, a sentence each: what was not imported, and what was changed to fit.
    pub remarks: Vec<String>,
}

/// A list in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportedList {
    /// Its title.
    pub title: String,
    /// Put away.
    pub archived: bool,
    /// Its cards in order, archived ones included.
    pub cards: Vec<ImportedCard>,
}

/// A card in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportedCard {
    /// Its title.
    pub title: String,
    /// Longer text.
    pub notes: String,
    /// Ticked.
    pub done: bool,
    /// Marked urgent.
    pub urgent: bool,
    /// Words to sort by.
    pub labels: BTreeSet<String>,
    /// When it is due.
    pub due: Option<Date>,
    /// Put away.
    pub archived: bool,
}

impl Import {
    /// How many cards there are in all lists, archived ones included.
    #[must_use]
    pub fn cards(&self) -> usize {
        self.lists.iter().map(|list| list.cards.len()).sum()
    }
}

/// Reads a file of any kind that is known. `file_name` helps to tell which, and names the board if nothing in the file does.
///
/// # Errors
/// A sentence for the person: why the file cannot be read, and what can.
pub fn read(file_name: &str, text: &str) -> Result<Import, ImportError> {
    if text.len() > MAX_BYTES {
        return Err(ImportError::TooBig { bytes: text.len() });
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(ImportError::Empty);
    }
    let (stem, extension) = split_name(file_name);
    let markdown = ["md", "markdown", "mkd"].contains(&extension.as_str());
    let mut import = if extension == "json" || (!markdown && text.trim_start().starts_with('{')) {
        read_json(text)?
    } else {
        markdown::read(text)?
    };
    if import.title.is_empty() && !import.named {
        stem.clone_into(&mut import.title);
    }
    fit::fit(import.into())
}

/// What a reader makes of a file, before it is fitted to a board's limits.
#[derive(Debug, Default)]
struct Raw {
    title: String,
    /// The title stands as it is, even if it is empty.
    named: bool,
    lists: Vec<ImportedList>,
    remarks: Vec<String>,
}

impl From<Raw> for Import {
    fn from(Raw { title, lists, remarks, .. }: Raw) -> Self {
        Self { title, lists, remarks }
    }
}

fn read_json(text: &str) -> Result<Raw, ImportError> {
    /// Enough of a JSON file to tell what it is.
    #[derive(Deserialize)]
    struct Shape {
        #[serde(default)]
        format: Option<Format>,
        lists: Option<IgnoredAny>,
        cards: Option<IgnoredAny>,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Format {
        Tag(String),
        Other(IgnoredAny),
    }
    // Whether it is JSON at all is asked first: of a text that is, what a reader misses is worth telling.
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| ImportError::not_json(&error))?;
    let shape: Shape = serde_json::from_str(text).map_err(|_| ImportError::NoBoard { missing: "lists" })?;
    match shape {
        Shape { format: Some(Format::Tag(tag)), .. } if tag.starts_with("sheetbend.") => own::read(&tag, text),
        Shape { lists: None, .. } => Err(ImportError::NoBoard { missing: "lists" }),
        Shape { cards: None, .. } => Err(ImportError::NoBoard { missing: "cards" }),
        Shape { .. } => trello::read(text),
    }
}

/// The name without folders and extension, and the extension in lower case.
fn split_name(file_name: &str) -> (&str, String) {
    let name = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, extension.to_ascii_lowercase()),
        _ => (name, String::new()),
    }
}

/// `1 card`, `2 cards`.
fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// `a`, `a and b`, `a, b and c`.
fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// A text as one line: every run of white space or control characters is one space, none at the ends.
fn one_line(text: &str) -> String {
    text.split(|letter: char| letter.is_whitespace() || letter.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split() {
        assert_eq!(split_name("C:\\files\\My plan.v2.MD"), ("My plan.v2", "md".to_owned()));
        assert_eq!(split_name("plan"), ("plan", String::new()));
        assert_eq!(split_name(".json"), (".json", String::new()));
        assert_eq!(split_name(""), ("", String::new()));
    }

    #[test]
    fn parts_are_listed_as_people_do() {
        let parts = [counted(1, "card"), counted(2, "list"), counted(0, "label")];
        assert_eq!(listed(&parts[..0]), "");
        assert_eq!(listed(&parts[..1]), "1 card");
        assert_eq!(listed(&parts[..2]), "1 card and 2 lists");
        assert_eq!(listed(&parts), "1 card, 2 lists and 0 labels");
    }
}
