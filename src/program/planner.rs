//! What people say who put a board under load.

use sheetbend::board::position::Position;
use sheetbend::board::{Card, CardId, Change, ListId};
use sheetbend::native::clock;
use sheetbend::native::load::{Lasting, Words};

/// Renames a board, or adds cards to a list of their own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Planner {
    list: Option<ListId>,
}

impl Words for Planner {
    type Change = Change;

    fn say(&mut self, texts: Vec<String>, lasting: Lasting) -> Vec<Change> {
        if lasting == Lasting::No {
            return texts.into_iter().map(|title| Change::RenameBoard { title }).collect();
        }
        let new = self.list.is_none();
        let list = *self.list.get_or_insert_with(|| ListId(clock::uuid()));
        let position = Position::default;
        let add_list = || Change::AddList { list, title: "Load".to_owned(), position: position(), archived: false };
        let add_card =
            |title| Change::AddCard { card: CardId(clock::uuid()), content: Card::new(list, position(), title) };
        new.then(add_list).into_iter().chain(texts.into_iter().map(add_card)).collect()
    }
}
