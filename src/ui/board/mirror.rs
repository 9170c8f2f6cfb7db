//! A board as signals, one for each thing that is drawn: a change to a card reaches that card's nodes and no others.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use imbl::ordmap::DiffItem;
use leptos::prelude::*;
use uuid::Uuid;

use crate::board::{Board, Card, CardId, List, ListId};
use crate::sync::outbox::Mark;
use crate::sync::time::Moment;
use crate::ui::clock;

/// A board as signals.
#[derive(Clone, Copy, Debug)]
pub struct Mirror {
    /// The whole board, for what is drawn seldom: the archive, the export, menus.
    pub board: RwSignal<Board>,
    /// The board's title.
    pub title: RwSignal<String>,
    /// The lists that are not archived, in order.
    pub lists: RwSignal<Vec<ListId>>,
    parts: StoredValue<Parts>,
}

#[derive(Debug, Default)]
struct Parts {
    lists: HashMap<ListId, ListSignals>,
    cards: HashMap<CardId, ArcRwSignal<Arc<Card>>>,
    marks: HashMap<Uuid, MarkSignal>,
}

#[derive(Debug, Default)]
struct MarkSignal {
    mark: ArcRwSignal<CardMark>,
    /// When it last became [`CardMark::Kept`].
    kept_since: Moment,
}

/// What a card shows of how it stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CardMark {
    /// Nothing to show.
    #[default]
    None,
    /// Kept on this device, and not saved yet.
    Kept,
    /// Saved, after it was seen not to be.
    Saved,
    /// A change was not accepted.
    Refused,
}

/// What is saved within this time was never seen not to be: the stylesheet shows the mark after the same time.
const UNSEEN: Duration = Duration::from_secs(1);

/// One list as signals.
#[derive(Clone, Debug)]
pub struct ListSignals {
    /// Title, place, archived.
    pub list: ArcRwSignal<Arc<List>>,
    /// Its cards that are not archived, in order.
    pub cards: ArcRwSignal<Vec<CardId>>,
}

impl Mirror {
    /// Signals that show `board`.
    #[must_use]
    pub fn new(board: &Board) -> Self {
        let mirror = Self {
            board: RwSignal::new(Board::default()),
            title: RwSignal::new(String::new()),
            lists: RwSignal::new(Vec::new()),
            parts: StoredValue::new(Parts::default()),
        };
        mirror.show(board);
        mirror
    }

    /// Shows `next`, touching only what differs. Costs in proportion to that, not to the board.
    pub fn show(&self, next: &Board) {
        let last = self.board.get_untracked();
        let moved = self.show_cards(&last, next);
        self.show_lists(&last, next);
        self.place_cards(next, &moved);
        if last.title != next.title {
            self.title.set(next.title.clone());
        }
        self.board.set(next.clone());
    }

    /// A card's signal; `None` for a card that is not on the board.
    #[must_use]
    pub fn card(&self, id: CardId) -> Option<ArcRwSignal<Arc<Card>>> {
        self.parts.with_value(|parts| parts.cards.get(&id).cloned())
    }

    /// A list's signals; `None` for a list that is not on the board.
    #[must_use]
    pub fn list(&self, id: ListId) -> Option<ListSignals> {
        self.parts.with_value(|parts| parts.lists.get(&id).cloned())
    }

    /// How an entity stands with this person's changes, for its mark.
    #[must_use]
    pub fn mark(&self, entity: Uuid) -> ArcRwSignal<CardMark> {
        let mark = self.parts.try_update_value(|parts| parts.marks.entry(entity).or_default().mark.clone());
        mark.unwrap_or_default()
    }

    /// These entities stand otherwise than they did.
    pub fn set_marks(&self, marks: Vec<(Uuid, Mark)>) {
        let now = clock::now();
        for (entity, mark) in marks {
            let set = self.parts.try_update_value(|parts| {
                let entry = parts.marks.entry(entity).or_default();
                let before = entry.mark.get_untracked();
                let after = match mark {
                    Mark::Kept => CardMark::Kept,
                    Mark::Refused => CardMark::Refused,
                    Mark::Saved if before == CardMark::Kept && now.since(entry.kept_since) >= UNSEEN => CardMark::Saved,
                    Mark::Saved => CardMark::None,
                };
                if after == CardMark::Kept && before != CardMark::Kept {
                    entry.kept_since = now;
                }
                (before != after).then(|| (entry.mark.clone(), after))
            });
            if let Some((signal, mark)) = set.flatten() {
                signal.set(mark);
            }
        }
    }

    /// Sets the signals of the cards that differ. Returns the lists whose cards are others, or in another order.
    fn show_cards(&self, last: &Board, next: &Board) -> BTreeSet<ListId> {
        let mut moved = BTreeSet::new();
        for item in last.cards.diff(&next.cards) {
            match item {
                DiffItem::Add(id, card) => {
                    moved.insert(card.list);
                    self.parts.update_value(|parts| {
                        parts.cards.insert(*id, ArcRwSignal::new(Arc::clone(card)));
                    });
                }
                DiffItem::Update { old: (id, was), new: (_, is) } => {
                    if (was.list, &was.position, was.archived) != (is.list, &is.position, is.archived) {
                        moved.extend([was.list, is.list]);
                    }
                    if let Some(signal) = self.card(*id) {
                        signal.set(Arc::clone(is));
                    }
                }
                DiffItem::Remove(id, card) => {
                    moved.insert(card.list);
                    self.parts.update_value(|parts| {
                        parts.cards.remove(id);
                    });
                }
            }
        }
        moved
    }

    fn show_lists(&self, last: &Board, next: &Board) {
        let mut moved = false;
        for item in last.lists.diff(&next.lists) {
            match item {
                DiffItem::Add(id, list) => {
                    moved = true;
                    let signals =
                        ListSignals { list: ArcRwSignal::new(Arc::clone(list)), cards: ArcRwSignal::new(Vec::new()) };
                    self.parts.update_value(|parts| {
                        parts.lists.insert(*id, signals);
                    });
                }
                DiffItem::Update { old: (id, was), new: (_, is) } => {
                    moved |= (&was.position, was.archived) != (&is.position, is.archived);
                    if let Some(signals) = self.list(*id) {
                        signals.list.set(Arc::clone(is));
                    }
                }
                DiffItem::Remove(id, _) => {
                    moved = true;
                    self.parts.update_value(|parts| {
                        parts.lists.remove(id);
                    });
                }
            }
        }
        if moved {
            self.lists.set(next.open_lists().into_iter().map(|(id, _)| id).collect());
        }
    }

    /// Orders the cards of the lists in `moved`, in one pass over the board.
    fn place_cards(&self, next: &Board, moved: &BTreeSet<ListId>) {
        if moved.is_empty() {
            return;
        }
        let mut placed: HashMap<ListId, Vec<(CardId, &Card)>> = moved.iter().map(|id| (*id, Vec::new())).collect();
        for (id, card) in &next.cards {
            if let Some(cards) = placed.get_mut(&card.list)
                && !card.archived
            {
                cards.push((*id, card));
            }
        }
        for (id, mut cards) in placed {
            cards.sort_by(|(a_id, a), (b_id, b)| (&a.position, a_id).cmp(&(&b.position, b_id)));
            if let Some(signals) = self.list(id) {
                signals.cards.set(cards.into_iter().map(|(id, _)| id).collect());
            }
        }
    }
}
