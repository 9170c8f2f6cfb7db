//! A bad line, made in the page: what [`crate::sync::faults`] decides happens to this page's sockets and requests.
//!
//! Nothing is wrong until someone says so, and after [`Simulator::reset`] nothing is: frames then go straight through. It keeps
//! nothing on the device.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::fmt;
use std::rc::{Rc, Weak};
use std::time::Duration;

use futures_channel::{mpsc, oneshot};
use gloo_timers::callback::Timeout;
use gloo_timers::future::TimeoutFuture;

use super::clock;
use crate::sync::client::SocketEvent;
use crate::sync::faults::line::RETRANSMIT_MS;
use crate::sync::faults::{Conditions, Connect, Direction, Fault, Incident, Level, Line, Script, Step, Verdict};
use crate::sync::time::Moment;

thread_local! {
    static SIMULATOR: Rc<Simulator> = Rc::new(Simulator::new());
}

/// Makes this page's network bad.
pub struct Simulator {
    line: RefCell<Line>,
    /// Something was done since the last reset.
    active: Cell<bool>,
    /// The device is to say that it is offline.
    offline: Cell<bool>,
    ports: RefCell<Vec<Weak<Port>>>,
    sockets: Cell<u32>,
    timer: RefCell<Option<Timeout>>,
    recording: RefCell<Option<Recording>>,
    /// Requests that wait for the line to change.
    waiting: RefCell<Vec<oneshot::Sender<()>>>,
    watcher: RefCell<Option<Watcher>>,
}

struct Recording {
    since: Moment,
    steps: Vec<Step>,
}

/// Hears of all that goes over the line.
pub type Watcher = Rc<dyn Fn(Seen)>;

/// Something that a watcher sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When.
    pub at: Moment,
    /// Which of the page's sockets, counted from 1; 0 for none.
    pub socket: u32,
    /// What.
    pub what: What,
}

/// What a watcher sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A socket opened.
    Opened,
    /// A frame, and what the line did to it.
    Frame {
        /// Which way.
        direction: Direction,
        /// The message's type, as in the protocol.
        kind: String,
        /// Its size.
        bytes: usize,
        /// What became of it.
        fate: &'static str,
    },
    /// A socket closed, with this code.
    Closed(u16),
    /// What holds on the line is another.
    Changed,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It gets through.
    Through,
    /// It fails.
    Failed,
    /// Something else answers it.
    Portal,
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").field("active", &self.active).finish_non_exhaustive()
    }
}

impl Simulator {
    /// This page's.
    #[must_use]
    pub fn of_page() -> Rc<Self> {
        SIMULATOR.with(Rc::clone)
    }

    fn new() -> Self {
        Self {
            line: RefCell::new(Line::new(Level::Messages, 0)),
            active: Cell::new(false),
            offline: Cell::new(false),
            ports: RefCell::new(Vec::new()),
            sockets: Cell::new(0),
            timer: RefCell::new(None),
            recording: RefCell::new(None),
            waiting: RefCell::new(Vec::new()),
            watcher: RefCell::new(None),
        }
    }

    /// A fault happens, on top of what holds.
    pub fn apply(&self, fault: &Fault) {
        self.active.set(true);
        let incident = self.line.borrow_mut().apply(fault);
        self.happened(fault, incident);
        self.settle();
    }

    /// Plays a script from its start. What holds stays, until a step changes it.
    pub fn play(&self, script: Script) {
        self.active.set(true);
        self.line.borrow_mut().play(script, clock::now());
        self.advance();
    }

    /// Nothing is wrong any more.
    pub fn reset(&self) {
        self.line.borrow_mut().play(Script::default(), clock::now());
        self.apply(&Fault::Clear);
        self.timer.take();
        self.active.set(false);
    }

    /// What holds now; all clear after a reset.
    #[must_use]
    pub fn conditions(&self) -> Conditions {
        self.line.borrow().conditions().clone()
    }

    /// Whether the device is to say that it is offline.
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.offline.get()
    }

    /// Whether a script has steps to come.
    #[must_use]
    pub fn is_playing(&self) -> bool {
        self.line.borrow().deadline().is_some()
    }

    /// Records what is applied from here on.
    pub fn record(&self) {
        self.recording.replace(Some(Recording { since: clock::now(), steps: Vec::new() }));
    }

    /// Ends the recording. It is played by [`Simulator::play`].
    pub fn recorded(&self) -> Option<Script> {
        let Recording { steps, .. } = self.recording.take()?;
        Some(Script { steps, ..Script::default() })
    }

    /// Tells `watcher` of all that goes over the line; `None` for nobody.
    pub fn watch(&self, watcher: Option<Watcher>) {
        self.watcher.replace(watcher);
    }

    /// Waits for as long as the line holds a request up. `answer` asks for the way back.
    pub async fn passes(&self, answer: bool) -> Passage {
        /// About what a small request takes.
        const BYTES: usize = 400;
        if !self.active.get() {
            return Passage::Through;
        }
        if !answer {
            loop {
                let connect = self.line.borrow().connect();
                match connect {
                    Connect::Accept => break,
                    Connect::Refuse => return Passage::Failed,
                    Connect::Portal => return Passage::Portal,
                    Connect::Silent => self.change().await,
                }
            }
        }
        let direction = if answer { Direction::ToClient } else { Direction::ToServer };
        loop {
            let verdict = self.line.borrow_mut().carry(direction, BYTES, clock::now());
            let wait = match verdict {
                Verdict::Deliver(at) | Verdict::Twice(at, _) => at.since(clock::now()),
                // TCP sends it again.
                Verdict::Lost => {
                    sleep(Duration::from_millis(RETRANSMIT_MS)).await;
                    continue;
                }
                Verdict::Held => {
                    self.change().await;
                    continue;
                }
                Verdict::Cut { .. } => return Passage::Failed,
            };
            sleep(wait).await;
            return Passage::Through;
        }
    }

    async fn change(&self) {
        let (tell, change) = oneshot::channel();
        self.waiting.borrow_mut().push(tell);
        // It is dropped with the page.
        let _ = change.await;
    }

    fn happened(&self, fault: &Fault, incident: Option<Incident>) {
        if let Some(recording) = &mut *self.recording.borrow_mut() {
            let at_ms = u64::try_from(clock::now().since(recording.since).as_millis()).unwrap_or(u64::MAX);
            recording.steps.push(Step { at_ms, within_ms: 0, fault: fault.clone() });
        }
        let was_offline = self.offline.get();
        match fault {
            Fault::Offline => self.offline.set(true),
            Fault::Clear | Fault::Slow3g | Fault::Fast3g => self.offline.set(false),
            _ => {}
        }
        if self.offline.get() != was_offline {
            say(if was_offline { "online" } else { "offline" });
        }
        let code = match incident {
            Some(Incident::Cut) => 1006,
            Some(Incident::Close(code)) => code,
            // There is neither a server nor a clock to take hold of in a page.
            Some(Incident::RestartServer | Incident::RestoreServer | Incident::JumpClock(_)) | None => return,
        };
        for port in self.ports() {
            port.close(code);
        }
    }

    /// After a change: what the line held goes on it again, and the next step gets its timer.
    fn settle(&self) {
        for port in self.ports() {
            port.release();
        }
        for waiting in self.waiting.take() {
            // Whoever waited may have given up.
            let _ = waiting.send(());
        }
        self.see(0, What::Changed);
        let due = self.line.borrow().deadline();
        let timer = due.map(|due| {
            Timeout::new(ms(due.since(clock::now()) + Duration::from_millis(1)), || Self::of_page().advance())
        });
        self.timer.replace(timer);
    }

    fn advance(&self) {
        let taken = self.line.borrow_mut().advance(clock::now());
        for (fault, incident) in taken {
            self.happened(&fault, incident);
        }
        self.settle();
    }

    fn ports(&self) -> Vec<Rc<Port>> {
        self.ports.borrow_mut().retain(|port| port.strong_count() > 0);
        self.ports.borrow().iter().filter_map(Weak::upgrade).collect()
    }

    fn see(&self, socket: u32, what: What) {
        let watcher = self.watcher.borrow().clone();
        if let Some(watcher) = watcher {
            watcher(Seen { at: clock::now(), socket, what });
        }
    }
}

/// The browser says a word of the network, as it would if it were so.
fn say(word: &str) {
    if let (Some(window), Ok(event)) = (web_sys::window(), web_sys::Event::new(word)) {
        // An event of this kind cannot be refused.
        let _ = window.dispatch_event(&event);
    }
}

async fn sleep(time: Duration) {
    TimeoutFuture::new(ms(time)).await;
}

fn ms(time: Duration) -> u32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX).unsigned_abs()
}

/// What goes over a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Opened,
    Text(String),
    Closed(u16),
}

/// A socket's way through the line.
pub(super) struct Port {
    simulator: Rc<Simulator>,
    number: u32,
    /// To the real socket; dropped when that is to close.
    outgoing: RefCell<Option<mpsc::UnboundedSender<String>>>,
    listener: Box<dyn Fn(SocketEvent)>,
    /// What a silent line holds, to the server and to the client.
    held: RefCell<[VecDeque<Piece>; 2]>,
    /// What is on its way, the next first.
    under_way: RefCell<BinaryHeap<Reverse<Arrival>>>,
    numbered: Cell<u64>,
    timer: RefCell<Option<Timeout>>,
    this: Weak<Self>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Arrival {
    at: Moment,
    number: u64,
    direction: Direction,
    piece: Piece,
}

impl Ord for Arrival {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

impl PartialOrd for Arrival {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Port {
    /// A port to a socket that is to be opened, with what is to be sent on it; `None` for those if none is to be opened.
    pub(super) fn open(
        listener: impl Fn(SocketEvent) + 'static,
    ) -> (Rc<Self>, Option<mpsc::UnboundedReceiver<String>>) {
        let simulator = Simulator::of_page();
        let (outgoing, queue) = mpsc::unbounded();
        let number = simulator.sockets.get() + 1;
        simulator.sockets.set(number);
        let port = Rc::new_cyclic(|this| Self {
            simulator: Rc::clone(&simulator),
            number,
            outgoing: RefCell::new(Some(outgoing)),
            listener: Box::new(listener),
            held: RefCell::default(),
            under_way: RefCell::default(),
            numbered: Cell::new(0),
            timer: RefCell::new(None),
            this: Weak::clone(this),
        });
        simulator.ports.borrow_mut().push(Rc::downgrade(&port));
        let connect = simulator.line.borrow().connect();
        let queue = match connect {
            Connect::Accept => Some(queue),
            Connect::Silent => None,
            Connect::Refuse | Connect::Portal => {
                // Not before this returns.
                port.arrive(Direction::ToClient, Piece::Closed(1006), clock::now() + Duration::from_millis(1));
                None
            }
        };
        (port, queue)
    }

    /// Hands a text frame to the line.
    pub(super) fn send(&self, text: String) {
        self.carry(Direction::ToServer, Piece::Text(text));
    }

    /// The real socket says something.
    pub(super) fn hear(&self, event: SocketEvent) {
        let piece = match event {
            SocketEvent::Opened => Piece::Opened,
            SocketEvent::Received(text) => Piece::Text(text),
            SocketEvent::Closed(code) => Piece::Closed(code),
        };
        self.carry(Direction::ToClient, piece);
    }

    /// The line closes it.
    fn close(&self, code: u16) {
        self.outgoing.take();
        self.under_way.take();
        self.held.take();
        self.deliver(Direction::ToClient, Piece::Closed(code));
    }

    fn carry(&self, direction: Direction, piece: Piece) {
        let straight = !self.simulator.active.get() && self.under_way.borrow().is_empty();
        if straight {
            self.see(direction, &piece, "");
            return self.deliver(direction, piece);
        }
        let at = usize::from(direction == Direction::ToClient);
        if !self.held.borrow()[at].is_empty() {
            self.see(direction, &piece, "held");
            self.held.borrow_mut()[at].push_back(piece);
            return;
        }
        let now = clock::now();
        let bytes = if let Piece::Text(text) = &piece { text.len() } else { 0 };
        let verdict = self.simulator.line.borrow_mut().carry(direction, bytes, now);
        match (verdict, &piece) {
            (Verdict::Deliver(at), _) => {
                self.see(direction, &piece, if at > now { "late" } else { "" });
                self.arrive(direction, piece, at);
            }
            (Verdict::Twice(first, again), Piece::Text(_)) => {
                self.see(direction, &piece, "twice");
                self.arrive(direction, piece.clone(), first);
                self.arrive(direction, piece, again);
            }
            (Verdict::Twice(at, _), _) => self.arrive(direction, piece, at),
            (Verdict::Lost, Piece::Text(_)) => self.see(direction, &piece, "lost"),
            // A line that loses messages loses neither a socket's opening nor its end.
            (Verdict::Lost, _) => self.arrive(direction, piece, now),
            (Verdict::Held, _) => {
                self.see(direction, &piece, "held");
                self.held.borrow_mut()[at].push_back(piece);
            }
            (Verdict::Cut { .. }, _) => {
                self.see(direction, &piece, "cut");
                self.close(1006);
            }
        }
    }

    /// The line may have changed: what it held is put on it again.
    fn release(&self) {
        for (pieces, direction) in self.held.take().into_iter().zip([Direction::ToServer, Direction::ToClient]) {
            for piece in pieces {
                self.carry(direction, piece);
            }
        }
    }

    fn arrive(&self, direction: Direction, piece: Piece, at: Moment) {
        let number = self.numbered.get() + 1;
        self.numbered.set(number);
        self.under_way.borrow_mut().push(Reverse(Arrival { at, number, direction, piece }));
        self.deliver_due();
    }

    fn deliver_due(&self) {
        loop {
            let due = {
                let mut under_way = self.under_way.borrow_mut();
                let is_due = under_way.peek().is_some_and(|Reverse(next)| next.at <= clock::now());
                if is_due { under_way.pop() } else { None }
            };
            let Some(Reverse(Arrival { direction, piece, .. })) = due else { break };
            self.deliver(direction, piece);
        }
        let next = self.under_way.borrow().peek().map(|Reverse(next)| next.at);
        let timer = next.map(|at| {
            let this = Weak::clone(&self.this);
            Timeout::new(ms(at.since(clock::now()) + Duration::from_millis(1)), move || {
                if let Some(this) = this.upgrade() {
                    this.deliver_due();
                }
            })
        });
        self.timer.replace(timer);
    }

    fn deliver(&self, direction: Direction, piece: Piece) {
        match (direction, piece) {
            (Direction::ToServer, Piece::Text(text)) => {
                if let Some(outgoing) = &*self.outgoing.borrow() {
                    // The socket's task is gone only after it has told of the close: then this frame is as lost as one on the line.
                    let _ = outgoing.unbounded_send(text);
                }
            }
            (Direction::ToServer, Piece::Opened | Piece::Closed(_)) => {}
            (Direction::ToClient, Piece::Opened) => {
                self.simulator.see(self.number, What::Opened);
                (self.listener)(SocketEvent::Opened);
            }
            (Direction::ToClient, Piece::Text(text)) => (self.listener)(SocketEvent::Received(text)),
            (Direction::ToClient, Piece::Closed(code)) => {
                self.simulator.see(self.number, What::Closed(code));
                (self.listener)(SocketEvent::Closed(code));
            }
        }
    }

    fn see(&self, direction: Direction, piece: &Piece, fate: &'static str) {
        if let Piece::Text(text) = piece
            && self.simulator.watcher.borrow().is_some()
        {
            let kind = kind_of(text);
            self.simulator.see(self.number, What::Frame { direction, kind, bytes: text.len(), fate });
        }
    }
}

/// A message's type. It is the first field of all that this house writes.
fn kind_of(text: &str) -> String {
    let kind = text.split_once("\"type\":\"").and_then(|(_, rest)| rest.split('"').next());
    kind.unwrap_or("?").to_owned()
}
