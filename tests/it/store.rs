//! What every store does, and what SQLite's does besides.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use serde_json::value::RawValue;
use sheetbend::server::entries::Entries;
use sheetbend::server::store::postgres::Postgres;
use sheetbend::server::store::sqlite::{self, OpenError, Sqlite};
use sheetbend::server::store::{
    Appended, Creation, End, KeyHash, Keys, Listed, NewDocument, ReadStore as _, Replacement, Store, StoreError,
};
use sheetbend::sync::digest::{Cursor, Digest};
use sheetbend::sync::document::Refusal;
use sheetbend::sync::id::DocumentId;
use sheetbend::sync::message::{Access, Record};
use tempfile::TempDir;

use crate::support::cluster;
use crate::support::ids::{change_id, document_id, key, new_document, records};
use crate::support::memory::Memory;

/// Runs the contract's tests against a store.
macro_rules! contract {
    ($store:ident, $open:expr, $($test:ident)*) => {
        mod $store {
            use super::*;
            $(
                #[tokio::test]
                async fn $test() {
                    if let Some((_kept, store)) = $open {
                        contract::$test(&store).await;
                    }
                }
            )*
        }
    };
    ($store:ident, $open:expr) => {
        contract! {
            $store, $open,
            boards_are_made_once
            keys_open_what_they_belong_to
            a_log_is_read_as_it_was_written
            a_long_log_is_read_from_anywhere
            appends_go_to_the_end_or_nowhere
            loading_gives_all_there_is
            ranges_end_early_when_they_are_too_long
            snapshots_only_move_on
            what_is_not_there_is_not_found
            replaced_keys_open_nothing
            all_documents_are_listed_in_turns
        }
    };
}

contract!(memory, Some(((), Memory::default())));
contract!(on_sqlite, Some(open_temporary()));
contract!(on_postgres, open_postgres().await);

/// A store on a database of its own; `None` if there is no PostgreSQL here.
async fn open_postgres() -> Option<((), Postgres)> {
    let cluster = cluster::shared().await?;
    Some(((), Postgres::open(&cluster.database().await, None).await.expect("opens")))
}

mod contract {
    use super::*;

    pub(super) async fn boards_are_made_once(store: &impl Store) {
        let new = new_document(1);
        assert_eq!(store.create(new.clone()).await.expect("works"), Creation::Created);
        let later = NewDocument { created_at: 5, ..new.clone() };
        assert_eq!(store.create(later).await.expect("works"), Creation::Existed);

        let other = new_document(2);
        for taken in [
            NewDocument { keys: Keys { edit: other.keys.edit, ..new.keys }, ..new.clone() },
            NewDocument { id: other.id, ..new.clone() },
            NewDocument { keys: Keys { view: new.keys.edit, ..other.keys }, ..other.clone() },
            NewDocument { keys: Keys { edit: new.keys.view, view: new.keys.edit }, ..new.clone() },
            NewDocument { keys: Keys { view: other.keys.edit, ..other.keys }, ..other.clone() },
        ] {
            assert_eq!(store.create(taken.clone()).await.expect("works"), Creation::Taken, "{taken:?}");
        }
        assert_eq!(store.create(other).await.expect("works"), Creation::Created, "what was taken left nothing behind");
    }

    pub(super) async fn keys_open_what_they_belong_to(store: &impl Store) {
        store.create(new_document(1)).await.expect("works");
        store.create(new_document(2)).await.expect("works");
        assert_eq!(find(store, 1).await, Some((document_id(1), Access::Edit, 0)));
        assert_eq!(find(store, 102).await, Some((document_id(2), Access::View, 0)));
        assert_eq!(find(store, 3).await, None);
    }

    async fn find(store: &impl Store, n: u8) -> Option<(DocumentId, Access, u64)> {
        let found = store.find(KeyHash::of(&key(n))).await.expect("works");
        found.map(|found| (found.document, found.access, found.keys_version))
    }

    pub(super) async fn replaced_keys_open_nothing(store: &impl Store) {
        let hash = |n| KeyHash::of(&key(n));
        let keys = |edit, view| Keys { edit: hash(edit), view: hash(view) };
        for n in [1, 2] {
            store.create(new_document(n)).await.expect("works");
        }
        let replace = async |current, new| store.replace_keys(document_id(1), hash(current), new).await.expect("works");
        for current in [101, 2, 9] {
            assert_eq!(replace(current, keys(3, 103)).await, Replacement::Refused, "{current} may not");
        }
        for taken in [keys(2, 103), keys(3, 102), keys(3, 3)] {
            assert_eq!(replace(1, taken).await, Replacement::Taken);
        }
        assert_eq!(find(store, 1).await, Some((document_id(1), Access::Edit, 0)), "nothing has changed");

        for _ in 0..2 {
            assert_eq!(replace(1, keys(3, 103)).await, Replacement::Replaced(1), "said twice, done once");
        }
        assert_eq!((find(store, 1).await, find(store, 101).await), (None, None));
        assert_eq!(find(store, 3).await, Some((document_id(1), Access::Edit, 1)));
        assert_eq!(find(store, 103).await, Some((document_id(1), Access::View, 1)));
        assert_eq!(replace(1, keys(4, 104)).await, Replacement::Refused, "an old key");
        assert_eq!(store.create(new_document(1)).await.expect("works"), Creation::Taken, "its links were replaced");
        let ends = store.ends(vec![document_id(2), document_id(9), document_id(1)]).await.expect("works");
        let mut ends: Vec<_> = ends.into_iter().map(|end| (end.document, end.keys_version)).collect();
        ends.sort_unstable();
        assert_eq!(ends, [(document_id(1), 1), (document_id(2), 0)]);
    }

    pub(super) async fn all_documents_are_listed_in_turns(store: &impl Store) {
        for n in [3, 1, 2] {
            store.create(new_document(n)).await.expect("works");
        }
        let log = records(Cursor::default(), 1..=2);
        append(store, 0, log.clone()).await;
        let first = store.documents(None, 2).await.expect("works");
        let ids = |listed: &[Listed]| listed.iter().map(|listed| listed.id).collect::<Vec<_>>();
        assert_eq!(ids(&first), [document_id(1), document_id(2)]);
        let NewDocument { id, keys, created_at } = new_document(1);
        assert_eq!(first[0], Listed { id, end: log[1].cursor(), keys, created_at });
        assert_eq!(ids(&store.documents(Some(document_id(2)), 2).await.expect("works")), [document_id(3)]);
        let ends = store.ends(vec![document_id(1)]).await.expect("works");
        assert_eq!(ends, [End { document: document_id(1), version: 2, keys_version: 0 }]);
    }

    pub(super) async fn a_log_is_read_as_it_was_written(store: &impl Store) {
        store.create(new_document(1)).await.expect("works");
        let mut log = records(Cursor::default(), 1..=3);
        log[1].author = "Zoë \"the\" 👩‍🚀\0".into();
        log[1].refused = Some(Refusal::new("no", "Not \"this\" way."));
        assert_eq!(append(store, 0, log.clone()).await, Appended::Durable);

        let read = store.range(document_id(1), 0, u64::MAX, usize::MAX).await.expect("works");
        assert_eq!(texts(&read), texts(&log));
        for (version, digest) in [(0, Some(Digest::GENESIS)), (2, Some(log[1].digest)), (4, None), (u64::MAX, None)] {
            assert_eq!(store.digest_at(document_id(1), version).await.expect("works"), digest);
        }
    }

    pub(super) async fn a_long_log_is_read_from_anywhere(store: &impl Store) {
        const LONG: u64 = 5_000;
        for document in [1, 2] {
            store.create(new_document(document)).await.expect("works");
        }
        let log = records(Cursor::default(), 1..=LONG);
        for (n, batch) in log.chunks(100).enumerate() {
            let after = n as u64 * 100;
            for document in [1, 2] {
                let appended = store.append(document_id(document), after, &Entries::new(batch)).await;
                assert_eq!(appended.expect("works"), Appended::Durable);
            }
        }
        for document in [1, 2].map(document_id) {
            for (after, up_to) in [(0, LONG), (2_000, 2_100), (1_900, 4_800), (LONG - 1, u64::MAX)] {
                let read = store.range(document, after, up_to, usize::MAX).await.expect("works");
                let expected = &log[after as usize..up_to.min(LONG) as usize];
                assert_eq!(texts(&read), texts(expected), "{after} to {up_to}");
            }
            for record in log.iter().step_by(499) {
                assert_eq!(store.digest_at(document, record.version).await.expect("works"), Some(record.digest));
            }
            let stored = store.load(document).await.expect("works").expect("there");
            assert_eq!((stored.cursor.version, stored.tail.len() as u64), (LONG, LONG));
            let ids: BTreeMap<_, _> = stored.ids.into_iter().map(|(id, version)| (version, id)).collect();
            assert_eq!(ids, log.iter().map(|record| (record.version, record.id)).collect());
        }
    }

    pub(super) async fn appends_go_to_the_end_or_nowhere(store: &impl Store) {
        store.create(new_document(1)).await.expect("works");
        let log = records(Cursor::default(), 1..=2);
        assert_eq!(append(store, 0, log.clone()).await, Appended::Durable);
        assert_eq!(append(store, 0, records(Cursor::default(), 3..=4)).await, Appended::Conflict);
        assert_eq!(append(store, 5, records(Cursor::default(), 3..=4)).await, Appended::Conflict);
        assert_eq!(append(store, 2, records(log[1].cursor(), 3..=4)).await, Appended::Durable);
        assert_eq!(append(store, 4, Vec::new()).await, Appended::Durable);
        assert_eq!(versions(store).await, [1, 2, 3, 4]);
    }

    pub(super) async fn loading_gives_all_there_is(store: &impl Store) {
        store.create(new_document(1)).await.expect("works");
        let stored = store.load(document_id(1)).await.expect("works").expect("there");
        assert_eq!((stored.cursor, stored.tail.len(), stored.ids.len()), (Cursor::default(), 0, 0));

        let log = records(Cursor::default(), 1..=5);
        append(store, 0, log.clone()).await;
        store.save_snapshot(document_id(1), log[2].cursor(), "[1]".into()).await.expect("works");
        let mut stored = store.load(document_id(1)).await.expect("works").expect("there");
        stored.ids.sort_unstable();
        assert_eq!(stored.cursor, log[4].cursor());
        let snapshot = stored.snapshot.expect("there");
        assert_eq!((snapshot.at, snapshot.json.as_str()), (log[2].cursor(), "[1]"));
        assert!(snapshot.is_whole(document_id(1)) && !snapshot.is_whole(document_id(2)));
        assert_eq!(texts(&stored.tail), texts(&log[3..]));
        assert_eq!(stored.ids, (1..=5).map(|n| (change_id(n), n)).collect::<Vec<_>>());
    }

    pub(super) async fn ranges_end_early_when_they_are_too_long(store: &impl Store) {
        store.create(new_document(1)).await.expect("works");
        let log = records(Cursor::default(), 1..=9);
        let bytes = log[0].change.get().len();
        append(store, 0, log).await;
        let range = async |after, up_to, max| {
            let records = store.range(document_id(1), after, up_to, max).await.expect("works");
            records.iter().map(|record| record.version).collect::<Vec<_>>()
        };
        assert_eq!(range(2, 4, usize::MAX).await, [3, 4]);
        assert_eq!(range(0, u64::MAX, 0).await, [1], "at least one, so that reading goes on");
        assert_eq!(range(0, u64::MAX, 2 * bytes).await, [1, 2, 3]);
        assert_eq!(range(9, u64::MAX, usize::MAX).await, [0; 0]);
    }

    pub(super) async fn snapshots_only_move_on(store: &impl Store) {
        store.create(new_document(1)).await.expect("works");
        let log = records(Cursor::default(), 1..=3);
        append(store, 0, log.clone()).await;
        let kept = async || store.load(document_id(1)).await.expect("works").expect("there").snapshot;
        let save = async |at, json: &str| store.save_snapshot(document_id(1), at, json.into()).await.expect("works");

        save(log[1].cursor(), "two").await;
        save(log[0].cursor(), "one").await;
        assert_eq!(kept().await.map(|snapshot| snapshot.json), Some("two".into()));
        save(Cursor { version: 3, digest: Digest::GENESIS }, "of another history").await;
        assert_eq!(kept().await.map(|snapshot| snapshot.json), Some("two".into()));
        save(log[2].cursor(), "three").await;
        assert_eq!(kept().await.map(|snapshot| (snapshot.at, snapshot.json)), Some((log[2].cursor(), "three".into())));
    }

    pub(super) async fn what_is_not_there_is_not_found(store: &impl Store) {
        assert!(store.load(document_id(9)).await.expect("works").is_none());
        assert!(store.range(document_id(9), 0, u64::MAX, usize::MAX).await.expect("works").is_empty());
        assert_eq!(store.digest_at(document_id(9), 0).await.expect("works"), None);
        let append = store.append(document_id(9), 0, &Entries::new(&records(Cursor::default(), 1..=1))).await;
        assert_eq!(append.expect("works"), Appended::Conflict);
    }

    async fn append(store: &impl Store, after: u64, records: Vec<Record>) -> Appended {
        store.append(document_id(1), after, &Entries::new(&records)).await.expect("works")
    }

    async fn versions(store: &impl Store) -> Vec<u64> {
        let log = store.range(document_id(1), 0, u64::MAX, usize::MAX).await.expect("works");
        log.iter().map(|record| record.version).collect()
    }
}

fn texts(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| serde_json::to_string(record).expect("JSON")).collect()
}

fn open_temporary() -> (TempDir, Sqlite) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(folder.path());
    (folder, store)
}

fn open(folder: &Path) -> Sqlite {
    Sqlite::open(folder).expect("opens")
}

fn shell(folder: &Path) -> Connection {
    Connection::open(folder.join(sqlite::FILE)).expect("opens")
}

#[tokio::test]
async fn what_was_appended_is_there_when_it_is_opened_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = open(&folder.path().join("made/on/the/way"));
    store.create(new_document(1)).await.expect("works");
    store.append(document_id(1), 0, &Entries::new(&records(Cursor::default(), 1..=3))).await.expect("works");
    drop(store);
    let store = open(&folder.path().join("made/on/the/way"));
    let log = store.range(document_id(1), 0, u64::MAX, usize::MAX).await.expect("works");
    assert_eq!(log.len(), 3);
    let next = || records(log[2].cursor(), [4]);
    assert_eq!(store.append(document_id(1), 2, &Entries::new(&next())).await.expect("works"), Appended::Conflict);
    assert_eq!(store.append(document_id(1), 3, &Entries::new(&next())).await.expect("works"), Appended::Durable);
}

#[tokio::test]
async fn what_is_read_as_a_whole_is_bounded() {
    let (folder, store) = open_temporary();
    store.create(new_document(1)).await.expect("works");
    let mut log = records(Cursor::default(), 1..=2_100);
    let wide = serde_json::to_string(&"w".repeat(30_000)).and_then(RawValue::from_string).expect("JSON");
    for record in &mut log[..100] {
        record.change = wide.clone();
    }
    for (after, record) in log.iter().enumerate() {
        store.append(document_id(1), after as u64, &Entries::new(std::slice::from_ref(record))).await.expect("works");
    }
    let blocks: Vec<(i64, i64)> = shell(folder.path())
        .prepare("SELECT length(ids) / 16, length(entries) FROM blocks ORDER BY last")
        .and_then(|mut blocks| blocks.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect())
        .expect("reads");
    assert_eq!(blocks.iter().map(|(entries, _)| entries).sum::<i64>(), 2_048, "the rest is in the journal");
    assert!(blocks.iter().all(|(entries, bytes)| *entries <= 64 && *bytes <= 64 * 1024), "{blocks:?}");
    assert!(blocks.len() < 50 + 40, "and no smaller than that: {blocks:?}");
    for (after, up_to) in [(98, 103), (2_040, 2_060)] {
        let read = store.range(document_id(1), after, up_to, usize::MAX).await.expect("works");
        assert_eq!(texts(&read), texts(&log[after as usize..up_to as usize]));
    }
}

/// What is remembered of keys must not outlive them, though nobody waits for their replacement any more.
#[tokio::test]
async fn keys_that_are_replaced_unheard_open_nothing() {
    let (_folder, store) = open_temporary();
    let hash = |n| KeyHash::of(&key(n));
    let opens = async |n| store.find(hash(n)).await.expect("works").is_some();
    store.create(new_document(1)).await.expect("works");
    assert!(opens(1).await, "and is remembered");
    let replacement = store.replace_keys(document_id(1), hash(1), Keys { edit: hash(3), view: hash(103) });
    tokio::select! {
        biased;
        done = replacement => panic!("asked for, and not done: {done:?}"),
        () = std::future::ready(()) => {}
    }
    opens(1).await;
    // Work is done in turn.
    store.create(new_document(2)).await.expect("works");
    assert_eq!((opens(1).await, opens(3).await), (false, true));
}

#[tokio::test]
async fn of_appends_at_the_same_time_one_wins() {
    let (_folder, store) = open_temporary();
    let store = Arc::new(store);
    store.create(new_document(1)).await.expect("works");
    let racers = (0..32).map(|n| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            store.append(document_id(1), 0, &Entries::new(&records(Cursor::default(), [n]))).await.expect("works")
        })
    });
    let mut durable = 0;
    for racer in racers.collect::<Vec<_>>() {
        durable += usize::from(racer.await.expect("ends") == Appended::Durable);
    }
    assert_eq!(durable, 1);
}

#[tokio::test]
async fn a_full_disk_is_said_and_passes() {
    let (_folder, store) = open_temporary();
    store.create(new_document(1)).await.expect("works");
    store.limit_pages(1).await.expect("works");
    let mut end = Cursor::default();
    let full = loop {
        let more = records(end, end.version + 1..=end.version + 100);
        match store.append(document_id(1), end.version, &Entries::new(&more)).await {
            Ok(Appended::Durable) => end = more[99].cursor(),
            other => break other,
        }
    };
    assert!(matches!(full, Err(StoreError::Full)), "{full:?}");

    store.limit_pages(1_000_000).await.expect("works");
    let more = records(end, end.version + 1..=end.version + 100);
    assert_eq!(
        store.append(document_id(1), end.version, &Entries::new(&more)).await.expect("works"),
        Appended::Durable
    );
    let log = store.range(document_id(1), 0, u64::MAX, usize::MAX).await.expect("works");
    assert_eq!(log.len() as u64, end.version + 100, "nothing lost, nothing twice");
}

/// When the journal is full its entries move, in the transaction of the entry that filled it.
#[tokio::test]
async fn a_disk_that_is_full_when_entries_move_loses_none() {
    const BEFORE: u64 = 2_047;
    let (folder, store) = open_temporary();
    store.create(new_document(1)).await.expect("works");
    let log = records(Cursor::default(), 1..=BEFORE + 1);
    let (before, last) = log.split_at(BEFORE as usize);
    store.append(document_id(1), 0, &Entries::new(before)).await.expect("works");
    let shell = shell(folder.path());
    let number = |sql: &str| shell.query_row(sql, [], |row| row.get::<_, u32>(0)).expect("a number");
    // Room for an entry, and not for all of them a second time.
    store.limit_pages(number("PRAGMA page_count") + 3).await.expect("works");
    let full = store.append(document_id(1), BEFORE, &Entries::new(last)).await;
    assert!(matches!(full, Err(StoreError::Full)), "{full:?}");
    assert_eq!(number("SELECT count(*) FROM blocks"), 0);
    let end = store.ends(vec![document_id(1)]).await.expect("works");
    assert_eq!(end, [End { document: document_id(1), version: BEFORE, keys_version: 0 }]);

    store.limit_pages(1_000_000).await.expect("works");
    let again = store.append(document_id(1), BEFORE, &Entries::new(last)).await;
    assert_eq!(again.expect("works"), Appended::Durable);
    assert_eq!(number("SELECT count(*) FROM journal"), 0, "they have moved");
    let read = store.range(document_id(1), 0, u64::MAX, usize::MAX).await.expect("works");
    assert_eq!(texts(&read), texts(&log));
}

#[tokio::test]
async fn the_database_can_be_read_with_a_shell_and_holds_no_keys() {
    let (folder, store) = open_temporary();
    store.create(new_document(1)).await.expect("works");
    let mut log = records(Cursor::default(), 1..=2);
    log[1].refused = Some(Refusal::new("said_before", "Say something else."));
    store.append(document_id(1), 0, &Entries::new(&log)).await.expect("works");

    let shell = shell(folder.path());
    let row = |version: u64| {
        shell
            .query_row(
                "SELECT document, time, author, kind, change, refusal ->> 'code' FROM history WHERE version = ?1",
                [version as i64],
                |row| {
                    let text = |column| row.get::<_, Option<String>>(column).map(Option::unwrap_or_default);
                    Ok([text(0)?, text(1)?, text(2)?, text(3)?, text(4)?, text(5)?])
                },
            )
            .expect("a row")
    };
    let document = document_id(1).to_string();
    let first = [&document, "2025-11-24T16:00:00.001Z", "Ada", "say", r#"{"kind":"say","word":"w1"}"#, ""];
    assert_eq!(row(1), first);
    assert_eq!(row(2)[5], "said_before");
    drop(shell);
    drop(store);
    let file = std::fs::read(folder.path().join(sqlite::FILE)).expect("readable");
    for secret in [key(1), key(101)] {
        assert!(!file.windows(22).any(|window| window == secret.as_str().as_bytes()));
    }
}

#[test]
fn a_second_server_on_the_folder_is_told() {
    let (folder, _first) = open_temporary();
    let error = Sqlite::open(folder.path()).expect_err("is taken");
    assert!(matches!(error, OpenError::InUse { .. }));
    assert!(error.to_string().contains("another server"), "{error}");
}

#[test]
fn a_folder_is_free_again_when_its_store_is_gone() {
    let (folder, first) = open_temporary();
    drop(first);
    open(folder.path());
}

#[test]
fn a_newer_database_is_left_alone() {
    let (folder, store) = open_temporary();
    drop(store);
    shell(folder.path()).pragma_update(None, "user_version", 1_000).expect("sets the version");
    let before = std::fs::read(folder.path().join(sqlite::FILE)).expect("readable");
    let error = Sqlite::open(folder.path()).expect_err("is newer");
    assert!(matches!(error, OpenError::Newer { found: 1_000, .. }), "{error}");
    assert!(error.to_string().contains("Update Sheetbend"), "{error}");
    assert_eq!(std::fs::read(folder.path().join(sqlite::FILE)).expect("readable"), before);
}

#[test]
fn a_folder_that_cannot_be_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("file"), "not a folder").expect("writes");
    let error = Sqlite::open(&folder.path().join("file/data")).expect_err("cannot be");
    assert!(matches!(error, OpenError::Folder { .. }), "{error}");

    std::fs::write(folder.path().join(sqlite::FILE), "not a database, but long enough to look at").expect("writes");
    let error = Sqlite::open(folder.path()).expect_err("is no database");
    assert!(matches!(error, OpenError::Database { .. }), "{error}");
}

#[tokio::test]
async fn servers_that_start_at_once_make_one_schema() {
    let Some(cluster) = cluster::shared().await else { return };
    // Who meets whom where is chance.
    for _ in 0..20 {
        let address = cluster.database().await;
        let opened = futures_util::future::join_all((0..8).map(|_| Postgres::open(&address, None))).await;
        let stores: Vec<_> = opened.into_iter().map(|opened| opened.expect("opens")).collect();
        stores[0].create(new_document(1)).await.expect("works");
        assert_eq!(stores[7].documents(None, 10).await.expect("works").len(), 1);
    }
}

#[tokio::test]
async fn servers_hear_of_what_others_write() {
    let Some(cluster) = cluster::shared().await else { return };
    let address = cluster.database().await;
    let (one, other) =
        (Postgres::open(&address, None).await.expect("opens"), Postgres::open(&address, None).await.expect("opens"));
    let mut hints = other.watch().expect("there are others");
    one.create(new_document(1)).await.expect("works");
    let mut after = Cursor::default();
    // Whether it listens yet cannot be told: what is written before is not heard.
    loop {
        let log = records(after, [after.version + 1]);
        let appended = one.append(document_id(1), after.version, &Entries::new(&log)).await.expect("works");
        assert_eq!(appended, Appended::Durable);
        after = log[0].cursor();
        if let Ok(hint) = tokio::time::timeout(std::time::Duration::from_millis(100), hints.recv()).await {
            assert_eq!(hint, Some(document_id(1)));
            return;
        }
    }
}

#[tokio::test]
async fn of_servers_that_append_at_once_one_wins() {
    let Some((_, store)) = open_postgres().await else { return };
    store.create(new_document(1)).await.expect("works");
    let appends =
        (1..=16).map(async |n| store.append(document_id(1), 0, &Entries::new(&records(Cursor::default(), [n]))).await);
    let outcomes = futures_util::future::join_all(appends).await;
    let won = outcomes.into_iter().filter(|outcome| *outcome.as_ref().expect("works") == Appended::Durable).count();
    assert_eq!(won, 1);
}

/// Of several servers, none knows all that is in a log by itself.
#[tokio::test]
async fn an_id_is_in_a_log_once() {
    let Some((_, store)) = open_postgres().await else { return };
    for n in [1, 2] {
        store.create(new_document(n)).await.expect("works");
    }
    let log = records(Cursor::default(), 1..=2);
    store.append(document_id(1), 0, &Entries::new(&log)).await.expect("works");
    let refused = store.append(document_id(1), 2, &Entries::new(&records(log[1].cursor(), [3, 1]))).await;
    assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    let next = store.append(document_id(1), 2, &Entries::new(&records(log[1].cursor(), [3]))).await;
    assert_eq!(next.expect("works"), Appended::Durable, "all of it or nothing: the log is as it was");
    let elsewhere = store.append(document_id(2), 0, &Entries::new(&records(Cursor::default(), 1..=2))).await;
    assert_eq!(elsewhere.expect("works"), Appended::Durable, "in another log it is another");
}

#[tokio::test]
async fn connections_to_a_database_that_became_read_only_are_not_used_again() {
    let Some(cluster) = cluster::shared().await else { return };
    let address = cluster.database().await;
    let name = address.rsplit('/').next().expect("a name").to_owned();
    let store = Postgres::open(&address, None).await.expect("opens");
    store.create(new_document(1)).await.expect("works");
    let set = async |read_only: bool| {
        // For connections made from now on, as a failover leaves old ones at the old primary.
        let set = format!("ALTER DATABASE {name} SET default_transaction_read_only = {read_only}");
        cluster.run("postgres", &set).await;
    };
    let cut = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    let append = async || {
        let entries = records(Cursor::default(), [1]);
        store.append(document_id(1), 0, &Entries::new(&entries)).await
    };
    set(true).await;
    cluster.run("postgres", &cut).await;
    // The first attempts may meet a connection that was cut.
    let refused = loop {
        match append().await {
            Err(StoreError::Failed(cause)) if cause.to_string().contains("25006") => break cause.to_string(),
            Err(_) => {}
            Ok(appended) => panic!("{appended:?}, though it is read-only"),
        }
    };
    assert!(refused.contains("read-only"), "{refused}");
    assert!(store.find(KeyHash::of(&key(1))).await.expect("can be read").is_some());

    set(false).await;
    let begun = std::time::Instant::now();
    while append().await.is_err() {
        assert!(begun.elapsed() < std::time::Duration::from_secs(30), "changes are taken again within 30 s");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(store.load(document_id(1)).await.expect("works").expect("is there").cursor.version, 1);
}

#[tokio::test]
async fn an_error_of_the_database_does_not_quote_what_it_was_given() {
    let Some(cluster) = cluster::shared().await else { return };
    let address = cluster.database().await;
    let name = address.rsplit('/').next().expect("a name").to_owned();
    let store = Postgres::open(&address, None).await.expect("opens");
    store.create(new_document(1)).await.expect("works");
    // PostgreSQL quotes the row that it does not take.
    cluster.run(&name, "ALTER TABLE log ADD CHECK (change NOT LIKE '%w1%')").await;
    let entries = records(Cursor::default(), [1]);
    let error = store.append(document_id(1), 0, &Entries::new(&entries)).await.expect_err("is not taken");
    let StoreError::Failed(cause) = error else { panic!("{error:?}") };
    assert!(cause.to_string().contains("23514"), "{cause}");
    assert!(!format!("{cause} {cause:?}").contains("w1"), "{cause:?}");
}
