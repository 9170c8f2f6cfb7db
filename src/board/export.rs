//! A board as a file that people can keep, read, and start another board from.

use serde::{Deserialize, Serialize};

use super::model::Board;

/// What says that a JSON file is one of ours.
pub const FORMAT: &str = "sheetbend.board.v1";

/// The file: the board with a word on what it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct File {
    /// [`FORMAT`].
    pub format: String,
    /// The board, archived lists and cards included.
    #[serde(flatten)]
    pub board: Board,
}

/// The board as JSON text, indented.
#[must_use]
pub fn to_json(board: &Board) -> String {
    let file = File { format: FORMAT.to_owned(), board: board.clone() };
    // Plain data with string keys: writing it cannot fail.
    serde_json::to_string_pretty(&file).unwrap_or_default()
}

/// A file name for the board, without path separators or anything a file system could mind.
#[must_use]
pub fn file_name(board: &Board) -> String {
    let name: String =
        board.name().chars().map(|letter| if letter.is_alphanumeric() { letter } else { '-' }).take(60).collect();
    format!("{}.json", name.trim_matches('-'))
}
