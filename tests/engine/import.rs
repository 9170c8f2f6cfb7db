//! Boards from files.

use proptest::prelude::*;
use sheetbend::board::import::{self, Format, Import, ImportError, ImportedCard, ImportedList, MAX_BYTES};
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

/// Reads a text in UTC.
fn read(name: &str, text: &str) -> Result<Import, ImportError> {
    import::read(name, text.as_bytes(), &|_| 0)
}

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
    Members: Ada Quist, Ben Otieno
  - Permit for the street
    The office opens at 9.
    
    Bring the **plan** of the stalls.
    
    People to ask
    - [ ] Mr Okafor, fire brigade (due 2026-04-20)
    
    Papers
    - [x] Plan of the stalls
    - [ ] Insurance
    
    Members: Ada Quist
    
    Comments
    
    Ada Quist, 2 Mar 2026: They want it on paper.
Doing
  - Ask the bakery
    Price list: https://bakery.example/prices
    File: cake.png (https://trello.com/1/cards/65b3/attachments/65b4/download/cake.png)
    Start: 1 Mar 2026
    
    Comments
    
    Ada Quist, 2 Mar 2026: 200 rolls are fine 🥐
Done
  ✓ Choose the date
  - Old poster (archived)
    Last year's colours.
    
    Custom field: 3
Not imported
  - Not imported
    The board's description:
    
    Everything for the fair on 13 June.";
    assert_eq!(shown(&import).join("\n"), expected);
    let (permit, bakery) = (&import.lists[1].cards[1], &import.lists[2].cards[0]);
    assert_eq!(permit.due, Date::new(2026, 5, 4));
    assert_eq!(permit.labels.iter().collect::<Vec<_>>(), ["Money & permits"]);
    assert_eq!(bakery.labels.iter().collect::<Vec<_>>(), ["Food", "sky"]);
    assert_eq!(
        import.remarks,
        [
            "3 member assignments, 2 comments, 1 start date and 1 custom field are in the notes of their cards.",
            "1 file was not imported: it stays in Trello. Its name is in the notes of its card.",
            "Text that belongs to no card is in the card \"Not imported\".",
        ]
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
  - Cheese
Not imported
  - Not imported
    Text that belongs to no card:
    
    Things to do before we leave on Friday.";
    assert_eq!(shown(&import).join("\n"), expected);
    assert_eq!(import.remarks, ["Text that belongs to no card is in the card \"Not imported\"."]);
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
    let lists: Vec<_> =
        import.lists.iter().map(|list| (list.title.as_str(), list.cards.len(), list.archived)).collect();
    assert_eq!(lists, [("Ideas", 2, false), ("Done", 1, false), ("Archive", 1, true)]);
    assert_eq!(import.lists[0].cards[1].notes, "see #diagram");
}

/// A file that failed once.
fn case(name: &str) -> Vec<u8> {
    std::fs::read(format!("tests/data/import/{name}")).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn read_case(name: &str) -> Import {
    import::read(name, &case(name), &|_| 0).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn due_times_are_days_of_the_person_who_imports() {
    let due = |hours: i32| {
        let file = case("trello-evening-due.json");
        let import = import::read("a.json", &file, &|_| hours * 60).expect("a board");
        import.lists[0].cards.iter().map(|card| card.due.expect("a day").to_string()).collect::<Vec<_>>()
    };
    assert_eq!(due(-8)[0], "2026-11-24", "Los Angeles");
    assert_eq!(due(-5)[1], "2026-11-24", "New York");
    assert_eq!(due(9)[2], "2026-11-24", "Tokyo");
    assert_eq!(due(1)[3], "2026-11-25", "Berlin");
}

#[test]
fn fences_and_rules_swallow_no_cards() {
    let expected =
        ["Release", "To do", "  - Bump the version", "    ```npm version minor```", "  - Tag it", "  - Publish"];
    let shown_case = |name| shown(&read_case(name));
    assert_eq!(shown_case("md-inline-fence.md")[..6], expected);
    assert_eq!(shown_case("md-inline-fence.md")[6..], ["Done", "  ✓ Write the notes"]);
    let expected = [
        "Release",
        "To do",
        "  - make all",
        "    ```sh",
        "    make all",
        "    ```",
        "  - Tag it",
        "Done",
        "  ✓ Write the notes",
    ];
    assert_eq!(shown_case("md-fence-in-item.md"), expected);
    let expected = ["md-rule-first", "Monday", "  - Call the harbour", "  - Order paint", "Tuesday", "  - Paint"];
    assert_eq!(shown_case("md-rule-first.md"), expected);
}

#[test]
fn a_kanban_note_has_dates_and_an_archive() {
    let import = read_case("obsidian-dates.md");
    let expected = [
        "obsidian-dates",
        "To do",
        "  - Book the ferry 09:40 #trip",
        "  - First line",
        "    second line",
        "Done",
        "  ✓ Choose the date",
        "Archive (archived)",
        "  ✓ 2026-09-01 10:15 Old plan",
        "  ✓ Older plan",
    ];
    assert_eq!(shown(&import), expected);
    assert_eq!(import.lists[0].cards[0].due, Date::new(2026, 11, 24));
    assert_eq!(import.lists[1].cards[0].due, Date::new(2026, 10, 2));
    assert_eq!(import.remarks, Vec::<String>::new());
}

#[test]
fn encodings_are_read_or_refused_with_the_reason() {
    assert_eq!(shown(&read_case("utf16.md")), ["Einkauf", "Heute", "  - Käse", "  ✓ Brötchen"]);
    assert_eq!(shown(&read_case("utf16.json")), ["Grüße", "A", "  - Über"]);
    let import = read_case("windows-1252.md");
    assert_eq!(shown(&import), ["Einkauf", "Heute", "  - Käse – 2 Stück", "  ✓ Brötchen 3 €"]);
    assert!(import.remarks[0].contains("Windows-1252"), "{:?}", import.remarks);
    let greek = import::read("a.md", b"- \xc3\xfc\xeb\xe1", &|_| 0).expect_err("Greek").to_string();
    assert!(greek.contains("neither UTF-8") && greek.contains("Save it again as UTF-8"), "{greek}");
}

#[test]
fn a_board_of_wekan_has_its_lists_cards_and_comments() {
    let import = read_case("wekan-export.json");
    let expected = [
        "Harbour fair",
        "To do",
        "  - Buy rope",
        "    12 mm, 40 m",
        "    ",
        "    Steps",
        "    - [x] Measure",
        "    - [ ] Order",
        "    ",
        "    Members: Ada",
        "    ",
        "    Comments",
        "    ",
        "    Ada: In blue, please.",
        "  - Ask the band",
        "Done",
        "  ✓ Choose the date",
        "    Ended: 1 Sep 2026",
        "Last year (archived)",
        "  - Fireworks (archived)",
    ];
    assert_eq!(shown(&import), expected);
    assert_eq!(import.format, Format::Wekan);
    let rope = &import.lists[0].cards[0];
    assert_eq!(rope.due, Date::new(2026, 11, 24));
    assert_eq!(rope.labels.iter().collect::<Vec<_>>(), ["Food", "red"]);
}

#[test]
fn a_board_of_deck_has_its_stacks() {
    let file = r#"{"version": "1.11.0", "boards": {"188": {"id": 188, "title": "Fair", "labels": [], "stacks": {
        "65": {"id": 65, "title": "Done", "order": 2, "deletedAt": 0, "cards": []},
        "64": {"id": 64, "title": "To do", "order": 1, "cards": [
            {"title": "Second", "order": 2, "archived": false, "done": null, "duedate": null},
            {"title": "First", "description": "Text", "order": 1, "archived": true, "done": "2023-07-18T10:00:00+00:00",
             "duedate": "2026-07-24T22:00:00+00:00", "labels": [{"title": "L2", "color": "31CC7C"}], "attachments": [{}],
             "assignedUsers": [{"participant": {"uid": "ada", "displayname": "Ada"}}]}]}}}}}"#;
    let import = import::read("deck.json", file.as_bytes(), &|_| 120).expect("a board");
    let expected = [
        "Fair",
        "To do",
        "  ✓ First (archived)",
        "    Text",
        "    ",
        "    Assigned to: Ada",
        "    1 file in Nextcloud",
        "  - Second",
        "Done",
    ];
    assert_eq!(shown(&import), expected);
    let first = &import.lists[0].cards[0];
    assert_eq!((first.due, first.labels.len()), (Date::new(2026, 7, 25), 1));
    assert_eq!(import.format, Format::Deck);
    let one = r#"{"title": "Alone", "stacks": [{"title": "A", "cards": [{"title": "x"}]}]}"#;
    assert_eq!(shown(&read("one.json", one).expect("a board")), ["Alone", "A", "  - x"]);
}

#[test]
fn a_table_and_plain_text_make_a_card_of_each_row_and_line() {
    let import = read("shopping.csv", "Milk;2 l\nBread\n").expect("a table");
    assert_eq!(
        (shown(&import), import.format),
        (["shopping", "To do", "  - Milk", "    2 l", "  - Bread"].map(str::to_owned).into(), Format::Table)
    );
    let import = read_case("paste-40-lines.txt");
    assert_eq!((import.cards(), import.format), (40, Format::Lines));
    assert_eq!(import.lists[0].cards[39].title, "Item number 40 of the list that came by e-mail");
    let import = read("letter.txt", LETTER).expect("lines");
    assert_eq!(import.format, Format::Lines);
    let todoist = "TYPE,CONTENT,INDENT\nsection,Boat,\ntask,Paint,1\n";
    let import = read("Boat.csv", todoist).expect("a project");
    assert_eq!(
        (shown(&import), import.format),
        (["Boat", "Boat", "  - Paint"].map(str::to_owned).into(), Format::Todoist)
    );
}

#[test]
fn a_checklist_that_is_in_the_file_twice_is_imported_once() {
    let checklist = r#"{"id": "k", "idCard": "c", "name": "Steps", "checkItems": [{"name": "a"}]}"#;
    let file = format!(
        r#"{{"lists": [{{"id": "1", "name": "A"}}], "checklists": [{checklist}],
            "cards": [{{"id": "c", "idList": "1", "name": "x", "checklists": [{checklist}]}}]}}"#
    );
    let import = read("api.json", &file).expect("a board");
    assert_eq!(import.lists[0].cards[0].notes, "Steps\n- [ ] a");
}

#[test]
fn what_belongs_to_no_card_in_the_file_stays() {
    let file = r#"{"lists": [{"id": "1", "name": "A"}], "cards": [{"id": "c", "idList": "1", "name": "x"}],
        "checklists": [{"id": "k", "idCard": "gone", "name": "Steps", "checkItems": [{"name": "a"}]}],
        "actions": [{"type": "commentCard", "data": {"text": "Lost?", "card": {"id": "gone"}}}]}"#;
    let import = read("a.json", file).expect("a board");
    let notes = &import.lists[1].cards[0].notes;
    assert!(notes.contains("- [ ] a") && notes.contains("Lost?"), "{notes}");
}

/// Files that would take long, or much memory, if something in them were not bounded. Each is half a megabyte.
#[test]
fn hostile_files_are_answered_in_bounded_time() {
    let many = |piece: &str| piece.repeat(512 * 1024 / piece.len());
    let long = "n".repeat(200_000);
    let members = format!(
        r#"{{"lists":[{{"id":"1"}}],"members":[{{"id":"m","fullName":"{long}"}}],"cards":[{{"idList":"1","idMembers":[{}"m"]}}]}}"#,
        r#""m","#.repeat(100_000)
    );
    for (name, text) in [
        ("nested.json", many("[")),
        ("objects.json", format!("{{\"lists\":[],\"cards\":[{}{{}}]}}", many("{},"))),
        ("lists.json", format!("{{\"cards\":[],\"lists\":[{}{{}}]}}", many("{},"))),
        ("members.json", members),
        ("notes.json", format!(r#"{{"lists":[{{"id":"1"}}],"cards":[{{"idList":"1","desc":"{}"}}]}}"#, many("word "))),
        ("fences.md", format!("- a\n{}", many("```\nb\n````\n"))),
        ("fences2.md", format!("- a\n{}", many("~~~x\n```y\n"))),
        ("settings.md", format!("- a\n{}", many("%% kanban:settings\n"))),
        ("front.md", format!("---\n{}", many("a: b\n"))),
        ("items.md", many("- a\n")),
        ("empty.md", many("-\n")),
        ("headings.md", many("# a\n- b\n")),
        ("blank.md", format!("- a\n{}", many("\n"))),
        ("tabs.md", format!("- a\n{}x", many("\t"))),
        ("lines.txt", many("a\n")),
        ("line.txt", many("a ")),
        ("quotes.csv", many("\"\"\"a\n")),
        ("cells.csv", many("\",\"")),
        ("head.csv", format!("Title,{long}\n{}", "a,b\n".repeat(10_000))),
        ("numbers.txt", many("1. ")),
    ] {
        let start = std::time::Instant::now();
        match read(name, &text) {
            Ok(import) => assert!(
                import.lists.iter().flat_map(|list| &list.cards).map(|card| card.notes.len()).sum::<usize>() < 1 << 28
            ),
            Err(error) => assert!(error.to_string().len() < 1_000, "{name}"),
        }
        // Generous, for a debug build on a busy machine. What is quadratic takes hours.
        assert!(start.elapsed().as_secs() < 60, "{name}: {:?}", start.elapsed());
    }
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
    let accepted = "Choose a board exported from Sheetbend, Trello, WeKan, Nextcloud Deck or Todoist, a Markdown checklist, a \
                    table (.csv), or plain text (.txt), of which each line makes a card.";
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
            "a.json",
            "{\"lists\": [{\"id\": 1, \"title\": \"A\"}], \"cards\": [{\"id\": 1, \"title\": \"x\", \"list\": 1}]}",
            "This JSON file has lists and cards, but none of the programs that are known wrote it.",
        ),
        (
            "a.json",
            "{\"lists\": [{\"id\": \"1\", \"name\": \"A\"}], \"cards\": [{\"name\": \"x\", \"list\": \"1\"}]}",
            "This JSON file has lists and cards, but none of the programs that are known wrote it.",
        ),
        ("a.csv", "Title,Notes\n", "No row was found in this table."),
        (
            "a.xlsx",
            "PK\u{3}\u{4}...",
            "This file is no text, but a ZIP archive or an Office document (.xlsx, .docx, .ods). Unpack it, or save it as CSV.",
        ),
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
        ..Import::default()
    })
}

/// A valid file with some of its text cut out, doubled, or exchanged for something else.
fn mutated() -> impl Strategy<Value = (&'static str, String)> {
    let file = prop_oneof![
        Just(("a.json", TRELLO.to_owned())),
        Just(("w.json", String::from_utf8(case("wekan-export.json")).expect("UTF-8"))),
        Just(("o.md", String::from_utf8(case("obsidian-dates.md")).expect("UTF-8"))),
        Just(("t.csv", "TYPE,CONTENT,INDENT,DATE\nsection,A,,\ntask,\"b @c\",1,2026-11-24\nnote,d,,\n".to_owned())),
        Just(("l.csv", "Title,List,Due,\"Other \"\"x\"\"\"\na,b,2026-11-24,d\n".to_owned())),
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
    fn no_text_makes_it_panic(name in "[a-z]{0,3}(\\.(md|json|txt|csv))?", text in any_text()) {
        read_and_import(&name, &text);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), offset in any::<i32>()) {
        let _ = import::read("a", &bytes, &|_| offset);
    }

    #[test]
    fn no_spoilt_file_makes_it_panic((name, text) in mutated()) {
        read_and_import(name, &text);
    }
}
