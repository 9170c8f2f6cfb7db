//! Boards from files: our own export, boards exported from other programs, checklists, tables, plain text.
//!
//! | module | what it is |
//! |---|---|
//! | `encoding` | a file's bytes as text |
//! | `json`, `csv` | which program wrote a file, and bounds on what it can cost |
//! | `own`, `trello`, `wekan`, `deck`, `todoist`, `markdown` | one reader a format |
//! | [`lines`] | plain text, one card a line: for pasting too |
//! | `item` | bullets, numbers and checkboxes |
//! | `instant` | the day of an instant, where the person is |
//! | `extra` | what a card here has no field for, as text in its notes |
//! | `raw` | what a reader makes of a file |
//! | `fit` | cuts and splits what is over the board's limits, without losing it |
//! | `changes` | the changes that put an import on a board |
//! | `error` | what a person is told of a file that cannot be read |

mod changes;
mod csv;
mod deck;
mod encoding;
mod error;
mod extra;
mod fit;
mod format;
mod instant;
mod item;
mod json;
pub mod lines;
mod markdown;
mod own;
mod raw;
mod todoist;
mod trello;
mod wekan;

use std::collections::BTreeSet;

pub use error::ImportError;
pub use format::Format;
pub use instant::Zone;

use self::encoding::Decoded;
use self::lines::Lines;
use self::raw::Raw;
use super::model::Date;

/// Largest file that is read, in bytes. A page should look at the file's size before it reads it.
pub const MAX_BYTES: usize = 32 * 1024 * 1024;

/// What a card is called that the file gives no title.
const UNTITLED: &str = "Untitled card";
/// The list for cards that the file puts in none.
const FIRST_LIST: &str = "To do";
/// The remark on a file whose encoding is concluded.
const GUESSED: &str = "The file does not say its encoding, and was read as Windows-1252. If letters look wrong, save it as \
                       UTF-8 and import it again.";

/// What a file holds, within the limits of a board.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// The kind of file.
    pub format: Format,
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

/// Reads a file of any kind that is known.
///
/// `file_name` helps to tell which, and names the board if nothing in the file does. `zone` is the time zone of the person who
/// imports: due times become days in it. Time and memory are linear in the file, whatever is in it.
///
/// # Errors
/// A sentence for the person: why the file cannot be read, and what can.
pub fn read(file_name: &str, bytes: &[u8], zone: Zone<'_>) -> Result<Import, ImportError> {
    if bytes.len() > MAX_BYTES {
        return Err(ImportError::TooBig { bytes: bytes.len() });
    }
    let Decoded { text, guessed } = encoding::decode(bytes)?;
    if text.trim().is_empty() {
        return Err(ImportError::Empty);
    }
    let (stem, extension) = split_name(file_name);
    let (format, mut raw) = read_text(&extension, &text, zone)?;
    if raw.title.is_empty() && !raw.named {
        stem.clone_into(&mut raw.title);
    }
    if guessed {
        raw.remarks.push(GUESSED.to_owned());
    }
    raw.add_left();
    let mut import = fit::fit(raw.into())?;
    import.format = format;
    Ok(import)
}

fn read_text(extension: &str, text: &str, zone: Zone<'_>) -> Result<(Format, Raw), ImportError> {
    let markdown = ["md", "markdown", "mkd"].contains(&extension);
    let table = ["csv", "tsv", "tab"].contains(&extension) || text.starts_with("TYPE,CONTENT,");
    if extension == "json" || (!markdown && !table && text.trim_start().starts_with('{')) {
        return json::read(text, zone);
    }
    if table {
        return csv::read(text, zone);
    }
    match markdown::read(text) {
        Ok(checklist) if markdown || checklist.is_likely => Ok((Format::Markdown, checklist.raw)),
        Ok(_) => read_lines(text),
        Err(ImportError::NoItems) if !markdown => read_lines(text),
        Err(error) => Err(error),
    }
}

fn read_lines(text: &str) -> Result<(Format, Raw), ImportError> {
    let Lines { cards, beyond, .. } = lines::read(text);
    if beyond > 0 {
        return Err(ImportError::TooManyCards { found: cards.len() + beyond });
    }
    if cards.is_empty() {
        return Err(ImportError::NoItems);
    }
    let list = ImportedList { title: FIRST_LIST.to_owned(), archived: false, cards };
    Ok((Format::Lines, Raw { lists: vec![list], ..Raw::default() }))
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
#[must_use]
pub fn counted(count: usize, what: &str) -> String {
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
    let mut line = String::with_capacity(text.len());
    for word in text.split(|letter: char| letter.is_whitespace() || letter.is_control()) {
        if !word.is_empty() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    line
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
