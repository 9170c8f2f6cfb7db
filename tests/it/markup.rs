//! Text that people type is text in every page that the server renders, whatever is in it.

use serde_json::{Value, json};
use sheetbend::board::{Change, import};
use sheetbend::sync::digest::Cursor;
use sheetbend::sync::id::uuid_v7;
use tempfile::TempDir;

use crate::support::boards::make_board_number;
use crate::support::http::ask;
use crate::support::ids::{change_id, key};
use crate::support::program::Running;
use crate::support::socket::Socket;

/// What ends an element, an attribute, a script or a comment, and begins another. Each has the word `hostile` where it would take effect.
const HOSTILE: [&str; 14] = [
    "</title><meta http-equiv=\"refresh\" content=\"0;url=//hostile\"><meta name=\"referrer\" content=\"unsafe-url\">",
    "</title><script>hostile()</script>",
    "<!--<script>hostile",
    "--><img src=x onerror=hostile>",
    "\" onmouseover=\"hostile\" x=\"",
    "' onmouseover='hostile' x='",
    "\" autofocus onfocus=hostile //",
    "</textarea><svg onload=hostile>",
    "</script><script>hostile//",
    "\\u003c/script>\\x3cscript>hostile",
    "\"}];hostile();[{\"",
    "&lt;/title&gt;&#60;script&#62;hostile",
    "]]><hostile xmlns=\"x\">\u{2028}\u{2029}",
    "<hostile\0\u{b}\u{c}\r\n\t/x=`hostile`>${hostile}",
];

/// A word that does no harm.
const HARMLESS: &str = "innocuous";

/// What an HTML parser sees: the names of all tags, each with the names of its attributes; and the text of scripts.
#[derive(Debug, Default, PartialEq)]
struct Markup {
    tags: Vec<(String, Vec<String>)>,
    scripts: Vec<String>,
    title: String,
}

impl Markup {
    /// Reads HTML as the standard's tokenizer does, as far as pages need it (WHATWG HTML §13.2.5).
    fn of(html: &str) -> Self {
        let mut markup = Self::default();
        let mut rest = html;
        while let Some(at) = rest.find('<') {
            rest = &rest[at + 1..];
            if let Some(comment) = rest.strip_prefix("!--") {
                // `-->` ends it, and so does `>` right at its beginning.
                rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
                continue;
            }
            let begins_a_tag = rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!' || c == '?');
            if !begins_a_tag {
                continue;
            }
            let (name, attributes, behind) = tag(rest);
            rest = behind;
            let raw = ["script", "style", "title", "textarea"].contains(&name.as_str());
            markup.tags.push((name.clone(), attributes));
            if raw {
                let end = rest.to_ascii_lowercase().find(&format!("</{name}")).unwrap_or(rest.len());
                match name.as_str() {
                    "script" => markup.scripts.push(rest[..end].to_owned()),
                    "title" => rest[..end].clone_into(&mut markup.title),
                    _ => {}
                }
                rest = &rest[end..];
            }
        }
        markup
    }
}

/// A tag's name, its attributes' names, and what is behind it.
fn tag(text: &str) -> (String, Vec<String>, &str) {
    let ends = |c: char| c.is_ascii_whitespace() || c == '>';
    let (name, mut rest) = text.split_at(text.find(ends).unwrap_or(text.len()));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            break;
        }
        if let Some(behind) = rest.strip_prefix('>') {
            rest = behind;
            break;
        }
        let end = rest[1..].find(|c: char| ends(c) || c == '=' || c == '/').map_or(rest.len(), |end| end + 1);
        attributes.push(rest[..end].to_owned());
        rest = rest[end..].trim_start();
        let Some(value) = rest.strip_prefix('=') else { continue };
        let value = value.trim_start();
        rest = match value.chars().next().filter(|quote| ['"', '\''].contains(quote)) {
            Some(quote) => value[1..].split_once(quote).map_or("", |(_, behind)| behind),
            None => &value[value.find(ends).unwrap_or(value.len())..],
        };
    }
    (name.trim_end_matches('/').to_owned(), attributes, rest)
}

/// The changes that put `text` wherever a board has text, with ids that follow from `board`.
fn everywhere(board: u8, text: &str) -> Vec<Value> {
    let id = |n: u64| uuid_v7(n, [board; 10]).to_string();
    let (list, away, card, archived) = (id(1), id(2), id(3), id(4));
    // A label has at most 40 characters: each part of a long one is a label.
    let characters: Vec<_> = text.chars().collect();
    let labels = characters.chunks(40).map(|part| part.iter().collect::<String>());
    let labels: Vec<_> = labels.filter(|label| !label.trim().is_empty()).collect();
    let mut changes = vec![
        json!({ "kind": "rename_board", "title": text }),
        json!({ "kind": "add_list", "list": list, "title": text, "position": "a0" }),
        json!({ "kind": "add_list", "list": away, "title": text, "position": "a1", "archived": true }),
        json!({ "kind": "add_card", "card": card, "list": list, "position": "a0", "title": text, "notes": text,
            "labels": labels, "due": "2026-11-24" }),
        json!({ "kind": "add_card", "card": archived, "list": list, "position": "a1", "title": text, "archived": true }),
        json!({ "kind": "rename_list", "list": list, "title": text }),
        json!({ "kind": "rename_card", "card": card, "title": text }),
        json!({ "kind": "edit_notes", "card": card, "from": text, "to": format!("{text}\n{text}") }),
    ];
    changes.extend(labels.iter().map(|label| json!({ "kind": "set_label", "card": card, "label": label, "on": true })));
    changes
}

/// The changes that a Trello export makes which has `text` in every field that is read.
fn imported(board: u8, text: &str) -> Vec<Value> {
    let label = text.chars().take(40).collect::<String>();
    let export = json!({
        "name": text, "desc": text,
        "lists": [{ "id": "l", "name": text, "closed": false, "pos": 1 }],
        "cards": [{ "id": "c", "idList": "l", "name": text, "desc": text, "pos": 1, "labels": [{ "name": label, "color": text }],
            "attachments": [{ "name": text, "url": text }] }],
        "checklists": [{ "idCard": "c", "name": text, "pos": 1, "checkItems": [{ "name": text, "state": "complete", "pos": 1 }] }],
        "actions": [],
    });
    let imported = import::read("board.json", export.to_string().as_bytes(), &|_| 0).expect("is a Trello board");
    let mut n = 0;
    let mut ids = || {
        n += 1;
        uuid_v7(n, [board; 10])
    };
    imported.into_changes(&mut ids).iter().map(|change: &Change| serde_json::to_value(change).expect("JSON")).collect()
}

/// Board `n` with these changes, by an author of the name `text`.
async fn make(running: &Running, n: u8, text: &str, changes: Vec<Value>) {
    make_board_number(running, n).await;
    let mut socket = Socket::connect(running.address).await;
    let request = json!({ "type": "sync_request", "key": key(n), "replica": uuid_v7(1, [n; 10]), "version": 0,
        "digest": Cursor::default().digest, "name": text });
    socket.say(request).await;
    assert_eq!(socket.hear().await["type"], "sync_response");
    let count = changes.len() as u64;
    let offered: Vec<_> =
        changes.iter().zip(1..).map(|(change, id)| json!({ "id": change_id(id), "change": change })).collect();
    socket.say(json!({ "type": "changes", "changes": offered })).await;
    let entries = socket.hear_up_to(count).await;
    let refused: Vec<_> = entries.iter().filter(|entry| !entry["refused"].is_null()).collect();
    assert!(refused.is_empty(), "{refused:?}");
}

async fn page(running: &Running, path: &str) -> String {
    let answer = ask(running.address, &format!("GET {path}"), &[("accept-encoding", "identity")], "").await;
    if answer.header("transfer-encoding") != "chunked" {
        return answer.body;
    }
    let (mut page, mut rest) = (String::new(), answer.body.as_str());
    while let Some((size, behind)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a chunk's size");
        page += &behind[..size];
        rest = &behind[size + 2..];
    }
    page
}

/// Whether a page has the markup of one with a harmless word, and nothing hostile that takes effect.
fn assert_same(found: &str, harmless: &str, text: &str) {
    let (found, harmless) = (Markup::of(found), Markup::of(harmless));
    for (tag, expected) in found.tags.iter().zip(&harmless.tags) {
        assert_eq!(tag, expected, "{text:?} made other markup");
    }
    assert_eq!(found.tags.len(), harmless.tags.len(), "{text:?} made more markup, or less");
    assert_eq!(found.scripts.len(), harmless.scripts.len(), "{text:?}");
    for script in &found.scripts {
        assert!(!script.contains("hostile") || !script.contains('<'), "{text:?} in a script: {script}");
    }
    assert!(!found.title.contains('<'), "{text:?} in the title: {}", found.title);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_of_every_field_is_text_in_every_page() {
    let data = TempDir::new().expect("a folder");
    let running = Running::start(data.path());
    let mut n = 0;
    for changes in [everywhere, imported] {
        for hostile in HOSTILE {
            // As many labels, so that the markup is the same.
            let harmless = HARMLESS.chars().cycle().take(hostile.chars().count()).collect::<String>();
            let mut pages = Vec::new();
            for text in [hostile, &harmless] {
                n += 1;
                make(&running, n, text, changes(n, text)).await;
                let (edit, view) = (key(n), key(n).view_key());
                pages.push([
                    page(&running, &format!("/b/{}", edit.as_str())).await,
                    page(&running, &format!("/b/{}", view.as_str())).await,
                ]);
            }
            for (found, expected) in pages[0].iter().zip(&pages[1]) {
                assert!(expected.contains(&harmless), "the text is in the page");
                assert!(found.contains("hostile"), "{hostile:?} is in the page");
                assert_same(found, expected, hostile);
            }
        }
    }
}

#[tokio::test]
async fn text_of_an_address_is_text_in_every_page() {
    let data = TempDir::new().expect("a folder");
    let running = Running::start(data.path());
    let percent = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    for path in ["/", "/?q=", "/b/", "/nothing/", "/b/AAAAAAAAAAAAAAAAAAAAAA/"] {
        let harmless = page(&running, &format!("{path}{HARMLESS}")).await;
        for hostile in HOSTILE {
            let found = page(&running, &format!("{path}{}", percent(hostile))).await;
            assert!(found.contains("<title>"), "{path} is a page: {found}");
            assert_same(&found, &harmless, hostile);
        }
    }
}

#[test]
fn markup_is_read_as_a_browser_reads_it() {
    let tags = |html: &str| Markup::of(html).tags.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(tags("<p a=\"<b>\">x < y</p><!-- <i> --><br/>"), ["p", "/p", "br"]);
    assert_eq!(tags("<title></title><meta x></title>"), ["title", "/title", "meta", "/title"]);
    assert_eq!(tags("<title>&lt;/title>&lt;meta x></title>"), ["title", "/title"]);
    assert_eq!(Markup::of("<a b c='d' e=f>").tags[0].1, ["b", "c", "e"]);
}
