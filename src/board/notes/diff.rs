//! Differences of two sequences, at a bounded cost.
//!
//! The algorithm of S. Wu, U. Manber, G. Myers and W. Miller, "An O(NP) Sequence Comparison Algorithm" (1990), with its steps
//! counted: quick where little differs, and also where much was only added. All replicas must find the same differences, so
//! every choice that it leaves open is written down in `docs/protocol.md`, with examples in `docs/notes-vectors.json`.

use std::ops::Range;

/// Maximum number of steps of one search. It is enough for 500 words that are replaced by others.
pub(super) const BUDGET: usize = 1 << 18;

/// A run of the old sequence, and the run of the new one that takes its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) old: Range<usize>,
    pub(super) new: Range<usize>,
}

/// Items that are in both sequences, from these indexes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Kept {
    old: usize,
    new: usize,
    length: usize,
}

/// The edits that make `new` of `old`, in order, with kept items between them. `None` if finding them takes more than `budget` steps.
pub(super) fn edits(old: &[u32], new: &[u32], budget: usize) -> Option<Vec<Edit>> {
    let rest = middle(old, new);
    let kept = search(&old[rest.old.clone()], &new[rest.new.clone()], budget)?;
    let end = Kept { old: rest.old.len(), new: rest.new.len(), length: 0 };
    let (mut x, mut y) = (rest.old.start, rest.new.start);
    let mut edits = Vec::new();
    for run in kept.into_iter().chain([end]) {
        let (old, new) = (rest.old.start + run.old, rest.new.start + run.new);
        if (x, y) != (old, new) {
            edits.push(Edit { old: x..old, new: y..new });
        }
        (x, y) = (old + run.length, new + run.length);
    }
    Some(edits)
}

/// What is left without the longest common beginning, and then without the longest common end.
pub(super) fn middle(old: &[u32], new: &[u32]) -> Edit {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let end = old[start..].iter().rev().zip(new[start..].iter().rev()).take_while(|(a, b)| a == b).count();
    Edit { old: start..old.len() - end, new: start..new.len() - end }
}

/// The runs of kept items on a shortest way from `old` to `new`, in order, none of them empty.
fn search(old: &[u32], new: &[u32], budget: usize) -> Option<Vec<Kept>> {
    if old.len() <= new.len() {
        return Search::new(old, new, budget).run();
    }
    let kept = Search::new(new, old, budget).run()?;
    Some(kept.into_iter().map(|run| Kept { old: run.new, new: run.old, ..run }).collect())
}

/// No run.
const NONE: u32 = u32::MAX;

/// A furthest point on a diagonal: how many items of the long sequence are behind it, and the last run on the way there.
#[derive(Clone, Copy)]
struct Point {
    long: isize,
    run: u32,
}

struct Search<'a> {
    short: &'a [u32],
    long: &'a [u32],
    /// The furthest point of each diagonal *k*: *k* more items of the long sequence are behind it than of the short one. The first
    /// is of *k* = -(short.len() + 1).
    furthest: Vec<Point>,
    /// Each run, and the index of the one before it on its way.
    runs: Vec<(Kept, u32)>,
    /// Steps that may still be taken.
    budget: usize,
}

impl<'a> Search<'a> {
    fn new(short: &'a [u32], long: &'a [u32], budget: usize) -> Self {
        let furthest = vec![Point { long: -1, run: NONE }; short.len() + long.len() + 3];
        Self { short, long, furthest, runs: Vec::new(), budget }
    }

    fn run(mut self) -> Option<Vec<Kept>> {
        let delta = self.long.len() - self.short.len();
        // Diagonals are counted from the first in `furthest` on.
        let (zero, goal) = (self.short.len() + 1, self.short.len() + 1 + delta);
        for p in 0..=self.short.len() {
            for k in zero - p..goal {
                self.visit(k)?;
            }
            for k in (goal + 1..=goal + p).rev() {
                self.visit(k)?;
            }
            if self.visit(goal)? == self.long.len() {
                break;
            }
        }
        let mut kept = Vec::new();
        let mut at = self.furthest[goal].run;
        while let Some((run, before)) = self.runs.get(at as usize) {
            kept.push(*run);
            at = *before;
        }
        kept.reverse();
        Some(kept)
    }

    /// Goes as far as it can on a diagonal. Costs a step, and one for each item that is kept. Returns the items of the long
    /// sequence that are behind that point.
    fn visit(&mut self, k: usize) -> Option<usize> {
        let (below, above) = (self.furthest[k - 1], self.furthest[k + 1]);
        let from = if below.long + 1 > above.long { Point { long: below.long + 1, ..below } } else { above };
        let long = usize::try_from(from.long).unwrap_or_default();
        let short = long + self.short.len() + 1 - k;
        let rests = (self.long.get(long..).unwrap_or_default(), self.short.get(short..).unwrap_or_default());
        let length = rests.0.iter().zip(rests.1).take_while(|(a, b)| a == b).count();
        self.budget = self.budget.checked_sub(1 + length)?;
        let mut run = from.run;
        if length > 0 {
            run = u32::try_from(self.runs.len()).unwrap_or(NONE);
            self.runs.push((Kept { old: short, new: long, length }, from.run));
        }
        self.furthest[k] = Point { long: (long + length).cast_signed(), run };
        Some(long + length)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sequence() -> impl Strategy<Value = Vec<u32>> {
        proptest::collection::vec(0..4_u32, 0..24)
    }

    /// The length of the longest common subsequence, by the textbook.
    fn in_common(old: &[u32], new: &[u32]) -> usize {
        let mut row = vec![0; new.len() + 1];
        for a in old {
            let mut diagonal = 0;
            for (at, b) in new.iter().enumerate() {
                let above = row[at + 1];
                row[at + 1] = if a == b { diagonal + 1 } else { above.max(row[at]) };
                diagonal = above;
            }
        }
        row[new.len()]
    }

    fn kept(edits: &[Edit], old: &[u32]) -> usize {
        old.len() - edits.iter().map(|edit| edit.old.len()).sum::<usize>()
    }

    proptest! {
        #[test]
        fn edits_make_the_new_of_the_old_and_are_as_few_as_can_be(old in sequence(), new in sequence()) {
            let edits = edits(&old, &new, BUDGET).expect("is short");
            let (mut made, mut at) = (Vec::<u32>::new(), 0);
            for edit in &edits {
                prop_assert!(at == 0 || edit.old.start > at, "something is kept between two: {edits:?}");
                made.extend_from_slice(&old[at..edit.old.start]);
                prop_assert_eq!(made.len(), edit.new.start);
                made.extend_from_slice(&new[edit.new.clone()]);
                at = edit.old.end;
            }
            made.extend_from_slice(&old[at..]);
            prop_assert_eq!(&made, &new);
            prop_assert_eq!(kept(&edits, &old), in_common(&old, &new));
        }

        #[test]
        fn a_budget_changes_nothing_but_whether_there_is_an_answer(old in sequence(), new in sequence(), budget in 0..200_usize) {
            if let Some(found) = edits(&old, &new, budget) {
                prop_assert_eq!(Some(found), edits(&old, &new, BUDGET));
            }
        }
    }

    #[test]
    fn what_was_only_added_is_cheap() {
        let old: Vec<_> = (0..1_000).collect();
        let new: Vec<_> = (0..1_000).chain(5_000..20_000).map(|n| if n == 3 { 4_000 } else { n }).collect();
        let edits = edits(&old, &new, BUDGET).expect("is within the budget");
        assert_eq!(edits, [Edit { old: 3..4, new: 3..4 }, Edit { old: 1_000..1_000, new: 1_000..16_000 }]);
    }

    #[test]
    fn five_hundred_words_are_within_the_budget_and_many_more_are_not() {
        let words = |from: u32, count: u32| (from..from + count).collect::<Vec<_>>();
        assert!(edits(&words(0, 500), &words(10_000, 500), BUDGET).is_some());
        assert!(edits(&words(0, 600), &words(10_000, 600), BUDGET).is_none());
    }
}
