//! Places between places: fractional indexes.
//!
//! A place is a number written so that texts sort as the numbers do: an integer part, whose first letter says how long it is
//! (`a0`, `a1` … `az`, `b00` …; `Zz` comes before `a0`), then digits of a fraction to base 62. Adding at either end counts,
//! so that texts grow with the logarithm of how many there are; putting between halves (D. Greenspan, "Implementing
//! Fractional Indexing", 2020).
//!
//! Two people can make the same place at the same time; ties are broken by id. So that something can still be put between
//! two that tie, [`insert`] moves those behind it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A place in an order. There is always one before, behind, and between two different ones.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Position(String);

/// Longest position, in characters. Thousands of inserts at one place stay below it.
pub const MAX_POSITION: usize = 4_096;

/// The digits, in the order of their characters.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const FIRST: char = '0';
const LAST: char = 'z';
/// The integer below all others: nothing comes before it, so it is a position only with a fraction.
const LEAST: &str = "A00000000000000000000000000";

/// A text that is no [`Position`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a position")]
pub struct NotAPosition;

impl Default for Position {
    fn default() -> Self {
        Self("a0".to_owned())
    }
}

impl Position {
    /// A place behind `low` and before `high`; `None` stands for the end on that side.
    ///
    /// When the two are the same, or the wrong way round, the place is behind `low`.
    #[must_use]
    pub fn between(low: Option<&Self>, high: Option<&Self>) -> Self {
        Self(match (low, high) {
            (None, None) => return Self::default(),
            (None, Some(high)) => before(high),
            (Some(low), Some(high)) if low < high => middle(low, high),
            (Some(low), _) => behind(low),
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

    /// The integer part and the fraction.
    fn parts(&self) -> (&str, &str) {
        self.0.split_at(integer_length(self.0.as_bytes()[0]).unwrap_or(self.0.len()))
    }
}

fn behind(low: &Position) -> String {
    let (integer, fraction) = low.parts();
    successor(integer).unwrap_or_else(|| format!("{integer}{}", between_fractions(fraction, None)))
}

fn before(high: &Position) -> String {
    let (integer, fraction) = high.parts();
    if integer == LEAST {
        return format!("{LEAST}{}", between_fractions("", Some(fraction)));
    }
    if !fraction.is_empty() {
        return integer.to_owned();
    }
    match predecessor(integer) {
        Some(integer) if integer != LEAST => integer,
        _ => format!("{LEAST}{}", between_fractions("", None)),
    }
}

fn middle(low: &Position, high: &Position) -> String {
    let ((low_integer, low_fraction), (high_integer, high_fraction)) = (low.parts(), high.parts());
    if low_integer == high_integer {
        return format!("{low_integer}{}", between_fractions(low_fraction, Some(high_fraction)));
    }
    successor(low_integer)
        .filter(|next| *next < high.0)
        .unwrap_or_else(|| format!("{low_integer}{}", between_fractions(low_fraction, None)))
}

/// How long an integer with this first letter is, that letter included.
fn integer_length(first: u8) -> Option<usize> {
    match first {
        b'a'..=b'z' => Some(usize::from(first - b'a') + 2),
        b'A'..=b'Z' => Some(usize::from(b'Z' - first) + 2),
        _ => None,
    }
}

/// The next integer; `None` after the greatest.
fn successor(integer: &str) -> Option<String> {
    let (first, mut digits) = (integer.as_bytes()[0], integer.as_bytes()[1..].to_vec());
    for digit in digits.iter_mut().rev() {
        if let Some(next) = DIGITS.get(value(*digit) + 1) {
            *digit = *next;
            return Some(written(first, &digits));
        }
        *digit = DIGITS[0];
    }
    match first {
        b'Z' => Some(Position::default().0),
        b'z' => None,
        _ => Some(resized(first + 1, FIRST)),
    }
}

/// The integer before; `None` before the least.
fn predecessor(integer: &str) -> Option<String> {
    let (first, mut digits) = (integer.as_bytes()[0], integer.as_bytes()[1..].to_vec());
    for digit in digits.iter_mut().rev() {
        if let Some(previous) = value(*digit).checked_sub(1) {
            *digit = DIGITS[previous];
            return Some(written(first, &digits));
        }
        *digit = DIGITS[61];
    }
    match first {
        b'a' => Some(format!("Z{LAST}")),
        b'A' => None,
        _ => Some(resized(first - 1, LAST)),
    }
}

fn written(first: u8, digits: &[u8]) -> String {
    [first].iter().chain(digits).copied().map(char::from).collect()
}

/// The integer with this first letter and the same digit throughout.
fn resized(first: u8, digit: char) -> String {
    let digits = integer_length(first).unwrap_or(2) - 1;
    std::iter::once(char::from(first)).chain(std::iter::repeat_n(digit, digits)).collect()
}

/// The fraction in the middle of two, the higher of which is 1 if there is none.
fn between_fractions(low: &str, mut high: Option<&str>) -> String {
    let mut fraction = String::new();
    for at in 0.. {
        let floor = low.as_bytes().get(at).map_or(0, |digit| value(*digit));
        let ceiling = high.and_then(|high| high.as_bytes().get(at)).map_or(DIGITS.len(), |digit| value(*digit));
        if ceiling > floor + 1 {
            fraction.push(char::from(DIGITS[(floor + ceiling).div_ceil(2)]));
            break;
        }
        if ceiling == floor {
            fraction.push(char::from(DIGITS[floor]));
            continue;
        }
        // Neighbours. Cut short, a longer `high` is between the two.
        if high.is_some_and(|high| high.len() > at + 1) {
            fraction.push(char::from(DIGITS[ceiling]));
            break;
        }
        fraction.push(char::from(DIGITS[floor]));
        high = None;
    }
    fraction
}

/// What a digit stands for.
fn value(digit: u8) -> usize {
    DIGITS.binary_search(&digit).unwrap_or_default()
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Position({})", self.0)
    }
}

impl TryFrom<String> for Position {
    type Error = NotAPosition;

    fn try_from(text: String) -> Result<Self, NotAPosition> {
        let bytes = text.as_bytes();
        let integer = bytes.first().and_then(|first| integer_length(*first)).ok_or(NotAPosition)?;
        let written = bytes.len() >= integer && bytes.iter().all(u8::is_ascii_alphanumeric);
        // A fraction has no zeros at its end, so that every place is written in one way only.
        let one_way = bytes.len() == integer || bytes.last() != Some(&DIGITS[0]);
        if !written || !one_way || bytes.len() > MAX_POSITION || text == LEAST {
            return Err(NotAPosition);
        }
        Ok(Self(text))
    }
}

impl From<Position> for String {
    fn from(position: Position) -> Self {
        position.0
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

    fn position(text: &str) -> Position {
        Position::try_from(text.to_owned()).expect("a position")
    }

    /// What anyone can write in a change.
    fn any_position() -> impl Strategy<Value = Position> {
        let integer = prop_oneof![
            Just("a0"),
            Just("a1"),
            Just("Zz"),
            Just("b00"),
            Just("zzzzzzzzzzzzzzzzzzzzzzzzzzz"),
            Just(LEAST)
        ];
        (integer, "([0z]|[0-9A-Za-z]){0,3}[1-9A-Za-z]", any::<bool>()).prop_map(|(integer, fraction, whole)| {
            if whole && integer != LEAST { position(integer) } else { position(&format!("{integer}{fraction}")) }
        })
    }

    proptest! {
        /// Also of places that no honest program would make.
        #[test]
        fn there_is_always_one_between(a in any_position(), b in any_position()) {
            let (low, high) = if a < b { (&a, &b) } else { (&b, &a) };
            let before = Position::between(None, Some(low));
            let behind = Position::between(Some(high), None);
            prop_assert!(before < *low && *high < behind, "{before:?} {low:?} {high:?} {behind:?}");
            let mut made = vec![before, behind, Position::between(Some(high), Some(low))];
            prop_assert!(made[2] > *high, "the wrong way round it is behind the first");
            if low < high {
                let between = Position::between(Some(low), Some(high));
                prop_assert!(*low < between && between < *high, "{low:?} {between:?} {high:?}");
                made.push(between);
            }
            for position in made {
                prop_assert_eq!(Position::try_from(String::from(position.clone())), Ok(position));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            if let Ok(position) = Position::try_from(text.clone()) {
                prop_assert_eq!(String::from(position), text);
            }
        }
    }

    #[test]
    fn counting_goes_on_past_every_length() {
        for (low, high) in [("a0", "a1"), ("az", "b00"), ("bzz", "c000"), ("Zz", "a0"), ("Yzz", "Z0")] {
            assert_eq!(Position::between(Some(&position(low)), None), position(high));
            assert_eq!(Position::between(None, Some(&position(high))), position(low));
        }
    }

    #[test]
    fn a_thousand_inserts_at_one_place_stay_short() {
        let (low, mut high) = (Position::default(), Position::between(Some(&Position::default()), None));
        for _ in 0..1_000 {
            high = Position::between(Some(&low), Some(&high));
        }
        assert!(String::from(high).len() < 300);
        let (low, mut high) = (Position::between(None, Some(&low)), low);
        for _ in 0..1_000 {
            high = Position::between(None, Some(&high));
        }
        assert!(high < low && String::from(high).len() < 5);
        let last = Position::run_after(None, 20_000).last().expect("many");
        assert!(String::from(last).len() < 5);
    }

    #[test]
    fn garbage_is_no_position() {
        for text in ["", "xyz", "0", "80", "a", "b0", "a00", "a0V0", "a!", "aé", "𐠈8280", "-a0", " a0", LEAST] {
            assert_eq!(Position::try_from(text.to_owned()), Err(NotAPosition), "{text:?}");
        }
        assert_eq!(Position::try_from("a0".repeat(MAX_POSITION)), Err(NotAPosition));
    }
}
