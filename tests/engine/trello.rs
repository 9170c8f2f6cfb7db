//! Trello exports of any size; `end2end/support/trello.ts` makes the same.

use serde_json::{Value, json};

/// A board's JSON as Trello exports it, with `cards` cards spread evenly over `lists` lists.
pub(crate) fn trello_board(lists: usize, cards: usize) -> String {
    let board = json!({
        "id": id(0), "name": "A big board", "desc": "", "closed": false, "url": "https://trello.com/b/aB3dE6gH/a-big-board",
        "prefs": { "permissionLevel": "private", "background": "blue" }, "labelNames": { "green": "", "red": "Bug" },
        "actions": [], "members": [], "memberships": [], "customFields": [], "pluginData": [],
        "lists": (0..lists).map(list).collect::<Vec<_>>(),
        "cards": (0..cards).map(|n| card(n, lists)).collect::<Vec<_>>(),
        "checklists": (0..cards).filter(|n| n.is_multiple_of(10)).map(checklist).collect::<Vec<_>>(),
    });
    board.to_string()
}

/// 24 hexadecimal digits, as MongoDB makes them.
fn id(n: usize) -> String {
    format!("65b3f0c1{n:016x}")
}

fn list_id(n: usize) -> String {
    id(1_000_000 + n)
}

fn card_id(n: usize) -> String {
    id(2_000_000 + n)
}

fn list(n: usize) -> Value {
    json!({
        "id": list_id(n), "name": format!("List {}", n + 1), "closed": false, "idBoard": id(0), "pos": 16384 * (n + 1),
        "subscribed": false, "softLimit": null,
    })
}

fn card(n: usize, lists: usize) -> Value {
    let labels = match n % 4 {
        0 => json!([{ "id": id(7), "idBoard": id(0), "name": "Bug", "color": "red" }]),
        1 => json!([{ "id": id(8), "idBoard": id(0), "name": "", "color": "green" }]),
        _ => json!([]),
    };
    json!({
        "id": card_id(n), "idList": list_id(n % lists), "idBoard": id(0), "idShort": n + 1, "name": format!("Card {}", n + 1),
        "desc": description(n),
        "closed": n % 50 == 49, "pos": 16384.5 * (n / lists + 1) as f64, "labels": labels,
        "due": due(n), "dueComplete": n.is_multiple_of(10),
        "idMembers": [], "idChecklists": n.is_multiple_of(10).then(|| id(3_000_000 + n)).as_slice(),
        "attachments": [], "customFieldItems": [], "badges": { "comments": 0, "attachments": 0 }, "cover": { "color": null },
        "shortUrl": format!("https://trello.com/c/{n:08}"),
    })
}

fn description(n: usize) -> String {
    if !n.is_multiple_of(3) {
        return String::new();
    }
    format!("What there is to say about card {}.\n\nIn two paragraphs.", n + 1)
}

fn due(n: usize) -> Option<String> {
    n.is_multiple_of(5).then(|| format!("2026-{:02}-{:02}T12:00:00.000Z", n % 12 + 1, n % 28 + 1))
}

fn checklist(n: usize) -> Value {
    let item = |id_of: usize, name: &str, pos: u32, state: &str| json!({ "id": id(id_of + n), "name": name, "pos": pos, "state": state });
    json!({
        "id": id(3_000_000 + n), "idCard": card_id(n), "idBoard": id(0), "name": "Steps", "pos": 16384,
        "checkItems": [
            item(4_000_000, "second", 34_000, "incomplete"),
            item(5_000_000, "first", 17_000, "complete"),
        ],
    })
}
