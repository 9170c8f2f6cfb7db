//! Copies, checks, boards in and out: the program's commands, as an operator gives them.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use sheetbend::server::store::postgres::Postgres;
use sheetbend::server::store::{ReadStore as _, Store as _, sqlite};
use sheetbend::server::upkeep;
use tempfile::TempDir;

use crate::support::boards::{add_list, make_board, on_disk};
use crate::support::cluster;
use crate::support::ids::{document_id, key};
use crate::support::people::{Person, agree, quick};
use crate::support::program::{PROGRAM, Running, program};

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Runs the program; returns whether it went well, and what it said on both outputs.
fn run(arguments: &[&str], paths: &[(&str, &Path)]) -> (bool, String) {
    let mut command = Command::new(PROGRAM);
    command.args(arguments).env("RUST_LOG", "off").current_dir(std::env::temp_dir());
    for (option, path) in paths {
        if !option.is_empty() {
            command.arg(option);
        }
        command.arg(path);
    }
    let Output { status, stdout, stderr } = command.output().expect("starts");
    (status.success(), String::from_utf8([stdout, stderr].concat()).expect("text"))
}

/// A board with so many lists, made by someone who is at it.
async fn planned(running: &Running, lists: u64) -> Person<sheetbend::board::Board> {
    make_board(running).await;
    let mut ada = Person::at(running.address, "Ada", quick());
    for n in 1..=lists {
        ada.edit(add_list(1, n)).await;
    }
    ada.is_saved().await;
    ada
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_taken_while_people_work_and_put_back_later() {
    let (data, elsewhere) = (folder(), folder());
    let copy = elsewhere.path().join("copy.db");
    let running = Running::start(data.path());
    let mut ada = planned(&running, 20).await;
    let typing = async {
        for n in 21..=60 {
            ada.edit(add_list(1, n)).await;
            ada.is_saved().await;
        }
    };
    let (data_path, copy_path) = (data.path().to_owned(), copy.clone());
    let copying = tokio::task::spawn_blocking(move || run(&["backup"], &[("", &copy_path), ("--data", &data_path)]));
    let (copied, ()) = tokio::join!(copying, typing);
    let (well, said) = copied.expect("ends");
    assert!(well && said.starts_with("Wrote "), "{said}");
    let (well, said) = run(&["backup"], &[("", &copy), ("--data", data.path())]);
    assert!(!well && said.contains("is there already"), "{said}");

    // Not while it is served.
    let (well, said) = run(&["restore"], &[("", &copy), ("--data", data.path())]);
    assert!(!well && said.contains("another server is using"), "{said}");
    running.kill();
    let (well, said) = run(&["restore"], &[("", &copy), ("--data", data.path())]);
    assert!(well && said.contains("before-restore"), "{said}");
    let kept = std::fs::read_dir(data.path()).expect("is there").flatten();
    assert!(kept.into_iter().any(|file| file.file_name().to_string_lossy().contains("before-restore")));
    let (well, said) = run(&["check"], &[("--data", data.path())]);
    let (_, counted) = said.split_once("1 boards with ").expect("says how many");
    let changes: u64 = counted.split(' ').next().and_then(|changes| changes.parse().ok()).expect("a number");
    assert!(well && (20..=60).contains(&changes) && said.contains("all are whole"), "as of one moment: {said}");

    // Ada is still there. What the copy lacks comes back from her.
    let running = Running::run(&mut program(data.path(), &running_address(&ada)));
    ada.session.retry_now();
    let view = agree(&mut [ada], 60).await;
    assert_eq!(view.document.lists.len(), 60);
    drop(running);
}

/// Where the server was that someone is at.
fn running_address(person: &Person<sheetbend::board::Board>) -> String {
    person.address.to_string()
}

#[tokio::test]
async fn a_database_of_others_is_not_put_in_place() {
    let (data, elsewhere) = (folder(), folder());
    let other = elsewhere.path().join("other.db");
    let recipes = rusqlite::Connection::open(&other).expect("opens");
    recipes.execute_batch("CREATE TABLE recipes (name TEXT)").expect("a table");
    let (well, said) = run(&["restore"], &[("", &other), ("--data", data.path())]);
    assert!(!well && said.contains("is not a Sheetbend database"), "{said}");
    assert!(!data.path().join(sqlite::FILE).exists());
}

/// Moves the journal into blocks, an entry each, as a server does with many.
const MOVE: &str = "INSERT INTO blocks (document, last, ids, entries)
         SELECT document, value ->> 'version', unhex(replace(value ->> 'id', '-', '')), '[' || value || ']'
         FROM journal, json_each(entries);
     UPDATE documents SET (version, digest) = (SELECT max(last), entries ->> '$[#-1].digest' FROM journal);
     DELETE FROM journal";

/// A database with a board of 20 changes, the first of which are in blocks and the last five in the journal, and with a snapshot.
async fn database(folder: &Path) {
    let running = Running::start(folder);
    drop(planned(&running, 15).await);
    running.kill();
    let moving = rusqlite::Connection::open(folder.join(sqlite::FILE)).expect("opens");
    moving.execute_batch(MOVE).expect("moves");
    drop(moving);
    let running = Running::start(folder);
    let mut ada: Person<sheetbend::board::Board> = Person::at(running.address, "Ada", quick());
    for n in 16..=20 {
        ada.edit(add_list(1, n)).await;
        ada.is_saved().await;
    }
    running.kill();
    let store = sqlite::Sqlite::open(folder).expect("opens");
    let cursor = store.load(document_id(1)).await.expect("works").expect("is there").cursor;
    let board: sheetbend::board::Board = upkeep::read(&store, document_id(1)).await.expect("is readable");
    let json = serde_json::to_string(&board).expect("JSON");
    store.save_snapshot(document_id(1), cursor, json).await.expect("works");
}

/// Alterations of the rows beside the log, which SQLite and PostgreSQL hold alike, and what `check` says of each.
const BESIDE_THE_LOG: [(&str, &str); 18] = [
    // The board's row.
    ("UPDATE documents SET version = 4", "its row says another end than its log has"),
    ("UPDATE documents SET digest = '00000000000000000000000000000001'", "its row says another end than its log has"),
    ("UPDATE documents SET created_at = created_at - 1", "are not as the server wrote them"),
    ("UPDATE documents SET keys_version = 7", "are not as the server wrote them"),
    ("UPDATE documents SET id = '00000000-0000-7000-8000-000000000009'", "there are rows of it, but no such board"),
    ("DELETE FROM documents", "there are rows of it, but no such board"),
    // Its keys.
    ("UPDATE keys SET hash = 'aa' || substr(hash, 3) WHERE access = 'edit'", "are not as the server wrote them"),
    ("UPDATE keys SET hash = 'aa' || substr(hash, 3) WHERE access = 'view'", "are not as the server wrote them"),
    (
        "UPDATE keys SET access = CASE access WHEN 'edit' THEN 'view' ELSE 'edit' END",
        "are not as the server wrote them",
    ),
    ("DELETE FROM keys WHERE access = 'view'", "are not as the server wrote them"),
    ("DELETE FROM keys", "are not as the server wrote them"),
    ("INSERT INTO keys SELECT 'aa' || substr(hash, 3), document, access FROM keys", "are not as the server wrote them"),
    (
        "INSERT INTO keys SELECT 'aa' || substr(hash, 3), '00000000-0000-7000-8000-000000000009', access FROM keys",
        "there are rows of it, but no such board",
    ),
    // The snapshot.
    (
        "UPDATE snapshots SET json = replace(json, '1: 3', '1: 4')",
        "its snapshot at version 20 is not what the log comes to",
    ),
    ("UPDATE snapshots SET version = 19", "its snapshot at version 19 is not what the log comes to"),
    (
        "UPDATE snapshots SET digest = '00000000000000000000000000000001'",
        "its snapshot at version 20 is not what the log comes to",
    ),
    ("UPDATE snapshots SET hash = ''", "its snapshot at version 20 is not what the log comes to"),
    (
        "UPDATE snapshots SET document = '00000000-0000-7000-8000-000000000009'",
        "there are rows of it, but no such board",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_notices_whatever_is_altered() {
    let data = folder();
    database(data.path()).await;
    let (well, said) = run(&["check"], &[("--data", data.path())]);
    assert!(well && said.contains("1 boards with 20 changes: all are whole."), "{said}");
    let alterations = [
        // The log.
        (
            "UPDATE blocks SET entries = json_set(entries, '$[0].author', 'Eve') WHERE last = 3",
            "entry 3 does not fit the digest chain",
        ),
        (
            "UPDATE blocks SET entries = json_set(entries, '$[0].timestamp', 1) WHERE last = 3",
            "entry 3 does not fit the digest chain",
        ),
        (
            "UPDATE blocks SET entries = json_set(entries, '$[0].digest', printf('%032d', 1)) WHERE last = 3",
            "entry 3 does not fit the digest chain",
        ),
        (
            "UPDATE blocks SET entries = json_set(entries, '$[0].refused', json('{\"code\":\"x\",\"message\":\"\"}')) WHERE last = 3",
            "entry 3 does not fit the digest chain",
        ),
        ("UPDATE blocks SET entries = '[{' WHERE last = 1", "the database failed"),
        ("DELETE FROM blocks WHERE last = 2", "ids for 20 entries"),
        (
            "UPDATE journal SET entries = json_set(entries, '$[0].author', 'Eve') WHERE last = 18",
            "entry 18 does not fit the digest chain",
        ),
        ("DELETE FROM journal WHERE last = 20", "its snapshot at version 20 is not what the log comes to"),
        ("DELETE FROM journal WHERE last = 17", "ids for 20 entries"),
        // The ids beside it.
        ("UPDATE blocks SET ids = zeroblob(16) WHERE last = 3", "entry 3 has another id"),
        ("UPDATE journal SET ids = zeroblob(16) WHERE last = 18", "entry 18 has another id"),
        ("UPDATE blocks SET ids = zeroblob(32) WHERE last = 3", "21 ids for 20 entries"),
        ("UPDATE blocks SET ids = x'' WHERE last = 3", "19 ids for 20 entries"),
        ("UPDATE blocks SET ids = x'00' WHERE last = 3", "the database failed"),
        ("UPDATE documents SET seal = ''", "are not as the server wrote them"),
    ];
    for (statement, expected) in alterations.into_iter().chain(BESIDE_THE_LOG) {
        let elsewhere = altered(data.path(), statement);
        let (well, said) = run(&["check"], &[("--data", elsewhere.path())]);
        assert!(!well && said.contains(expected), "{statement}: {said}");
    }
}

/// The rows of a PostgreSQL are other rows than SQLite's: an entry is a row, and each of its columns can be altered by itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_notices_whatever_is_altered_in_postgres() {
    let Some(cluster) = cluster::shared().await else { return };
    let (data, address) = (folder(), cluster.database().await);
    database(data.path()).await;
    let (well, said) = run(&["migrate", "--database", &address], &[("--data", data.path())]);
    assert!(well, "{said}");
    let (store, board) = (Postgres::open(&address, None).await.expect("opens"), document_id(1));
    let cursor = store.load(board).await.expect("works").expect("is there").cursor;
    let json = upkeep::read::<sheetbend::board::Board>(&store, board).await.expect("is readable");
    store.save_snapshot(board, cursor, serde_json::to_string(&json).expect("JSON")).await.expect("works");
    drop(store);
    let (well, said) = run(&["check", "--database", &address], &[]);
    assert!(well && said.contains("1 boards with 20 changes: all are whole."), "{said}");
    let other = "'00000000-0000-7000-8000-000000000009'";
    let alterations = [
        // The log.
        ("UPDATE log SET author = 'Eve' WHERE version = 3", "entry 3 does not fit the digest chain"),
        ("UPDATE log SET timestamp = 1 WHERE version = 3", "entry 3 does not fit the digest chain"),
        ("UPDATE log SET digest = repeat('0', 32) WHERE version = 3", "entry 3 does not fit the digest chain"),
        (
            "UPDATE log SET refusal = '{\"code\":\"x\",\"message\":\"\"}' WHERE version = 3",
            "entry 3 does not fit the digest chain",
        ),
        (
            "UPDATE log SET change = replace(change, '3', '4') WHERE version = 3",
            "entry 3 does not fit the digest chain",
        ),
        (&format!("UPDATE log SET id = {other} WHERE version = 3"), "entry 3 does not fit the digest chain"),
        ("UPDATE log SET change = '[{' WHERE version = 1", "the database failed"),
        ("DELETE FROM log WHERE version = 2", "19 ids for 20 entries"),
        ("DELETE FROM log WHERE version = 20", "its row says another end than its log has"),
        ("UPDATE log SET version = 21 WHERE version = 20", "its log ends at version 19"),
        (&format!("UPDATE log SET document = {other} WHERE version = 20"), "there are rows of it, but no such board"),
    ];
    let mut unnoticed = Vec::new();
    for (statement, expected) in alterations.into_iter().chain(BESIDE_THE_LOG) {
        let altered = cluster.copy(&address, statement).await;
        let (well, said) = run(&["check", "--database", &altered], &[]);
        if well || !said.contains(expected) {
            unnoticed.push(format!("{statement}: {said}"));
        }
    }
    assert!(unnoticed.is_empty(), "{}", unnoticed.join("\n"));
}

/// A copy of a folder with an altered database.
fn altered(folder: &Path, statement: &str) -> TempDir {
    let elsewhere = tempfile::tempdir().expect("a folder");
    let file = elsewhere.path().join(sqlite::FILE);
    std::fs::copy(folder.join(sqlite::FILE), &file).expect("copies");
    let database = rusqlite::Connection::open(&file).expect("opens");
    database.execute_batch("PRAGMA foreign_keys = OFF").expect("is set");
    database.execute_batch(statement).expect(statement);
    assert!(database.total_changes() > 0, "{statement}");
    elsewhere
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_copy_is_not_put_in_place_unless_that_is_wanted() {
    let (data, target) = (folder(), folder());
    database(data.path()).await;
    let broken =
        altered(data.path(), "UPDATE blocks SET entries = json_set(entries, '$[0].author', 'Eve') WHERE last = 3");
    let copy = broken.path().join(sqlite::FILE);
    let (well, said) = run(&["restore"], &[("", &data.path().join(sqlite::FILE)), ("--data", target.path())]);
    assert!(well && said.contains("1 boards with 20 changes"), "{said}");
    let before = std::fs::read(target.path().join(sqlite::FILE)).expect("is there");
    let (well, said) = run(&["restore"], &[("", &copy), ("--data", target.path())]);
    assert!(!well && said.contains("entry 3 does not fit") && said.contains("nothing has changed"), "{said}");
    assert!(std::fs::read(target.path().join(sqlite::FILE)).expect("is there") == before);
    let left: Vec<_> =
        std::fs::read_dir(target.path()).expect("is there").flatten().map(|file| file.file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("incoming")), "{left:?}");
    let (well, said) = run(&["restore", "--broken-too"], &[("", &copy), ("--data", target.path())]);
    assert!(well && said.contains("before-restore"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_that_was_altered_is_not_served() {
    let data = folder();
    database(data.path()).await;
    for statement in [
        "UPDATE snapshots SET json = replace(json, '1: 3', 'Eve was here')",
        "UPDATE snapshots SET json = replace(json, '1: 3', 'Eve was here'), hash = ''",
        "UPDATE snapshots SET version = 19",
        "UPDATE snapshots SET digest = printf('%032d', 1)",
        "UPDATE snapshots SET json = '{'",
    ] {
        let elsewhere = altered(data.path(), statement);
        let (board, cursor) = on_disk(elsewhere.path()).await;
        assert_eq!((board.lists.len(), cursor.version), (20, 20), "{statement}");
        assert!(board.lists.values().all(|list| list.title.starts_with("1: ")), "{statement}: {board:?}");
    }
}

/// As the program left it that had neither seals nor hashes.
const OLDER: &str = "ALTER TABLE documents DROP COLUMN seal; ALTER TABLE snapshots DROP COLUMN hash;
    UPDATE snapshots SET json = json; PRAGMA user_version = 4";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_an_older_program_is_read_and_so_is_a_copy_of_it() {
    let (data, target) = (folder(), folder());
    database(data.path()).await;
    let older = altered(data.path(), OLDER);
    let (well, said) = run(&["restore"], &[("", &older.path().join(sqlite::FILE)), ("--data", target.path())]);
    assert!(well && said.contains("1 boards with 20 changes: all are whole."), "{said}");
    let (board, cursor) = on_disk(older.path()).await;
    assert_eq!((board.lists.len(), cursor.version), (20, 20));
    let (well, said) = run(&["check"], &[("--data", older.path())]);
    assert!(well && said.contains("1 boards with 20 changes: all are whole."), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_board_goes_out_as_a_file_and_comes_in_as_another() {
    let data = folder();
    let running = Running::start(data.path());
    drop(planned(&running, 3).await);
    let (well, file) =
        run(&["export", &format!("http://{}/b/{}", running.address, key(1).as_str())], &[("--data", data.path())]);
    assert!(well, "{file}");
    let json: Value = serde_json::from_str(&file).expect("JSON");
    assert_eq!(json["format"], "sheetbend.board.v1");
    let (well, said) = run(&["export", "no-board"], &[("--data", data.path())]);
    assert!(!well && said.contains("there is no board \"no-board\""), "{said}");

    let path = data.path().join("board.json");
    std::fs::write(&path, file).expect("writes");
    let (well, said) = run(&["import"], &[("", &path), ("--data", data.path())]);
    assert!(!well && said.contains("another server"), "{said}");
    running.kill();
    let (well, said) = run(&["import"], &[("", &path), ("--data", data.path())]);
    let made = said.trim().strip_prefix("Made the board /b/").expect("says which");
    assert!(well && made.len() == 22, "{said}");
    let (well, again) = run(&["export", made], &[("--data", data.path())]);
    assert!(well, "{again}");
    let titles = |json: &str| {
        let json: Value = serde_json::from_str(json).expect("JSON");
        let lists = json["lists"].as_object().expect("lists");
        lists.values().map(|list| list["title"].to_string()).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(titles(&again), titles(&std::fs::read_to_string(&path).expect("reads")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn due_times_and_encodings_are_read_from_the_command_line_too() {
    let case = |file: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/import").join(file);
    let data = folder();
    let board = |file: &str, more: &[(&str, &Path)]| {
        let path = case(file);
        let (well, said) = run(&["import"], &[&[("", path.as_path()), ("--data", data.path())], more].concat());
        let made = said.lines().next().and_then(|line| line.strip_prefix("Made the board /b/")).expect("says which");
        let (exported, board) = run(&["export", made], &[("--data", data.path())]);
        assert!(well && exported, "{said}{board}");
        board
    };
    let zone = |name| board("trello-evening-due.json", &[("--time-zone", Path::new(name))]);
    // The two in America, the one in Tokyo, the one in Berlin.
    let days = |json: &str| ["2026-11-23", "2026-11-24", "2026-11-25"].map(|day| json.matches(day).count());
    assert_eq!(days(&zone("America/Los_Angeles")), [1, 3, 0]);
    assert_eq!(days(&zone("Asia/Tokyo")), [0, 1, 3]);
    assert!(board("utf16.md", &[]).contains("Brötchen"));
    assert!(board("windows-1252.md", &[]).contains("Käse – 2 Stück"));
    let (well, said) =
        run(&["import"], &[("", &case("utf16.md")), ("--data", data.path()), ("--time-zone", Path::new("Mars/Base"))]);
    assert!(!well && said.contains("no time zone \"Mars/Base\""), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_boards_move_to_postgres_and_go_on_there() {
    let Some(cluster) = cluster::shared().await else { return };
    let (data, address) = (folder(), cluster.database().await);
    let running = Running::start(data.path());
    let ada = planned(&running, 30).await;
    running.kill();
    for _ in 0..2 {
        let (well, said) = run(&["migrate", "--database", &address], &[("--data", data.path())]);
        assert!(well && said.contains("1 of 1: board"), "done twice, there once: {said}");
    }
    let (well, said) = run(&["check", "--database", &address], &[]);
    assert!(well && said.contains("1 boards with 30 changes"), "{said}");

    // She stays where she is; the boards are elsewhere.
    let mut serve = Command::new(PROGRAM);
    serve.args(["serve", "--listen", &running_address(&ada), "--database", &address]).current_dir(std::env::temp_dir());
    let _running = Running::run(&mut serve);
    let mut ada = ada;
    ada.edit(add_list(1, 31)).await;
    ada.session.retry_now();
    let view = agree(&mut [ada], 31).await;
    assert_eq!(view.document.lists.len(), 31);
}
