//! A line over plain HTTP, for networks that refuse WebSockets. [`Polling`] says which requests to make; here they are made, and the
//! tabs of this browser agree on who keeps one waiting.
//!
//! A slot is a Web Lock. A tab that can be seen requests all of them, and keeps the first that it gets. Where there are no locks, as on
//! plain http from another machine, no tab keeps a request waiting.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Weak;
use std::task::Poll;

use futures_channel::mpsc;
use futures_util::StreamExt;
use gloo_timers::callback::Interval;

use super::channel::Channel;
use super::lifecycle::{Listener, Sign, is_visible, signs};
use super::lock::{self, Lock};
use super::request;
use super::simulator::Port;
use super::socket::tell;
use crate::sync::client::SocketEvent;
use crate::sync::polling::{ASKS_EVERY, Heard, Lane, Pace, Polling, SLOTS};

/// What happened beside the requests.
enum Cue {
    /// The tab can be seen, or not.
    Visible(bool),
    /// A lock was granted or lost, of those that were requested so often.
    Slot { turn: u32, index: usize, held: bool },
    /// A short request is due.
    Look,
    /// Another tab has heard something.
    Elsewhere(Heard),
}

enum Next {
    Said(Option<String>),
    Answered(Lane, Option<String>),
    Cue(Cue),
}

type Answer = Pin<Box<dyn Future<Output = Option<String>>>>;

/// Takes what comes out of `queue` to the server, and what that says to `port`, until either ends.
pub(super) async fn run(mut queue: mpsc::UnboundedReceiver<String>, port: &Weak<Port>) {
    let (cue, mut cues) = mpsc::unbounded();
    let mut line = Polling::default();
    let mut tabs = Tabs::new(cue);
    let mut requests: Vec<(Lane, Answer)> = Vec::new();
    line.set_pace(tabs.pace());
    tell(port, SocketEvent::Opened);
    loop {
        while let Some((lane, body)) = line.ask() {
            requests.push((lane, Box::pin(answer(body))));
        }
        let next = poll_fn(|cx| {
            if let Poll::Ready(said) = queue.poll_next_unpin(cx) {
                return Poll::Ready(Next::Said(said));
            }
            for at in 0..requests.len() {
                if let Poll::Ready(body) = requests[at].1.as_mut().poll(cx) {
                    return Poll::Ready(Next::Answered(requests.swap_remove(at).0, body));
                }
            }
            match cues.poll_next_unpin(cx) {
                Poll::Ready(Some(cue)) => Poll::Ready(Next::Cue(cue)),
                Poll::Ready(None) | Poll::Pending => Poll::Pending,
            }
        });
        match next.await {
            Next::Said(Some(text)) => line.say(text),
            Next::Said(None) => return,
            Next::Answered(lane, body) => {
                let before = line.heard();
                let said = body.and_then(|body| line.answered(lane, &body).ok());
                let Some(said) = said else { return tell(port, SocketEvent::Closed(1006)) };
                if let Some(heard) = line.heard().filter(|heard| before != Some(*heard)) {
                    tabs.tell(heard);
                }
                for text in said {
                    tell(port, SocketEvent::Received(text));
                }
            }
            Next::Cue(Cue::Look) => line.look(),
            Next::Cue(Cue::Elsewhere(heard)) => line.heard_elsewhere(heard),
            Next::Cue(cue) => {
                tabs.take(&cue);
                if line.set_pace(tabs.pace()) {
                    requests.retain(|(lane, _)| *lane != Lane::Down);
                }
            }
        }
    }
}

/// What this tab has to do with the other tabs of the browser.
struct Tabs {
    cue: mpsc::UnboundedSender<Cue>,
    visible: bool,
    /// Held or requested.
    locks: [Option<Lock>; SLOTS],
    held: Option<usize>,
    /// How often locks were requested: a late word of earlier ones does not count.
    turn: u32,
    looking: Option<Interval>,
    channel: Option<Channel>,
    _listeners: Vec<Listener>,
}

impl Tabs {
    fn new(cue: mpsc::UnboundedSender<Cue>) -> Self {
        let (seen, heard) = (cue.clone(), cue.clone());
        // Whoever is told may have ended.
        let follow = move |sign| {
            if let Sign::Visible(visible) = sign {
                let _ = seen.unbounded_send(Cue::Visible(visible));
            }
        };
        let channel = Channel::open("sheetbend/heard", move |text| {
            if let Ok(elsewhere) = serde_json::from_str(&text) {
                let _ = heard.unbounded_send(Cue::Elsewhere(elsewhere));
            }
        });
        let visible = is_visible();
        let mut tabs = Self {
            cue,
            visible,
            locks: Default::default(),
            held: None,
            turn: 0,
            looking: None,
            channel,
            _listeners: signs(follow),
        };
        tabs.take(&Cue::Visible(visible));
        tabs
    }

    fn pace(&self) -> Pace {
        match (self.visible, self.held) {
            (false, _) => Pace::Rests,
            (true, Some(_)) => Pace::Waits,
            (true, None) => Pace::Asks,
        }
    }

    fn take(&mut self, cue: &Cue) {
        match *cue {
            Cue::Visible(visible) => {
                self.visible = visible;
                self.locks = Default::default();
                self.held = None;
                if visible && lock::available() {
                    self.request_all();
                }
            }
            Cue::Slot { turn, index, held } if turn == self.turn => match self.held {
                None if held => {
                    self.held = Some(index);
                    self.let_go_of_all_but(index);
                }
                Some(present) if present == index && !held => self.held = None,
                Some(present) if present != index => self.locks[index] = None,
                None | Some(_) => {}
            },
            Cue::Slot { .. } | Cue::Look | Cue::Elsewhere(_) => {}
        }
        let cue = self.cue.clone();
        let look = move || {
            let _ = cue.unbounded_send(Cue::Look);
        };
        let every = u32::try_from(ASKS_EVERY.as_millis()).unwrap_or(u32::MAX);
        if self.pace() == Pace::Asks {
            self.looking.get_or_insert_with(|| Interval::new(every, look));
        } else {
            self.looking = None;
        }
    }

    fn request_all(&mut self) {
        self.turn += 1;
        for (index, lock) in self.locks.iter_mut().enumerate() {
            let (cue, turn) = (self.cue.clone(), self.turn);
            let follow = move |held| {
                let _ = cue.unbounded_send(Cue::Slot { turn, index, held });
            };
            *lock = Some(Lock::request(&format!("sheetbend/waits/{index}"), follow));
        }
    }

    fn let_go_of_all_but(&mut self, index: usize) {
        for (at, lock) in self.locks.iter_mut().enumerate() {
            if at != index {
                *lock = None;
            }
        }
    }

    /// Tells the other tabs what was heard here.
    fn tell(&self, heard: Heard) {
        if let (Some(channel), Ok(text)) = (&self.channel, serde_json::to_string(&heard)) {
            channel.post(&text);
        }
    }
}

/// Makes a request. Returns the server's answer, if there is one.
async fn answer(body: String) -> Option<String> {
    let answer = request::post("/api/sync", "text/plain;charset=UTF-8", body).await.ok()?;
    // 403 tells in a `bye` that the server does not allow this page's address.
    matches!(answer.status, 200 | 403).then_some(answer.text)
}
