//! One document, open in this process.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::mem;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::clock::{self, Clock};
use super::disk::{Disk, Loaded, NotKept};
use super::socket::Socket;
use crate::sync::client::{
    Client, Connection, Effect, Event, Patience, Reading, Recalled, Settings, SocketEvent, Start, Status, Voice,
};
use crate::sync::digest::Cursor;
use crate::sync::document::{Document, Refusal};
use crate::sync::id::{ChangeId, ChangeIds, Key, ReplicaId};
use crate::sync::link::{self, SocketId};
use crate::sync::message::{Access, Entry};
use crate::sync::network;
use crate::sync::outbox::Kept;
use crate::sync::time::Moment;
use crate::sync::write_behind::{Record, Write};

/// Most commands that are carried out together: the changes among them are kept in one write.
const TOGETHER: usize = 256;

/// How often the document is written to disk while it changes, and once more at the end. What was confirmed since is asked for again
/// at the next start.
const DOCUMENT_EVERY: Duration = Duration::from_secs(60);

/// What to open.
#[derive(Debug)]
pub struct Opening {
    /// The server's sync endpoint, `ws://host/api/sync`.
    pub url: String,
    /// The document's edit or view key.
    pub key: Key,
    /// The name this program goes by.
    pub name: String,
    /// Timings of the connection.
    pub link: link::Settings,
    /// Where changes are kept until they are saved, and sent from at the next start if this process ends before. Without one they
    /// are in memory: they survive the line and the server, not this process.
    pub disk: Option<Disk>,
}

/// A text that is no link to a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no link to a board. It looks like https://example.org/b/ and 22 letters: copy it from the browser, or from Share."
)]
pub struct NotALink;

impl Opening {
    /// The document that a page's address leads to: `https://host/b/KEY`.
    ///
    /// # Errors
    /// [`NotALink`].
    pub fn of_link(link: &str, name: impl Into<String>) -> Result<Self, NotALink> {
        let (scheme, rest) = link.trim().split_once("://").ok_or(NotALink)?;
        let scheme = match scheme {
            "http" => "ws",
            "https" => "wss",
            _ => return Err(NotALink),
        };
        let (host, path) = rest.split_once("/b/").ok_or(NotALink)?;
        let key = path.split(['/', '?', '#']).next().and_then(|key| key.parse().ok()).ok_or(NotALink)?;
        if host.is_empty() || host.contains('/') {
            return Err(NotALink);
        }
        Ok(Self::new(format!("{scheme}://{host}/api/sync"), key, name))
    }

    /// The document that `key` opens on the server at `url`.
    #[must_use]
    pub fn new(url: impl Into<String>, key: Key, name: impl Into<String>) -> Self {
        Self { url: url.into(), key, name: name.into(), link: link::Settings::default(), disk: None }
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

/// One document, open in this process. Dropping it closes the connection; [`Session::close`] waits until that is done.
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
    /// Changes of an earlier process that the server has refused since, and why: nobody waits for their fate any more. They stay
    /// until [`Session::discard`].
    pub refused: Vec<(ChangeId, Refusal)>,
}

impl<D> View<D> {
    /// In sync with the server.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.status.connection == Connection::Live
    }
}

#[derive(Debug)]
enum Command<D: Document> {
    Edit(Edit<D::Change>),
    Follow(mpsc::UnboundedSender<Entry<D::Change>>),
    Discard(ChangeId),
    RetryNow,
    Close(oneshot::Sender<()>),
}

#[derive(Debug)]
struct Edit<C> {
    change: C,
    admitted: oneshot::Sender<Result<(), EditError>>,
    fate: oneshot::Sender<Fate>,
}

impl<D: Document> Session<D> {
    /// Opens a document and connects. Must be called within a tokio runtime.
    #[must_use]
    pub fn open(opening: Opening) -> Self {
        let (commands, inbox) = mpsc::unbounded_channel();
        let (events, heard) = mpsc::unbounded_channel();
        let loaded = opening.disk.as_ref().map_or_else(Loaded::default, Disk::load);
        let ids = ChangeIds::after(loaded.outbox.iter().map(|kept| kept.id).max());
        let written = loaded.document.as_ref().map(|(_, cursor)| *cursor).unwrap_or_default();
        let client = new_client(&opening, loaded);
        let (shown, view) = watch::channel(view_of(&client));
        let runner = Runner {
            url: opening.url,
            client,
            clock: Clock::start(),
            ids,
            socket: None,
            events,
            fates: HashMap::new(),
            followers: Vec::new(),
            shown,
            disk: opening.disk,
            unwritten: BTreeMap::new(),
            document: (written, Instant::now()),
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

    /// Makes a change. Returns, once it is kept (on disk, if the session has one), what will become of it; that future waits for as
    /// long as the server takes.
    ///
    /// # Errors
    /// Why the change can never be accepted, or was not kept, or that the session has ended. It is then not made.
    pub async fn edit(
        &self,
        change: D::Change,
    ) -> Result<impl Future<Output = Result<Fate, Ended>> + use<D>, EditError> {
        let (admitted, answer) = oneshot::channel();
        let (fate, outcome) = oneshot::channel();
        self.commands.send(Command::Edit(Edit { change, admitted, fate })).map_err(|_| Ended)?;
        answer.await.map_err(|_| Ended)??;
        Ok(async move { outcome.await.map_err(|_| Ended) })
    }

    /// The entries of the log from here on, in order, whoever made them, refused ones too. Where the document was brought up to date
    /// as a whole, entries are left out, and their versions. What is not taken waits in memory.
    ///
    /// # Errors
    /// [`Ended`].
    pub fn follow(&self) -> Result<mpsc::UnboundedReceiver<Entry<D::Change>>, Ended> {
        let (tell, told) = mpsc::unbounded_channel();
        self.commands.send(Command::Follow(tell)).map_err(|_| Ended)?;
        Ok(told)
    }

    /// Lets a refused change go: one of [`View::refused`].
    pub fn discard(&self, change: ChangeId) {
        // A session that has ended has nothing to discard.
        let _ = self.commands.send(Command::Discard(change));
    }

    /// Writes the document to disk, if the session has one, and closes the connection. What is pending stays on disk.
    pub async fn close(self) {
        let (done, closed) = oneshot::channel();
        // If it has ended already, there is nothing to wait for.
        let _ = self.commands.send(Command::Close(done));
        let _ = closed.await;
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
    /// The disk does not take it.
    #[error(transparent)]
    NotKept(#[from] NotKept),
    /// Nobody takes changes any more.
    #[error(transparent)]
    Ended(#[from] Ended),
}

fn new_client<D: Document>(opening: &Opening, loaded: Loaded<D>) -> Client<D> {
    let settings = Settings {
        key: opening.key.clone(),
        replica: ReplicaId(clock::uuid()),
        name: opening.name.clone(),
        link: opening.link,
        transport: None,
        network: network::Settings::default(),
        patience: Patience::default(),
        voice: Voice::Sole,
        seed: u64::from_le_bytes(clock::random()),
    };
    let (document, cursor) = loaded.document.unwrap_or_default();
    let start = Start { document, cursor, access: Access::Edit, kept: loaded.outbox, registered: true };
    let mut client = Client::new(settings, start);
    let recalled = Recalled { reading: Reading::Done, kept: Vec::new(), retained: loaded.saved, document: None };
    // It has not begun, so there is nothing to do but to show it.
    client.handle(Event::Recalled(recalled), Moment::default());
    client
}

fn view_of<D: Document>(client: &Client<D>) -> View<D> {
    View {
        document: client.view().clone(),
        status: client.status(),
        cursor: client.confirmed().1,
        refused: client.outbox().attention().filter_map(|kept| Some((kept.id, kept.refused.clone()?))).collect(),
    }
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
    followers: Vec<mpsc::UnboundedSender<Entry<D::Change>>>,
    shown: watch::Sender<View<D>>,
    disk: Option<Disk>,
    /// What the disk did not take. It is written with what comes next.
    unwritten: BTreeMap<Record, Option<String>>,
    /// The place in the log of the document on disk, and when it was written.
    document: (Cursor, Instant),
}

impl<D: Document> Runner<D> {
    async fn run(
        mut self,
        mut inbox: mpsc::UnboundedReceiver<Command<D>>,
        mut heard: mpsc::UnboundedReceiver<(SocketId, SocketEvent)>,
    ) {
        self.handle(Event::Start).await;
        let mut commands = Vec::new();
        loop {
            let due = self.client.deadline().map(|due| self.clock.instant(due));
            tokio::select! {
                count = inbox.recv_many(&mut commands, TOGETHER) => {
                    let close = self.obey(mem::take(&mut commands)).await;
                    if count == 0 || close.is_some() {
                        self.end().await;
                        // Whoever waited may have gone.
                        close.map(|close| close.send(()));
                        return;
                    }
                }
                Some((id, event)) = heard.recv() => self.handle(Event::of_socket(id, event)).await,
                () = async { sleep_until(due.unwrap_or_else(Instant::now)).await }, if due.is_some() => {
                    self.handle(Event::Wake).await;
                }
            }
        }
    }

    /// Carries commands out. Returns who waits for the end, if that is among them.
    async fn obey(&mut self, commands: Vec<Command<D>>) -> Option<oneshot::Sender<()>> {
        let mut edits = Vec::new();
        let mut close = None;
        for command in commands {
            match command {
                Command::Edit(edit) => edits.push(edit),
                Command::Follow(follower) => self.followers.push(follower),
                Command::Discard(change) => self.handle(Event::Discard(change)).await,
                Command::RetryNow => self.handle(Event::Start).await,
                Command::Close(done) => close = Some(done),
            }
        }
        self.make(edits).await;
        close
    }

    /// Makes changes, in order: what can be accepted is kept first, all of it in one write.
    async fn make(&mut self, edits: Vec<Edit<D::Change>>) {
        let mut kept = Vec::new();
        for Edit { change, admitted, fate } in edits {
            match self.client.admits(&change) {
                Ok(()) => {
                    let made_at = clock::unix_now();
                    let id = self.ids.next(made_at, clock::random());
                    kept.push((Kept::new(id, change, made_at), admitted, fate));
                }
                // Whoever asked may have gone.
                Err(refusal) => drop(admitted.send(Err(refusal.into()))),
            }
        }
        let records = kept.iter().map(|(kept, ..)| (Record::Outbox(kept.id), Some(text(kept)))).collect();
        let written = self.write(records).await;
        for (kept, admitted, fate) in kept {
            match &written {
                Ok(()) => {
                    let id = kept.id;
                    self.fates.entry(id).or_default().push(fate);
                    self.proceed(Event::Edit(kept), Some(id)).await;
                    // The change is made all the same.
                    let _ = admitted.send(Ok(()));
                }
                Err(error) => {
                    self.unwritten.remove(&Record::Outbox(kept.id));
                    let _ = admitted.send(Err(error.clone().into()));
                }
            }
        }
    }

    async fn handle(&mut self, event: Event<D>) {
        self.proceed(event, None).await;
    }

    /// Tells the client what happened, and does what it asks for. The record of `written` is on disk already.
    async fn proceed(&mut self, event: Event<D>, written: Option<ChangeId>) {
        let is_written = |effect: &&Effect<D>| matches!(effect, Effect::Keep(kept) if Some(kept.id) == written && kept.replaces.is_none());
        let mut events = vec![event];
        let mut shows = false;
        while let Some(event) = events.pop() {
            let effects = self.client.handle(event, self.clock.now());
            if self.disk.is_some() {
                let mut writes: Vec<_> =
                    effects.iter().filter(|effect| !is_written(effect)).flat_map(records).collect();
                if self.document.1.elapsed() >= DOCUMENT_EVERY {
                    writes.extend(self.document());
                }
                // What the disk does not take stays in memory, and is written when it does.
                let _ = self.write(writes).await;
            }
            let shown = |effect: &Effect<D>| {
                matches!(effect, Effect::ViewChanged | Effect::StatusChanged | Effect::AttentionChanged)
            };
            shows |= effects.iter().any(shown);
            for effect in effects {
                events.extend(self.carry_out(effect));
            }
        }
        if shows {
            self.shown.send_replace(view_of(&self.client));
        }
    }

    async fn end(&mut self) {
        self.handle(Event::Stop).await;
        let writes = self.document().into_iter().collect();
        let _ = self.write(writes).await;
    }

    /// The confirmed document as a record, if another is on disk.
    fn document(&mut self) -> Option<Write> {
        let (document, cursor) = self.client.confirmed();
        if self.disk.is_none() || cursor == self.document.0 {
            return None;
        }
        let write = (Record::Document, Some(text(&(document, cursor))));
        self.document = (cursor, Instant::now());
        Some(write)
    }

    async fn write(&mut self, writes: Vec<Write>) -> Result<(), NotKept> {
        let Some(disk) = &self.disk else { return Ok(()) };
        if writes.is_empty() {
            return Ok(());
        }
        self.unwritten.extend(writes);
        let written = disk.write(self.unwritten.clone().into_iter().collect()).await;
        if written.is_ok() {
            self.unwritten.clear();
        }
        written
    }

    /// Does what the client asks for. Returns what it is to be told.
    fn carry_out(&mut self, effect: Effect<D>) -> Option<Event<D>> {
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
            Effect::Heard(entries) => {
                self.followers.retain(|follower| entries.iter().all(|entry| follower.send(entry.clone()).is_ok()));
            }
            Effect::Saved(confirmed) => {
                self.settle(confirmed.kept.id, &Fate::Saved);
            }
            Effect::Refused(kept) => {
                let id = kept.id;
                let told = kept.refused.is_some_and(|refusal| self.settle(id, &Fate::Refused(refusal)));
                // The asker has the reason; there is no list here for a person to go through.
                return told.then_some(Event::Discard(id));
            }
            // There is no device to hint at anything here, so nothing is probed but the line, which is a WebSocket; the document is
            // one that the server knows, and nobody shares the voice.
            Effect::Probe(_)
            | Effect::TryWebSocket
            | Effect::Register(_)
            | Effect::TakeOver
            | Effect::Line(_)
            | Effect::Forget(_)
            | Effect::Remote(_)
            | Effect::AttentionChanged
            | Effect::ViewChanged
            | Effect::Marked(_)
            | Effect::Measured(_)
            | Effect::StatusChanged => {}
        }
        None
    }

    /// Tells a change's fate. Returns whether anybody waited for it.
    fn settle(&mut self, id: ChangeId, fate: &Fate) -> bool {
        let askers = self.fates.remove(&id).unwrap_or_default();
        // Whoever asked may have gone, and does not care.
        let told = !askers.is_empty();
        for asker in askers {
            let _ = asker.send(fate.clone());
        }
        told
    }
}

/// What an effect makes of the records on disk.
fn records<D: Document>(effect: &Effect<D>) -> Vec<Write> {
    match effect {
        Effect::Keep(kept) => {
            let replaced = kept.replaces.map(|replaced| (Record::Outbox(replaced), None));
            let here = [(Record::Outbox(kept.id), Some(text(kept))), (Record::Saved(kept.id), None)];
            here.into_iter().chain(replaced).collect()
        }
        Effect::Saved(confirmed) => {
            let id = confirmed.kept.id;
            vec![(Record::Outbox(id), None), (Record::Saved(id), Some(text(confirmed)))]
        }
        Effect::Forget(id) => vec![(Record::Outbox(*id), None), (Record::Saved(*id), None)],
        _ => Vec::new(),
    }
}

/// A record's text.
fn text(record: &impl Serialize) -> String {
    // Records are plain data with string keys: writing them cannot fail.
    serde_json::to_string(record).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_as_people_copy_them() {
        let url = |link: &str| Opening::of_link(link, "").map(|opening| opening.url);
        let key = "AAAAAAAAAAAAAAAAAAAAAA";
        for (link, expected) in [
            (format!("http://127.0.0.1:3000/b/{key}"), "ws://127.0.0.1:3000/api/sync"),
            (format!(" https://plan.example/b/{key}?x#y\n"), "wss://plan.example/api/sync"),
        ] {
            assert_eq!(url(&link).as_deref(), Ok(expected));
        }
        for wrong in [
            "",
            "plan.example",
            "ftp://plan.example/b/AAAAAAAAAAAAAAAAAAAAAA",
            "https://plan.example/b/short",
            "https:///b/AAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert_eq!(url(wrong), Err(NotALink), "{wrong}");
        }
    }
}
