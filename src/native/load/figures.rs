//! What was measured, and how it is told.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::Serialize;

/// Times, in microseconds, from 1 µs to a minute, to three digits.
#[derive(Debug)]
pub(super) struct Times(Mutex<Histogram<u64>>);

impl Times {
    const LONGEST: u64 = 60_000_000;

    pub(super) fn new() -> Self {
        // Those bounds are ones that it takes.
        Self(Mutex::new(Histogram::new_with_bounds(1, Self::LONGEST, 3).unwrap_or_else(|_| unreachable!())))
    }

    pub(super) fn record(&self, micros: impl IntoIterator<Item = u64>) {
        let mut times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for time in micros {
            times.saturating_record(time);
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(super) fn figures(&self) -> Latency {
        let times = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ms = |micros: u64| micros as f64 / 1e3;
        let at = |quantile| ms(times.value_at_quantile(quantile));
        Latency { p50_ms: at(0.5), p90_ms: at(0.9), p99_ms: at(0.99), p999_ms: at(0.999), max_ms: ms(times.max()) }
    }
}

/// How long something took.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Latency {
    /// The median, in milliseconds.
    pub p50_ms: f64,
    /// Of ten, nine took no longer.
    pub p90_ms: f64,
    /// Of a hundred, 99 took no longer.
    pub p99_ms: f64,
    /// Of a thousand, 999 took no longer.
    pub p999_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

/// A time as [`Times`] takes it.
pub(super) fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { p50_ms, p90_ms, p99_ms, p999_ms, max_ms } = self;
        write!(f, "p50 {p50_ms:.1}, p90 {p90_ms:.1}, p99 {p99_ms:.1}, p99.9 {p999_ms:.1}, longest {max_ms:.1} ms")
    }
}

/// What this process, and the server if it is on this machine and named, spent.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Spent {
    /// Share of one core that this process took. Near that of its cores, the figures are its own and not the server's.
    pub generator_cores: f64,
    /// Share of one core that the server took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_cores: Option<f64>,
    /// The server's memory at the end, in KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_kib: Option<u64>,
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "generator {:.2} cores", self.generator_cores)?;
        if let Some(cores) = self.server_cores {
            write!(f, ", server {cores:.2} cores")?;
        }
        if let Some(kib) = self.server_kib {
            write!(f, ", {:.1} MiB", kib as f64 / 1024.0)?;
        }
        Ok(())
    }
}

/// Measures what is spent from its making on.
#[derive(Debug)]
pub struct Meter {
    server: Option<u32>,
    start: std::time::Instant,
    before: (Duration, Option<Duration>),
}

impl Meter {
    /// Begins, with the server's process if that is on this machine.
    #[must_use]
    pub fn start(server: Option<u32>) -> Self {
        Self { server, start: std::time::Instant::now(), before: (own_time(), server.and_then(time_of)) }
    }

    /// What was spent so far.
    #[must_use]
    pub fn read(&self) -> Spent {
        let elapsed = self.start.elapsed().as_secs_f64();
        let cores = |before: Duration, after: Duration| after.saturating_sub(before).as_secs_f64() / elapsed;
        let after = self.server.and_then(time_of);
        Spent {
            generator_cores: cores(self.before.0, own_time()),
            server_cores: self.before.1.zip(after).map(|(before, after)| cores(before, after)),
            server_kib: self.server.and_then(memory_of),
        }
    }
}

/// Processor time that this process took.
#[cfg(unix)]
fn own_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(not(unix))]
fn own_time() -> Duration {
    Duration::ZERO
}

/// Processor time that a process took, where the system tells (Linux, proc_pid_stat(5): fields 14 and 15, a hundredth of a second
/// each).
fn time_of(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in brackets, may have spaces in it.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    Some(Duration::from_millis((ticks()? + ticks()?) * 10))
}

/// Memory of a process that is in use, in KiB, where the system tells.
fn memory_of(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok())
}
