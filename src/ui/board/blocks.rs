//! A list's cards in blocks. A block comes alive when it is near the window, so that a page costs what is looked at, and not
//! what the board holds.

use crate::board::CardId;

/// Cards in a new block. One that has come to more than twice as many is cut.
pub const CARDS: usize = 16;

/// Names a block on its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlockId(pub usize);

/// Cards that are drawn together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Which.
    pub id: BlockId,
    /// Its cards, in order; at least one.
    pub cards: Vec<CardId>,
}

/// The blocks of a list whose cards are `order` now. `stays` is the block that a card has stood in and has not moved from: there it
/// stays, where its nodes are. Other cards join the block they come to stand in. `fresh` names new blocks.
pub fn regroup(
    order: &[CardId],
    stays: impl Fn(CardId) -> Option<BlockId>,
    mut fresh: impl FnMut() -> BlockId,
) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut leading = Vec::new();
    for card in order {
        match (stays(*card), blocks.last_mut()) {
            (Some(id), Some(last)) if last.id == id => last.cards.push(*card),
            (Some(id), _) => {
                let mut cards = std::mem::take(&mut leading);
                cards.push(*card);
                blocks.push(Block { id, cards });
            }
            (None, Some(last)) => last.cards.push(*card),
            (None, None) => leading.push(*card),
        }
    }
    if !leading.is_empty() {
        blocks.push(Block { id: fresh(), cards: leading });
    }
    blocks.into_iter().flat_map(|block| cut(block, &mut fresh)).collect()
}

fn cut(block: Block, fresh: &mut impl FnMut() -> BlockId) -> Vec<Block> {
    if block.cards.len() <= 2 * CARDS {
        return vec![block];
    }
    let mut id = Some(block.id);
    // Even parts: a card that was just added is then beside others.
    let parts = block.cards.len().div_ceil(CARDS);
    let parts = block.cards.chunks(block.cards.len().div_ceil(parts));
    parts.map(|cards| Block { id: id.take().unwrap_or_else(&mut *fresh), cards: cards.to_vec() }).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use uuid::Uuid;

    use super::*;

    /// A list of cards that are known by numbers, and its blocks.
    #[derive(Default)]
    struct Column {
        order: Vec<CardId>,
        blocks: Vec<Block>,
        named: usize,
    }

    fn card(n: u128) -> CardId {
        CardId(Uuid::from_u128(n))
    }

    impl Column {
        fn of(cards: u128) -> Self {
            let mut column = Self::default();
            let order: Vec<_> = (0..cards).map(card).collect();
            column.reorder(order.clone(), &order);
            column
        }

        fn reorder(&mut self, order: Vec<CardId>, moved: &[CardId]) {
            let named = &mut self.named;
            let block_of = |card| self.blocks.iter().find(|block| block.cards.contains(&card)).map(|block| block.id);
            let stays = |card| if moved.contains(&card) { None } else { block_of(card) };
            self.blocks = regroup(&order, stays, || {
                *named += 1;
                BlockId(*named)
            });
            self.order = order;
            let drawn: Vec<_> = self.blocks.iter().flat_map(|block| block.cards.clone()).collect();
            assert_eq!(drawn, self.order, "all cards, in order");
            let names: HashSet<_> = self.blocks.iter().map(|block| block.id).collect();
            assert_eq!(names.len(), self.blocks.len(), "no two blocks have one name");
            assert!(self.blocks.iter().all(|block| (1..=2 * CARDS).contains(&block.cards.len())));
        }

        fn block_of(&self, card: CardId) -> BlockId {
            self.blocks.iter().find(|block| block.cards.contains(&card)).expect("it is in a block").id
        }
    }

    #[test]
    fn a_small_list_is_one_block_and_an_empty_one_none() {
        assert_eq!(Column::of(0).blocks, []);
        assert_eq!(Column::of(1).blocks.len(), 1);
        assert_eq!(Column::of(1_000).blocks.len(), 63);
    }

    #[test]
    fn only_what_has_moved_changes_its_block() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..200 {
            let mut column = Column::of(random.u128(0..80));
            for n in 0..40 {
                let before = column.order.iter().map(|card| (*card, column.block_of(*card))).collect::<Vec<_>>();
                let mut order = column.order.clone();
                let taken = (!order.is_empty() && random.bool()).then(|| order.remove(random.usize(..order.len())));
                let put = (taken.is_none() || random.bool()).then(|| taken.unwrap_or_else(|| card(1_000 + n)));
                if let Some(put) = put {
                    order.insert(random.usize(..=order.len()), put);
                }
                let cut = column.blocks.len();
                column.reorder(order, &put.into_iter().collect::<Vec<_>>());
                let stayed = before.iter().filter(|(card, _)| Some(*card) != taken && Some(*card) != put);
                let others = stayed.filter(|(card, block)| column.block_of(*card) != *block).count();
                assert!(others == 0 || (column.blocks.len() > cut && others <= 2 * CARDS), "{others} went along");
            }
        }
    }

    #[test]
    fn what_is_put_before_all_others_joins_the_first_block() {
        let mut column = Column::of(20);
        let first = column.block_of(card(0));
        column.reorder([card(99)].into_iter().chain(column.order.clone()).collect(), &[card(99)]);
        assert_eq!(column.block_of(card(99)), first);
    }

    #[test]
    fn many_cards_that_come_at_once_are_cut_into_blocks() {
        let mut column = Column::of(3);
        let new: Vec<_> = (100..1_100).map(card).collect();
        column.reorder(column.order.iter().copied().chain(new.clone()).collect(), &new);
        assert!(column.blocks.len() > 50);
    }
}
