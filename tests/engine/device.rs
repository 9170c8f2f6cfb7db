//! One client and what its device keeps: recalled after a restart, shared with other tabs, sent by one of them.

use std::time::Duration;

use sheetbend::board::{Board, Change};
use sheetbend::sync::client::{
    Client, Connection, Effect, Event, Reading, Recalled, Settings, Start, Synchronized, Turn, Voice,
};
use sheetbend::sync::digest::Cursor;
use sheetbend::sync::id::{ChangeId, uuid_v7};
use sheetbend::sync::link::{Loss, SocketId};
use sheetbend::sync::message::{Access, ClientMessage, SyncRequest};
use sheetbend::sync::network::{Answer, Network};
use sheetbend::sync::outbox::Kept;
use sheetbend::sync::retained::Confirmed;
use sheetbend::sync::time::Moment;
use sheetbend::sync::transport::{self, Transport};
use uuid::Uuid;

use crate::boards::{card, small_changes};
use crate::harness::{Server, made_up, settings};

type Effects = Vec<Effect<Board>>;

/// A client whose frames the test carries itself.
struct Tab {
    client: Client<Board>,
    now: Moment,
    server: Server<Board>,
    session: u64,
}

fn kept(n: u64, title: &str) -> Kept<Change> {
    let change = Change::RenameCard { card: card(1), title: title.to_owned() };
    Kept::new(ChangeId(uuid_v7(n, [1; 10])), change, n)
}

fn at(version: u64, digest: &str) -> Cursor {
    Cursor { version, digest: digest.parse().expect("32 digits") }
}

const ELSEWHERE: &str = "0123456789abcdef0123456789abcdef";

impl Tab {
    fn new(voice: Voice, registered: bool) -> Self {
        let mut server = Server::<Board>::new();
        server.log_changes(small_changes());
        let settings = Settings { voice, transport: Some(transport::Settings::default()), ..settings(1) };
        let start = Start {
            document: server.document().clone(),
            cursor: server.cursor(),
            access: Access::Edit,
            kept: Vec::new(),
            registered,
        };
        Self { client: Client::new(settings, start), now: Moment::from_millis(1_000_000), server, session: 0 }
    }

    fn feed(&mut self, event: Event<Board>) -> Effects {
        self.client.handle(event, self.now)
    }

    /// Connects, and returns what was asked for and the effects of the answer.
    fn connect(&mut self) -> (SyncRequest, Effects) {
        let effects = self.feed(Event::Start);
        let socket = opened(&effects);
        self.go_live(socket)
    }

    fn go_live(&mut self, socket: SocketId) -> (SyncRequest, Effects) {
        let effects = self.feed(Event::Opened(socket));
        let frame = sent(&effects).pop().expect("a sync_request");
        let Ok(ClientMessage::SyncRequest(request)) = serde_json::from_str::<ClientMessage<Change>>(&frame) else {
            panic!("a sync_request: {frame}");
        };
        self.session = self.server.connect(Access::Edit);
        let mut effects = Vec::new();
        for (_, frame) in self.server.handle(self.session, &frame, 1) {
            effects.extend(self.feed(Event::Received(socket, frame)));
        }
        (request, effects)
    }

    fn live(voice: Voice) -> Self {
        let mut tab = Self::new(voice, true);
        tab.connect();
        tab
    }

    fn socket(&self) -> SocketId {
        assert_eq!(self.client.status().connection, Connection::Live);
        SocketId(1)
    }

    /// Time passes, and the server's heartbeat comes.
    fn wait(&mut self, seconds: u64) -> Effects {
        let mut effects = Vec::new();
        for _ in 0..seconds {
            self.now = self.now + Duration::from_secs(1);
            effects.extend(self.feed(Event::Wake));
            if self.client.status().connection == Connection::Live {
                let socket = self.socket();
                self.feed(Event::Received(socket, r#"{"type":"ping","nonce":1}"#.to_owned()));
            }
        }
        effects
    }
}

fn opened(effects: &Effects) -> SocketId {
    let open = effects.iter().find_map(|effect| match effect {
        Effect::Open(socket, _) => Some(*socket),
        _ => None,
    });
    open.unwrap_or_else(|| panic!("a socket is asked for: {effects:?}"))
}

fn sent(effects: &Effects) -> Vec<String> {
    let texts = effects.iter().filter_map(|effect| match effect {
        Effect::Send(_, text) => Some(text.clone()),
        _ => None,
    });
    texts.collect()
}

fn changes_sent(effects: &Effects) -> usize {
    sent(effects).iter().map(|text| text.matches("\"kind\":").count()).sum()
}

fn pings(effects: &Effects) -> Vec<u64> {
    let nonce = |text: &String| match serde_json::from_str::<ClientMessage<Change>>(text) {
        Ok(ClientMessage::Ping { nonce }) => Some(nonce),
        _ => None,
    };
    sent(effects).iter().filter_map(nonce).collect()
}

/// A proxy refuses WebSockets, and a content blocker takes the probes.
#[test]
fn where_sockets_and_probes_are_blocked_http_is_tried_all_the_same() {
    let mut tab = Tab::new(Voice::Sole, true);
    let mut effects = tab.feed(Event::Start);
    let mut attempts = Vec::new();
    for _ in 0..60 {
        for effect in std::mem::take(&mut effects) {
            match effect {
                Effect::Open(socket, transport) => {
                    attempts.push(transport);
                    match transport {
                        Transport::WebSocket => effects.extend(tab.feed(Event::Closed(socket, 1006))),
                        Transport::Http => drop(tab.go_live(socket)),
                    }
                }
                Effect::Probe(probe) => effects.extend(tab.feed(Event::Probed(probe, Answer::Failed))),
                _ => {}
            }
        }
        tab.now = tab.now + Duration::from_secs(1);
        if tab.client.status().connection == Connection::Live {
            break;
        }
        effects.extend(tab.feed(Event::Wake));
    }
    let status = tab.client.status();
    assert_eq!(
        (status.connection, status.network, status.transport),
        (Connection::Live, Network::Online, Transport::Http)
    );
    assert_eq!(attempts, [Transport::WebSocket, Transport::WebSocket, Transport::WebSocket, Transport::Http]);
    assert!(tab.feed(Event::Wake).contains(&Effect::TryWebSocket), "the server may just have been back");
}

/// A WebSocket that is taken and never opened, as by some proxies.
#[test]
fn who_retries_where_websockets_hang_gets_a_line_over_http() {
    let mut tab = Tab::new(Voice::Sole, true);
    let carrier = |effects: &Effects| match effects.iter().find(|effect| matches!(effect, Effect::Open(..))) {
        Some(Effect::Open(_, transport)) => Some(*transport),
        _ => None,
    };
    assert_eq!(carrier(&tab.feed(Event::Start)), Some(Transport::WebSocket));
    // The first attempt has all its time, and is followed by another.
    let second = loop {
        let effects = tab.wait(1);
        for effect in &effects {
            if let Effect::Probe(probe) = effect {
                tab.feed(Event::Probed(*probe, Answer::Echoed));
            }
        }
        if let Some(transport) = carrier(&effects) {
            break transport;
        }
    };
    assert_eq!(second, Transport::WebSocket);
    tab.wait(4);
    assert_eq!(carrier(&tab.feed(Event::Start)), Some(Transport::Http), "what is given up has failed as well");
}

fn recalled(
    kept: Vec<Kept<Change>>,
    retained: Vec<Confirmed<Change>>,
    document: Option<(Board, Cursor)>,
) -> Event<Board> {
    Event::Recalled(Recalled { reading: Reading::Done, kept, retained, document })
}

mod recalling {
    use super::*;

    #[test]
    fn what_was_kept_is_shown_and_sent_and_not_kept_again() {
        let mut tab = Tab::new(Voice::Sole, true);
        let effects = tab.feed(recalled(vec![kept(5, "kept")], Vec::new(), None));
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Keep(_))), "{effects:?}");
        assert_eq!(tab.client.view().cards[&card(1)].title, "kept");
        let (_, effects) = tab.connect();
        assert_eq!(changes_sent(&effects), 1);
    }

    #[test]
    fn a_newer_document_takes_the_place_of_the_page_s_and_an_older_one_does_not() {
        let mut older = Tab::new(Voice::Sole, true);
        older.feed(recalled(Vec::new(), Vec::new(), Some((Board::default(), at(1, ELSEWHERE)))));
        assert!(older.client.view().cards.contains_key(&card(1)));

        let mut newer = Tab::new(Voice::Sole, true);
        newer.feed(recalled(Vec::new(), Vec::new(), Some((Board::default(), at(99, ELSEWHERE)))));
        assert!(newer.client.view().cards.is_empty());
        assert_eq!(newer.client.confirmed().1, at(99, ELSEWHERE));
    }

    /// The device kept that the server has a change, and stopped before it kept the document with it.
    #[test]
    fn what_was_confirmed_later_than_the_document_is_shown_and_offered_again() {
        let mut tab = Tab::new(Voice::Sole, true);
        let later = Confirmed { kept: kept(5, "later"), at: at(tab.server.cursor().version + 1, ELSEWHERE) };
        tab.feed(recalled(Vec::new(), vec![later], None));
        assert_eq!(tab.client.view().cards[&card(1)].title, "later");
        assert_eq!(tab.client.status().pending, 1);
    }

    /// cht-core 8093, livestore 980, and then the page was loaded anew: its document is the restored server's own.
    #[test]
    fn a_server_restored_before_the_page_was_loaded_is_found_out_by_the_witness() {
        let mut tab = Tab::new(Voice::Sole, true);
        let lost = Confirmed { kept: kept(5, "lost"), at: at(2, ELSEWHERE) };
        tab.feed(recalled(Vec::new(), vec![lost], None));
        let (request, effects) = tab.connect();
        assert_eq!(request.witness, Some(at(2, ELSEWHERE)));
        assert_eq!(changes_sent(&effects), 1, "it is offered again");
        assert_eq!(tab.client.view().cards[&card(1)].title, "lost");

        let socket = tab.socket();
        tab.feed(Event::Closed(socket, 1006));
        let effects = tab.feed(Event::Start);
        let (request, _) = tab.go_live(opened(&effects));
        assert_eq!(request.witness, None, "it was looked at");
    }

    #[test]
    fn the_furthest_place_is_the_witness_unless_it_is_where_the_replica_stands() {
        let mut tab = Tab::new(Voice::Sole, true);
        let here = tab.server.cursor();
        let confirmed = |n, at| Confirmed { kept: kept(n, "x"), at };
        tab.feed(recalled(Vec::new(), vec![confirmed(1, at(1, ELSEWHERE)), confirmed(2, here)], None));
        let (request, _) = tab.connect();
        assert_eq!((request.cursor(), request.witness), (here, None));
    }
}

mod voice {
    use super::*;

    #[test]
    fn who_is_silent_keeps_and_shows_and_does_not_send() {
        let mut tab = Tab::live(Voice::Silent);
        let effects = tab.feed(Event::Edit(kept(5, "A")));
        assert!(effects.iter().any(|effect| matches!(effect, Effect::Keep(_))));
        assert_eq!((changes_sent(&effects), tab.client.view().cards[&card(1)].title.as_str()), (0, "A"));
        let effects = tab.feed(Event::Voice(Voice::Sole));
        assert_eq!(changes_sent(&effects), 1, "until it has the voice");
    }

    #[test]
    fn only_who_alone_speaks_merges() {
        for (voice, pending) in [(Voice::Silent, 2), (Voice::Shared, 2), (Voice::Sole, 1)] {
            let mut tab = Tab::new(voice, true);
            tab.feed(Event::Edit(kept(5, "A")));
            let effects = tab.feed(Event::Edit(kept(6, "B")));
            assert_eq!(tab.client.status().pending, pending, "{voice:?}");
            let forgets = effects.iter().any(|effect| *effect == Effect::Forget(kept(5, "A").id));
            assert_eq!(forgets, pending == 1, "{voice:?}");
        }
    }

    #[test]
    fn what_others_may_have_sent_does_not_merge() {
        let mut tab = Tab::new(Voice::Sole, true);
        tab.feed(Event::Edit(kept(5, "A")));
        tab.feed(Event::Voice(Voice::Silent));
        tab.feed(Event::Voice(Voice::Sole));
        tab.feed(Event::Edit(kept(6, "B")));
        assert_eq!(tab.client.status().pending, 2);
    }

    #[test]
    fn the_voice_passes_with_all_that_is_not_decided() {
        let mut tab = Tab::live(Voice::Sole);
        assert_eq!(changes_sent(&tab.feed(Event::Edit(kept(5, "A")))), 1);
        assert_eq!(tab.client.status().in_flight, 1);
        tab.feed(Event::Voice(Voice::Silent));
        assert_eq!((tab.client.status().in_flight, tab.client.status().pending), (0, 1));
        assert_eq!(changes_sent(&tab.feed(Event::Voice(Voice::Sole))), 1, "and back: ids make that harmless");
    }

    #[test]
    fn a_change_of_another_tab_is_shown_and_not_kept_twice() {
        let mut tab = Tab::live(Voice::Silent);
        let effects = tab.feed(Event::Elsewhere(kept(5, "A")));
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Keep(_))));
        assert_eq!(tab.client.view().cards[&card(1)].title, "A");
        tab.feed(Event::Elsewhere(Kept { replaces: Some(kept(5, "A").id), ..kept(6, "B") }));
        let pending: Vec<_> = tab.client.outbox().pending().map(|kept| kept.id).collect();
        assert_eq!(pending, [kept(6, "B").id], "what the other tab has merged is one here too");
    }

    /// powersync-js 498, dxos 11757: a sleeping leader tab holds the lock, and all tabs are stuck.
    #[test]
    fn a_speaker_that_gets_nowhere_loses_the_voice() {
        let mut tab = Tab::live(Voice::Silent);
        assert!(!tab.wait(30).contains(&Effect::TakeOver), "there is nothing to say");
        tab.feed(Event::Edit(kept(5, "A")));
        assert!(!tab.wait(4).contains(&Effect::TakeOver));
        assert!(tab.wait(1).contains(&Effect::TakeOver));
        assert!(!tab.wait(9).contains(&Effect::TakeOver), "twice as long, if it does not come");
        assert!(tab.wait(1).contains(&Effect::TakeOver));
    }
}

mod registering {
    use super::*;

    #[test]
    fn a_document_that_was_made_here_is_registered_first() {
        let mut tab = Tab::new(Voice::Sole, false);
        let effects = tab.feed(Event::Start);
        let register = |effect: &Effect<Board>| matches!(effect, Effect::Register(SocketId(1)));
        assert!(effects.iter().any(register) && !effects.iter().any(|effect| matches!(effect, Effect::Open(..))));

        tab.feed(Event::Closed(SocketId(1), 1006));
        assert!(matches!(tab.client.status().connection, Connection::Waiting { .. }), "tried again later");
        let effects = tab.feed(Event::Nudge);
        assert!(effects.iter().any(|effect| matches!(effect, Effect::Register(SocketId(2)))));

        assert_eq!(tab.feed(Event::Registered(SocketId(1))), Vec::new(), "too late for the socket");
        tab.feed(Event::Closed(SocketId(2), 1006));
        assert_eq!(opened(&tab.feed(Event::Nudge)), SocketId(3), "and yet it is registered");
    }

    #[test]
    fn then_the_socket_opens() {
        let mut tab = Tab::new(Voice::Sole, false);
        tab.feed(Event::Start);
        assert_eq!(opened(&tab.feed(Event::Registered(SocketId(1)))), SocketId(1));
        tab.go_live(SocketId(1));
        assert_eq!(tab.client.status().connection, Connection::Live);
    }
}

mod progress {
    use super::*;

    fn unconfirmed() -> Tab {
        let mut tab = Tab::live(Voice::Sole);
        tab.feed(Event::Edit(kept(5, "A")));
        tab
    }

    #[test]
    fn a_line_that_is_half_open_towards_the_server_is_found_out_by_its_heartbeat_going_unanswered() {
        let mut tab = unconfirmed();
        assert!(pings(&tab.wait(4)).is_empty());
        assert_eq!(pings(&tab.wait(1)).len(), 1);
        tab.wait(4);
        assert_eq!(tab.client.status().connection, Connection::Live);
        tab.wait(1);
        let Connection::Waiting { why, .. } = tab.client.status().connection else { panic!("given up") };
        assert_eq!(why, Loss::Silent);
    }

    #[test]
    fn a_line_that_answers_is_sent_the_changes_again_and_kept_for_longer() {
        let mut tab = unconfirmed();
        let nonce = pings(&tab.wait(5))[0];
        let socket = tab.socket();
        tab.feed(Event::Received(socket, format!(r#"{{"type":"pong","nonce":{nonce}}}"#)));
        assert_eq!(changes_sent(&tab.wait(4)), 0);
        assert_eq!(changes_sent(&tab.wait(1)), 1);
        assert_eq!(changes_sent(&tab.wait(14)), 0, "once");
        assert_eq!(tab.client.status().connection, Connection::Live);
        tab.wait(1);
        assert!(matches!(tab.client.status().connection, Connection::Waiting { .. }), "the frame was lost");
    }

    #[test]
    fn changes_are_not_sent_again_while_the_server_cannot_save() {
        let mut tab = unconfirmed();
        let nonce = pings(&tab.wait(5))[0];
        let socket = tab.socket();
        tab.feed(Event::Received(socket, format!(r#"{{"type":"pong","nonce":{nonce}}}"#)));
        tab.feed(Event::Received(socket, r#"{"type":"saving","ok":false}"#.to_owned()));
        assert_eq!(changes_sent(&tab.wait(19)), 0);
    }

    #[test]
    fn who_is_behind_what_the_server_has_sent_comes_back_for_it() {
        let mut tab = Tab::live(Voice::Sole);
        let (socket, version) = (tab.socket(), tab.server.cursor().version);
        let ping = |version: u64| format!(r#"{{"type":"ping","nonce":3,"version":{version}}}"#);
        tab.feed(Event::Received(socket, ping(version)));
        assert_eq!(tab.client.status().connection, Connection::Live);
        tab.feed(Event::Received(socket, ping(version + 1)));
        let Connection::Waiting { why, .. } = tab.client.status().connection else { panic!("it comes back") };
        assert_eq!(why, Loss::Unreadable);
    }
}

mod limits {
    use sheetbend::sync::document::size_of;
    use sheetbend::sync::message::Limits;

    use super::*;

    #[test]
    fn a_change_of_the_most_bytes_is_admitted_and_one_more_is_not() {
        let most = Limits::default().change_bytes;
        let notes = |bytes: usize| Change::EditNotes { card: card(1), from: "x".repeat(bytes), to: String::new() };
        let room = most - size_of(&notes(0));
        let tab = Tab::new(Voice::Sole, true);
        let refused = |bytes| tab.client.admits(&notes(bytes)).err().map(|refusal| refusal.code);
        assert_ne!(refused(room).as_deref(), Some("too_large"));
        assert_eq!(refused(room + 1).as_deref(), Some("too_large"));
    }
}

mod taking_along {
    use super::*;

    #[test]
    fn all_that_is_not_saved_is_taken_and_merges_no_more() {
        let mut tab = Tab::new(Voice::Sole, true);
        tab.feed(Event::Edit(kept(5, "A")));
        let taken: Vec<_> = tab.client.take_along().into_iter().map(|kept| kept.id).collect();
        assert_eq!(taken, [kept(5, "A").id]);
        tab.feed(Event::Edit(kept(6, "B")));
        assert_eq!(tab.client.status().pending, 2, "another device may have sent the first");
    }

    #[test]
    fn what_was_confirmed_is_retained() {
        let mut tab = Tab::live(Voice::Sole);
        let effects = tab.feed(Event::Edit(kept(5, "A")));
        let frame = sent(&effects).pop().expect("it is sent");
        let socket = tab.socket();
        for (_, frame) in tab.server.handle(tab.session, &frame, 1) {
            tab.feed(Event::Received(socket, frame));
        }
        let retained: Vec<_> = tab.client.retained().map(|confirmed| (confirmed.kept.id, confirmed.at)).collect();
        assert_eq!(retained, [(kept(5, "A").id, tab.server.cursor())]);
    }
}

mod late_devices {
    use super::*;

    /// An old page writes what was confirmed to it, of a history that is over, when others have gone on.
    #[test]
    fn what_a_client_that_listened_has_not_heard_of_is_offered_again() {
        let mut tab = Tab::new(Voice::Sole, true);
        tab.feed(recalled(Vec::new(), Vec::new(), None));
        tab.connect();
        let unheard = Confirmed { kept: kept(5, "unheard of"), at: at(2, ELSEWHERE) };
        let effects = tab.feed(recalled(Vec::new(), vec![unheard], None));
        assert_eq!(changes_sent(&effects), 1);
    }

    #[test]
    fn late_word_of_what_a_confirmed_change_replaced_is_void() {
        let mut tab = Tab::new(Voice::Sole, true);
        let replaces = Some(kept(5, "A").id);
        let later = Confirmed { kept: Kept { replaces, ..kept(6, "B") }, at: at(1, ELSEWHERE) };
        tab.feed(recalled(Vec::new(), vec![later], None));
        assert_eq!(tab.feed(Event::Elsewhere(kept(5, "A"))).first(), Some(&Effect::Forget(kept(5, "A").id)));
        assert_eq!(tab.client.status().pending, 0, "sent now, it would take back what is newer");
    }

    #[test]
    fn what_another_tab_gave_away_merges_no_more() {
        let mut tab = Tab::new(Voice::Sole, true);
        tab.feed(Event::Edit(kept(5, "A")));
        tab.feed(Event::TakenAlong);
        tab.feed(Event::Edit(kept(6, "B")));
        assert_eq!(tab.client.status().pending, 2);
    }

    /// The page came from a restored server, and the device could not be read until it was live.
    #[test]
    fn a_device_that_is_read_late_has_its_place_looked_at() {
        let mut tab = Tab::new(Voice::Sole, true);
        tab.feed(Event::Recalled(Recalled::unread(Reading::Failed)));
        tab.connect();
        let lost = Confirmed { kept: kept(5, "lost"), at: at(2, ELSEWHERE) };
        let effects = tab.feed(recalled(Vec::new(), vec![lost.clone()], None));
        let (request, effects) = tab.go_live(opened(&effects));
        assert_eq!(request.witness, Some(lost.at));
        assert_eq!(changes_sent(&effects), 1);
        assert!(effects.iter().any(|effect| matches!(effect, Effect::Line(Turn::Rewound { offered: 1 }))));
    }

    #[test]
    fn a_device_that_has_not_answered_is_not_said_to_be_in_sync() {
        let mut tab = Tab::new(Voice::Sole, true);
        tab.feed(Event::Recalled(Recalled::unread(Reading::UnderWay)));
        tab.connect();
        let nothing = Synchronized::Syncing { settled: 0, pending: 0 };
        assert_eq!(tab.client.status().synchronized(), nothing, "for all that is known");
        tab.feed(recalled(vec![kept(5, "waited")], Vec::new(), None));
        assert_eq!(tab.client.status().synchronized(), Synchronized::Syncing { settled: 0, pending: 1 });
    }

    #[test]
    fn a_device_that_cannot_be_read_does_not_keep_all_from_being_in_sync() {
        let mut tab = Tab::new(Voice::Sole, true);
        tab.feed(Event::Recalled(Recalled::unread(Reading::UnderWay)));
        tab.connect();
        tab.feed(Event::Recalled(Recalled::unread(Reading::Failed)));
        assert_eq!(tab.client.status().synchronized(), Synchronized::InSync);
    }

    #[test]
    fn a_device_that_is_read_again_disturbs_nothing() {
        let mut tab = Tab::new(Voice::Sole, true);
        tab.feed(recalled(Vec::new(), Vec::new(), None));
        tab.connect();
        let elsewhere = Some((Board::default(), at(99, ELSEWHERE)));
        let effects = tab.feed(recalled(Vec::new(), Vec::new(), elsewhere));
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Open(..) | Effect::Close(_))));
        assert!(!tab.client.view().cards.is_empty(), "what the device kept may be of a history that is over");
    }

    #[test]
    fn entries_that_come_before_the_answer_are_not_taken() {
        let mut tab = Tab::new(Voice::Sole, true);
        let effects = tab.feed(Event::Start);
        let socket = opened(&effects);
        tab.feed(Event::Opened(socket));
        let next = tab.server.cursor().version + 1;
        let change = serde_json::to_string(&kept(1, "early").change).expect("JSON");
        tab.feed(Event::Received(socket, made_up::<Board>(next, &change)));
        assert_eq!(tab.client.confirmed().1, tab.server.cursor());
    }
}

mod synchronized {
    use super::*;

    #[test]
    fn counts_what_is_decided_and_what_is_not() {
        let mut tab = Tab::new(Voice::Sole, true);
        for n in 0..3 {
            let change = Change::AddList {
                list: sheetbend::board::ListId(Uuid::from_u128(n)),
                title: "L".to_owned(),
                position: sheetbend::board::position::Position::between(None, None),
                archived: false,
            };
            let id = ChangeId(uuid_v7(n as u64, [3; 10]));
            tab.feed(Event::Edit(Kept::new(id, change, 0)));
        }
        assert_eq!(tab.client.status().synchronized(), Synchronized::Behind { pending: 3 });
        tab.connect();
        assert_eq!(tab.client.status().synchronized(), Synchronized::Syncing { settled: 0, pending: 3 });

        // The first is in the log now.
        let first = tab.client.outbox().pending().next().cloned().expect("pending");
        let entry =
            made_up::<Board>(tab.server.cursor().version + 1, &serde_json::to_string(&first.change).expect("JSON"));
        let nobody = Uuid::from_u128((tab.server.cursor().version + 1).into()).to_string();
        let socket = tab.socket();
        let effects = tab.feed(Event::Received(socket, entry.replace(&nobody, &first.id.to_string())));
        assert_eq!(tab.client.status().synchronized(), Synchronized::Syncing { settled: 1, pending: 2 });
        assert!(!effects.contains(&Effect::ViewChanged), "what the view shows already does not flicker");
    }
}
