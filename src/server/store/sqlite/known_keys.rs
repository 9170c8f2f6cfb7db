//! Keys that were looked up lately: when a thousand people come back at once, most come with the same few.
//!
//! The folder's lock makes this process the only one that writes, so what is remembered is what the database says. While keys are
//! replaced nothing is answered from memory, and nothing is remembered that was read before or meanwhile.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Found, KeyHash};

/// Most keys that are remembered, some 2 MiB. If there are more, all are forgotten: that costs each a look into the database.
const MOST: usize = 16_384;

/// What keys open.
#[derive(Clone, Debug, Default)]
pub(super) struct KnownKeys(Arc<Mutex<Known>>);

#[derive(Debug, Default)]
struct Known {
    found: HashMap<KeyHash, Found>,
    /// Replacements that are under way.
    replacing: usize,
    /// How often a replacement has begun or ended.
    turns: u64,
}

/// What is to be looked up, and when that began.
#[derive(Debug)]
pub(super) struct Unknown {
    key: KeyHash,
    turns: u64,
}

impl KnownKeys {
    /// What a key opens, if that is known.
    pub(super) fn get(&self, key: KeyHash) -> Result<Found, Unknown> {
        let known = self.lock();
        known.found.get(&key).copied().ok_or(Unknown { key, turns: known.turns })
    }

    /// A key was looked up.
    pub(super) fn learn(&self, unknown: &Unknown, found: Found) {
        let mut known = self.lock();
        if known.replacing > 0 || known.turns != unknown.turns {
            return;
        }
        if known.found.len() >= MOST {
            known.found.clear();
        }
        known.found.insert(unknown.key, found);
    }

    /// Keys are about to be replaced, until what is returned is dropped.
    pub(super) fn replacing(&self) -> Replacing {
        let mut known = self.lock();
        known.found.clear();
        known.replacing += 1;
        known.turns += 1;
        Replacing(self.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As long as it lives, keys are being replaced.
#[derive(Debug)]
pub(super) struct Replacing(KnownKeys);

impl Drop for Replacing {
    fn drop(&mut self) {
        let mut known = self.0.lock();
        known.replacing -= 1;
        known.turns += 1;
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::sync::id::{DocumentId, Key};
    use crate::sync::message::Access;

    fn key(n: u8) -> KeyHash {
        KeyHash::of(&Key::from_random([n; 16]))
    }

    fn found(n: u8) -> Found {
        Found { document: DocumentId(Uuid::from_u128(n.into())), access: Access::Edit, keys_version: 0 }
    }

    fn look_up(keys: &KnownKeys, n: u8) -> Unknown {
        keys.get(key(n)).expect_err("is not known")
    }

    #[test]
    fn what_was_looked_up_is_known() {
        let keys = KnownKeys::default();
        let unknown = look_up(&keys, 1);
        keys.learn(&unknown, found(1));
        assert_eq!(keys.get(key(1)).expect("is known"), found(1));
        look_up(&keys, 2);
    }

    #[test]
    fn what_was_read_before_a_replacement_or_meanwhile_is_not() {
        let keys = KnownKeys::default();
        let [first, before] = [look_up(&keys, 1), look_up(&keys, 2)];
        keys.learn(&first, found(1));
        let replacing = keys.replacing();
        let meanwhile = look_up(&keys, 1);
        keys.learn(&meanwhile, found(1));
        look_up(&keys, 1);
        drop(replacing);
        keys.learn(&before, found(2));
        keys.learn(&meanwhile, found(1));
        look_up(&keys, 1);
        look_up(&keys, 2);
        let after = look_up(&keys, 2);
        keys.learn(&after, found(3));
        assert_eq!(keys.get(key(2)).expect("is known"), found(3));
    }

    #[test]
    fn there_is_an_end_to_what_is_remembered() {
        let keys = KnownKeys::default();
        for n in 0..=MOST as u64 {
            let mut random = [0; 16];
            random[..8].copy_from_slice(&n.to_le_bytes());
            let unknown = keys.get(KeyHash::of(&Key::from_random(random))).expect_err("is not known");
            keys.learn(&unknown, found(1));
        }
        assert_eq!(keys.lock().found.len(), 1);
    }
}
