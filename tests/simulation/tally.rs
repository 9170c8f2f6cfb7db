//! How often each fault and each promise was put to the test. What never was proves nothing.

use std::collections::BTreeMap;
use std::fmt;

use crate::promises::Promise;
use crate::storm::Fault;

/// Counts of one run, or of many.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    changes: u64,
    saved: u64,
    faults: BTreeMap<Fault, u64>,
    promises: BTreeMap<Promise, u64>,
}

impl Tally {
    pub(crate) const fn changes(&self) -> u64 {
        self.changes
    }

    /// A person made a change.
    pub(crate) const fn made(&mut self) {
        self.changes += 1;
    }

    /// A change was shown to be saved.
    pub(crate) const fn saved(&mut self) {
        self.saved += 1;
    }

    /// A fault hit something.
    pub(crate) fn hit(&mut self, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
    }

    /// A promise was looked at, where it might have been broken.
    pub(crate) fn looked(&mut self, promise: Promise) {
        *self.promises.entry(promise).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.changes += other.changes;
        self.saved += other.saved;
        for (fault, count) in &other.faults {
            *self.faults.entry(*fault).or_default() += count;
        }
        for (promise, count) in &other.promises {
            *self.promises.entry(*promise).or_default() += count;
        }
    }

    pub(crate) fn check_nothing_is_missing(&self) {
        let missing: Vec<_> = Fault::ALL.iter().filter(|fault| !self.faults.contains_key(fault)).collect();
        assert!(missing.is_empty(), "these faults never hit anything: {missing:?}");
        let missing: Vec<_> = Promise::ALL.iter().filter(|promise| !self.promises.contains_key(promise)).collect();
        assert!(missing.is_empty(), "these promises were never looked at: {missing:?}");
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:>10}  changes made", self.changes)?;
        writeln!(f, "{:>10}  shown to be saved", self.saved)?;
        writeln!(f, "faults that hit something:")?;
        for (fault, count) in &self.faults {
            writeln!(f, "{count:>10}  {fault:?}")?;
        }
        writeln!(f, "promises looked at:")?;
        for (promise, count) in &self.promises {
            writeln!(f, "{count:>10}  {promise:?}")?;
        }
        Ok(())
    }
}
