//! Writers who each wait.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Failure;
use super::crowd::{Lost, Run};
use super::dialect::{Dialect, Lasting};
use super::figures::{Latency, Spent};
use super::target::{Target, spinner};

/// What became of changes by writers who each wait for one before the next.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Durable {
    /// Writers in all.
    pub writers: usize,
    /// Boards that they were spread over.
    pub boards: usize,
    /// How long they wrote.
    pub seconds: f64,
    /// Changes that came back to who made them; with Sheetbend they are on disk then.
    pub saved: u64,
    /// In a second.
    pub saved_per_second: f64,
    /// From the making of a change to its coming back.
    pub latency: Latency,
    /// Meanwhile.
    pub spent: Spent,
}

impl<D: Dialect> Target<D> {
    /// Lets writers write for a while, each the next change when the last is saved.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn durable(&self, boards: usize, writers: usize, seconds: u64) -> Result<Durable, Failure> {
        let crowd = self.gather(boards, writers.div_ceil(boards)).await?;
        let (run, meter, spinner) = (Run::start(), self.meter(), spinner("Writing"));
        let until = Instant::now() + Duration::from_secs(seconds);
        let mut writing = JoinSet::new();
        for (who, mut person) in crowd.into_iter().take(writers).enumerate() {
            let run = run.clone();
            writing.spawn(async move {
                while Instant::now() < until {
                    person.save(&run, who, 1, Lasting::No).await?;
                }
                Ok::<_, Lost>(())
            });
        }
        while let Some(done) = writing.join_next().await {
            done??;
        }
        spinner.finish_and_clear();
        let (elapsed, saved) = (run.now() as f64 / 1e6, run.delivered.count());
        Ok(Durable {
            writers,
            boards,
            seconds: elapsed,
            saved,
            saved_per_second: saved as f64 / elapsed,
            latency: run.delivered.figures(),
            spent: meter.read(),
        })
    }
}

impl fmt::Display for Durable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { writers, boards, saved, saved_per_second, latency, spent, .. } = self;
        writeln!(
            f,
            "boards: {boards}, writers in all: {writers}; each waits until a change is saved, and makes the next"
        )?;
        writeln!(f, "  saved      {saved} ({saved_per_second:.0} a second)")?;
        write!(f, "  until then {latency}\n  took       {spent}")
    }
}
