//! The house keeps its shape: arrows between rooms point down only, the page carries no tokio, and the two places that
//! configure the site agree.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What each room may use of this crate, by `docs/architecture.md`. The first prefix that a file has counts.
const ROOMS: [(&str, &[&str]); 10] = [
    ("sync/", &["sync"]),
    ("board/", &["board", "sync::document"]),
    ("server/", &["server", "sync"]),
    ("native/", &["native", "sync"]),
    ("browser/", &["browser", "sync"]),
    (
        "ui/connection/",
        &[
            "sync",
            "browser",
            "ui::connection",
            "ui::toast",
            "ui::chosen_file",
            "ui::clipboard",
            "ui::clock",
            "ui::download",
            "ui::dynamic",
            "ui::icon",
            "ui::keys",
            "ui::reload",
            "ui::text",
        ],
    ),
    ("ui/toast/", &["sync", "ui::toast", "ui::clock", "ui::dynamic", "ui::icon", "ui::keys", "ui::text"]),
    // Server functions run on the server: the one door from the page to it.
    ("ui/api.rs", &["ui", "board", "sync", "server"]),
    ("ui/", &["ui", "board", "sync", "browser"]),
    ("", &["ui", "board", "sync", "browser", "server", "native", "cli"]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src is readable") {
        let path = entry.expect("src is readable").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// Paths into this crate that a source names outside comments, like `sync::document`.
fn uses(source: &str) -> BTreeSet<String> {
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut found = BTreeSet::new();
    for line in code {
        for (at, start) in line.match_indices("crate::") {
            let path = line[at + start.len()..]
                .split(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != ':');
            let path = path.into_iter().next().unwrap_or_default().trim_end_matches(':');
            // A macro is at the root, wherever it was written.
            if !line[at..].starts_with(&format!("crate::{path}!")) && !path.is_empty() {
                found.insert(path.to_owned());
            }
        }
    }
    found
}

fn wrong_arrows(file: &str, source: &str) -> Vec<String> {
    let (_, allowed) = ROOMS.iter().find(|(room, _)| file.starts_with(room)).expect("the last room takes every file");
    let may = |path: &String| allowed.iter().any(|room| path == room || path.starts_with(&format!("{room}::")));
    uses(source).into_iter().filter(|path| !may(path)).map(|path| format!("{file} uses crate::{path}")).collect()
}

/// `docs/testing.md` names a test for each fault of real use, and for each thing that others ran into. Each is there.
#[test]
fn every_test_that_the_documents_name_is_there() {
    let read = |path: &str| fs::read_to_string(root().join(path)).expect("the document is there");
    let document = read("docs/testing.md");
    let (_, table) = document.split_once("## Faults of real use").expect("the tables have a heading");
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    sources(&root().join("tests"), &mut files);
    let mut text: String = files.iter().map(|file| fs::read_to_string(file).expect("sources are text")).collect();
    for folder in ["end2end/tests", "end2end/browsers"] {
        for entry in fs::read_dir(root().join(folder)).expect("there are browser tests") {
            text.push_str(&fs::read_to_string(entry.expect("it is readable").path()).expect("sources are text"));
        }
    }
    let is_heading = |line: &str| line.starts_with("| fault |") || line.starts_with("| what happened |");
    let rows = table.lines().filter(|line| line.starts_with("| ") && !is_heading(line));
    let mut named = 0;
    for row in rows {
        let last = row.trim_end_matches('|').rsplit('|').next().expect("a row has cells");
        let tests: Vec<_> = last.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "no test is named: {row}");
        for test in tests {
            let name = test.rsplit("::").next().expect("a name has a last part");
            let found = text.contains(&format!("fn {name}(")) || text.contains(name);
            assert!(found, "there is no test {test}: {row}");
            named += 1;
        }
    }
    assert!(named >= 25, "a test for each row");
}

#[test]
fn arrows_between_rooms_point_down() {
    let src = root().join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    assert!(files.len() > 30, "it walks the sources: {}", files.len());
    let wrong: Vec<_> = files
        .iter()
        .flat_map(|path| {
            let file = path.strip_prefix(&src).expect("it is below src").to_string_lossy().into_owned();
            wrong_arrows(&file, &fs::read_to_string(path).expect("sources are readable"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_wrong_arrow_is_noticed() {
    assert_eq!(wrong_arrows("sync/link.rs", "use crate::board::Board;").len(), 1);
    assert_eq!(wrong_arrows("server/room.rs", "    let board: crate::board::Board;").len(), 1);
    assert_eq!(wrong_arrows("ui/home.rs", "use crate::server::Server;").len(), 1);
    assert_eq!(wrong_arrows("ui/connection/status.rs", "use crate::ui::board::x;").len(), 1);
    assert_eq!(
        wrong_arrows(
            "board/model.rs",
            "// use crate::ui::app;\ncrate::uuid_id! {}\nuse crate::sync::document::Document;"
        )
        .len(),
        0
    );
}

#[test]
fn the_page_carries_no_tokio() {
    let tree = |features: &str| {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let output = Command::new(cargo)
            .current_dir(root())
            .args(["tree", "--offline", "--edges", "normal", "--prefix", "none", "--target", "wasm32-unknown-unknown"])
            .args(["--no-default-features", "--features", features])
            .output()
            .expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let has = |tree: &str, name: &str| tree.lines().any(|line| line.split(' ').next() == Some(name));
    let page = tree("hydrate");
    assert!(has(&page, "leptos"), "it is the page's tree");
    for name in ["tokio", "axum", "rusqlite", "tokio-tungstenite"] {
        assert!(!has(&page, name), "{name} is in the page");
    }
    assert!(has(&tree("ssr"), "tokio"), "the server's tree has what the page's must not");
}

/// The keys of the table `[package.metadata.leptos]` as `key = value` lines.
fn leptos_table(text: &str) -> BTreeSet<(String, String)> {
    let table = text.split("[package.metadata.leptos]").nth(1).expect("the table is there");
    let lines = table.lines().take_while(|line| !line.starts_with('['));
    let pairs = lines.filter(|line| !line.trim_start().starts_with('#')).filter_map(|line| line.split_once('='));
    pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect()
}

#[test]
fn leptos_toml_says_what_cargo_toml_says() {
    let read = |name: &str| leptos_table(&fs::read_to_string(root().join(name)).expect("it is readable"));
    let (built, served) = (read("Cargo.toml"), read("Leptos.toml"));
    let only_served: Vec<_> = served.difference(&built).collect();
    assert_eq!(only_served, [&("env".to_owned(), "\"PROD\"".to_owned())], "all but the environment is the same");
    for key in ["output-name", "site-root", "site-pkg-dir", "site-addr", "hash-files"] {
        assert!(served.iter().any(|(other, _)| other == key), "the server needs {key}");
    }
}
