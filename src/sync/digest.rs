//! The hash chain over a log: `digest(n) = hash(digest(n-1), entry n)`.
//!
//! Two logs with the same digest at a version are the same up to it. A version number alone cannot tell: a server that was
//! restored from a backup counts up again past its clients.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::message::Record;

/// The first 16 bytes of a SHA-256 over the log so far; all zero for the empty log. Written as 32 hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 16]);

impl Digest {
    /// The digest of the empty log.
    pub const GENESIS: Self = Self([0; 16]);

    /// The digest after `record`, this being the one before it. The record's own `digest` is not looked at.
    ///
    /// Hashed are: this digest, the version (8 bytes, big-endian), the id (16 bytes), the timestamp (8 bytes, big-endian),
    /// then author, change and refusal, each as its length (8 bytes, big-endian) and its UTF-8 text; the change is the JSON
    /// text as it is stored, the refusal `code`, a line feed and `message`, or nothing.
    #[must_use]
    pub fn then(self, record: &Record) -> Self {
        let refusal = record.refused.as_ref().map(|r| format!("{}\n{}", r.code, r.message)).unwrap_or_default();
        let mut hash = Sha256::new();
        hash.update(self.0);
        hash.update(record.version.to_be_bytes());
        hash.update(record.id.0.as_bytes());
        hash.update(record.timestamp.to_be_bytes());
        for text in [record.author.as_str(), record.change.get(), &refusal] {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        let mut short = [0; 16];
        short.copy_from_slice(&hash.finalize()[..16]);
        Self(short)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// A text that is no [`Digest`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest is 32 hexadecimal digits")]
pub struct NotADigest;

impl FromStr for Digest {
    type Err = NotADigest;

    fn from_str(text: &str) -> Result<Self, NotADigest> {
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(NotADigest);
        }
        u128::from_str_radix(text, 16).map(|bits| Self(bits.to_be_bytes())).map_err(|_| NotADigest)
    }
}

impl TryFrom<String> for Digest {
    type Error = NotADigest;

    fn try_from(text: String) -> Result<Self, NotADigest> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.to_string()
    }
}

/// Where a replica stands in a document's log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Version of the last entry it has; 0 for none.
    pub version: u64,
    /// Digest at that version.
    pub digest: Digest,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_itself() {
        let text = "0123456789abcdef0123456789abcdef";
        let digest: Digest = text.parse().expect("32 digits");
        assert_eq!((digest.to_string(), format!("{digest:?}")), (text.to_owned(), format!("Digest({text})")));
    }

    #[test]
    fn reads_what_it_writes() {
        let digest: Digest = "00112233445566778899aabbccddeeff".parse().expect("32 digits");
        assert_eq!(digest.to_string(), "00112233445566778899aabbccddeeff");
        assert_eq!("+0112233445566778899aabbccddeeff".parse::<Digest>(), Err(NotADigest));
        assert_eq!("00".parse::<Digest>(), Err(NotADigest));
    }
}
