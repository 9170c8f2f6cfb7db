//! Copies, checks, boards in and out: the program's commands, as an operator gives them.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use sheetbend::server::store::sqlite;
use tempfile::TempDir;

use crate::support::boards::{add_list, make_board};
use crate::support::cluster;
use crate::support::ids::key;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_says_what_is_broken_and_where() {
    let data = folder();
    let running = Running::start(data.path());
    drop(planned(&running, 5).await);
    let (well, said) = run(&["check"], &[("--data", data.path())]);
    assert!(well && said.contains("1 boards with 5 changes: all are whole."), "also while it is served: {said}");
    running.kill();
    let database = rusqlite::Connection::open(data.path().join(sqlite::FILE)).expect("opens");
    let broken = |statement: &str, expected: &str| {
        let damage = database.unchecked_transaction().expect("begins");
        damage.execute_batch(statement).expect("damages");
        damage.commit().expect("commits");
        let (well, said) = run(&["check"], &[("--data", data.path())]);
        assert!(!well && said.contains(expected) && said.contains("1 of 1 boards are broken"), "{statement}: {said}");
    };
    // As when they came one by one, and the server has moved them.
    database
        .execute_batch(
            "INSERT INTO blocks (document, last, ids, entries)
                 SELECT document, value ->> 'version', unhex(replace(value ->> 'id', '-', '')), '[' || value || ']'
                 FROM journal, json_each(entries);
             UPDATE documents SET (version, digest) = (SELECT max(last), entries ->> '$[#-1].digest' FROM journal);
             DELETE FROM journal",
        )
        .expect("moves");
    let (well, said) = run(&["check"], &[("--data", data.path())]);
    assert!(well && said.contains("1 boards with 5 changes: all are whole."), "{said}");
    broken("UPDATE documents SET version = 4", "its log ends at version 4, and should at 4");
    broken(
        "UPDATE documents SET version = 5; DELETE FROM blocks WHERE last = 5",
        "its log ends at version 4, and should at 5",
    );
    broken(
        "UPDATE blocks SET entries = json_set(entries, '$[0].author', 'Eve') WHERE last = 3",
        "entry 3 does not fit the digest chain",
    );
    broken("DELETE FROM blocks WHERE last = 2", "entry 3 came after version 1");
    broken("UPDATE blocks SET entries = '[{' WHERE last = 1", "the database failed");
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
