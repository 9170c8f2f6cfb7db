//! Lines that are cut, again and again.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::Failure;
use super::crowd::{Lost, Person, Run, Writing};
use super::dialect::{Dialect, Speaker};
use super::figures::{Latency, Spent, Times, micros};
use super::target::{Target, bar, spinner};

/// What has not been delivered by then, after the last line is back, is missing.
const AFTER: Duration = Duration::from_secs(5);

/// Lasting changes on the board before: who comes back to much is sent what was missed, not all there is, which could not be counted.
const THERE: usize = 500;

/// Whose lines are cut, how often, and what goes on meanwhile.
#[derive(Clone, Copy, Debug)]
pub struct Cuts {
    /// People on one board whose lines are cut.
    pub people: usize,
    /// Others on it, who write; their lines hold.
    pub writers: usize,
    /// Changes a second.
    pub rate: f64,
    /// How often each line is cut.
    pub every: Duration,
    /// How long it is gone.
    pub away: Duration,
    /// How long all that goes on.
    pub seconds: u64,
}

/// What became of changes while lines were cut.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Chaos {
    /// People whose lines were cut.
    pub people: usize,
    /// How often one was.
    pub cuts: u64,
    /// Changes that were sent.
    pub sent: u64,
    /// Share of what was to be delivered that was, in percent.
    pub delivered_percent: f64,
    /// Times that somebody should have heard of a change, and did not.
    pub missing: u64,
    /// Times that somebody heard of a change again.
    pub doubled: u64,
    /// From a line's being back to its person's being up to date.
    pub caught_up: Latency,
    /// Meanwhile.
    pub spent: Spent,
}

impl<D: Dialect> Target<D> {
    /// Cuts everybody's line, at times spread evenly, while others write.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn chaos(&self, cuts: Cuts) -> Result<Chaos, Failure> {
        let Cuts { people, writers, rate, every, away, seconds } = cuts;
        let board = self.dialect.make().await?;
        let mut first = Person::join(self.dialect.speaker(&board), |_| ()).await?;
        first.fill(&Run::start(), THERE, &bar("Writing", THERE as u64)).await?;
        let everybody = people + writers;
        let joining = bar("Joining", everybody as u64);
        let mut crowd = self.enter(&board, everybody, &joining).await?;
        joining.finish_and_clear();
        let (run, meter, spinner) = (Run::start(), self.meter(), spinner("Cutting"));
        let told: Arc<[AtomicU64]> = (0..people).map(|_| AtomicU64::new(0)).collect();
        let back = Arc::new(Times::new());
        let until = Instant::now() + Duration::from_secs(seconds);
        let (begin, writing_until) = (run.now() as f64, seconds as f64 * 1e6);
        let mut there: JoinSet<Lost> = JoinSet::new();
        for (place, mut person) in crowd.split_off(people).into_iter().enumerate() {
            let step = 1e6 / rate;
            let writing = Writing {
                next: (place as f64).mul_add(step, begin),
                every: writers as f64 * step,
                until: begin + writing_until,
            };
            let run = Arc::clone(&run);
            there.spawn(async move { person.take_part(&run, people + place, Some(writing), |_| ()).await });
        }
        for (who, person) in crowd.into_iter().enumerate() {
            let cut = Instant::now() + every.mul_f64(who as f64 / people as f64);
            let (run, told, back) = (Arc::clone(&run), Arc::clone(&told), Arc::clone(&back));
            there.spawn(async move {
                let line = Line { who, run: &run, told: &told[who], back: &back };
                line.hold(person, cut, until, every, away).await
            });
        }
        sleep(Duration::from_secs(seconds)).await;
        let spent = meter.read();
        let sent = || run.sent.load(Relaxed);
        let each = || told.iter().map(|told| told.load(Relaxed));
        let deadline = Instant::now() + away + AFTER;
        while each().any(|told| told < sent()) && Instant::now() < deadline {
            if let Ok(Some(lost)) = timeout(Duration::from_millis(50), there.join_next()).await {
                return Err(lost?.into());
            }
        }
        spinner.finish_and_clear();
        let (sent, due) = (sent(), sent() * people as u64);
        let missing = each().map(|told| sent.saturating_sub(told)).sum::<u64>();
        Ok(Chaos {
            people,
            cuts: back.count(),
            sent,
            delivered_percent: 100.0 * (due - missing) as f64 / due.max(1) as f64,
            missing,
            doubled: each().map(|told| told.saturating_sub(sent)).sum(),
            caught_up: back.figures(),
            spent,
        })
    }
}

/// A line that is cut.
struct Line<'a> {
    who: usize,
    run: &'a Run,
    /// Changes that were heard of on it.
    told: &'a AtomicU64,
    back: &'a Times,
}

impl Line<'_> {
    async fn hold<S: Speaker>(
        &self,
        mut person: Person<S>,
        mut cut: Instant,
        until: Instant,
        every: Duration,
        away: Duration,
    ) -> Lost {
        let hear = |count: usize| {
            self.told.fetch_add(count as u64, Relaxed);
        };
        while cut < until {
            if let Ok(lost) = timeout_at(cut, person.take_part(self.run, self.who, None, hear)).await {
                return lost;
            }
            let speaker = person.speaker.clone();
            drop(person);
            sleep(away).await;
            let line_back = Instant::now();
            person = match Person::join(speaker, |frame| hear(self.run.hear(frame, self.who).all)).await {
                Ok(person) => person,
                Err(lost) => return lost,
            };
            self.back.record([micros(line_back.elapsed())]);
            cut += every;
        }
        person.take_part(self.run, self.who, None, hear).await
    }
}

impl fmt::Display for Chaos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { people, cuts, sent, delivered_percent, missing, doubled, caught_up, spent } = self;
        writeln!(f, "{people} people, whose lines were cut {cuts} times; {sent} changes were sent")?;
        writeln!(f, "  delivered  {delivered_percent:.3} % ({missing} missing, {doubled} doubled)")?;
        write!(f, "  caught up  {caught_up}\n  took       {spent}")
    }
}
