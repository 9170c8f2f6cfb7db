//! Puts a server under load and says how it fares: `sheetbend load`.
//!
//! The load is open: changes are sent when they are due, however the server fares, and a change's time runs from when it was due
//! (no coordinated omission). A generator that cannot keep up shows in its own processor time.

mod crowd;
mod figures;

use std::fmt;
use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use sheetbend::board::position::Position;
use sheetbend::board::{Card, CardId, Change, ListId};
use sheetbend::native::boards::{self, NotMade};
use sheetbend::native::clock;
use sheetbend::sync::digest::Cursor;
use sheetbend::sync::id::{DocumentId, Key};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use self::crowd::{Lost, Person, Run, Writing, rename};
use self::figures::{Latency, Meter, Spent, Times};
use super::{StartError, runtime};
use crate::cli::{Load, Scenario, Traffic};

/// Most people who join at a time.
const JOINING: usize = 50;

/// What has not been delivered by then is missing.
const AFTER: Duration = Duration::from_secs(5);

/// A server keeps up as long as of a hundred deliveries 99 take no longer, and no more than one is missing.
const IN_TIME_MS: f64 = 100.0;

/// Why there are no figures. Each is a sentence for the person who asked for them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("cannot make a board: {0}.")]
    Board(#[from] NotMade),
    #[error("{0}.")]
    Lost(#[from] Lost),
    #[error("a part of the load failed: {0}.")]
    Task(#[from] JoinError),
    #[error("{0:.0} changes a second are more than the server keeps up with already. Begin lower, with --rate.")]
    TooSlow(f64),
    #[error("cannot write: {0}.")]
    Output(#[from] io::Error),
}

/// What a scenario found.
#[derive(Debug, Serialize)]
#[serde(tag = "scenario", rename_all = "snake_case")]
enum Found {
    FanOut(FanOut),
    Most {
        tried: Vec<FanOut>,
        most: FanOut,
    },
    Durable {
        writers: usize,
        boards: usize,
        seconds: f64,
        saved: u64,
        saved_per_second: f64,
        latency: Latency,
        spent: Spent,
    },
    Idle {
        people: usize,
        joined_ms: f64,
        server_kib_each: Option<f64>,
        spent: Spent,
    },
    CatchUp {
        changes: usize,
        times: usize,
        bytes: usize,
        latency: Latency,
    },
}

/// What became of changes sent at a rate.
#[derive(Clone, Copy, Debug, Serialize)]
struct FanOut {
    boards: usize,
    people: usize,
    writers: usize,
    /// Changes that were to be sent in a second, on all boards.
    rate: f64,
    sent: u64,
    /// Times that somebody heard of one.
    delivered: u64,
    /// Times that somebody should have, and did not.
    missing: u64,
    delivered_per_second: f64,
    latency: Latency,
    spent: Spent,
}

impl FanOut {
    fn keeps_up(&self) -> bool {
        self.latency.p99_ms <= IN_TIME_MS && self.missing * 100 <= self.delivered + self.missing
    }
}

impl fmt::Display for FanOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { boards, people, writers, rate, sent, delivered, missing, delivered_per_second, latency, spent } =
            self;
        writeln!(
            f,
            "boards: {boards}, people on each: {people}, of whom write: {writers}; {rate:.0} changes a second were due, {sent} were sent"
        )?;
        writeln!(f, "  delivered  {delivered} ({delivered_per_second:.0} a second), {missing} missing")?;
        writeln!(f, "  delivery   {latency}")?;
        write!(f, "  took       {spent}")
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FanOut(found) => write!(f, "{found}"),
            Self::Most { tried, most } => {
                for (n, found) in tried.iter().enumerate() {
                    let verdict = if found.keeps_up() { "keeps up" } else { "does not keep up" };
                    writeln!(
                        f,
                        "{:2}  {:>9.0} changes a second, p99 {:>8.1} ms: {verdict}",
                        n + 1,
                        found.rate,
                        found.latency.p99_ms
                    )?;
                }
                write!(f, "The most it keeps up with:\n{most}")
            }
            Self::Durable { writers, boards, saved, saved_per_second, latency, spent, .. } => {
                writeln!(
                    f,
                    "boards: {boards}, writers in all: {writers}; each waits until a change is saved, and makes the next"
                )?;
                writeln!(f, "  saved      {saved} ({saved_per_second:.0} a second)")?;
                write!(f, "  until then {latency}\n  took       {spent}")
            }
            Self::Idle { people, joined_ms, server_kib_each, spent } => {
                write!(f, "{people} people who do nothing: all there after {joined_ms:.0} ms")?;
                if let Some(kib) = server_kib_each {
                    write!(f, "\n  memory     {kib:.1} KiB each, of the server")?;
                }
                write!(f, "\n  took       {spent}")
            }
            Self::CatchUp { changes, times, bytes, latency } => {
                write!(f, "{changes} changes missed, {times} times\n  answer     {bytes} bytes\n  caught up  {latency}")
            }
        }
    }
}

/// Runs a scenario and prints what it found.
pub(crate) fn run(options: &Load) -> Result<(), Failure> {
    let found = runtime()?.block_on(async {
        Ok::<_, Failure>(match options.scenario {
            Scenario::FanOut(traffic) => {
                let bar = bar(traffic.seconds, "Sending");
                let found = fan_out(options, traffic).await;
                bar.finish_and_clear();
                Found::FanOut(found?)
            }
            Scenario::Most(traffic) => most(options, traffic).await?,
            Scenario::Durable { boards, writers, seconds } => durable(options, boards, writers, seconds).await?,
            Scenario::Idle { people } => idle(options, people).await?,
            Scenario::CatchUp { changes, times } => catch_up(options, changes, times).await?,
        })
    })?;
    if options.json {
        serde_json::to_writer_pretty(io::stdout().lock(), &found).map_err(io::Error::from)?;
        println!();
    } else {
        println!("{found}");
    }
    Ok(())
}

/// A board that nobody else has.
async fn make(options: &Load) -> Result<Key, Failure> {
    let key = Key::from_random(clock::random());
    boards::make(&options.server, DocumentId(clock::uuid()), &key).await?;
    Ok(key)
}

fn sync_url(options: &Load) -> String {
    format!("{}/api/sync", options.server.trim_end_matches('/').replacen("http", "ws", 1))
}

/// So many people on each of so many boards, in the order of the boards.
async fn gather(options: &Load, boards: usize, people: usize) -> Result<Vec<Person>, Failure> {
    let bar = bar(0, "Joining");
    bar.set_length((boards * people) as u64);
    let (url, mut crowd) = (sync_url(options), Vec::new());
    for _ in 0..boards {
        let key = make(options).await?;
        let mut joins = stream::iter(0..people).map(|_| Person::join(&url, &key, Cursor::default())).buffered(JOINING);
        while let Some(person) = joins.next().await {
            crowd.push(person?);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(crowd)
}

async fn fan_out(options: &Load, traffic: Traffic) -> Result<FanOut, Failure> {
    let Traffic { boards, people, writers, rate, seconds } = traffic;
    let crowd = gather(options, boards, people).await?;
    let (run, meter) = (Arc::new(Run::start()), Meter::start(options.pid));
    let writers = writers.min(people);
    let all = (boards * writers) as f64;
    let (begin, until) = (run.now() as f64, seconds as f64 * 1e6);
    let mut crowd_there = JoinSet::new();
    for (who, person) in crowd.into_iter().enumerate() {
        let (board, place) = (who / people, who % people);
        // Writers take turns, so that changes come evenly.
        let turn = (place * boards + board) as f64;
        let writing = (place < writers).then(|| Writing {
            next: begin + turn * 1e6 / rate,
            every: all * 1e6 / rate,
            until: begin + until,
        });
        crowd_there.spawn(person.take_part(Arc::clone(&run), who, writing));
    }
    sleep(Duration::from_secs(seconds)).await;
    let spent = meter.read();
    let expected = || run.sent.load(Relaxed) * people as u64;
    // Waits for what is on its way; what was due and not sent counts as missing too.
    let due = (rate * seconds as f64) as u64 * people as u64;
    let deadline = Instant::now() + AFTER;
    while (run.delivered.count() < expected().max(due)) && Instant::now() < deadline {
        if let Ok(Some(lost)) = timeout(Duration::from_millis(50), crowd_there.join_next()).await {
            return Err(lost?.into());
        }
    }
    let (sent, delivered) = (run.sent.load(Relaxed), run.delivered.count());
    Ok(FanOut {
        boards,
        people,
        writers,
        rate,
        sent,
        delivered,
        missing: due.max(expected()).saturating_sub(delivered),
        delivered_per_second: delivered as f64 / seconds as f64,
        latency: run.delivered.figures(),
        spent,
    })
}

/// Doubles the rate until the server does not keep up, then halves the step.
async fn most(options: &Load, traffic: Traffic) -> Result<Found, Failure> {
    const STEPS: usize = 4;
    let bar = bar(0, "Trying");
    let (mut tried, mut best): (Vec<FanOut>, Option<FanOut>) = (Vec::new(), None);
    let (mut low, mut high) = (0.0, None::<f64>);
    let mut steps = 0;
    while steps < STEPS {
        let rate = match high {
            None if low == 0.0 => traffic.rate,
            None => low * 2.0,
            Some(high) => {
                steps += 1;
                f64::midpoint(low, high)
            }
        };
        bar.set_message(format!("{rate:.0} changes a second"));
        let found = match fan_out(options, Traffic { rate, ..traffic }).await {
            Ok(found) => found,
            // It was sent away, being too slow for what it asked for: that is more than can be had.
            Err(Failure::Lost(_)) if best.is_some() => {
                high = Some(rate);
                continue;
            }
            Err(failure) => return Err(failure),
        };
        tried.push(found);
        if found.keeps_up() {
            low = rate;
            best = best.filter(|best| best.rate >= found.rate).or(Some(found));
        } else if best.is_none() {
            return Err(Failure::TooSlow(rate));
        } else {
            high = Some(rate);
        }
    }
    bar.finish_and_clear();
    best.map(|most| Found::Most { tried, most }).ok_or(Failure::TooSlow(traffic.rate))
}

async fn durable(options: &Load, boards: usize, writers: usize, seconds: u64) -> Result<Found, Failure> {
    let crowd = gather(options, boards, writers.div_ceil(boards)).await?;
    let (run, meter, bar) = (Arc::new(Run::start()), Meter::start(options.pid), bar(seconds, "Writing"));
    let until = Instant::now() + Duration::from_secs(seconds);
    let mut writing = JoinSet::new();
    for (who, mut person) in crowd.into_iter().take(writers).enumerate() {
        let run = Arc::clone(&run);
        writing.spawn(async move {
            while Instant::now() < until {
                person.save(&run, who, 1, rename).await?;
            }
            Ok::<_, Lost>(())
        });
    }
    while let Some(done) = writing.join_next().await {
        done??;
    }
    bar.finish_and_clear();
    let (elapsed, saved) = (run.now() as f64 / 1e6, run.delivered.count());
    Ok(Found::Durable {
        writers,
        boards,
        seconds: elapsed,
        saved,
        saved_per_second: saved as f64 / elapsed,
        latency: run.delivered.figures(),
        spent: meter.read(),
    })
}

async fn idle(options: &Load, people: usize) -> Result<Found, Failure> {
    let before = Meter::start(options.pid).read().server_kib;
    let (meter, start) = (Meter::start(options.pid), Instant::now());
    let crowd = gather(options, 1, people).await?;
    let joined = start.elapsed();
    let mut there: JoinSet<Lost> = crowd.into_iter().map(Person::idle).collect();
    // A ping and its answer, and they are still there.
    if let Ok(Some(lost)) = timeout(Duration::from_secs(20), there.join_next()).await {
        return Err(lost?.into());
    }
    let spent = meter.read();
    let each = before.zip(spent.server_kib).map(|(before, after)| after.saturating_sub(before) as f64 / people as f64);
    Ok(Found::Idle { people, joined_ms: joined.as_secs_f64() * 1e3, server_kib_each: each, spent })
}

async fn catch_up(options: &Load, changes: usize, times: usize) -> Result<Found, Failure> {
    const AT_ONCE: usize = 64;
    let (key, url, run) = (make(options).await?, sync_url(options), Run::start());
    let mut writer = Person::join(&url, &key, Cursor::default()).await?;
    let bar = bar(0, "Writing");
    bar.set_length(changes as u64);
    // A list is known to those who come back: a replica that knows nothing may be sent the document as a whole.
    let list = ListId(clock::uuid());
    let add_list = |title| Change::AddList { list, title, position: Position::default(), archived: false };
    writer.save(&run, 0, 1, add_list).await?;
    let known = Person::join(&url, &key, Cursor::default()).await?.cursor;
    let add_card = |title| {
        let content = Card::new(list, Position::default(), title);
        Change::AddCard { card: CardId(clock::uuid()), content }
    };
    let mut left = changes;
    while left > 0 {
        let count = left.min(AT_ONCE);
        writer.save(&run, 0, count, add_card).await?;
        left -= count;
        bar.inc(count as u64);
    }
    bar.finish_and_clear();
    let (took, mut bytes) = (Times::new(), 0);
    for _ in 0..times {
        let start = Instant::now();
        let person = Person::join(&url, &key, known).await?;
        took.record([u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX)]);
        bytes = person.bytes;
    }
    Ok(Found::CatchUp { changes, times, bytes, latency: took.figures() })
}

/// Shows a person how far it is.
fn bar(seconds: u64, what: &'static str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = if seconds > 0 { ProgressBar::new_spinner() } else { ProgressBar::new(0) };
    let template =
        if seconds > 0 { "{spinner} {prefix} {elapsed} {msg}" } else { "{spinner} {prefix} {pos} of {len} {msg}" };
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.set_prefix(what);
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}
