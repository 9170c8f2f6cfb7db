//! The end of the log, in memory: what reconnecting clients most often lack.

use std::collections::VecDeque;

use crate::server::frame;
use crate::server::metrics::Share;
use crate::server::settings::RecentLimits;
use crate::sync::digest::{Cursor, Digest};
use crate::sync::message::Record;

/// Entries that follow each other, up to the log's end; the oldest go when they are too many.
#[derive(Debug)]
pub(super) struct Recent {
    /// Where the log stood before the first of them.
    before: Cursor,
    records: VecDeque<Record>,
    bytes: Share,
    limits: RecentLimits,
}

impl Recent {
    /// None yet, at the end of a log. `bytes` is this log's share in what is kept of all.
    pub(super) const fn after(end: Cursor, bytes: Share, limits: RecentLimits) -> Self {
        Self { before: end, records: VecDeque::new(), bytes, limits }
    }

    /// Adds entries that follow on.
    pub(super) fn extend(&mut self, records: impl IntoIterator<Item = Record>) {
        let mut bytes = self.bytes.get();
        for record in records {
            bytes += frame::size(&record);
            self.records.push_back(record);
        }
        self.bytes.set(bytes);
        let limit = if self.bytes.of_all() > self.limits.all { self.limits.crowded } else { self.limits.log };
        while bytes > limit
            && let Some(oldest) = self.records.pop_front()
        {
            bytes -= frame::size(&oldest);
            self.before = oldest.cursor();
        }
        self.bytes.set(bytes);
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
    use prometheus_client::metrics::gauge::Gauge;
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
        let limits = RecentLimits { log: 3 * frame::size(&record(1)), ..RecentLimits::default() };
        let mut recent = Recent::after(end, Share::of(&Gauge::default(), 0), limits);
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

    #[test]
    fn with_many_logs_each_keeps_less() {
        let one = frame::size(&record(1));
        let (limits, all) = (RecentLimits { log: 10 * one, crowded: 2 * one, all: 15 * one }, Gauge::default());
        let log = || Recent::after(Cursor::default(), Share::of(&all, 0), limits);
        let (mut first, mut second) = (log(), log());
        first.extend((1..=10).map(record));
        assert_eq!(versions(&first, 0).map(|kept| kept.len()), Some(10));
        second.extend((1..=6).map(record));
        assert_eq!(versions(&second, 4), Some(vec![5, 6]), "with this one they are too many");
        assert_eq!(versions(&second, 3), None);
        first.extend([record(11)]);
        assert_eq!(versions(&first, 1).map(|kept| kept.len()), Some(10), "there is room again");
        drop(second);
        assert_eq!(all.get(), i64::try_from(10 * one).expect("small"));
    }
}
