//! One client, frame by frame. What must hold after every event is checked by the harness.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use sheetbend::board::model::{MAX_NOTES, MAX_TITLE};
use sheetbend::board::position::Position;
use sheetbend::board::{Board, Card, Change, ListId};
use sheetbend::sync::client::{Connection, Effect, Event};
use sheetbend::sync::document::size_of;
use sheetbend::sync::id::ChangeId;
use sheetbend::sync::link::{Loss, SocketId};
use sheetbend::sync::message::{Access, ByeCode, Limits};
use sheetbend::sync::network::{Answer, Network};
use sheetbend::sync::outbox::{Kept, Mark};
use uuid::Uuid;

use crate::boards::{any_change, card, small_changes};
use crate::harness::{World, made_up};

fn one() -> World<Board> {
    World::live(1, small_changes())
}

fn renamed(title: &str) -> Change {
    Change::RenameCard { card: card(1), title: title.to_owned() }
}

fn title_of(world: &World<Board>) -> &str {
    &world.view(0).cards[&card(1)].title
}

fn socket(world: &World<Board>) -> SocketId {
    world.person(0).line.as_ref().expect("connected").socket
}

/// How many changes each frame of the last event carries.
fn batches(world: &World<Board>) -> Vec<usize> {
    let size = |frame: &&str| frame.matches("\"kind\":").count();
    world.person(0).sent().iter().map(size).filter(|size| *size > 0).collect()
}

#[test]
fn an_edit_is_kept_before_it_is_shown_and_shown_before_it_is_sent() {
    let mut world = one();
    let id = world.edit(0, renamed("A")).expect("admitted");
    let person = world.person(0);
    let [Effect::Keep(kept), Effect::ViewChanged, Effect::Send(..), Effect::StatusChanged, Effect::Marked(_)] =
        &person.effects[..]
    else {
        panic!("in this order: {:?}", person.effects);
    };
    assert_eq!(kept.id, id);
    assert_eq!(title_of(&world), "A");

    world.cut(0);
    world.edit(0, renamed("B")).expect("admitted");
    let effects = &world.person(0).effects;
    assert!(
        matches!(effects[..], [Effect::Keep(_), Effect::ViewChanged, Effect::StatusChanged, Effect::Marked(_)]),
        "{effects:?}"
    );
}

fn is_saved(world: &World<Board>, id: ChangeId) -> bool {
    world.person(0).effects.iter().any(|effect| matches!(effect, Effect::Saved(confirmed) if confirmed.kept.id == id))
}

#[test]
fn what_the_log_has_need_not_be_kept() {
    let mut world = one();
    let id = world.edit(0, renamed("A")).expect("admitted");
    assert_eq!(world.person(0).client.status().pending, 1);
    world.deliver_all(0);
    assert!(is_saved(&world, id));
    assert_eq!(world.person(0).client.status().pending, 0);
}

#[test]
fn a_repeat_alters_nothing() {
    let mut world = one();
    world.edit(0, renamed("A")).expect("admitted");
    world.deliver_up(0);
    let line = world.people[0].line.as_mut().expect("connected");
    let frame = line.down[0].clone();
    line.down.extend([frame.clone(), frame]);
    world.deliver_down(0);
    let (document, cursor) = world.person(0).client.confirmed();
    let before = (document.clone(), cursor);
    world.deliver_all(0);
    assert_eq!(world.person(0).client.confirmed(), (&before.0, before.1));
    assert!(
        matches!(world.person(0).effects[..], [Effect::ViewChanged]),
        "nothing else: {:?}",
        world.person(0).effects
    );
    assert_eq!(world.person(0).client.status().connection, Connection::Live);
}

#[test]
fn a_change_that_comes_twice_is_made_once() {
    let mut world = one();
    world.cut(0);
    let from = world.view(0).cards[&card(1)].notes.clone();
    let to = format!("{from} and eggs");
    world.edit(0, Change::EditNotes { card: card(1), from, to: to.clone() }).expect("admitted");
    let kept = world.person(0).device.values().next().expect("one").clone();
    world.feed(0, Event::Edit(kept));
    assert_eq!(world.view(0).cards[&card(1)].notes, to);
    world.settle();
    assert_eq!(world.view(0).cards[&card(1)].notes, to);
}

#[test]
fn a_change_that_was_made_before_others_is_shown_below_them() {
    let mut world = one();
    world.cut(0);
    let early = world.people[0].ids.next(1, [0; 10]);
    world.edit(0, renamed("late")).expect("admitted");
    // As from another tab, whose message took its time.
    world.feed(0, Event::Edit(Kept::new(early, renamed("early"), 1)));
    assert_eq!(title_of(&world), "late");
    world.settle();
    assert_eq!(title_of(&world), "late");
}

#[test]
fn a_gap_is_noticed_and_healed() {
    let mut world = one();
    let version = world.server.cursor().version;
    let gap = made_up::<Board>(version + 2, &serde_json::to_string(&renamed("A")).expect("JSON"));
    world.feed(0, Event::Received(socket(&world), gap));
    let status = world.person(0).client.status();
    assert!(matches!(status.connection, Connection::Waiting { why: Loss::Unreadable, .. }), "{status:?}");
    assert_eq!((title_of(&world), status.version), ("Card 1", version));
    world.settle();
}

#[test]
fn text_that_is_no_message_is_noticed_and_a_message_of_a_new_type_is_ignored() {
    let mut world = one();
    world.feed(0, Event::Received(socket(&world), r#"{"type":"fireworks","size":3}"#.to_owned()));
    assert_eq!((&world.person(0).effects[..], world.person(0).client.status().connection), (&[][..], Connection::Live));
    for text in ["", "{", "[]", r#"{"type":"committed"}"#] {
        world.feed(0, Event::Received(socket(&world), text.to_owned()));
        let status = world.person(0).client.status();
        assert!(matches!(status.connection, Connection::Waiting { why: Loss::Unreadable, .. }), "{text:?}: {status:?}");
        world.settle();
    }
}

/// Changes that this program cannot follow: of a kind that it does not know, or that do not apply here.
#[test]
fn a_change_of_a_newer_program_stops_the_client_and_its_outbox_is_kept() {
    let nowhere = serde_json::to_string(&Change::SetDone { card: card(77), done: true }).expect("JSON");
    for change in [r#"{"kind":"fireworks"}"#, "7", &nowhere] {
        let mut world = one();
        world.edit(0, renamed("A")).expect("admitted");
        let next = made_up::<Board>(world.server.cursor().version + 1, change);
        world.feed(0, Event::Received(socket(&world), next));
        let status = world.person(0).client.status();
        assert_eq!((status.connection, status.pending), (Connection::Outdated, 1), "{change}");
        assert_eq!((title_of(&world), world.person(0).device.len()), ("A", 1));
        world.feed(0, Event::Nudge);
        assert!(world.person(0).effects.is_empty(), "a nudge does not help");
        world.edit(0, renamed("B")).expect("goes on offline");
        world.settle();
        assert_eq!(title_of(&world), "B");
    }
}

#[test]
fn a_refused_change_of_a_newer_program_is_passed_over() {
    let mut world = one();
    let frames = world.server.log_unknown(r#"{"kind":"fireworks"}"#);
    world.send_down(frames);
    world.deliver_all(0);
    assert_eq!(world.person(0).client.status().version, world.server.cursor().version);
    world.settle();
}

#[test]
fn changes_of_others_are_told_and_own_ones_are_not() {
    let mut world: World<Board> = World::live(2, small_changes());
    world.edit(0, renamed("Mine")).expect("admitted");
    world.edit(1, Change::SetDone { card: card(1), done: true }).expect("admitted");
    let told = |effects: &[Effect<Board>]| {
        let remote = effects.iter().filter_map(|effect| match effect {
            Effect::Remote(changes) => Some(changes.clone()),
            _ => None,
        });
        remote.flatten().collect::<Vec<_>>()
    };
    let mut heard = Vec::new();
    assert!(world.deliver_up(0) && world.deliver_up(1));
    while world.deliver_down(0) {
        heard.extend(told(&world.person(0).effects));
    }
    assert_eq!(heard, [Change::SetDone { card: card(1), done: true }]);
}

#[test]
fn a_refused_change_waits_for_its_author() {
    let mut world = one();
    let id = world.edit(0, Change::SetDone { card: card(77), done: true }).expect("admitted: the card may come");
    world.deliver_all(0);
    let person = world.person(0);
    let [
        Effect::Keep(kept),
        Effect::Refused(told),
        Effect::ViewChanged,
        Effect::Heard(_),
        Effect::StatusChanged,
        Effect::AttentionChanged,
        Effect::Marked(marked),
    ] = &person.effects[..]
    else {
        panic!("in this order: {:?}", person.effects);
    };
    assert_eq!((kept, kept.id), (told, id));
    assert!(marked.iter().all(|entity| person.client.outbox().mark(*entity) == Mark::Refused), "{marked:?}");
    let code = told.refused.as_ref().map(|refusal| refusal.code.as_ref());
    assert_eq!(code, Some("no_such_card"));
    assert_eq!((person.client.status().pending, person.client.status().attention), (0, 1));

    world.reload(0);
    world.settle();
    assert_eq!(world.person(0).client.status().attention, 1, "also after a reload");
    assert_eq!(world.server.log().iter().filter(|record| record.id == id).count(), 1, "it is not sent again");

    world.feed(0, Event::Discard(id));
    let effects = &world.person(0).effects;
    let [Effect::Forget(gone), Effect::StatusChanged, Effect::AttentionChanged, Effect::Marked(_)] = &effects[..]
    else {
        panic!("in this order: {effects:?}");
    };
    assert_eq!(*gone, id);
    world.feed(0, Event::Discard(id));
    assert!(world.person(0).effects.is_empty(), "once");
}

/// One change that was set aside here turns out to be saved, and another is rejected: there is one as before, and it is another.
#[test]
fn rejected_changes_that_take_each_others_place_are_told() {
    let mut world = World::<Board>::live(2, small_changes());
    let suspect = renamed("Suspect");
    let aside = world.edit(0, suspect.clone()).expect("admitted");
    while world.person(0).client.status().attention == 0 {
        world.feed(0, Event::Closed(socket(&world), ByeCode::ServerError.close_code()));
        world.feed(0, Event::Nudge);
        world.open(0);
        // The answer to its `sync_request`, and nothing that it sends then.
        world.deliver_up(0);
        world.deliver_down(0);
    }
    let nowhere = Change::SetDone { card: card(77), done: true };
    let rejected = world.edit(0, nowhere.clone()).expect("admitted");
    // Both come from elsewhere, as from a file that was exported.
    let changes = [(aside, suspect), (rejected, nowhere)].map(|(id, change)| json!({ "id": id, "change": change }));
    let frame = json!({ "type": "changes", "changes": changes }).to_string();
    world.people[1].line.as_mut().expect("live").up.push_back(frame);
    world.deliver_up(1);
    world.deliver_down(0);
    let person = world.person(0);
    let attention: Vec<_> = person.client.outbox().attention().map(|kept| kept.id).collect();
    assert_eq!((attention, person.client.status().pending), (vec![rejected], 0));
    assert!(person.effects.contains(&Effect::AttentionChanged), "{:?}", person.effects);
}

#[test]
fn a_frame_that_was_lost_is_sent_again_when_a_later_one_is_confirmed() {
    let mut world = one();
    let lost = world.edit(0, renamed("Lost")).expect("admitted");
    world.people[0].line.as_mut().expect("live").up.clear();
    world.edit(0, Change::SetDone { card: card(2), done: true }).expect("admitted");
    world.deliver_up(0);
    world.deliver_down(0);
    assert_eq!(batches(&world), [1], "at once, and without a new line");
    world.deliver_all(0);
    assert!(is_saved(&world, lost));
    assert_eq!(world.person(0).client.status().pending, 0);
    world.settle();
}

#[test]
fn changes_of_one_frame_are_not_taken_for_a_gap() {
    let mut world = one();
    world.cut(0);
    for title in ["A", "B", "C"] {
        world.edit(0, renamed(title)).expect("admitted");
        world.edit(0, Change::SetDone { card: card(2), done: title == "B" }).expect("admitted");
    }
    world.feed(0, Event::Nudge);
    world.open(0);
    world.deliver_up(0);
    world.deliver_down(0);
    assert_eq!(batches(&world).len(), 1);
    world.deliver_up(0);
    while world.deliver_down(0) {
        assert!(batches(&world).is_empty(), "nothing is sent twice");
    }
    assert_eq!(world.person(0).client.status().pending, 0);
}

/// centrifuge-js and others wait for a new line with it.
#[test]
fn the_last_frame_that_was_lost_is_sent_again_on_a_line_that_answers() {
    let mut world = one();
    let lost = world.edit(0, renamed("Lost")).expect("admitted");
    world.people[0].line.as_mut().expect("live").up.clear();
    let line = socket(&world);
    let sent_at = world.now;
    while !is_saved(&world, lost) {
        world.wait(Duration::from_secs(1));
        world.deliver_all(0);
        assert!(world.now.since(sent_at) <= Duration::from_secs(11), "a ping after 5 s, then 5 s more");
    }
    assert_eq!(socket(&world), line, "the line was never given up");
}

#[test]
fn a_snapshot_leaves_pending_changes_on_top_and_a_repeat_settles_them() {
    let mut world = one();
    let logged = world.edit(0, renamed("logged")).expect("admitted");
    world.deliver_up(0);
    // The server has it, and the line is cut before the answer is there.
    world.cut(0);
    let pending = world.edit(0, renamed("pending")).expect("admitted");
    let others = (0..20).map(|n| Change::SetDone { card: card(2), done: n % 2 == 0 });
    let _ = world.server.log_changes(others);
    world.feed(0, Event::Nudge);
    world.open(0);
    world.deliver_up(0);
    let answer = &world.person(0).line.as_ref().expect("connected").down[0];
    assert!(answer.contains(r#""snapshot":{"#), "far behind: {answer}");
    world.deliver_down(0);
    assert_eq!((title_of(&world), world.person(0).client.status().pending), ("pending", 2));
    assert_eq!(batches(&world), [2], "both are sent again");
    world.deliver_up(0);
    world.deliver_down(0);
    assert!(is_saved(&world, logged), "a repeat settles the first");
    world.deliver_down(0);
    assert!(is_saved(&world, pending));
    world.settle();
    assert_eq!(title_of(&world), "pending");
}

#[test]
fn an_answer_that_comes_twice_does_not_turn_back_time() {
    let mut world = World::<Board>::new(1, small_changes());
    world.server.horizon = 0;
    world.feed(0, Event::Start);
    world.open(0);
    world.deliver_up(0);
    let answer = world.person(0).line.as_ref().expect("connected").down[0].clone();
    world.deliver_all(0);
    world.edit(0, renamed("A")).expect("admitted");
    world.deliver_all(0);
    world.feed(0, Event::Received(socket(&world), answer));
    assert_eq!(title_of(&world), "A");
    assert_eq!(world.person(0).client.status().version, world.server.cursor().version);
}

#[test]
fn a_view_key_admits_nothing_and_sends_nothing() {
    let mut world = one();
    world.cut(0);
    world.edit(0, renamed("A")).expect("it was an edit key");
    world.access = Access::View;
    world.settle();
    let status = world.person(0).client.status();
    assert_eq!((status.access, status.pending, title_of(&world)), (Access::View, 1, "A"), "kept and shown");
    let refusal = world.edit(0, renamed("B")).expect_err("view only");
    assert_eq!(refusal.code, "view_only");
    assert_eq!(world.person(0).device.len(), 1);
}

fn noted_card(notes: String) -> Card {
    Card { notes, ..Card::new(ListId(Uuid::from_u128(1)), Position::default(), "A card") }
}

/// Issue 17: notes of 24 kB of quotes could be written, and then not be edited.
#[test]
fn notes_as_long_as_they_may_be_can_be_edited_whatever_is_in_them() {
    let mut world = one();
    let mut from = world.view(0).cards[&card(1)].notes.clone();
    // Quotes take two bytes in JSON, control characters six.
    for letter in ["買", "\"", "\u{1}", "\u{2}"] {
        let to = letter.repeat(MAX_NOTES / letter.len());
        let change = Change::EditNotes { card: card(1), from, to: to.clone() };
        assert!(size_of(&change) <= Limits::default().change_bytes, "{letter:?}");
        world.edit(0, change).expect("is admitted");
        world.settle();
        assert!(world.view(0).cards[&card(1)].notes == to && world.server.document().cards[&card(1)].notes == to);
        from = to;
    }
    assert_eq!(world.person(0).client.status().pending, 0, "all are saved");
    let longer = Change::EditNotes { card: card(1), from: from.clone(), to: from + "." };
    assert_eq!(world.edit(0, longer).expect_err("a byte more").code, "notes_too_long");
}

#[test]
fn what_can_never_be_accepted_is_not_queued() {
    let mut world = one();
    let wide =
        Change::ImportCards { cards: (100..120).map(|n| (card(n), noted_card("x".repeat(MAX_NOTES)))).collect() };
    assert_eq!(world.edit(0, wide).expect_err("640 kB of JSON").code, "too_large");
    assert_eq!(world.edit(0, renamed(&"x".repeat(MAX_TITLE + 1))).expect_err("long").code, "title_too_long");
    assert_eq!((world.person(0).client.status().pending, world.person(0).device.len()), (0, 0));

    world.server.limits.change_bytes = 100;
    world.cut(0);
    world.settle();
    assert_eq!(world.edit(0, renamed(&"x".repeat(90))).expect_err("the server's limit counts").code, "too_large");
}

#[test]
fn what_was_on_a_lost_line_is_sent_again_in_order() {
    let mut world = one();
    for title in ["A", "B", "C"] {
        world.edit(0, renamed(title)).expect("admitted");
    }
    world.cut(0);
    world.edit(0, renamed("D")).expect("admitted");
    assert_eq!(world.server.cursor().version, 5, "nothing got through");
    world.feed(0, Event::Nudge);
    world.open(0);
    world.deliver_up(0);
    world.deliver_down(0);
    assert_eq!(batches(&world), [4], "one frame, and {:?}", world.person(0).sent());
    world.settle();
    let titles: Vec<_> = world.server.log()[5..].iter().map(|record| record.change.get()).collect();
    assert_eq!(titles.len(), 4);
    assert!(["A", "B", "C", "D"].iter().zip(titles).all(|(title, text)| text.contains(&format!("\"{title}\""))));
}

#[test]
fn an_old_socket_changes_nothing() {
    let mut world = one();
    let old = socket(&world);
    world.cut(0);
    world.settle();
    assert_ne!(old, socket(&world));
    world.edit(0, renamed("mine")).expect("admitted");
    let next =
        made_up::<Board>(world.server.cursor().version + 1, &serde_json::to_string(&renamed("A")).expect("JSON"));
    let bye = r#"{"type":"bye","code":"unknown_key","message":"","retry":"never"}"#.to_owned();
    let late = [
        Event::Received(old, next),
        Event::Received(old, bye),
        Event::Received(old, "{".to_owned()),
        Event::Opened(old),
        Event::Closed(old, ByeCode::UnknownKey.close_code()),
        Event::Closed(old, 1006),
    ];
    for event in late {
        world.feed(0, event.clone());
        assert!(world.person(0).effects.is_empty(), "{event:?}: {:?}", world.person(0).effects);
    }
    assert_eq!(world.person(0).client.status().connection, Connection::Live);
    world.deliver_all(0);
    assert_eq!(title_of(&world), "mine");
}

#[test]
fn no_more_is_under_way_than_the_window_holds() {
    let mut world = one();
    world.server.limits.in_flight_changes = 2;
    world.cut(0);
    for n in 0..5 {
        let (list, title) = (ListId(Uuid::from_u128(n)), n.to_string());
        let added = Change::AddList { list, title, position: Position::default(), archived: false };
        world.edit(0, added).expect("admitted");
    }
    world.feed(0, Event::Nudge);
    world.open(0);
    let mut sizes = Vec::new();
    while world.deliver_up(0) || world.deliver_down(0) {
        sizes.extend(batches(&world));
        world.people[0].effects.clear();
    }
    assert_eq!(sizes, [2, 2, 1]);
    world.settle();
}

#[test]
fn a_change_that_is_wider_than_the_window_goes_alone() {
    let mut world = one();
    world.server.limits = Limits { in_flight_bytes: 100, ..Limits::default() };
    world.cut(0);
    world.edit(0, renamed("short")).expect("admitted");
    world.edit(0, renamed(&"x".repeat(200))).expect("admitted");
    world.edit(0, renamed("last")).expect("admitted");
    world.settle();
    assert_eq!(title_of(&world), "last");
}

#[test]
fn a_ping_is_answered() {
    let mut world = one();
    world.feed(0, Event::Received(socket(&world), r#"{"type":"ping","nonce":41}"#.to_owned()));
    assert_eq!(world.person(0).sent(), [r#"{"type":"pong","nonce":41}"#]);
}

#[test]
fn a_stopped_client_keeps_what_it_has_and_can_start_again() {
    let mut world = one();
    world.edit(0, renamed("A")).expect("admitted");
    world.feed(0, Event::Stop);
    let status = world.person(0).client.status();
    assert_eq!((status.connection, status.pending), (Connection::Off, 1));
    assert_eq!(world.person(0).client.deadline(), None);
    world.settle();
    assert_eq!(title_of(&world), "A");
}

proptest! {
    /// Whatever a server, or something in its place, sends: the client goes on and keeps what it has.
    #[test]
    fn no_frame_makes_it_panic(text in "\\PC{0,60}", change in any_change(), version in 0_u64..12, mine: bool) {
        let mut world = one();
        if mine {
            world.edit(0, renamed("A")).expect("admitted");
        }
        let held = world.person(0).device.clone();
        let socket = socket(&world);
        let person = &mut world.people[0];
        let change = serde_json::to_string(&change).expect("JSON");
        for frame in [made_up::<Board>(version, &change), text] {
            person.client.handle(Event::Received(socket, frame), world.now);
        }
        prop_assert_eq!(person.client.status().pending, held.len());
    }
}

#[test]
fn offline_the_link_is_held_and_online_it_tries_at_once() {
    let mut world = one();
    world.feed(0, Event::Hint { online: false });
    assert_eq!(world.person(0).client.status().network, Network::Offline);
    world.cut(0);
    assert!(matches!(world.person(0).client.status().connection, Connection::Suspended { .. }));
    world.edit(0, renamed("made in the dark")).expect("admitted");
    world.wait(Duration::from_secs(60));
    assert!(world.person(0).line.is_none(), "nothing is tried");
    world.feed(0, Event::Hint { online: true });
    assert!(world.person(0).line.is_some(), "at once");
    world.settle();
    assert_eq!(title_of(&world), "made in the dark");
}

/// Attempts in a tunnel: each hangs, and each is waited for longer than the one before.
fn hanging(world: &mut World<Board>) {
    world.cut(0);
    while world.person(0).client.status().connection != (Connection::Connecting { attempt: 4 }) {
        let due = world.person(0).client.deadline().expect("goes on");
        world.wait(due.since(world.now));
        world.go_silent(0);
    }
}

#[test]
fn an_attempt_that_hangs_is_not_waited_for_when_the_network_is_back_or_a_person_retries() {
    let back: [fn(&mut World<Board>); 4] = [
        |world| world.feed(0, Event::Hint { online: true }),
        |world| world.feed(0, Event::Visible(true)),
        |world| world.feed(0, Event::Start),
        |world| {
            let probe = *world.person(0).probes.last().expect("asks whether the server is there");
            world.feed(0, Event::Probed(probe, Answer::Echoed));
        },
    ];
    for back in back {
        let mut world = one();
        world.edit(0, renamed("made in the tunnel")).expect("admitted");
        hanging(&mut world);
        // A probe is under way by then.
        world.wait(Duration::from_secs(32));
        assert_eq!(world.person(0).client.status().connection, Connection::Connecting { attempt: 4 });
        back(&mut world);
        world.deliver_all(0);
        assert_eq!(world.person(0).client.status().connection, Connection::Live, "at once");
        assert_eq!(title_of(&world), "made in the tunnel");
    }
}

#[test]
fn a_false_offline_is_found_out_by_a_probe() {
    let mut world = one();
    world.cut(0);
    world.feed(0, Event::Hint { online: false });
    let probe = world.person(0).probes[0];
    world.feed(0, Event::Probed(probe, Answer::Echoed));
    assert_eq!(world.person(0).client.status().network, Network::Online);
    assert!(world.person(0).line.is_some(), "it goes on");
}

#[test]
fn a_page_that_nobody_sees_tries_only_when_it_has_something_to_send() {
    let mut world = one();
    world.feed(0, Event::Visible(false));
    world.cut(0);
    assert!(matches!(world.person(0).client.status().connection, Connection::Suspended { .. }));
    world.edit(0, renamed("from behind")).expect("admitted");
    assert!(world.person(0).line.is_some(), "an outbox with changes tries");

    world.settle();
    world.feed(0, Event::Visible(false));
    world.cut(0);
    world.feed(0, Event::Visible(true));
    assert!(world.person(0).line.is_some(), "seen again, it tries");
}

#[test]
fn nothing_but_a_look_wakes_a_page_that_nobody_sees_and_that_has_nothing_to_send() {
    let mut world = one();
    world.feed(0, Event::Visible(false));
    world.wait(Duration::from_secs(10));
    assert_eq!(world.person(0).client.status().connection, Connection::Live, "it keeps its socket");
    world.cut(0);
    assert_eq!(world.person(0).client.deadline(), None, "no timer: neither attempts nor probes");
    for event in [Event::Nudge, Event::Hint { online: false }, Event::Hint { online: true }] {
        world.feed(0, event);
        assert!(world.person(0).line.is_none());
    }
    let probe = *world.person(0).probes.last().expect("asked once, for the hint");
    world.feed(0, Event::Probed(probe, Answer::Echoed));
    assert!(world.person(0).line.is_none());
    world.feed(0, Event::Visible(true));
    assert!(world.person(0).line.is_some(), "at once");

    let mut retried = one();
    retried.feed(0, Event::Visible(false));
    retried.cut(0);
    retried.feed(0, Event::Start);
    assert!(retried.person(0).line.is_some(), "a person's retry is one");
}

#[test]
fn a_device_that_slept_asks_its_line_first() {
    let mut world = one();
    world.wait(Duration::from_secs(3_600));
    let sent = world.person(0).sent();
    assert!(matches!(&sent[..], [ping] if ping.contains(r#""type":"ping""#)), "{sent:?}");
    let line = socket(&world);
    world.deliver_all(0);
    world.wait(Duration::from_secs(4));
    assert_eq!((world.person(0).client.status().connection, socket(&world)), (Connection::Live, line));

    world.go_silent(0);
    world.wait(Duration::from_secs(3_600));
    world.wait(Duration::from_secs(3));
    let connection = world.person(0).client.status().connection;
    assert!(matches!(connection, Connection::Waiting { why: Loss::Silent, .. }), "{connection:?}");
}

/// socket.io 4888, cht-core 8093, livestore 980: a server that was restored from a backup.
#[test]
fn what_a_restored_server_has_lost_is_offered_again() {
    let mut world = one();
    world.settle();
    let backup = world.server.clone();
    let id = world.edit(0, renamed("after the backup")).expect("admitted");
    world.settle();
    assert!(world.person(0).retained.iter().any(|confirmed| confirmed.kept.id == id));

    world.restore(backup);
    // It has gone on since, past where this person was: the version alone would not tell.
    let others = (0..40).map(|n| Change::SetDone { card: card(2), done: n % 2 == 0 });
    let _ = world.server.log_changes(others);
    world.settle();
    assert_eq!(title_of(&world), "after the backup");
    assert_eq!(world.server.log().iter().filter(|record| record.id == id).count(), 1);
}

#[test]
fn a_change_that_waits_can_be_discarded_and_one_on_its_way_cannot() {
    let mut world = one();
    let sent = world.edit(0, renamed("Sent")).expect("admitted");
    world.feed(0, Event::Discard(sent));
    assert!(world.person(0).effects.is_empty(), "the server may have it by now");
    assert_eq!(title_of(&world), "Sent");

    world.cut(0);
    let waits = world.edit(0, Change::SetUrgent { card: card(1), urgent: true }).expect("admitted");
    world.feed(0, Event::Discard(waits));
    let effects = &world.person(0).effects;
    let [Effect::Forget(gone), Effect::ViewChanged, Effect::StatusChanged, Effect::Marked(marked)] = &effects[..]
    else {
        panic!("in this order: {effects:?}");
    };
    assert_eq!(*gone, waits);
    assert_eq!(world.person(0).client.outbox().mark(card(1).0), Mark::Kept, "the other change waits still");
    assert!(marked.contains(&card(1).0));
    assert!(!world.view(0).cards[&card(1)].urgent);

    world.settle();
    assert!(world.server.log().iter().all(|record| record.id != waits), "it is never sent");
    assert_eq!(world.person(0).client.outbox().mark(card(1).0), Mark::Saved);
}

#[test]
fn the_line_is_measured_by_a_ping_and_its_answer() {
    let mut world = one();
    world.feed(0, Event::Measure);
    let [Effect::Send(socket, ping)] = &world.person(0).effects[..] else {
        panic!("{:?}", world.person(0).effects);
    };
    let (socket, nonce) = (*socket, serde_json::from_str::<serde_json::Value>(ping).expect("JSON")["nonce"].clone());
    let pong = |nonce: &serde_json::Value| serde_json::json!({"type": "pong", "nonce": nonce}).to_string();
    world.wait(Duration::from_millis(120));
    world.feed(0, Event::Received(socket, pong(&serde_json::json!(0))));
    assert!(world.person(0).effects.is_empty(), "an answer to something else is none");
    world.feed(0, Event::Received(socket, pong(&nonce)));
    assert_eq!(world.person(0).effects, [Effect::Measured(Duration::from_millis(120))]);
    world.feed(0, Event::Received(socket, pong(&nonce)));
    assert!(world.person(0).effects.is_empty(), "once");

    world.cut(0);
    world.feed(0, Event::Measure);
    assert!(world.person(0).effects.is_empty(), "there is no line to measure");
}
