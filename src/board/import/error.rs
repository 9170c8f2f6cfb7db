//! What a person is told of a file that cannot be read.

use super::MAX_BYTES;
use crate::board::model::{MAX_CARDS, MAX_LISTS};

/// Ends every sentence: what would have been read.
const ACCEPTED: &str = "Choose a board exported from Sheetbend, Trello, WeKan, Nextcloud Deck or Todoist, a Markdown checklist, \
                        a table (.csv), or plain text (.txt), of which each line makes a card.";

/// Why a file was not imported: a sentence for the person who chose it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Nothing in it.
    #[error("This file is empty. {ACCEPTED}")]
    Empty,
    /// Over [`MAX_BYTES`].
    #[error(
        "This file is too big: {} MB, at most {}. Export a smaller part, or split it.",
        bytes.div_ceil(1024 * 1024),
        MAX_BYTES / (1024 * 1024)
    )]
    TooBig {
        /// Its size.
        bytes: usize,
    },
    /// No text.
    #[error("This file is no text, but {what}. {ACCEPTED}")]
    NoText {
        /// What it is, and maybe what to do with it.
        what: &'static str,
    },
    /// Text of which the letters cannot be told.
    #[error("The letters of this file cannot be read: {reason}. Save it again as UTF-8, and import that.")]
    Encoding {
        /// Why.
        reason: &'static str,
    },
    /// It should be JSON and is not.
    #[error("This file is no valid JSON: {reason} at line {line}, column {column}. {ACCEPTED}")]
    NotJson {
        /// What is wrong.
        reason: String,
        /// Where, counted from 1.
        line: usize,
        /// Where in the line, counted from 1.
        column: usize,
    },
    /// JSON, but no board.
    #[error("This JSON file is no board: it has no \"{missing}\". {ACCEPTED}")]
    NoBoard {
        /// The field that a board exported from Trello has.
        missing: &'static str,
    },
    /// JSON with lists and cards, of a program that is not known.
    #[error("This JSON file has lists and cards, but none of the programs that are known wrote it. {ACCEPTED}")]
    UnknownBoard,
    /// More objects or values than any board has.
    #[error("This JSON file has more in it than a board can have. Export a smaller part.")]
    TooComplex,
    /// A board, with something in it that cannot be read.
    #[error(
        "This looks like a board exported from {from}, but something in it cannot be read: {reason} at line {line}, \
         column {column}. Export it again; if that does not help, the file was changed or is of a newer version."
    )]
    Unreadable {
        /// The program that wrote it.
        from: &'static str,
        /// What is wrong.
        reason: String,
        /// Where, counted from 1.
        line: usize,
        /// Where in the line, counted from 1.
        column: usize,
    },
    /// Our own export, of a version that this program does not know.
    #[error(
        "This board was exported from a newer Sheetbend (\"{format}\"). Reload the page to get it, then try again."
    )]
    Newer {
        /// The file's format tag.
        format: String,
    },
    /// Text without a list item.
    #[error("No card was found in this file: a Markdown checklist has lines like \"- [ ] Buy milk\". {ACCEPTED}")]
    NoItems,
    /// A table without a row, or with names of columns only.
    #[error("No row was found in this table. {ACCEPTED}")]
    NoRows,
    /// Over [`MAX_LISTS`].
    #[error("This file has {found} lists; a board holds at most {MAX_LISTS}. Split it over several boards.")]
    TooManyLists {
        /// How many it has.
        found: usize,
    },
    /// Over [`MAX_CARDS`].
    #[error("This file has {found} cards; a board holds at most {MAX_CARDS}. Split it over several boards.")]
    TooManyCards {
        /// How many it has, those included that continue over-long notes.
        found: usize,
    },
}

impl ImportError {
    pub(super) fn not_json(error: &serde_json::Error) -> Self {
        Self::NotJson { reason: reason(error), line: error.line(), column: error.column() }
    }

    pub(super) fn unreadable(from: &'static str, error: &serde_json::Error) -> Self {
        Self::Unreadable { from, reason: reason(error), line: error.line(), column: error.column() }
    }
}

/// What is wrong, without where: that is told apart.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.as_str(), |(reason, _)| reason).chars().take(200).collect()
}
