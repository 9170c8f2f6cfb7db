//! The one thread that writes, with group commit.
//!
//! Everything that waits, of all documents, goes into one transaction and so costs one fsync. If a piece of work fails by itself, the
//! others are done without it.

use std::fmt;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use rusqlite::{Error, ErrorCode};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use super::StoreError;
use super::log::Log;

/// Most pieces of work in one transaction: so many that the fsync hardly counts, so few that nobody waits long.
const GROUP: usize = 512;

/// What to do when the disk fails. It gets a sentence with the reason.
pub struct Fatal(Box<dyn FnOnce(&str) + Send>);

impl Fatal {
    /// Calls `end`, which should not come back.
    pub fn new(end: impl FnOnce(&str) + Send + 'static) -> Self {
        Self(Box::new(end))
    }

    /// Says the reason on standard error and ends the process, with the code `EX_IOERR` of `sysexits.h`. Nothing that was
    /// confirmed is lost, and nothing else is confirmed.
    #[must_use]
    pub fn end_process() -> Self {
        Self::new(|reason| {
            eprintln!("sheetbend: {reason}");
            std::process::exit(74);
        })
    }
}

impl fmt::Debug for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fatal(…)")
    }
}

/// A handle to the thread. Dropping it lets the thread finish what waits and close the database.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<Sender<Box<dyn Work>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. Within a runtime, all of a group are answered there.
    pub(super) fn start(log: Log, fatal: Fatal) -> std::io::Result<Self> {
        let (queue, waiting) = channel();
        let (answers, mut answered) = unbounded_channel();
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move { while answered.recv().await.is_some() {} });
        }
        let run = move || run(log, waiting, &answers, fatal);
        let thread = thread::Builder::new().name("sqlite-writer".into()).spawn(run)?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Runs `work` in the next transaction; returns when that is durable. A transaction that fails may be run again.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Log) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job = Job { work, outcome: None, reply };
        let stopped = || StoreError::failed("the database's writer has stopped");
        let queue = self.queue.as_ref().ok_or_else(stopped)?;
        queue.send(Box::new(job)).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the writer was reported when it happened.
            let _ = thread.join();
        }
    }
}

/// Something to do in a transaction, and someone who waits for its commit.
trait Work: Send {
    fn execute(&mut self, log: &mut Log) -> rusqlite::Result<()>;
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

/// Those of a group, and what became of it. Each is answered when this is dropped.
///
/// The thread hands it to a task: so it wakes the runtime once, where each answer that it gave by itself could cost a change to the
/// runtime's thread and back. If there is no such task, the thread does answer.
struct Answers {
    committed: Result<(), StoreError>,
    group: Vec<Box<dyn Work>>,
}

impl Drop for Answers {
    fn drop(&mut self) {
        for work in self.group.drain(..) {
            work.answer(self.committed.clone());
        }
    }
}

struct Job<T, F> {
    work: F,
    outcome: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T: Send, F: Fn(&mut Log) -> rusqlite::Result<T> + Send> Work for Job<T, F> {
    fn execute(&mut self, log: &mut Log) -> rusqlite::Result<()> {
        self.outcome = Some((self.work)(log)?);
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self { outcome, reply, .. } = *self;
        let done = || outcome.ok_or_else(|| StoreError::failed("work that was not done was committed"));
        // Whoever asked may have gone; the commit stands.
        let _ = reply.send(committed.and_then(|()| done()));
    }
}

fn run(mut log: Log, waiting: Receiver<Box<dyn Work>>, answers: &UnboundedSender<Answers>, fatal: Fatal) {
    while let Ok(first) = waiting.recv() {
        // Where there are few processors, those who have work for this transaction come to hand it in.
        thread::yield_now();
        let mut group = vec![first];
        group.extend(waiting.try_iter().take(GROUP - 1));
        if let Err(error) = settle(&mut log, group, answers) {
            tracing::error!(%error, "the disk failed");
            let end = fatal.0;
            return end(&format!(
                "the disk failed while the database was written ({error}), so the server ends now. What it confirmed is \
                 safe. Check the disk, then start it again."
            ));
        }
    }
}

/// Does a group's work and answers it. If the disk fails, nobody is answered any more: whether it is on disk cannot be told.
fn settle(log: &mut Log, mut group: Vec<Box<dyn Work>>, answers: &UnboundedSender<Answers>) -> rusqlite::Result<()> {
    let committed = transact(log, &mut group);
    let failure = committed.as_ref().err().map(Failure::of);
    let committed = match (committed, failure) {
        (Err(error), Some(Failure::Disk)) => return Err(error),
        // Whose it is, is found by doing each alone: that is rare, and costs the others less than to be undone alone always would.
        (Err(_), Some(Failure::Own)) if group.len() > 1 => {
            return group.into_iter().try_for_each(|work| settle(log, vec![work], answers));
        }
        (Err(error), failure) => {
            tracing::error!(%error, changes = group.len(), "nothing was written");
            Err(if failure == Some(Failure::Full) { StoreError::Full } else { StoreError::failed(error) })
        }
        (Ok(()), _) => Ok(()),
    };
    // What cannot be sent is dropped.
    let _ = answers.send(Answers { committed, group });
    Ok(())
}

/// Runs a group in one transaction.
fn transact(log: &mut Log, group: &mut [Box<dyn Work>]) -> rusqlite::Result<()> {
    let run = |log: &Log, sql: &str| log.db().prepare_cached(sql)?.execute([]).map(drop);
    run(log, "BEGIN IMMEDIATE")?;
    let done = group.iter_mut().try_for_each(|work| work.execute(log)).and_then(|()| run(log, "COMMIT"));
    if done.is_err() {
        log.undone();
        // Of some errors SQLite has rolled back by itself.
        if !log.db().is_autocommit() {
            run(log, "ROLLBACK")?;
        }
    }
    done
}

/// Whose failure an error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    /// This piece of work's.
    Own,
    /// There is no room. Nobody's work can go on now.
    Full,
    /// The disk's: reading, writing or syncing failed.
    Disk,
    /// The database's: locked, out of memory, damaged. Nobody's work can go on now.
    Database,
}

impl Failure {
    fn of(error: &Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::SystemIoFailure) => Self::Disk,
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OutOfMemory
                | ErrorCode::ReadOnly
                | ErrorCode::OperationInterrupted
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::CannotOpen
                | ErrorCode::NotADatabase,
            ) => Self::Database,
            _ => Self::Own,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use rusqlite::{Connection, ffi};

    use super::*;

    fn failure(code: i32) -> Error {
        Error::SqliteFailure(ffi::Error::new(code), None)
    }

    fn table() -> Log {
        let db = Connection::open_in_memory().expect("in memory");
        db.execute_batch("CREATE TABLE t (n INTEGER PRIMARY KEY)").expect("a table");
        Log::new(db)
    }

    #[test]
    fn tells_failures_apart() {
        assert_eq!(Failure::of(&failure(ffi::SQLITE_CONSTRAINT_UNIQUE)), Failure::Own);
        assert_eq!(Failure::of(&failure(ffi::SQLITE_FULL)), Failure::Full);
        assert_eq!(Failure::of(&failure(ffi::SQLITE_IOERR_FSYNC)), Failure::Disk);
        assert_eq!(Failure::of(&failure(ffi::SQLITE_IOERR_WRITE)), Failure::Disk);
        assert_eq!(Failure::of(&failure(ffi::SQLITE_BUSY)), Failure::Database);
    }

    #[tokio::test]
    async fn work_that_fails_is_undone_alone() {
        let writer = Writer::start(table(), Fatal::new(|why| panic!("{why}"))).expect("starts");
        let insert = |n: i64| writer.run(move |log| log.db().execute("INSERT INTO t VALUES (?1), (?1 + 100)", [n]));
        let (first, clash, second) = tokio::join!(insert(1), insert(101), insert(2));
        assert_eq!((first.expect("new"), second.expect("new")), (2, 2));
        assert!(matches!(clash, Err(StoreError::Failed(_))), "101 is taken");
        let rows = writer.run(|log| log.db().query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0))).await;
        assert_eq!(rows.expect("counts"), 4, "201 is not there");
    }

    #[test]
    fn work_is_answered_though_the_runtime_in_which_it_began_is_gone() {
        let runtime = || tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let first = runtime();
        let within = first.enter();
        let writer = Writer::start(table(), Fatal::new(|why| panic!("{why}"))).expect("starts");
        drop(within);
        assert_eq!(first.block_on(writer.run(|_| Ok(1))).expect("is done"), 1);
        drop(first);
        assert_eq!(runtime().block_on(writer.run(|_| Ok(2))).expect("is done"), 2);
    }

    #[tokio::test]
    async fn a_disk_that_fails_ends_it_all() {
        let (said, says) = mpsc::channel();
        let fatal = Fatal::new(move |why| said.send(why.to_owned()).expect("someone listens"));
        let writer = Writer::start(table(), fatal).expect("starts");
        let broken = writer.run(|_| Err::<(), _>(failure(ffi::SQLITE_IOERR_FSYNC))).await;
        assert!(matches!(broken, Err(StoreError::Failed(_))), "not confirmed");
        assert!(says.recv().expect("a reason").contains("the disk failed"));
        assert!(writer.run(|_| Ok(())).await.is_err(), "and nothing after it is");
    }
}
