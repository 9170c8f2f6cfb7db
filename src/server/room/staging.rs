//! Giving a batch its places in the log.

use std::sync::Arc;

use super::Offer;
use super::commit::Batch;
use crate::server::cpu::Cpu;
use crate::server::runtime::now;
use crate::sync::document::Document;
use crate::sync::message::{Body, Record};
use crate::sync::sequencer::{Misfit, Ruling, Sequencer, Staged};

/// Offers up to so many bytes are staged at once. More changes than fit take longer than handing them over does.
const SMALL: usize = 16 * 1024;

/// A batch that is being given its places.
#[derive(Debug)]
pub(super) struct Staging<D: Document> {
    sequencer: Arc<Sequencer<D>>,
    batch: Batch<D>,
    /// The versions of changes that were in the log before, for each offer.
    known: Vec<Vec<u64>>,
    /// The next proposal of the offer that `known` ends with.
    next: usize,
}

/// What staging came to.
#[derive(Debug)]
pub(super) struct Places<D: Document> {
    pub(super) batch: Batch<D>,
    /// The versions of changes that were in the log before, for each offer.
    pub(super) known: Vec<Vec<u64>>,
}

impl<D: Document> Staging<D> {
    /// Nothing is staged yet. While this exists, nothing else may change the sequencer.
    pub(super) fn new(sequencer: &Arc<Sequencer<D>>, offers: Vec<Offer<D::Change>>) -> Self {
        let sequencer = Arc::clone(sequencer);
        let batch = Batch { staged: sequencer.stage(), offers };
        Self { sequencer, batch, known: vec![Vec::new()], next: 0 }
    }

    /// Whether this takes so little that it is not worth handing over.
    pub(super) fn is_cheap(&self) -> bool {
        let costly = |offer: &Offer<D::Change>| {
            offer
                .proposals
                .iter()
                .any(|proposal| matches!(&proposal.change, Body::Known(change) if D::is_costly(change)))
        };
        let offers = &self.batch.offers;
        offers.iter().map(|offer| offer.bytes).sum::<usize>() <= SMALL && !offers.iter().any(costly)
    }

    /// Stages all, here.
    pub(super) fn finish(mut self) -> Places<D> {
        while self.step() {}
        self.done()
    }

    /// Stages all, apart from what serves everybody.
    pub(super) async fn finish_apart(self, cpu: Cpu) -> Places<D> {
        cpu.run_in_steps(self, Self::step).await.done()
    }

    fn done(self) -> Places<D> {
        Places { batch: self.batch, known: self.known }
    }

    /// Stages the next change; false if there is none.
    fn step(&mut self) -> bool {
        let Self { sequencer, batch: Batch { staged, offers }, known, next } = self;
        let Some(offer) = offers.get(known.len() - 1) else { return false };
        let Some(proposal) = offer.proposals.get(*next) else {
            known.push(Vec::new());
            *next = 0;
            return true;
        };
        *next += 1;
        match sequencer.propose(staged, &offer.author, proposal, now()) {
            Ruling::Known(version) if version <= sequencer.cursor().version => {
                known.last_mut().expect("one for each offer that was begun").push(version);
            }
            // Known, but not committed: it goes to everyone when it is.
            Ruling::Known(_) | Ruling::Staged => {}
        }
        true
    }
}

/// Goes through entries that another server has appended, apart from what serves everybody.
pub(super) async fn follow<D: Document>(
    sequencer: Arc<Sequencer<D>>,
    records: Vec<Record>,
    cpu: Cpu,
) -> Result<Staged<D>, Misfit> {
    let staged = sequencer.stage();
    let step = move |(staged, records, followed): &mut (Staged<D>, std::vec::IntoIter<Record>, Result<(), Misfit>)| {
        let Some(record) = records.next() else { return false };
        *followed = sequencer.follow(staged, record);
        followed.is_ok()
    };
    let (staged, _, followed) = cpu.run_in_steps((staged, records.into_iter(), Ok(())), step).await;
    followed.map(|()| staged)
}
