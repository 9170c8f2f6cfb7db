//! Offers that wait for the append before them.

use std::collections::VecDeque;

use super::Offer;

/// Offers in the order they came.
#[derive(Debug)]
pub(super) struct Gathered<C> {
    offers: VecDeque<Offer<C>>,
    bytes: usize,
}

impl<C> Default for Gathered<C> {
    fn default() -> Self {
        Self { offers: VecDeque::new(), bytes: 0 }
    }
}

impl<C> Gathered<C> {
    /// Most bytes gathered; more stay at the door.
    const BYTES: usize = 2 * 1024 * 1024;
    /// About how many bytes go into one append.
    const BATCH_BYTES: usize = 1024 * 1024;

    pub(super) fn is_empty(&self) -> bool {
        self.offers.is_empty()
    }

    pub(super) const fn has_room(&self) -> bool {
        self.bytes < Self::BYTES
    }

    pub(super) fn push(&mut self, offer: Offer<C>) {
        self.bytes += offer.bytes;
        self.offers.push_back(offer);
    }

    /// What goes into the next append.
    pub(super) fn take_batch(&mut self) -> Vec<Offer<C>> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while bytes < Self::BATCH_BYTES
            && let Some(offer) = self.offers.pop_front()
        {
            bytes += offer.bytes;
            batch.push(offer);
        }
        self.bytes -= bytes;
        batch
    }

    /// An append did not come about: its offers are the first again.
    pub(super) fn put_back(&mut self, batch: Vec<Offer<C>>) {
        for offer in batch.into_iter().rev() {
            self.bytes += offer.bytes;
            self.offers.push_front(offer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ConnectionId;
    use super::*;

    fn offer(from: u64, bytes: usize) -> Offer<u8> {
        Offer {
            from: ConnectionId(from),
            keys_version: 0,
            author: "".into(),
            proposals: Vec::new(),
            bytes,
            undecided: None,
        }
    }

    #[test]
    fn keeps_the_order_whatever_goes_wrong() {
        let mut gathered = Gathered::default();
        for from in 1..=4 {
            gathered.push(offer(from, 700_000));
        }
        assert!(!gathered.has_room());
        let batch = gathered.take_batch();
        assert_eq!(batch.len(), 2, "about a megabyte");
        gathered.put_back(batch);
        let mut order = Vec::new();
        while !gathered.is_empty() {
            order.extend(gathered.take_batch().into_iter().map(|offer| offer.from.0));
        }
        assert_eq!(order, [1, 2, 3, 4]);
        assert!(gathered.has_room());
    }
}
