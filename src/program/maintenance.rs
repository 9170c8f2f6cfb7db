//! What an operator does beside serving: copies, checks, boards in and out.

use std::collections::BTreeSet;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sheetbend::board::{Board, export, import};
use sheetbend::server::store::postgres::Postgres;
use sheetbend::server::store::sqlite::{self, Incoming, Sqlite, SqliteReader};
use sheetbend::server::store::{KeyHash, Keys, NewDocument, ReadStore, RowFlaw, StoreError};
use sheetbend::server::upkeep::{self, CopyError, MakeError};
use sheetbend::sync::id::{ChangeIds, DocumentId, Key, uuid_v7};

use super::{StartError, open, runtime};
use crate::cli::{Backup, Check, Export, Import, Migrate, Restore};

/// Why it was not done. Each is a sentence for the person who asked for it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("{} is there already. Name another file.", .0.display())]
    Exists(PathBuf),
    #[error("cannot use {}: {source}.", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("cannot read the database: {0}.")]
    Store(#[from] StoreError),
    #[error("cannot copy the database: {0}.")]
    Copy(#[from] CopyError),
    #[error("{broken} of {all} boards are broken. Restore them from a backup; others are not affected.")]
    Broken { broken: usize, all: usize },
    #[error("the database is damaged. Restore it from a backup.")]
    Damaged,
    #[error("the copy is not put in place, and nothing has changed: {0} --broken-too puts it in place as it is.")]
    BrokenCopy(String),
    #[error("there is no board {0:?}. Give its link, its key or its id.")]
    NoBoard(String),
    #[error("the board cannot be read: {0}.")]
    Unreadable(String),
    #[error("{0}")]
    Import(String),
    #[error("the board was not made: {0}.")]
    Make(#[from] MakeError),
}

impl From<sqlite::OpenError> for Failure {
    fn from(error: sqlite::OpenError) -> Self {
        Self::Start(error.into())
    }
}

pub(crate) fn backup(options: &Backup) -> Result<(), Failure> {
    if options.to.exists() {
        return Err(Failure::Exists(options.to.clone()));
    }
    let store = SqliteReader::open(&options.data)?;
    // Under its name there is a whole copy or none.
    let mut partial = options.to.clone().into_os_string();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let unusable = |source| Failure::File { path: options.to.clone(), source };
    match std::fs::remove_file(&partial) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unusable(error)),
        _ => {}
    }
    runtime()?.block_on(store.copy_to(&partial))?;
    std::fs::rename(&partial, &options.to).map_err(unusable)?;
    let bytes = options.to.metadata().map_err(unusable)?.len();
    println!("Wrote {} ({bytes} bytes).", options.to.display());
    Ok(())
}

pub(crate) fn restore(options: &Restore) -> Result<(), Failure> {
    let incoming = Incoming::new(&options.from, &options.data)?;
    match runtime()?.block_on(check_all(&incoming.reader())) {
        Err(_) if options.broken_too => println!("It is restored as it is."),
        Err(broken) => return Err(Failure::BrokenCopy(broken.to_string())),
        Ok(()) => {}
    }
    let kept = incoming.put_in_place()?;
    println!("Restored {} into {}.", options.from.display(), options.data.display());
    if let Some(kept) = kept {
        println!("What was there is now {}.", kept.display());
    }
    println!("Clients that have seen more than is in it start over from it, and send what they still hold.");
    Ok(())
}

pub(crate) fn check(options: &Check) -> Result<(), Failure> {
    runtime()?.block_on(async {
        match &options.place.database {
            Some(_) => check_all(&open(&options.place).await?).await,
            None => check_all(&SqliteReader::open(&options.place.data)?).await,
        }
    })
}

async fn check_all(store: &impl ReadStore) -> Result<(), Failure> {
    let (mut boards, mut broken, mut changes) = (BTreeSet::new(), BTreeSet::new(), 0);
    let mut damaged = false;
    for RowFlaw { document, what } in store.flaws().await? {
        match document {
            Some(document) => {
                println!("Board {document}: {what}.");
                boards.insert(document.clone());
                broken.insert(document);
            }
            None => {
                println!("The database: {what}.");
                damaged = true;
            }
        }
    }
    for listed in upkeep::list(store).await? {
        boards.insert(listed.id.to_string());
        changes += listed.end.version;
        if let Err(flaw) = upkeep::check::<Board>(store, &listed).await {
            println!("Board {}: {flaw}.", listed.id);
            broken.insert(listed.id.to_string());
        }
    }
    if !broken.is_empty() {
        return Err(Failure::Broken { broken: broken.len(), all: boards.len() });
    }
    if damaged {
        return Err(Failure::Damaged);
    }
    println!("{} boards with {changes} changes: all are whole.", boards.len());
    Ok(())
}

pub(crate) fn export(options: &Export) -> Result<(), Failure> {
    runtime()?.block_on(async {
        match &options.place.database {
            Some(_) => export_from(&open(&options.place).await?, options).await,
            None => export_from(&SqliteReader::open(&options.place.data)?, options).await,
        }
    })
}

async fn export_from(store: &impl ReadStore, options: &Export) -> Result<(), Failure> {
    let none = || Failure::NoBoard(options.board.clone());
    let named = options.board.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let id = match (named.parse::<DocumentId>(), named.parse::<Key>()) {
        (Ok(id), _) => store.ends(vec![id]).await?.first().map(|end| end.document),
        (_, Ok(key)) => store.find(KeyHash::of(&key)).await?.map(|found| found.document),
        _ => None,
    };
    let board = upkeep::read::<Board>(store, id.ok_or_else(none)?).await.map_err(Failure::Unreadable)?;
    let json = export::to_json(&board);
    let (path, written) = match &options.to {
        Some(path) => (path.clone(), std::fs::write(path, json)),
        None => ("standard output".into(), io::stdout().write_all(json.as_bytes())),
    };
    written.map_err(|source| Failure::File { path, source })
}

pub(crate) fn import(options: &Import) -> Result<(), Failure> {
    let bytes = read(&options.from)?;
    let name = options.from.file_name().unwrap_or_default().to_string_lossy();
    let zone = zone(options.time_zone.as_deref())?;
    let offset = |seconds| {
        let instant = Timestamp::from_second(seconds).unwrap_or_default();
        zone.to_offset(instant).seconds() / 60
    };
    let mut imported = import::read(&name, &bytes, &offset).map_err(|error| Failure::Import(error.to_string()))?;
    let remarks = std::mem::take(&mut imported.remarks);
    let key = Key::from_random(random()?);
    let keys = Keys { edit: KeyHash::of(&key), view: KeyHash::of(&key.view_key()) };
    let (created_at, mut ids) = (now(), ChangeIds::default());
    let new = NewDocument { id: DocumentId(uuid_v7(created_at, random()?)), keys, created_at };
    let mut bits = fastrand::Rng::with_seed(u64::from_be_bytes(random()?));
    let mut some = || std::array::from_fn(|_| bits.u8(..));
    let changes = imported.into_changes(&mut || uuid_v7(created_at, some()));
    let changes = changes.into_iter().map(|change| (ids.next(created_at, some()), change)).collect();
    runtime()?.block_on(async {
        let store = open(&options.place).await?;
        upkeep::make::<Board>(&store, new, "Import", changes).await?;
        Ok::<_, Failure>(())
    })?;
    println!("Made the board /b/{}", key.as_str());
    remarks.iter().for_each(|remark| println!("{remark}"));
    Ok(())
}

pub(crate) fn migrate(options: &Migrate) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let from = Sqlite::open(&options.data)?;
        let to = Postgres::open(&options.database, options.database_ca.as_deref()).await.map_err(StartError::from)?;
        let all = upkeep::list(&from).await?;
        for (n, listed) in all.iter().enumerate() {
            upkeep::copy::<Board>(&from, &to, listed).await?;
            println!("{} of {}: board {}, {} changes", n + 1, all.len(), listed.id, listed.end.version);
        }
        println!("All is in PostgreSQL and was checked there. From now on serve with --database.");
        Ok(())
    })
}

/// The time zone that is named, else the system's.
fn zone(name: Option<&str>) -> Result<TimeZone, Failure> {
    let unknown = |name| Failure::Import(format!("there is no time zone \"{name}\". One is named like Europe/Berlin."));
    name.map_or_else(|| Ok(TimeZone::system()), |name| TimeZone::get(name).map_err(|_| unknown(name)))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |source| Failure::File { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let most = import::MAX_BYTES as u64;
    // One more than is allowed, so that the importer refuses it. A pipe or a device has no size to ask for first.
    std::fs::File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)).map_err(failed)?;
    Ok(bytes)
}

fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Failure::Import(format!("there is no randomness: {error}.")))?;
    Ok(bytes)
}

fn now() -> u64 {
    let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}
