//! Places between places: fractional indexes.
//!
//! Two people can make the same place at the same time; ties are broken by id. So that something can still be put between
//! two that tie, [`insert`] moves those behind it.

use std::fmt;

use fractional_index::FractionalIndex;
use serde::{Deserialize, Serialize};

/// A place in an order. There is always one before, behind, and between two different ones.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Position(FractionalIndex);

/// Longest position, in characters. Thousands of inserts at one place stay below it.
pub const MAX_POSITION: usize = 4_096;

/// A text that is no [`Position`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a position")]
pub struct NotAPosition;

impl Position {
    /// A place behind `low` and before `high`; `None` stands for the end on that side.
    ///
    /// When the two are the same, or the wrong way round, the place is behind `low`.
    #[must_use]
    pub fn between(low: Option<&Self>, high: Option<&Self>) -> Self {
        Self(match (low, high) {
            (None, None) => FractionalIndex::default(),
            (Some(low), None) => FractionalIndex::new_after(&low.0),
            (None, Some(high)) => FractionalIndex::new_before(&high.0),
            (Some(low), Some(high)) => {
                FractionalIndex::new_between(&low.0, &high.0).unwrap_or_else(|| FractionalIndex::new_after(&low.0))
            }
        })
    }

    /// `count` places in order, behind `low`.
    pub fn run_after(low: Option<&Self>, count: usize) -> impl Iterator<Item = Self> {
        let mut last = low.cloned();
        (0..count).map(move |_| {
            let next = Self::between(last.as_ref(), None);
            last = Some(next.clone());
            next
        })
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Position({})", self.0.to_string())
    }
}

impl TryFrom<String> for Position {
    type Error = NotAPosition;

    fn try_from(text: String) -> Result<Self, NotAPosition> {
        if text.len() > MAX_POSITION {
            return Err(NotAPosition);
        }
        FractionalIndex::from_string(&text).map(Self).map_err(|_| NotAPosition)
    }
}

impl From<Position> for String {
    fn from(position: Position) -> Self {
        position.0.to_string()
    }
}

/// Where to put something at `index` among ordered `siblings`: its own place, and new places for the siblings behind it that
/// must make room because they tie with the one before. The second is almost always empty.
#[must_use]
pub fn insert<I: Copy>(siblings: &[(I, Position)], index: usize) -> (Position, Vec<(I, Position)>) {
    let (before, behind) = siblings.split_at(index.min(siblings.len()));
    let low = before.last().map(|(_, position)| position);
    let ties = behind.iter().take_while(|(_, position)| Some(position) == low).count();
    let high = behind.get(ties).map(|(_, position)| position);
    let own = Position::between(low, high);
    let mut last = own.clone();
    let moved = behind[..ties]
        .iter()
        .map(|(id, _)| {
            last = Position::between(Some(&last), high);
            (*id, last.clone())
        })
        .collect();
    (own, moved)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Inserting at any index, again and again, gives the order that a plain vector has.
        #[test]
        fn inserts_like_a_vector(steps in proptest::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..80)) {
            let mut plain: Vec<usize> = Vec::new();
            let mut placed: Vec<(usize, Position)> = Vec::new();
            for (n, (index, twin)) in steps.into_iter().enumerate() {
                let at = index.index(plain.len() + 1);
                let (own, moved) = insert(&placed, at);
                for (id, position) in moved {
                    placed.iter_mut().find(|(other, _)| *other == id).expect("a sibling").1 = position;
                }
                placed.push((n, own.clone()));
                plain.insert(at, n);
                if twin {
                    // Someone else put a card at the very same place meanwhile; its id sorts behind.
                    placed.push((1_000 + n, own));
                    plain.insert(at + 1, 1_000 + n);
                }
                placed.sort_by(|(a, p), (b, q)| (p, a).cmp(&(q, b)));
                let order: Vec<_> = placed.iter().map(|(id, _)| *id).collect();
                prop_assert_eq!(&order, &plain);
            }
        }

        #[test]
        fn reads_what_it_writes(steps in proptest::collection::vec(any::<bool>(), 0..60)) {
            let mut position = Position::default();
            for up in steps {
                position = if up { Position::between(Some(&position), None) } else { Position::between(None, Some(&position)) };
            }
            let text = String::from(position.clone());
            prop_assert_eq!(Position::try_from(text), Ok(position));
        }
    }

    #[test]
    fn a_thousand_inserts_at_one_place_stay_short() {
        let (low, mut high) = (Position::default(), Position::between(Some(&Position::default()), None));
        for _ in 0..1_000 {
            high = Position::between(Some(&low), Some(&high));
        }
        assert!(String::from(high).len() < 300);
        let last = Position::run_after(None, 1_000).last().expect("a thousand");
        assert!(String::from(last).len() < 40);
    }

    #[test]
    fn garbage_is_no_position() {
        for text in ["", "xyz", "0", "zz80"] {
            assert_eq!(Position::try_from(text.to_owned()), Err(NotAPosition), "{text:?}");
        }
        assert_eq!(Position::try_from("80".repeat(MAX_POSITION)), Err(NotAPosition));
    }
}
