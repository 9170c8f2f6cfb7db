//! The end of the log, in memory: what reconnecting clients most often lack.

use std::collections::VecDeque;

use crate::server::frame;
use crate::sync::digest::{Cursor, Digest};
use crate::sync::message::Record;

/// Entries that follow each other, up to the log's end; the oldest go when they are more than `limit` bytes.
#[derive(Debug)]
pub(in crate::server) struct Recent {
    /// Where the log stood before the first of them.
    before: Cursor,
    records: VecDeque<Record>,
    bytes: usize,
    limit: usize,
}

impl Recent {
    /// None yet, at the end of a log.
    pub(super) const fn after(end: Cursor, limit: usize) -> Self {
        Self { before: end, records: VecDeque::new(), bytes: 0, limit }
    }

    /// Adds entries that follow on.
    pub(super) fn extend(&mut self, records: impl IntoIterator<Item = Record>) {
        for record in records {
            self.bytes += frame::size(&record);
            self.records.push_back(record);
        }
        while self.bytes > self.limit
            && let Some(oldest) = self.records.pop_front()
        {
            self.bytes -= frame::size(&oldest);
            self.before = oldest.cursor();
        }
    }

    /// The digest at a version that is not before the oldest entry.
    pub(super) fn digest_at(&self, version: u64) -> Option<Digest> {
        if version == self.before.version {
            return Some(self.before.digest);
        }
        self.get(version).map(|record| record.digest)
    }

    /// The entry at a version.
    pub(super) fn get(&self, version: u64) -> Option<&Record> {
        let index = version.checked_sub(self.before.version + 1)?;
        self.records.get(usize::try_from(index).ok()?)
    }

    /// All entries after a version, if they are all here.
    pub(super) fn since(&self, version: u64) -> Option<impl Iterator<Item = &Record>> {
        let skip = usize::try_from(version.checked_sub(self.before.version)?).ok()?;
        Some(self.records.iter().skip(skip))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::sync::id::ChangeId;

    fn record(version: u64) -> Record {
        Record {
            version,
            digest: format!("{version:032x}").parse().expect("32 digits"),
            id: ChangeId(uuid::Uuid::from_u128(version.into())),
            author: String::new(),
            timestamp: 0,
            change: RawValue::from_string("1".into()).expect("JSON"),
            refused: None,
        }
    }

    fn versions(recent: &Recent, after: u64) -> Option<Vec<u64>> {
        recent.since(after).map(|records| records.map(|record| record.version).collect())
    }

    #[test]
    fn forgets_the_oldest_and_knows_what_it_has() {
        let end = Cursor { version: 5, digest: record(5).digest };
        let mut recent = Recent::after(end, 3 * frame::size(&record(1)));
        assert_eq!(versions(&recent, 5), Some(vec![]));
        assert_eq!(recent.digest_at(5), Some(end.digest));

        recent.extend((6..=10).map(record));
        assert_eq!(versions(&recent, 6), None, "7 was forgotten");
        assert_eq!(versions(&recent, 7), Some(vec![8, 9, 10]));
        assert_eq!(versions(&recent, 9), Some(vec![10]));
        assert_eq!(recent.digest_at(6), None);
        assert_eq!(recent.digest_at(7), Some(record(7).digest), "the place before the oldest");
        assert_eq!(recent.digest_at(10), Some(record(10).digest));
        assert_eq!(recent.digest_at(11), None);
        assert_eq!(recent.get(7).map(|record| record.version), None);
        assert_eq!(recent.get(8).map(|record| record.version), Some(8));
    }
}
