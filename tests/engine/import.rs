//! Boards from files.

use proptest::prelude::*;
use sheetbend::board::import::{Import, ImportError, ImportedCard, ImportedList, MAX_BYTES, read};
use sheetbend::board::model::{MAX_LABEL, MAX_NOTES, MAX_TITLE};
use sheetbend::board::{Board, Change, Date, export};
use sheetbend::sync::document::Document;
use sheetbend::sync::message::Limits;
use uuid::Uuid;

use crate::boards::any_board;
use crate::trello::trello_board;

const TRELLO: &str = include_str!("../data/trello.json");
const TRIP: &str = include_str!("../data/trip.md");
const SHOPPING: &str = include_str!("../data/shopping.md");
const KANBAN: &str = include_str!("../data/kanban.md");
const LETTER: &str = include_str!("../data/letter.md");

/// The board that an import's changes make, each of which must pass every check on its way.
fn imported(import: Import) -> Board {
    let mut ids = 0;
    let changes = import.into_changes(&mut || {
        ids += 1;
        Uuid::from_u128(ids)
    });
    let mut board = Board::default();
    for change in &changes {
        assert!(serde_json::to_string(change).expect("JSON").len() <= Limits::default().change_bytes);
        Board::check(change).expect("within the limits");
        board.apply(change).expect("applies");
    }
    board
}

/// What a board holds, ids and positions apart.
fn contents(board: &Board) -> (String, Vec<ImportedList>) {
    let mut lists: Vec<_> = board.lists.iter().collect();
    lists.sort_by_key(|(id, list)| (list.position.clone(), **id));
    let lists = lists.into_iter().map(|(id, list)| {
        let mut cards: Vec<_> = board.cards.iter().filter(|(_, card)| card.list == *id).collect();
        cards.sort_by_key(|(id, card)| (card.position.clone(), **id));
        let cards = cards.into_iter().map(|(_, card)| ImportedCard {
            title: card.title.clone(),
            notes: card.notes.clone(),
            done: card.done,
            urgent: card.urgent,
            labels: card.labels.clone(),
            due: card.due,
            archived: card.archived,
        });
        ImportedList { title: list.title.clone(), archived: list.archived, cards: cards.collect() }
    });
    (board.title.clone(), lists.collect())
}

/// An import as lines of text.
fn shown(import: &Import) -> Vec<String> {
    let mut lines = vec![import.title.clone()];
    for list in &import.lists {
        lines.push(format!("{}{}", list.title, if list.archived { " (archived)" } else { "" }));
        for card in &list.cards {
            let mark = if card.done { "✓" } else { "-" };
            lines.push(format!("  {mark} {}{}", card.title, if card.archived { " (archived)" } else { "" }));
            lines.extend(card.notes.lines().map(|line| format!("    {line}")));
        }
    }
    lines
}

#[test]
fn a_trello_board_has_its_lists_and_cards_in_order() {
    let import = read("street-fair.json", TRELLO).expect("a board");
    let expected = "\
Street fair 2026
Ideas from last year (archived)
  - Fireworks
To do
  - Find volunteers ☀️
  - Permit for the street
    The office opens at 9.
    
    Bring the **plan** of the stalls.
    
    People to ask
    - [ ] Mr Okafor, fire brigade (due 2026-04-20)
    
    Papers
    - [x] Plan of the stalls
    - [ ] Insurance
Doing
  - Ask the bakery
    Price list: https://bakery.example/prices
Done
  ✓ Choose the date
  - Old poster (archived)
    Last year's colours.";
    assert_eq!(shown(&import).join("\n"), expected);
    let (permit, bakery) = (&import.lists[1].cards[1], &import.lists[2].cards[0]);
    assert_eq!(permit.due, Date::new(2026, 5, 4));
    assert_eq!(permit.labels.iter().collect::<Vec<_>>(), ["Money & permits"]);
    assert_eq!(bakery.labels.iter().collect::<Vec<_>>(), ["Food", "sky"]);
    assert_eq!(
        import.remarks,
        ["1 board description, 1 attachment, 2 comments, 3 member assignments, 1 custom field and 1 start date were \
          not imported."]
    );
    assert_eq!(contents(&imported(import.clone())), (import.title, import.lists));
}

#[test]
fn a_thousand_trello_cards_are_a_few_dozen_changes() {
    let import = read("big.json", &trello_board(12, 1_000)).expect("a board");
    assert_eq!((import.lists.len(), import.cards()), (12, 1_000));
    assert_eq!(import.lists[11].cards[0].title, "Card 12");
    assert_eq!(import.lists[0].cards[0].notes.lines().last(), Some("- [ ] second"));
    let changes = import.clone().into_changes(&mut Uuid::max);
    let imports = changes.iter().filter(|change| matches!(change, Change::ImportCards { .. })).count();
    assert_eq!(changes.len(), 1 + 12 + imports);
    assert!((10..=20).contains(&imports), "{imports}");
    assert_eq!(contents(&imported(import.clone())), (import.title, import.lists));
}

#[test]
fn a_markdown_checklist_has_its_headings_as_lists() {
    let import = read("trip.md", TRIP).expect("a checklist");
    let expected = "\
Trip to the coast
Before
  - Book the ferry
    The 09:40, with bicycles.
    - [x] compare prices
    - [ ] print the tickets
  ✓ Ask Mia to water the plants
  - Charge the lamps
Pack
  - Tent
  - Stove
    and two gas bottles
  - Maps
On the way
  - Bread
  - Cheese";
    assert_eq!(shown(&import).join("\n"), expected);
    assert_eq!(import.remarks, ["1 line of text that belongs to no card was not imported."]);
}

#[test]
fn a_checklist_from_windows_is_named_after_its_file() {
    let import = read("shopping.md", SHOPPING).expect("a checklist");
    let expected = ["shopping", "To do", "  - Milk", "  ✓ Eggs", "    twelve", "  - Bread"];
    assert_eq!(shown(&import), expected);
}

#[test]
fn a_kanban_note_is_a_checklist() {
    let import = read("talk.md", KANBAN).expect("a checklist");
    let titles: Vec<_> = import.lists.iter().map(|list| (list.title.as_str(), list.cards.len())).collect();
    assert_eq!(titles, [("Ideas", 2), ("Done", 1), ("Archive", 1)]);
    assert_eq!(import.lists[0].cards[1].notes, "see #diagram");
}

#[test]
fn what_a_file_is_does_not_hang_on_its_name() {
    for name in ["export.json", "export.txt", "export", "Ex.Port"] {
        assert_eq!(read(name, TRELLO).expect("a board").title, "Street fair 2026", "{name}");
    }
    for name in ["trip.md", "trip.markdown", "TRIP.MD", "trip.txt", "trip"] {
        assert_eq!(read(name, TRIP).expect("a checklist").title, "Trip to the coast", "{name}");
    }
}

/// The sentence that a file is answered with.
fn refusal(name: &str, text: &str) -> String {
    read(name, text).expect_err("no board").to_string()
}

#[test]
fn a_file_that_is_neither_is_told_why() {
    let accepted = "Choose a board exported from Sheetbend or from Trello (a .json file), or a Markdown checklist.";
    for (name, text, why) in [
        ("a.md", "", "This file is empty."),
        ("a.md", "\u{feff} \r\n", "This file is empty."),
        ("a.json", "{\"lists\": [\n  oops", "This file is no valid JSON: expected value at line 2, column 3."),
        ("a.json", "# Trip", "This file is no valid JSON: expected value at line 1, column 1."),
        ("a.json", "[1, 2]", "This JSON file is no board: it has no \"lists\"."),
        ("a.json", "\"lists\"", "This JSON file is no board: it has no \"lists\"."),
        ("a.json", "{\"cards\": []}", "This JSON file is no board: it has no \"lists\"."),
        ("a.json", "{\"lists\": []}", "This JSON file is no board: it has no \"cards\"."),
        ("a.json", "{\"format\": 3, \"lists\": []}", "This JSON file is no board: it has no \"cards\"."),
        (
            "letter.md",
            LETTER,
            "No card was found in this file: a Markdown checklist has lines like \"- [ ] Buy milk\".",
        ),
    ] {
        assert_eq!(refusal(name, text), format!("{why} {accepted}"), "{text:?}");
    }
    assert_eq!(
        refusal("a.json", "{\"lists\": [],\n \"cards\": [{\"name\": 7}]}"),
        "This looks like a board exported from Trello, but something in it cannot be read: invalid type: integer `7`, \
         expected a string at line 2, column 21. Export it again; if that does not help, the file was changed or is of \
         a newer version."
    );
    assert_eq!(
        refusal("a.json", "{\"format\": \"sheetbend.board.v7\"}"),
        "This board was exported from a newer Sheetbend (\"sheetbend.board.v7\"). Reload the page to get it, then try \
         again."
    );
    assert_eq!(
        refusal("a.txt", &"x".repeat(MAX_BYTES + 1)),
        "This file is too big: 33 MB, at most 32. Export a smaller part, or split it."
    );
    assert_eq!(
        refusal("a.md", &"- card\n".repeat(20_001)),
        "This file has 20001 cards; a board holds at most 20000. Split it over several boards."
    );
    assert_eq!(
        refusal("a.md", &"## List\n- card\n".repeat(501)),
        "This file has 501 lists; a board holds at most 500. Split it over several boards."
    );
}

#[test]
fn what_is_over_the_limits_is_kept() {
    let (title, label) = ("t".repeat(MAX_TITLE + 1), "l".repeat(MAX_LABEL + 1));
    let notes = "word ".repeat(MAX_NOTES / 5 + 1);
    let file = serde_json::json!({
        "name": "Long", "lists": [{ "id": "1", "name": title }],
        "cards": [{ "idList": "1", "name": title, "desc": notes, "labels": [{ "name": label }] }],
    });
    let import = read("long.json", &file.to_string()).expect("a board");
    let cards = &import.lists[0].cards;
    let words: String = cards.iter().map(|card| card.notes.as_str()).collect();
    assert_eq!(words, format!("Labels: {label}\n\n{title}\n\n{}", notes.trim_end()));
    assert_eq!(cards.len(), 2);
    assert!(cards[1].title.ends_with("… (2)"));
    assert_eq!(import.remarks.len(), 4);
    assert!(import.remarks[0].ends_with(&format!("In full: {title}")), "{}", import.remarks[0]);
    imported(import);
}

#[test]
fn cards_without_a_list_get_one() {
    let file = r#"{"lists":[{"id":"1","name":"A"}],"cards":[{"idList":"2","name":"lost"},{"name":"too"}]}"#;
    let import = read("a.json", file).expect("a board");
    assert_eq!(shown(&import), ["a", "A", "Cards without a list", "  - lost", "  - too"]);
    assert_eq!(import.remarks, ["2 cards had no list; see \"Cards without a list\"."]);
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "(\\PC|[-*#\\[\\]x \t\r\n`~=.0-9{}\":,]){0,200}"]
}

fn any_import() -> impl Strategy<Value = Import> {
    let labels = proptest::collection::btree_set("[a-z]{1,5}", 0..3);
    let card = ("\\PC{0,9}", "\\PC{0,30}", any::<[bool; 3]>(), labels).prop_map(
        |(title, notes, [done, urgent, archived], labels)| ImportedCard {
            title,
            notes,
            done,
            urgent,
            labels,
            due: None,
            archived,
        },
    );
    let list = ("\\PC{0,9}", any::<bool>(), proptest::collection::vec(card, 0..130))
        .prop_map(|(title, archived, cards)| ImportedList { title, archived, cards });
    ("\\PC{0,9}", proptest::collection::vec(list, 0..5)).prop_map(|(title, lists)| Import {
        title,
        lists,
        remarks: Vec::new(),
    })
}

/// A valid file with some of its text cut out, doubled, or exchanged for something else.
fn mutated() -> impl Strategy<Value = (&'static str, String)> {
    let file = prop_oneof![
        Just(("a.json", TRELLO.to_owned())),
        any_board().prop_map(|board| ("b.json", export::to_json(&board))),
        Just(("c.md", TRIP.to_owned())),
        Just(("d.md", KANBAN.to_owned())),
        Just(("e.md", SHOPPING.to_owned())),
    ];
    let cut = (any::<prop::sample::Index>(), 0_usize..60, 0_usize..3, "(\\PC|[\\[\\]{}\":,\n\t]){0,6}");
    (file, proptest::collection::vec(cut, 1..4)).prop_map(|((name, mut text), cuts)| {
        for (at, length, times, other) in cuts {
            let start = text.floor_char_boundary(at.index(text.len() + 1));
            let end = text.floor_char_boundary((start + length).min(text.len()));
            let piece = format!("{}{other}", text[start..end].repeat(times));
            text.replace_range(start..end, &piece);
        }
        (name, text)
    })
}

fn read_and_import(name: &str, text: &str) {
    match read(name, text) {
        Ok(import) => {
            let expected = (import.title.clone(), import.lists.clone());
            assert_eq!(contents(&imported(import)), expected);
        }
        Err(ImportError::NotJson { line, .. }) => assert!(line >= 1),
        Err(error) => assert!(error.to_string().ends_with('.')),
    }
}

proptest! {
    // Hundreds of cards a case: few cases will do.
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn an_import_is_on_the_board_as_it_was_in_the_file(import in any_import()) {
        let expected = (import.title.clone(), import.lists.clone());
        prop_assert_eq!(contents(&imported(import)), expected);
    }
}

proptest! {
    #[test]
    fn our_own_export_comes_back_whole(board in any_board()) {
        let import = read("board.json", &export::to_json(&board)).expect("our own");
        prop_assert_eq!(&import.remarks, &Vec::<String>::new());
        prop_assert_eq!(contents(&imported(import)), contents(&board));
    }

    #[test]
    fn no_text_makes_it_panic(name in "[a-z]{0,3}(\\.(md|json|txt))?", text in any_text()) {
        read_and_import(&name, &text);
    }

    #[test]
    fn no_spoilt_file_makes_it_panic((name, text) in mutated()) {
        read_and_import(name, &text);
    }
}
