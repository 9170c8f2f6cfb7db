//! Somebody comes back who has missed changes.

use std::fmt;

use serde::Serialize;
use tokio::time::Instant;

use super::Failure;
use super::crowd::{Person, Run};
use super::dialect::{Dialect, Lasting};
use super::figures::{Latency, Times, micros};
use super::target::{Target, bar};

/// What it takes to be told of missed changes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct CatchUp {
    /// How many were missed.
    pub changes: usize,
    /// How often that was measured.
    pub times: usize,
    /// What the server sent until its client was up to date.
    pub bytes: usize,
    /// From opening a socket to being up to date.
    pub latency: Latency,
}

impl<D: Dialect> Target<D> {
    /// Adds something lasting `changes` times, and comes back `times` times as somebody who knows of none of it but the first.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn catch_up(&self, changes: usize, times: usize) -> Result<CatchUp, Failure> {
        let (board, run) = (self.dialect.make().await?, Run::start());
        let mut writer = Person::join(self.dialect.speaker(&board), |_| ()).await?;
        // Who comes back knows something of the board: one that knows nothing may be sent the document as a whole.
        let mut reader = Person::join(self.dialect.speaker(&board), |_| ()).await?;
        writer.save(&run, 0, 1, Lasting::Yes).await?;
        while run.hear(&reader.next().await?, 1).all == 0 {}
        let known = reader.speaker.clone();
        drop(reader);
        writer.fill(&run, changes, &bar("Writing", changes as u64)).await?;
        let (took, mut bytes) = (Times::new(), 0);
        for _ in 0..times {
            let start = Instant::now();
            let person = Person::join(known.clone(), |_| ()).await?;
            took.record([micros(start.elapsed())]);
            bytes = person.bytes;
        }
        Ok(CatchUp { changes, times, bytes, latency: took.figures() })
    }
}

impl fmt::Display for CatchUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { changes, times, bytes, latency } = self;
        write!(f, "{changes} changes missed, {times} times\n  answer     {bytes} bytes\n  caught up  {latency}")
    }
}
