//! A board as signals, one for each thing that is drawn: a change to a card reaches that card's nodes and no others.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use imbl::ordmap::DiffItem;
use leptos::prelude::*;
use uuid::Uuid;

use super::blocks::{self, BlockId};
use crate::board::{Board, Card, CardId, List, ListId};
use crate::sync::outbox::Mark;
use crate::sync::time::Moment;
use crate::ui::clock;

/// A board as signals. Once the page that made it is left, it has no parts, and shows nothing more.
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
    /// By the numbers they are known by; those that are gone are none.
    blocks: Vec<Option<BlockSignals>>,
    cards: HashMap<CardId, CardParts>,
    marks: HashMap<Uuid, MarkSignal>,
}

#[derive(Debug)]
struct CardParts {
    signal: ArcRwSignal<Arc<Card>>,
    /// Where it is drawn; nowhere, for one that is archived or on the move.
    block: Option<BlockId>,
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

/// Of a list whose cards are new, this many blocks are awake at once: as many as a high window shows.
const NEAR_BLOCKS: usize = 2;

/// That holds for this many lists: as many as a wide window shows.
const NEAR_LISTS: usize = 12;

/// One list as signals.
#[derive(Clone, Debug)]
pub struct ListSignals {
    /// Title, place, archived.
    pub list: ArcRwSignal<Arc<List>>,
    /// How many cards it has that are not archived.
    pub count: ArcRwSignal<usize>,
    /// These cards in blocks, in order.
    pub blocks: ArcRwSignal<Vec<BlockId>>,
}

/// One block as signals.
#[derive(Clone, Debug)]
pub struct BlockSignals {
    /// Its cards, in order.
    pub cards: ArcRwSignal<Vec<CardId>>,
    /// Whether its cards are drawn part by part. Otherwise it is as the server has sent it, or empty, and far from the window.
    pub awake: ArcRwSignal<bool>,
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
        let Some(last) = self.board.try_get_untracked() else { return };
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
        self.parts.try_with_value(|parts| parts.cards.get(&id).map(|card| card.signal.clone())).flatten()
    }

    /// A list's signals; `None` for a list that is not on the board.
    #[must_use]
    pub fn list(&self, id: ListId) -> Option<ListSignals> {
        self.parts.try_with_value(|parts| parts.lists.get(&id).cloned()).flatten()
    }

    /// A block's signals; `None` for a block that is gone.
    #[must_use]
    pub fn block(&self, id: BlockId) -> Option<BlockSignals> {
        self.parts.try_with_value(|parts| parts.blocks.get(id.0)?.clone()).flatten()
    }

    fn block_of(&self, card: CardId) -> Option<BlockId> {
        self.parts.try_with_value(|parts| parts.cards.get(&card)?.block).flatten()
    }

    /// From now on, draws a card part by part, and those around it.
    pub fn wake_card(&self, card: CardId) {
        if let Some(block) = self.block_of(card) {
            self.wake(block);
        }
    }

    /// From now on, draws a block part by part.
    pub fn wake(&self, block: BlockId) {
        let awake = self.block(block).map(|block| block.awake);
        if let Some(awake) = awake.filter(|awake| !awake.get_untracked()) {
            awake.set(true);
        }
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
                self.wake_card(CardId(entity));
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
                    let parts = CardParts { signal: ArcRwSignal::new(Arc::clone(card)), block: None };
                    self.parts.update_value(|all| {
                        all.cards.insert(*id, parts);
                    });
                }
                DiffItem::Update { old: (id, was), new: (_, is) } => {
                    self.wake_card(*id);
                    let moves = (was.list, &was.position, was.archived) != (is.list, &is.position, is.archived);
                    if moves {
                        moved.extend([was.list, is.list]);
                    }
                    let signal = self.parts.try_update_value(|parts| {
                        let card = parts.cards.get_mut(id)?;
                        card.block = card.block.filter(|_| !moves);
                        Some(card.signal.clone())
                    });
                    if let Some(signal) = signal.flatten() {
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
                    let list = ArcRwSignal::new(Arc::clone(list));
                    let signals = ListSignals { list, count: ArcRwSignal::default(), blocks: ArcRwSignal::default() };
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
                        let blocks = parts.lists.remove(id).map(|list| list.blocks.get_untracked());
                        for block in blocks.into_iter().flatten() {
                            parts.blocks[block.0] = None;
                        }
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
            let order: Vec<_> = cards.into_iter().map(|(id, _)| id).collect();
            self.place_blocks(id, &order);
        }
    }

    /// Puts the cards of a list into blocks. One that was there before and has other cards now is awake from then on.
    fn place_blocks(&self, list: ListId, order: &[CardId]) {
        let near = self.lists.with_untracked(|lists| lists.iter().take(NEAR_LISTS).any(|near| *near == list));
        self.parts.update_value(|parts| {
            let Parts { lists, blocks, cards, .. } = parts;
            let Some(list) = lists.get_mut(&list) else { return };
            let mut named = blocks.len();
            let next = blocks::regroup(
                order,
                |card| cards.get(&card)?.block,
                || {
                    named += 1;
                    BlockId(named - 1)
                },
            );
            blocks.resize(named, None);
            for (at, block) in next.iter().enumerate() {
                let was_awake = |card: &CardId| {
                    let before = cards.get(card).and_then(|card| blocks[card.block?.0].as_ref());
                    before.is_some_and(|before| before.awake.get_untracked())
                };
                if let Some(signals) = &blocks[block.id.0] {
                    signals.hold(&block.cards);
                } else {
                    let awake = near && at < NEAR_BLOCKS || block.cards.iter().any(was_awake);
                    let cards = ArcRwSignal::new(block.cards.clone());
                    blocks[block.id.0] = Some(BlockSignals { cards, awake: ArcRwSignal::new(awake) });
                }
                for card in &block.cards {
                    if let Some(card) = cards.get_mut(card) {
                        card.block = Some(block.id);
                    }
                }
            }
            let ids: Vec<_> = next.iter().map(|block| block.id).collect();
            let before = list.blocks.get_untracked();
            for gone in before.iter().filter(|block| !ids.contains(block)) {
                blocks[gone.0] = None;
            }
            list.count.set(order.len());
            if before != ids {
                list.blocks.set(ids);
            }
        });
    }
}

impl BlockSignals {
    fn hold(&self, cards: &[CardId]) {
        if self.cards.with_untracked(|before| before != cards) {
            self.awake.set(true);
            self.cards.set(cards.to_vec());
        }
    }
}
