//! What is done to a board from the command line, over the network: follow it, add to it.

use std::future::Future;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use sheetbend::board::position::Position;
use sheetbend::board::{Board, Card, CardId, Change, ListId};
use sheetbend::native::clock::uuid;
use sheetbend::native::disk::{self, Disk, NotKept};
use sheetbend::native::session::{EditError, Ended, NotALink, View};
use sheetbend::native::{Fate, Opening, Session};
use sheetbend::sync::client::Connection;
use sheetbend::sync::document::Document as _;
use sheetbend::sync::message::{Body, Entry};
use sheetbend::ui::board::words::in_words;

use super::{StartError, runtime, stop};
use crate::cli::{Add, Remote, Tail};

/// Why it was not done. Each is a sentence for the person who asked for it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{0}.")]
    Link(#[from] NotALink),
    #[error(transparent)]
    Disk(#[from] disk::OpenError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("{0}")]
    Refused(String),
    #[error("the server is newer than this program. Update Sheetbend.")]
    Outdated,
    #[error("there is no list \"{wanted}\". There are: {lists}.")]
    NoList { wanted: String, lists: String },
    #[error("the board has no lists yet. Name one to make with --list.")]
    NoLists,
    #[error("nothing was added. Title {number} of {all}: {why}")]
    Title { number: usize, all: usize, why: String },
    #[error("nothing was added: {0}")]
    NoRoom(String),
    #[error("the change was not made: {0}.")]
    NotKept(#[from] NotKept),
    #[error("{made} of {all} cards were made, and no more: {why}.")]
    MadeSome { made: usize, all: usize, why: NotKept },
    #[error("{refused} of {all} cards were refused: {why}")]
    CardsRefused { refused: usize, all: usize, why: String },
    #[error(
        "{0} not saved. Try again when the server can be reached; with --outbox FILE what is not saved is kept until then."
    )]
    NotSaved(String),
    #[error("the board was not reached, and nothing was added. Try again when the server can be reached.")]
    NotReached,
    #[error(transparent)]
    Ended(#[from] Ended),
    #[error("cannot write: {0}.")]
    Output(#[from] io::Error),
}

impl From<EditError> for Failure {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Refused(refusal) => Self::Refused(refusal.message.to_string()),
            EditError::NotKept(error) => Self::NotKept(error),
            EditError::Ended(ended) => Self::Ended(ended),
        }
    }
}

fn open(remote: &Remote) -> Result<Opening, Failure> {
    Ok(Opening::of_link(&remote.link, remote.name.as_str())?)
}

/// Waits for what is seen to satisfy `condition`, unless the server will never let it.
async fn sees(
    session: &Session<Board>,
    mut condition: impl FnMut(&View<Board>) -> bool,
) -> Result<View<Board>, Failure> {
    let view = session.wait_for(|view| condition(view) || is_final(&view.status.connection)).await?;
    match &view.status.connection {
        Connection::Refused(bye) => Err(Failure::Refused(bye.message.clone())),
        Connection::Outdated => Err(Failure::Outdated),
        _ => Ok(view),
    }
}

const fn is_final(connection: &Connection) -> bool {
    matches!(connection, Connection::Refused(_) | Connection::Outdated)
}

/// Prints every change, until told to stop.
pub(crate) fn tail(options: &Tail) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let session = Session::<Board>::open(open(&options.remote)?);
        let stop = stop().map_err(StartError::Runtime)?;
        tokio::select! {
            result = follow(&session, options.json) => result,
            () = stop => Ok(()),
        }
    })
}

async fn follow(session: &Session<Board>, json: bool) -> Result<(), Failure> {
    let view = sees(session, View::is_live).await?;
    eprintln!("{}, version {}: following. Ctrl+C ends it.", view.document.name(), view.cursor.version);
    let mut entries = session.follow()?;
    let mut live = true;
    loop {
        tokio::select! {
            entry = entries.recv() => {
                let entry = entry.ok_or(Ended)?;
                match print(&entry, &session.view().document, json) {
                    // Whoever read it has had enough.
                    Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                    result => result?,
                }
            }
            view = sees(session, |view| view.is_live() != live) => {
                live = view?.is_live();
                eprintln!("{}", if live { "The line is back." } else { "The line is lost: trying again by itself." });
            }
        }
    }
}

fn print(entry: &Entry<Change>, board: &Board, json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer(&mut out, entry)?;
        return writeln!(out);
    }
    let words = match &entry.change {
        Body::Known(change) => in_words(board, change),
        Body::Unknown(_) => "A change of a newer version.".to_owned(),
    };
    let author = if entry.author.is_empty() { "Somebody" } else { &entry.author };
    match &entry.refused {
        None => writeln!(out, "{author}: {words}"),
        Some(why) => writeln!(out, "{author}: {words} (refused: {})", why.message),
    }
}

/// Adds cards, and waits until they are saved.
pub(crate) fn add(options: &Add) -> Result<(), Failure> {
    check_titles(options)?;
    runtime()?.block_on(async {
        let mut opening = open(&options.remote)?;
        if let Some(path) = &options.outbox {
            opening.disk = Some(Disk::open(path, &opening.key)?);
        }
        let session = Session::<Board>::open(opening);
        let adding = async {
            tokio::select! {
                result = add_cards(&session, options) => result,
                // What waits would wait for ever.
                refused = sees(&session, |_| false) => refused.map(drop),
            }
        };
        let result = within(options.within, adding).await;
        let left = session.view().status.pending;
        session.close().await;
        match result {
            Some(result) => result,
            None => unsaved(left, options),
        }
    })
}

/// Checks every title before anything is sent: all are added, or none.
fn check_titles(options: &Add) -> Result<(), Failure> {
    let (nowhere, all) = (ListId(uuid()), options.titles.len());
    let wrong = |number, why: &str| Failure::Title { number, all, why: why.to_owned() };
    for (number, title) in (1..).zip(&options.titles) {
        let content = Card::new(nowhere, Position::between(None, None), title);
        Board::check(&Change::AddCard { card: CardId(uuid()), content }).map_err(|why| wrong(number, &why.message))?;
        if title.trim().is_empty() {
            return Err(wrong(number, "It is empty."));
        }
    }
    let Some(title) = options.list.clone().filter(|_| options.make_list) else { return Ok(()) };
    Board::check(&Change::RenameList { list: nowhere, title }).map_err(|why| Failure::NoRoom(why.message.to_string()))
}

/// The result, unless it takes too long, or the person has had enough.
async fn within<T>(seconds: Option<u64>, what: impl Future<Output = Result<T, Failure>>) -> Option<Result<T, Failure>> {
    let stop = match stop() {
        Ok(stop) => stop,
        Err(error) => return Some(Err(StartError::Runtime(error).into())),
    };
    let late = async {
        match seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        result = what => Some(result),
        () = stop => None,
        () = late => None,
    }
}

fn unsaved(left: usize, options: &Add) -> Result<(), Failure> {
    let (changes, are) = if left == 1 { ("1 change".to_owned(), "is") } else { (format!("{left} changes"), "are") };
    match &options.outbox {
        _ if left == 0 => Err(Failure::NotReached),
        Some(path) => {
            eprintln!("{changes} {are} kept in {}, and sent the next time it is named with --outbox.", path.display());
            Ok(())
        }
        None => Err(Failure::NotSaved(format!("{changes} {are}"))),
    }
}

async fn add_cards(session: &Session<Board>, options: &Add) -> Result<(), Failure> {
    let bar = bar(options.titles.len());
    // What is known from before is enough to go on with: the rest comes.
    let view = sees(session, |view| view.is_live() || view.cursor.version > 0).await?;
    let (made, changes) = changes(&view.document, options)?;
    // On a copy first: the board may have no room for all.
    let mut copy = view.document.clone();
    let fits = made.iter().chain(&changes).try_for_each(|change| copy.apply(change));
    fits.map_err(|why| Failure::NoRoom(why.message.to_string()))?;
    let made = match made {
        Some(change) => Some(session.edit(change).await?),
        None => None,
    };
    let mut fates = Vec::new();
    for change in changes {
        match session.edit(change).await {
            Ok(fate) => fates.push(fate),
            Err(EditError::NotKept(why)) => {
                return Err(Failure::MadeSome { made: fates.len(), all: options.titles.len(), why });
            }
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(path) = &options.outbox {
        eprintln!("Kept {} in {}.", cards(options.titles.len()), path.display());
    }
    if let Some(made) = made
        && let Fate::Refused(why) = made.await?
    {
        return Err(Failure::Refused(why.message.to_string()));
    }
    let mut refusals = Vec::new();
    for fate in fates {
        match fate.await? {
            Fate::Saved => bar.inc(1),
            Fate::Refused(refusal) => refusals.push(refusal.message),
        }
    }
    // And what was kept from before.
    let view = sees(session, |view| view.status.pending == 0).await?;
    bar.finish_and_clear();
    for (change, why) in view.refused {
        eprintln!("A change of an earlier run was refused, and is let go: {}", why.message);
        session.discard(change);
    }
    match refusals.first() {
        None => {
            eprintln!("Saved {} on \"{}\".", cards(options.titles.len()), session.view().document.name());
            Ok(())
        }
        Some(why) => {
            Err(Failure::CardsRefused { refused: refusals.len(), all: options.titles.len(), why: why.to_string() })
        }
    }
}

/// What adds the list, if it is to be made, and what adds the cards.
fn changes(board: &Board, options: &Add) -> Result<(Option<Change>, Vec<Change>), Failure> {
    let (list, made) = match find_list(board, options)? {
        Some(list) => (list, None),
        None => {
            let list = ListId(uuid());
            let last = board.open_lists().pop().map(|(_, list)| list.position.clone());
            let position = Position::between(last.as_ref(), None);
            let title = options.list.clone().unwrap_or_default();
            (list, Some(Change::AddList { list, title, position, archived: false }))
        }
    };
    let last = board.open_cards(list).pop().map(|(_, card)| card.position.clone());
    let places = Position::run_after(last.as_ref(), options.titles.len());
    let add = |(title, place)| Change::AddCard { card: CardId(uuid()), content: Card::new(list, place, title) };
    Ok((made, options.titles.iter().zip(places).map(add).collect()))
}

fn cards(count: usize) -> String {
    if count == 1 { "1 card".to_owned() } else { format!("{count} cards") }
}

/// The list that is named, or the first; `None` if that is to be made.
fn find_list(board: &Board, options: &Add) -> Result<Option<ListId>, Failure> {
    let lists = board.open_lists();
    match &options.list {
        None => lists.first().map(|(id, _)| Some(*id)).ok_or(Failure::NoLists),
        Some(wanted) => {
            let found = lists.iter().find(|(_, list)| list.title.to_lowercase() == wanted.to_lowercase());
            match found {
                Some((id, _)) => Ok(Some(*id)),
                None if options.make_list => Ok(None),
                None => {
                    let lists: Vec<_> = lists.iter().map(|(_, list)| format!("\"{}\"", list.title)).collect();
                    let lists = if lists.is_empty() { "none".to_owned() } else { lists.join(", ") };
                    Err(Failure::NoList { wanted: wanted.clone(), lists })
                }
            }
        }
    }
}

/// Shows how far it is, to a person; a program that reads standard error is spared it.
fn bar(count: usize) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(count as u64);
    bar.set_style(
        ProgressStyle::with_template("{spinner} Saved {pos} of {len} {wide_bar}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}
