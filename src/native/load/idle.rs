//! People who do nothing.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::Failure;
use super::dialect::Dialect;
use super::figures::Spent;
use super::target::Target;

/// What people cost who do nothing.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Idle {
    /// How many.
    pub people: usize,
    /// Until all were there.
    pub joined_ms: f64,
    /// The server's memory for each, where its process is known.
    pub server_kib_each: Option<f64>,
    /// In all that time.
    pub spent: Spent,
}

impl<D: Dialect> Target<D> {
    /// Gathers people on one board, and lets them be there for `seconds`.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn idle(&self, people: usize, seconds: u64) -> Result<Idle, Failure> {
        let before = self.meter().read().server_kib;
        let (meter, start) = (self.meter(), Instant::now());
        let crowd = self.gather(1, people).await?;
        let joined = start.elapsed();
        let mut there: JoinSet<_> = crowd.into_iter().map(|mut person| async move { person.idle().await }).collect();
        if let Ok(Some(lost)) = timeout(Duration::from_secs(seconds), there.join_next()).await {
            return Err(lost?.into());
        }
        let spent = meter.read();
        let each =
            before.zip(spent.server_kib).map(|(before, after)| after.saturating_sub(before) as f64 / people as f64);
        Ok(Idle { people, joined_ms: joined.as_secs_f64() * 1e3, server_kib_each: each, spent })
    }
}

impl fmt::Display for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { people, joined_ms, server_kib_each, spent } = self;
        write!(f, "{people} people who do nothing: all there after {joined_ms:.0} ms")?;
        if let Some(kib) = server_kib_each {
            write!(f, "\n  memory     {kib:.1} KiB each, of the server")?;
        }
        write!(f, "\n  took       {spent}")
    }
}
