//! Undo that takes back only what its person did.
//!
//! The history records what each local change set, and marks fields that somebody else has written since. A field with another
//! value, or with somebody else's, stays as it is. Notes are the exception: a three-way merge removes only the person's own words.
//!
//! A snapshot tells values and no single changes. After one, a field that somebody set to the same value counts as untouched.

use std::collections::VecDeque;

use uuid::Uuid;

use super::change::Change;
use super::model::{Board, Card, CardId, ListId};
use crate::sync::document::Document as _;

/// Steps that a history holds; the oldest go first.
pub const MAX_STEPS: usize = 100;

/// A person's own changes to one board, as steps that can be undone, the last first.
#[derive(Clone, Debug, Default)]
pub struct History {
    steps: VecDeque<Vec<Part>>,
}

/// One local change of a step.
#[derive(Clone, Debug)]
struct Part {
    change: Change,
    inverse: Change,
    /// Somebody else has written the same field since.
    overwritten: bool,
    /// Its card was in an archived list before, and may be again.
    was_hidden: bool,
}

/// What undoing a step comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undo {
    /// There is no step left.
    Nothing,
    /// Somebody changed all of it since: it stays as it is.
    Overwritten,
    /// The changes that undo the step.
    Changes {
        /// To be made in this order.
        changes: Vec<Change>,
        /// Somebody changed the rest of the step since, and that stays as it is.
        partly: bool,
    },
}

/// How a part stands when its step is undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    /// It can be undone.
    Mine,
    /// It is undone already, as after a rejection.
    Gone,
    /// It is somebody else's now.
    Theirs,
}

impl History {
    /// Records changes that were made together on the board `before`, in order. They are undone in one step.
    pub fn record(&mut self, before: &Board, changes: &[Change]) {
        self.push(parts_of(before, changes));
    }

    /// Records an edit of notes that goes on with the last one, as in one sitting: both are undone in one step. An edit of other
    /// notes begins a step of its own.
    pub fn record_on(&mut self, before: &Board, change: &Change) {
        let step = parts_of(before, std::slice::from_ref(change));
        match (self.steps.back_mut(), step.first()) {
            (Some(last), Some(part)) if last.last().is_some_and(|last| part.is_of_same_notes(last)) => {
                let follows = last.pop().map(|last| last.followed_by(part));
                last.extend(follows.into_iter().flatten());
            }
            _ => self.push(step),
        }
    }

    fn push(&mut self, step: Vec<Part>) {
        if !step.is_empty() {
            self.steps.push_back(step);
            let over = self.steps.len().saturating_sub(MAX_STEPS);
            self.steps.drain(..over);
        }
    }

    /// Somebody else's change was applied to `board`, which may be the board before or after it.
    pub fn remote(&mut self, theirs: &Change, board: &Board) {
        for part in self.steps.iter_mut().flatten() {
            part.overwritten |= overwrites(theirs, &part.change, board);
        }
    }

    /// Takes the last step out, and says how to undo it on the board that the person sees. Steps that are undone already are
    /// skipped.
    pub fn undo(&mut self, board: &Board) -> Undo {
        while let Some(step) = self.steps.pop_back() {
            let undo = undo_step(&step, board);
            if undo != Undo::Nothing {
                return undo;
            }
        }
        Undo::Nothing
    }
}

/// The parts of a step that makes `changes`, in order, on the board `before`.
fn parts_of(before: &Board, changes: &[Change]) -> Vec<Part> {
    let mut board = before.clone();
    let mut step = Vec::new();
    for change in changes.iter().flat_map(single_changes) {
        let inverse = board.inverse(&change).filter(|_| !board.holds(&change));
        // A change that does not apply is rejected by the server, too.
        if board.apply(&change).is_ok()
            && let Some(inverse) = inverse
        {
            let was_hidden = board.would_hide(&inverse);
            step.push(Part { change, inverse, overwritten: false, was_hidden });
        }
    }
    step
}

fn undo_step(step: &[Part], board: &Board) -> Undo {
    let (mut changes, theirs) = inverses(step, board);
    // Positions mean something only beside each other: of several moves all are undone, or none.
    if theirs.iter().any(|part| is_move(&part.change)) {
        let others: Vec<_> = step.iter().filter(|part| !is_move(&part.change)).cloned().collect();
        changes = inverses(&others, board).0;
    }
    match (changes.is_empty(), theirs.is_empty()) {
        (true, true) => Undo::Nothing,
        (true, false) => Undo::Overwritten,
        (false, whole) => Undo::Changes { changes, partly: !whole },
    }
}

/// The changes that undo the parts which can be undone, and the parts that are somebody else's.
fn inverses<'a>(step: &'a [Part], board: &Board) -> (Vec<Change>, Vec<&'a Part>) {
    let mut board = board.clone();
    let (mut changes, mut theirs) = (Vec::new(), Vec::new());
    for part in step.iter().rev() {
        match part.stand(&board) {
            Stand::Mine if board.apply(&part.inverse).is_ok() => changes.push(part.inverse.clone()),
            Stand::Gone => {}
            Stand::Mine | Stand::Theirs => theirs.push(part),
        }
    }
    (changes, theirs)
}

impl Part {
    fn is_of_same_notes(&self, last: &Self) -> bool {
        match (&self.change, &last.change) {
            (Change::EditNotes { card, .. }, Change::EditNotes { card: same, .. }) => card == same,
            _ => false,
        }
    }

    /// This edit of notes and the next one: as one, if nobody else wrote between them.
    fn followed_by(self, next: &Self) -> Vec<Self> {
        match (&self.inverse, &next.inverse) {
            (
                Change::EditNotes { card, from: after, to: before },
                Change::EditNotes { from: after_next, to: before_next, .. },
            ) if after == before_next => {
                let inverse = Change::EditNotes { card: *card, from: after_next.clone(), to: before.clone() };
                vec![Self { change: next.change.clone(), inverse, ..self }]
            }
            _ => vec![self, next.clone()],
        }
    }

    fn stand(&self, board: &Board) -> Stand {
        if !board.has_what_it_touches(&self.change) {
            Stand::Gone
        } else if matches!(self.change, Change::EditNotes { .. }) {
            self.stand_of_notes(board)
        } else if self.overwritten {
            Stand::Theirs
        } else if board.holds(&self.inverse) {
            Stand::Gone
        } else if board.holds(&self.change) && (self.was_hidden || !board.would_hide(&self.inverse)) {
            Stand::Mine
        } else {
            Stand::Theirs
        }
    }

    /// Notes are the person's for as long as the merge finds some of their words to take back.
    fn stand_of_notes(&self, board: &Board) -> Stand {
        let mut after = board.clone();
        let alters = after.apply(&self.inverse).is_ok() && !is_same_card(board, &after, &self.inverse);
        match (alters, self.overwritten) {
            (true, _) => Stand::Mine,
            (false, true) => Stand::Theirs,
            (false, false) => Stand::Gone,
        }
    }
}

impl Board {
    /// Whether what `change` sets is so already.
    fn holds(&self, change: &Change) -> bool {
        let list = |id: &ListId| self.lists.get(id);
        let card = |id: &CardId| self.cards.get(id);
        match change {
            Change::RenameBoard { title } => self.title == *title,
            Change::AddList { list: id, title, position, archived } => {
                let same = list(id)
                    .is_some_and(|list| (&list.title, &list.position, list.archived) == (title, position, *archived));
                same && self.open_cards(*id).is_empty()
            }
            Change::RenameList { list: id, title } => list(id).is_some_and(|list| list.title == *title),
            Change::MoveList { list: id, position } => list(id).is_some_and(|list| list.position == *position),
            Change::ArchiveList { list: id, archived } => list(id).is_some_and(|list| list.archived == *archived),
            Change::AddCard { card: id, content } => card(id).is_some_and(|card| **card == *content),
            Change::ImportCards { cards } => {
                cards.iter().all(|(id, content)| card(id).is_some_and(|card| **card == *content))
            }
            Change::RenameCard { card: id, title } => card(id).is_some_and(|card| card.title == *title),
            Change::EditNotes { from, to, .. } => from == to,
            Change::SetDone { card: id, done } => card(id).is_some_and(|card| card.done == *done),
            Change::SetUrgent { card: id, urgent } => card(id).is_some_and(|card| card.urgent == *urgent),
            Change::SetLabel { card: id, label, on } => card(id).is_some_and(|card| card.labels.contains(label) == *on),
            Change::SetDue { card: id, due } => card(id).is_some_and(|card| card.due == *due),
            Change::MoveCard { card: id, list, position } => {
                card(id).is_some_and(|card| (&card.list, &card.position) == (list, position))
            }
            Change::ArchiveCard { card: id, archived } => card(id).is_some_and(|card| card.archived == *archived),
        }
    }

    /// Whether the list or card is here that `change` is about. None is ever deleted: one that is missing was never accepted.
    fn has_what_it_touches(&self, change: &Change) -> bool {
        let first = change.touches().first().copied();
        first.is_none_or(|id| self.cards.contains_key(&CardId(id)) || self.lists.contains_key(&ListId(id)))
    }

    /// Whether `inverse` moves a card that is on the board into an archived list.
    fn would_hide(&self, inverse: &Change) -> bool {
        let Change::MoveCard { card, list, .. } = inverse else { return false };
        let is_open = |list: &ListId| self.lists.get(list).is_some_and(|list| !list.archived);
        self.cards.get(card).is_some_and(|card| is_open(&card.list)) && !is_open(list)
    }
}

fn is_same_card(board: &Board, other: &Board, change: &Change) -> bool {
    let Change::EditNotes { card, .. } = change else { return true };
    let notes = |board: &Board| board.cards.get(card).map(|card| card.notes.clone());
    notes(board) == notes(other)
}

const fn is_move(change: &Change) -> bool {
    matches!(change, Change::MoveCard { .. } | Change::MoveList { .. })
}

/// The change itself, or one for each card of an import, which has no inverse as a whole.
fn single_changes(change: &Change) -> Vec<Change> {
    let add = |(card, content): &(CardId, Card)| Change::AddCard { card: *card, content: content.clone() };
    match change {
        Change::ImportCards { cards } => cards.iter().map(add).collect(),
        change => vec![change.clone()],
    }
}

/// Whether `theirs` writes what `mine` has set. What was added or restored can be put away again only while nobody else has touched
/// it: their work would go with it.
fn overwrites(theirs: &Change, mine: &Change, board: &Board) -> bool {
    let touches = |id| theirs.touches().contains(id);
    let is_in = |list, card: &Uuid| board.cards.get(&CardId(*card)).is_some_and(|card| card.list == list);
    match mine {
        Change::AddCard { card, .. } | Change::ArchiveCard { card, archived: false } => touches(&card.0),
        Change::AddList { list, .. } | Change::ArchiveList { list, archived: false } => {
            touches(&list.0) || theirs.touches().iter().any(|card| is_in(*list, card))
        }
        Change::EditNotes { card, .. } => matches!(theirs, Change::EditNotes { card: other, .. } if other == card),
        mine => theirs.same_field(mine),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::position::Position;

    const LIST: ListId = ListId(Uuid::from_u128(1));
    const OTHER_LIST: ListId = ListId(Uuid::from_u128(2));

    fn card(n: u128) -> CardId {
        CardId(Uuid::from_u128(10 + n))
    }

    fn add_list(list: ListId) -> Change {
        Change::AddList { list, title: "List".into(), position: Position::default(), archived: false }
    }

    fn add_card(n: u128) -> Change {
        Change::AddCard { card: card(n), content: Card::new(LIST, Position::default(), "Card") }
    }

    fn notes(from: &str, to: &str) -> Change {
        Change::EditNotes { card: card(0), from: from.into(), to: to.into() }
    }

    /// A board with two lists and a card, and what its person and others do to it.
    struct Desk {
        board: Board,
        history: History,
    }

    impl Desk {
        fn new() -> Self {
            let mut board = Board::default();
            for change in [add_list(LIST), add_list(OTHER_LIST), add_card(0)] {
                board.apply(&change).expect("a new list or card");
            }
            Self { board, history: History::default() }
        }

        fn mine(&mut self, changes: &[Change]) -> &mut Self {
            self.history.record(&self.board, changes);
            changes.iter().for_each(|change| self.board.apply(change).expect("it applies"));
            self
        }

        fn mine_on(&mut self, change: &Change) -> &mut Self {
            self.history.record_on(&self.board, change);
            self.board.apply(change).expect("it applies");
            self
        }

        fn theirs(&mut self, change: &Change) -> &mut Self {
            self.board.apply(change).expect("it applies");
            self.history.remote(change, &self.board);
            self
        }

        fn undo(&mut self) -> Undo {
            let undo = self.history.undo(&self.board);
            if let Undo::Changes { changes, .. } = &undo {
                changes.iter().for_each(|change| self.board.apply(change).expect("it applies"));
            }
            undo
        }
    }

    fn done(done: bool) -> Change {
        Change::SetDone { card: card(0), done }
    }

    fn whole(changes: Vec<Change>) -> Undo {
        Undo::Changes { changes, partly: false }
    }

    #[test]
    fn the_last_change_is_undone_first() {
        let mut desk = Desk::new();
        desk.mine(&[done(true)]).mine(&[Change::RenameBoard { title: "Refit".into() }]);
        assert_eq!(desk.undo(), whole(vec![Change::RenameBoard { title: String::new() }]));
        assert_eq!(desk.undo(), whole(vec![done(false)]));
        assert_eq!(desk.undo(), Undo::Nothing);
    }

    #[test]
    fn a_field_that_somebody_changed_since_stays() {
        let mut desk = Desk::new();
        let rename = |title: &str| Change::RenameCard { card: card(0), title: title.into() };
        desk.mine(&[done(true)]).mine(&[rename("Mine")]).theirs(&rename("Theirs"));
        assert_eq!(desk.undo(), Undo::Overwritten);
        assert_eq!(desk.undo(), whole(vec![done(false)]), "the step before is still mine");
    }

    #[test]
    fn a_field_that_somebody_set_to_the_same_value_is_theirs() {
        let mut desk = Desk::new();
        desk.mine(&[done(true)]).theirs(&done(true));
        assert_eq!(desk.undo(), Undo::Overwritten);
        desk.mine(&[done(false)]).theirs(&done(true)).theirs(&done(false));
        assert_eq!(desk.undo(), Undo::Overwritten);
    }

    #[test]
    fn a_value_that_came_with_a_snapshot_stays() {
        let mut desk = Desk::new();
        let due = |day| Change::SetDue { card: card(0), due: crate::board::Date::new(2026, 12, day) };
        desk.mine(&[due(1)]);
        desk.board.apply(&due(2)).expect("the card is there");
        assert_eq!(desk.undo(), Undo::Overwritten);
    }

    #[test]
    fn a_rejected_change_is_skipped() {
        let mut desk = Desk::new();
        desk.mine(&[done(true)]).mine(&[add_card(1)]).mine(&[Change::SetUrgent { card: card(1), urgent: true }]);
        desk.board.cards.remove(&card(1));
        assert_eq!(desk.undo(), whole(vec![done(false)]));
    }

    #[test]
    fn a_change_that_altered_nothing_is_no_step() {
        let mut desk = Desk::new();
        desk.mine(&[done(true)]).mine(&[done(true)]).mine(&[notes("", "")]);
        assert_eq!(desk.undo(), whole(vec![done(false)]));
    }

    #[test]
    fn undoing_notes_takes_back_only_my_words() {
        let mut desk = Desk::new();
        desk.mine(&[notes("", "call Ada")]).theirs(&notes("call Ada", "call Ada and Bob"));
        assert!(matches!(desk.undo(), Undo::Changes { partly: false, .. }));
        assert_eq!(desk.board.cards[&card(0)].notes, " and Bob");
    }

    #[test]
    fn notes_of_one_sitting_are_undone_in_one_step() {
        let mut desk = Desk::new();
        desk.mine(&[notes("", "milk")])
            .mine_on(&notes("milk", "milk eggs"))
            .mine_on(&notes("milk eggs", "milk eggs bread"));
        assert_eq!(desk.undo(), whole(vec![notes("milk eggs bread", "")]), "as one change");
        // Somebody writes in between: their words stay.
        desk.mine(&[notes("", "milk")]).theirs(&notes("milk", "milk tea"));
        desk.mine_on(&notes("milk", "eggs milk"));
        assert!(matches!(desk.undo(), Undo::Changes { .. }));
        assert_eq!(desk.board.cards[&card(0)].notes.trim(), "tea");
    }

    #[test]
    fn notes_that_somebody_wrote_anew_stay() {
        let mut desk = Desk::new();
        desk.mine(&[notes("", "call Ada")]).theirs(&notes("call Ada", "done"));
        assert_eq!(desk.undo(), Undo::Overwritten);
        assert_eq!(desk.board.cards[&card(0)].notes, "done");
    }

    #[test]
    fn cards_that_were_added_together_are_archived_together() {
        let mut desk = Desk::new();
        let imported = Change::ImportCards { cards: vec![(card(3), Card::new(LIST, Position::default(), "Third"))] };
        desk.mine(&[add_card(1), add_card(2), imported]);
        desk.undo();
        assert_eq!(desk.board.open_cards(LIST).len(), 1);
        assert_eq!(desk.undo(), Undo::Nothing);
    }

    #[test]
    fn of_cards_that_were_added_together_those_that_somebody_changed_stay() {
        let mut desk = Desk::new();
        desk.mine(&[add_card(1), add_card(2)]).theirs(&Change::RenameCard { card: card(2), title: "Theirs".into() });
        let archive = Change::ArchiveCard { card: card(1), archived: true };
        assert_eq!(desk.undo(), Undo::Changes { changes: vec![archive], partly: true });
    }

    #[test]
    fn moves_that_were_made_together_are_undone_together_or_not_at_all() {
        let to = |n, place| Change::MoveCard { card: card(n), list: LIST, position: place };
        let mut places = Position::run_after(None, 4);
        let mut place = || places.next().expect("four places");
        let both = [to(0, place()), to(1, place())];
        let mut desk = Desk::new();
        desk.theirs(&add_card(1));
        let before = desk.board.clone();
        desk.mine(&both);
        desk.undo();
        assert_eq!(desk.board, before);
        desk.mine(&[to(0, place()), to(1, place())]).theirs(&to(0, Position::default()));
        assert_eq!(desk.undo(), Undo::Overwritten);
    }

    #[test]
    fn a_list_that_somebody_uses_stays() {
        let mut desk = Desk::new();
        let list = ListId(Uuid::from_u128(3));
        desk.mine(&[add_list(list)]);
        desk.theirs(&Change::MoveCard { card: card(0), list, position: Position::default() });
        assert_eq!(desk.undo(), Undo::Overwritten);
        let archive = |archived| Change::ArchiveList { list: OTHER_LIST, archived };
        desk.mine(&[archive(true)]).mine(&[archive(false)]);
        desk.theirs(&Change::MoveCard { card: card(0), list: OTHER_LIST, position: Position::default() });
        assert_eq!(desk.undo(), Undo::Overwritten);
    }

    #[test]
    fn a_card_is_not_moved_back_into_an_archived_list() {
        let mut desk = Desk::new();
        desk.mine(&[Change::MoveCard { card: card(0), list: OTHER_LIST, position: Position::default() }]);
        desk.theirs(&Change::ArchiveList { list: LIST, archived: true });
        assert_eq!(desk.undo(), Undo::Overwritten);
        assert_eq!(desk.board.open_cards(OTHER_LIST).len(), 1);
    }

    #[test]
    fn the_oldest_steps_go_first() {
        let mut desk = Desk::new();
        for n in 0..=MAX_STEPS {
            desk.mine(&[Change::RenameBoard { title: n.to_string() }]);
        }
        let undone = std::iter::from_fn(|| Some(desk.undo()).filter(|undo| *undo != Undo::Nothing)).count();
        assert_eq!((undone, desk.board.title.as_str()), (MAX_STEPS, "0"));
    }
}
