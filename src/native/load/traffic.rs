//! Changes at a rate: how they fare, and the highest that a server keeps up with.

use std::fmt;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::Failure;
use super::crowd::{Run, Writing};
use super::dialect::Dialect;
use super::figures::{Latency, Spent};
use super::target::{Target, spinner};

/// What has not been delivered by then is missing.
const AFTER: Duration = Duration::from_secs(5);

/// Where the highest rate is looked for: what comes that late is too late in any case.
const LATE: Duration = Duration::from_secs(1);

/// A server keeps up as long as of a hundred deliveries 99 take no longer, and no more than one is missing.
const IN_TIME_MS: f64 = 100.0;

/// Who writes to whom, and how much.
#[derive(Clone, Copy, Debug)]
pub struct Traffic {
    /// Boards.
    pub boards: usize,
    /// People on each.
    pub people: usize,
    /// Of these, so many write.
    pub writers: usize,
    /// Changes a second, on all boards together.
    pub rate: f64,
    /// How long.
    pub seconds: u64,
}

/// What became of changes sent at a rate.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct FanOut {
    /// Boards.
    pub boards: usize,
    /// People on each.
    pub people: usize,
    /// Of these, so many wrote.
    pub writers: usize,
    /// Changes that were to be sent in a second, on all boards.
    pub rate: f64,
    /// Changes that were.
    pub sent: u64,
    /// Times that somebody heard of one.
    pub delivered: u64,
    /// Times that somebody should have, and did not.
    pub missing: u64,
    /// Deliveries in a second of sending.
    pub delivered_per_second: f64,
    /// From when a change was to be sent to when somebody heard of it.
    pub latency: Latency,
    /// While it was sent.
    pub spent: Spent,
}

impl FanOut {
    /// Whether 99 of 100 deliveries took at most 100 ms, and at most one was missing.
    #[must_use]
    pub fn keeps_up(&self) -> bool {
        self.latency.p99_ms <= IN_TIME_MS && self.missing * 100 <= self.delivered + self.missing
    }
}

/// The highest rate that was found.
#[derive(Clone, Debug, Serialize)]
pub struct Most {
    /// Every rate that was tried, in turn.
    pub tried: Vec<FanOut>,
    /// The highest that the server kept up with.
    pub most: FanOut,
}

impl<D: Dialect> Target<D> {
    /// Sends changes at a rate.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn fan_out(&self, traffic: Traffic) -> Result<FanOut, Failure> {
        let spinner = spinner("Sending");
        let found = self.send(traffic, AFTER).await;
        spinner.finish_and_clear();
        found
    }

    async fn send(&self, traffic: Traffic, after: Duration) -> Result<FanOut, Failure> {
        let Traffic { boards, people, writers, rate, seconds } = traffic;
        let crowd = self.gather(boards, people).await?;
        let (run, meter) = (Run::start(), self.meter());
        let writers = writers.min(people);
        let all = (boards * writers) as f64;
        let (begin, until) = (run.now() as f64, seconds as f64 * 1e6);
        let mut there = JoinSet::new();
        for (who, mut person) in crowd.into_iter().enumerate() {
            let (board, place) = (who / people, who % people);
            // Writers take turns, so that changes come evenly.
            let turn = (place * boards + board) as f64;
            let writing = (place < writers).then(|| Writing {
                next: begin + turn * 1e6 / rate,
                every: all * 1e6 / rate,
                until: begin + until,
            });
            let run = run.clone();
            there.spawn(async move { person.take_part(&run, who, writing, |_| ()).await });
        }
        sleep(Duration::from_secs(seconds)).await;
        let spent = meter.read();
        let expected = || run.sent.load(Relaxed) * people as u64;
        // Waits for what is on its way; what was due and not sent counts as missing too.
        let due = (rate * seconds as f64) as u64 * people as u64;
        let deadline = Instant::now() + after;
        while (run.delivered.count() < expected().max(due)) && Instant::now() < deadline {
            if let Ok(Some(lost)) = timeout(Duration::from_millis(50), there.join_next()).await {
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

    /// Doubles the rate until the server does not keep up, or halves it until it does, then halves the step a few times.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn most(&self, traffic: Traffic) -> Result<Most, Failure> {
        const STEPS: usize = 3;
        const LEAST: f64 = 1.0;
        let spinner = spinner("Trying");
        let (mut tried, mut best): (Vec<FanOut>, Option<FanOut>) = (Vec::new(), None);
        let (mut low, mut high) = (0.0, None::<f64>);
        let (mut steps, mut failed_at) = (0, None);
        while steps < STEPS {
            let rate = match high {
                None if let Some(failed) = failed_at => failed,
                None if low == 0.0 => traffic.rate,
                None => low * 2.0,
                Some(high) if low == 0.0 => high / 2.0,
                Some(high) => {
                    steps += 1;
                    f64::midpoint(low, high)
                }
            };
            spinner.set_message(format!("{rate:.0} changes a second"));
            let found = match self.send(Traffic { rate, ..traffic }, LATE).await {
                Ok(found) => found,
                // It was sent away, being too slow for what it asked for: that is more than can be had.
                Err(Failure::Lost(_)) if rate > LEAST => {
                    high = Some(rate);
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            tried.push(found);
            if found.keeps_up() {
                low = rate;
                failed_at = None;
                best = best.filter(|best| best.rate >= found.rate).or(Some(found));
            } else if high.is_none() && failed_at != Some(rate) {
                // The machine may have done something else for a moment: that a rate is too high is believed the second time.
                failed_at = Some(rate);
            } else if best.is_none() && rate <= LEAST {
                return Err(Failure::TooSlow);
            } else {
                high = Some(rate);
            }
        }
        spinner.finish_and_clear();
        best.map(|most| Most { tried, most }).ok_or(Failure::TooSlow)
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

impl fmt::Display for Most {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, found) in self.tried.iter().enumerate() {
            let verdict = if found.keeps_up() { "keeps up" } else { "does not keep up" };
            let (n, rate, p99) = (n + 1, found.rate, found.latency.p99_ms);
            writeln!(f, "{n:2}  {rate:>9.0} changes a second, p99 {p99:>8.1} ms: {verdict}")?;
        }
        write!(f, "The most it keeps up with:\n{}", self.most)
    }
}
