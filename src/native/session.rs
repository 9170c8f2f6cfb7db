//! One document, open in this process.

use std::collections::HashMap;
use std::future::Future;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep_until;

use super::clock::{self, Clock};
use super::socket::Socket;
use crate::sync::client::{Client, Effect, Event, Patience, Settings, SocketEvent, Start, Status, Voice};
use crate::sync::digest::Cursor;
use crate::sync::document::{Document, Refusal};
use crate::sync::id::{ChangeId, ChangeIds, Key, ReplicaId, uuid_v7};
use crate::sync::link::{self, SocketId};
use crate::sync::message::Access;
use crate::sync::network;
use crate::sync::outbox::Kept;

/// What to open.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The server's sync endpoint, `ws://host/api/sync`.
    pub url: String,
    /// The document's edit or view key.
    pub key: Key,
    /// The name this program goes by.
    pub name: String,
    /// Timings of the connection.
    pub link: link::Settings,
}

impl Opening {
    /// The document that `key` opens on the server at `url`.
    #[must_use]
    pub fn new(url: impl Into<String>, key: Key, name: impl Into<String>) -> Self {
        Self { url: url.into(), key, name: name.into(), link: link::Settings::default() }
    }
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is in the server's durable log.
    Saved,
    /// The server refused it.
    Refused(Refusal),
}

/// The session ended before the answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the session has ended")]
pub struct Ended;

/// One document, open in this process. Dropping it closes the connection.
#[derive(Debug)]
pub struct Session<D: Document> {
    commands: mpsc::UnboundedSender<Command<D>>,
    view: watch::Receiver<View<D>>,
}

/// A document as it is seen, and where its reader stands.
#[derive(Clone, Debug)]
pub struct View<D> {
    /// The confirmed document with pending changes on top.
    pub document: D,
    /// Where this reader stands.
    pub status: Status,
    /// The confirmed document's place in the log.
    pub cursor: Cursor,
}

#[derive(Debug)]
enum Command<D: Document> {
    Edit { change: D::Change, admitted: oneshot::Sender<Result<(), Refusal>>, fate: oneshot::Sender<Fate> },
    RetryNow,
}

impl<D: Document> Session<D> {
    /// Opens a document and connects. Must be called within a tokio runtime.
    #[must_use]
    pub fn open(opening: Opening) -> Self {
        let (commands, inbox) = mpsc::unbounded_channel();
        let (events, heard) = mpsc::unbounded_channel();
        let client = new_client(&opening);
        let (shown, view) = watch::channel(view_of(&client));
        let runner = Runner {
            url: opening.url,
            client,
            clock: Clock::start(),
            ids: ChangeIds::after(None),
            socket: None,
            events,
            fates: HashMap::new(),
            shown,
        };
        tokio::spawn(runner.run(inbox, heard));
        Self { commands, view }
    }

    /// What is seen now.
    #[must_use]
    pub fn view(&self) -> View<D> {
        self.view.borrow().clone()
    }

    /// Waits until what is seen satisfies `condition`, and returns it.
    ///
    /// # Errors
    /// [`Ended`].
    pub async fn wait_for(&self, mut condition: impl FnMut(&View<D>) -> bool) -> Result<View<D>, Ended> {
        let mut view = self.view.clone();
        let seen = view.wait_for(|view| condition(view)).await.map_err(|_| Ended)?;
        Ok(seen.clone())
    }

    /// Makes a change. Returns, once it is queued, what will become of it; that future waits for as long as the server takes.
    ///
    /// # Errors
    /// Why the change can never be accepted, or that the session has ended.
    pub async fn edit(
        &self,
        change: D::Change,
    ) -> Result<impl Future<Output = Result<Fate, Ended>> + use<D>, EditError> {
        let (admitted, answer) = oneshot::channel();
        let (fate, outcome) = oneshot::channel();
        self.commands.send(Command::Edit { change, admitted, fate }).map_err(|_| Ended)?;
        answer.await.map_err(|_| Ended)??;
        Ok(async move { outcome.await.map_err(|_| Ended) })
    }

    /// Connects now, whatever the state.
    pub fn retry_now(&self) {
        // A session that has ended has nothing to retry.
        let _ = self.commands.send(Command::RetryNow);
    }
}

/// Why a change was not queued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// It can never be accepted.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Nobody takes changes any more.
    #[error(transparent)]
    Ended(#[from] Ended),
}

fn new_client<D: Document>(opening: &Opening) -> Client<D> {
    let settings = Settings {
        key: opening.key.clone(),
        replica: ReplicaId(uuid_v7(clock::unix_now(), clock::random())),
        name: opening.name.clone(),
        link: opening.link,
        transport: None,
        network: network::Settings::default(),
        patience: Patience::default(),
        voice: Voice::Sole,
        seed: u64::from_le_bytes(clock::random()),
    };
    let start = Start {
        document: D::default(),
        cursor: Cursor::default(),
        access: Access::Edit,
        kept: Vec::new(),
        registered: true,
    };
    Client::new(settings, start)
}

fn view_of<D: Document>(client: &Client<D>) -> View<D> {
    View { document: client.view().clone(), status: client.status(), cursor: client.confirmed().1 }
}

struct Runner<D: Document> {
    url: String,
    client: Client<D>,
    clock: Clock,
    ids: ChangeIds,
    socket: Option<(SocketId, Socket)>,
    events: super::socket::Events,
    /// Who asked for the fate of a change; several, where it takes the place of earlier ones.
    fates: HashMap<ChangeId, Vec<oneshot::Sender<Fate>>>,
    shown: watch::Sender<View<D>>,
}

impl<D: Document> Runner<D> {
    async fn run(
        mut self,
        mut inbox: mpsc::UnboundedReceiver<Command<D>>,
        mut heard: mpsc::UnboundedReceiver<(SocketId, SocketEvent)>,
    ) {
        self.handle(Event::Start);
        loop {
            let due = self.client.deadline().map(|due| self.clock.instant(due));
            tokio::select! {
                command = inbox.recv() => match command {
                    Some(command) => self.obey(command),
                    None => {
                        self.handle(Event::Stop);
                        return;
                    }
                },
                Some((id, event)) = heard.recv() => {
                    self.handle(Event::of_socket(id, event));
                }
                () = async { sleep_until(due.unwrap_or_else(tokio::time::Instant::now)).await }, if due.is_some() => {
                    self.handle(Event::Wake);
                }
            }
        }
    }

    fn obey(&mut self, command: Command<D>) {
        match command {
            Command::RetryNow => {
                self.handle(Event::Start);
            }
            Command::Edit { change, admitted, fate } => {
                let verdict = self.client.admits(&change);
                if verdict.is_ok() {
                    let made_at = clock::unix_now();
                    let id = self.ids.next(made_at, clock::random());
                    self.fates.entry(id).or_default().push(fate);
                    self.handle(Event::Edit(Kept::new(id, change, made_at)));
                }
                // Whoever asked may have gone; the change is made all the same.
                let _ = admitted.send(verdict);
            }
        }
    }

    fn handle(&mut self, event: Event<D>) {
        let effects = self.client.handle(event, self.clock.now());
        let shows = effects.iter().any(|effect| matches!(effect, Effect::ViewChanged | Effect::StatusChanged));
        for effect in effects {
            self.carry_out(effect);
        }
        if shows {
            self.shown.send_replace(view_of(&self.client));
        }
    }

    fn carry_out(&mut self, effect: Effect<D>) {
        match effect {
            Effect::Open(id, _) => self.socket = Some((id, Socket::open(self.url.clone(), id, self.events.clone()))),
            Effect::Send(id, text) => {
                if let Some((present, socket)) = &self.socket
                    && *present == id
                {
                    socket.send(text);
                }
            }
            Effect::Close(id) => {
                self.socket.take_if(|(present, _)| *present == id);
            }
            Effect::Keep(kept) => {
                if let Some(replaced) = kept.replaces
                    && let Some(askers) = self.fates.remove(&replaced)
                {
                    self.fates.entry(kept.id).or_default().extend(askers);
                }
            }
            Effect::Saved(confirmed) => self.settle(confirmed.kept.id, &Fate::Saved),
            Effect::Refused(kept) => {
                if let Some(refusal) = kept.refused {
                    self.settle(kept.id, &Fate::Refused(refusal));
                }
                // The asker has the reason; there is no list here for a person to go through.
                self.client.handle(Event::Discard(kept.id), self.clock.now());
            }
            // There is no device to hint at anything here, so nothing is probed but the line, which is a WebSocket; the document is
            // one that the server knows, and nobody shares the voice.
            Effect::Probe(_)
            | Effect::TryWebSocket
            | Effect::Register(_)
            | Effect::TakeOver
            | Effect::Line(_)
            | Effect::Forget(_)
            | Effect::ViewChanged
            | Effect::Marked(_)
            | Effect::Measured(_)
            | Effect::StatusChanged => {}
        }
    }

    fn settle(&mut self, id: ChangeId, fate: &Fate) {
        for asker in self.fates.remove(&id).unwrap_or_default() {
            // Whoever asked may have gone.
            let _ = asker.send(fate.clone());
        }
    }
}
