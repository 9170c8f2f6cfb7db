//! Kinds of files.

use std::fmt;

/// What kind of file an import was read from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Our own export.
    #[default]
    Sheetbend,
    /// A board exported from Trello.
    Trello,
    /// A board exported from WeKan.
    Wekan,
    /// Boards exported from Nextcloud Deck.
    Deck,
    /// A project exported from Todoist.
    Todoist,
    /// A Markdown checklist.
    Markdown,
    /// Rows of a table.
    Table,
    /// Lines of plain text.
    Lines,
}

impl fmt::Display for Format {
    /// As in "Read as a board exported from Trello".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sheetbend => "a board exported from Sheetbend",
            Self::Trello => "a board exported from Trello",
            Self::Wekan => "a board exported from WeKan",
            Self::Deck => "a board exported from Nextcloud Deck",
            Self::Todoist => "a project exported from Todoist",
            Self::Markdown => "a Markdown checklist",
            Self::Table => "a table, one card for each row",
            Self::Lines => "plain text, one card for each line",
        })
    }
}
