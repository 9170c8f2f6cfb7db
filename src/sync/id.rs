//! Identity. Whoever makes a thing gives it its id, so that it can be made offline and resent safely.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::{Builder, Uuid};

use super::time::UnixMillis;

/// Makes a UUIDv7 (RFC 9562 §5.7) of a wall-clock time and 10 random bytes.
#[must_use]
pub fn uuid_v7(at: UnixMillis, random: [u8; 10]) -> Uuid {
    Builder::from_unix_timestamp_millis(at, &random).into_uuid()
}

/// The time of a UUIDv7: its first 48 bits.
fn millis_of(id: Uuid) -> UnixMillis {
    u64::try_from(id.as_u128() >> 80).unwrap_or_default()
}

/// Declares a newtype over a UUID that reads and writes as the usual 36 characters.
#[macro_export]
macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub uuid::Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&self.0, f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

uuid_id! {
    /// Names a change for ever. Made with the change by its author's client; the same in whichever tab, file or device the
    /// change travels, and unique in its document's log.
    ChangeId
}

/// Makes change ids, each after the one before: also when the clock stands still or goes back, so that ids are in the order
/// of making.
#[derive(Clone, Debug, Default)]
pub struct ChangeIds {
    last: Option<ChangeId>,
}

impl ChangeIds {
    /// Ids after `last`, the newest change that is kept from before.
    #[must_use]
    pub const fn after(last: Option<ChangeId>) -> Self {
        Self { last }
    }

    /// From here on, ids are after `other` too: a change of another client that this one builds on.
    pub fn raise(&mut self, other: Option<ChangeId>) {
        self.last = self.last.max(other);
    }

    /// The next id: a UUIDv7 of now, or of the last one's time if the clock has gone back behind it. Always with all of `random`
    /// in it: two tabs that build on the same change must not come to the same id.
    pub fn next(&mut self, at: UnixMillis, random: [u8; 10]) -> ChangeId {
        let last = self.last.map_or(0, |last| millis_of(last.0));
        let of = |at| ChangeId(uuid_v7(at, random));
        let id = [of(at), of(last)].into_iter().find(|id| Some(*id) > self.last).unwrap_or_else(|| of(last + 1));
        self.last = Some(id);
        id
    }
}

uuid_id! {
    /// Names a document (in this app: a board). Made by the client that makes the document.
    DocumentId
}

uuid_id! {
    /// Names one running client, for logs and for telling people apart. No promise rests on it.
    ReplicaId
}

/// A secret that opens a document: 128 random bits, as 22 characters of base64url without padding.
///
/// `Debug` does not show it: keys do not belong in logs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Key(String);

/// A text that is no [`Key`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key is 22 letters, digits, '-' or '_'")]
pub struct NotAKey;

impl Key {
    /// Characters of a key.
    pub const LENGTH: usize = 22;

    /// Writes 16 random bytes as a key.
    #[must_use]
    pub fn from_random(bytes: [u8; 16]) -> Self {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let bits = u128::from_be_bytes(bytes);
        // 21 digits of six bits, then the last two bits shifted to the top of a sixth of a digit, as base64 has it.
        let digit = |i: u32| {
            let six = if i < 21 { bits >> (122 - 6 * i) } else { bits << 4 };
            char::from(ALPHABET[(six & 0x3f) as usize])
        };
        Self((0..22).map(digit).collect())
    }

    /// The view key that belongs to this edit key: the first 16 bytes of SHA-256 over `sheetbend view key` and a line feed
    /// and the edit key's text. Whoever may edit can so hand out the view link; the way back is closed.
    #[must_use]
    pub fn view_key(&self) -> Self {
        let hash = Sha256::new().chain_update(b"sheetbend view key\n").chain_update(&self.0).finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        Self::from_random(bytes)
    }

    /// The key as it stands in a link.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Key {
    type Err = NotAKey;

    fn from_str(text: &str) -> Result<Self, NotAKey> {
        let letters = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if text.len() == Self::LENGTH && letters { Ok(Self(text.to_owned())) } else { Err(NotAKey) }
    }
}

impl TryFrom<String> for Key {
    type Error = NotAKey;

    fn try_from(text: String) -> Result<Self, NotAKey> {
        text.parse()
    }
}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_base64url() {
        assert_eq!(Key::from_random([0; 16]).as_str(), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(Key::from_random([0xff; 16]).as_str(), "_____________________w");
        let bytes = *b"sheet bend knots";
        assert_eq!(Key::from_random(bytes).as_str(), "c2hlZXQgYmVuZCBrbm90cw");
    }

    #[test]
    fn a_view_key_is_another_key() {
        let edit = Key::from_random(*b"sheet bend knots");
        assert_ne!(edit.view_key(), edit);
        assert_ne!(edit.view_key(), edit.view_key().view_key());
    }

    #[test]
    fn what_is_no_key_is_told_apart() {
        assert!("c2hlZXQgYmVuZCBrbm90cw".parse::<Key>().is_ok());
        for text in
            ["", "c2hlZXQgYmVuZCBrbm90c", "c2hlZXQgYmVuZCBrbm90c/", "c2hlZXQgYmVuZCBrbm90cww", "c2hlZXQgYmVuZC+rbm90cw"]
        {
            assert_eq!(text.parse::<Key>(), Err(NotAKey));
        }
    }

    #[test]
    fn keys_do_not_show_in_debug_output() {
        assert_eq!(format!("{:?}", Key::from_random([7; 16])), "Key(…)");
    }

    #[test]
    fn change_ids_are_in_the_order_of_making_whatever_the_clock_does() {
        let mut ids = ChangeIds::after(None);
        let made: Vec<_> = [5, 5, 5, 3, 9, 8].into_iter().map(|at| ids.next(at, [0xff; 10])).collect();
        assert!(made.is_sorted_by(|a, b| a < b), "{made:?}");
    }

    #[test]
    fn change_ids_are_of_their_time_and_after_what_they_build_on() {
        let mut ids = ChangeIds::after(None);
        assert_eq!(ids.next(5, [1; 10]), ChangeId(uuid_v7(5, [1; 10])));
        assert_eq!(ids.next(9, [1; 10]), ChangeId(uuid_v7(9, [1; 10])));
        let other = ChangeId(uuid_v7(1_000, [7; 10]));
        ids.raise(Some(other));
        let next = ids.next(10, [1; 10]);
        assert_eq!(next, ChangeId(uuid_v7(1_001, [1; 10])), "of its time, or just after");
        ids.raise(Some(other));
        assert_eq!(ids.next(10, [9; 10]), ChangeId(uuid_v7(1_001, [9; 10])));
        ids.raise(None);
        assert!(ids.next(10, [1; 10]) > next);
    }

    #[test]
    fn two_that_build_on_the_same_change_do_not_come_to_the_same_id() {
        let last = Some(ChangeId(uuid_v7(1_000, [5; 10])));
        // The clock has gone back: also with random bytes that are below those of the last one.
        for random in [[1; 10], [9; 10]] {
            let (mut one, mut other) = (ChangeIds::after(last), ChangeIds::after(last));
            let mut differs = random;
            differs[9] += 1;
            assert_ne!(one.next(10, random), other.next(10, differs));
        }
    }

    #[test]
    fn change_ids_sort_by_time() {
        let early = ChangeId(uuid_v7(1_000, [0xff; 10]));
        let late = ChangeId(uuid_v7(1_001, [0; 10]));
        assert!(early < late);
        assert_eq!(early.0.get_version_num(), 7);
    }
}
