//! All come back at once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use super::Failure;
use super::crowd::{Lost, Person};
use super::dialect::{Dialect, Speaker};
use super::target::{Target, spinner};

/// How long everybody has to come back.
const WITHIN: Duration = Duration::from_secs(120);

/// How all came back, from when the server listened again.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Storm {
    /// How many.
    pub people: usize,
    /// The server asks for it: after a loss, the first attempt comes at some time within this.
    pub spread_ms: f64,
    /// Until half of them were there and up to date.
    pub half_ms: f64,
    /// Until 99 of a hundred were.
    pub most_ms: f64,
    /// Until all were.
    pub all_ms: f64,
}

impl<D: Dialect> Target<D> {
    /// Gathers people on one board, says in `gathered` that they are there, and waits for the server to be ended and started again at
    /// the same address. Each person comes back as the server asks.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn storm(&self, people: usize, gathered: impl FnOnce()) -> Result<Storm, Failure> {
        let crowd = self.gather(1, people).await?;
        let spread = crowd.iter().map(|person| person.speaker.spread()).max().unwrap_or_default();
        let address = crowd.first().map(|person| person.speaker.request()).transpose().map_err(Lost::from)?;
        let lost = Arc::new(Notify::new());
        let mut coming: JoinSet<Instant> = JoinSet::new();
        for mut person in crowd {
            let lost = Arc::clone(&lost);
            coming.spawn(async move {
                person.idle().await;
                lost.notify_one();
                come_back(person.speaker).await
            });
        }
        gathered();
        let spinner = spinner("Waiting for the server to be ended and started again");
        lost.notified().await;
        if let Some(authority) = address.as_ref().and_then(|request| request.uri().authority()) {
            while TcpStream::connect(authority.as_str()).await.is_err() {
                sleep(Duration::from_millis(1)).await;
            }
        }
        let (listening, mut back) = (Instant::now(), Vec::with_capacity(people));
        while back.len() < people {
            match timeout_at(listening + WITHIN, coming.join_next()).await {
                Ok(Some(came)) => back.push(came?.saturating_duration_since(listening).as_secs_f64() * 1e3),
                Ok(None) => break,
                Err(_) => {
                    return Err(Failure::Away { away: people - back.len(), people, seconds: WITHIN.as_secs() });
                }
            }
        }
        spinner.finish_and_clear();
        back.sort_by(f64::total_cmp);
        let at = |share: f64| back.get((people as f64 * share).ceil() as usize - 1).copied().unwrap_or_default();
        Ok(Storm {
            people,
            spread_ms: spread.as_secs_f64() * 1e3,
            half_ms: at(0.5),
            most_ms: at(0.99),
            all_ms: at(1.0),
        })
    }
}

/// Tries, at some time within what the server asked for, until it is there. Says when that was.
async fn come_back<S: Speaker>(speaker: S) -> Instant {
    loop {
        sleep(speaker.spread().mul_f64(fastrand::f64())).await;
        if let Ok(mut person) = Person::join(speaker.clone(), |_| ()).await {
            let there = Instant::now();
            // It stays, as people do.
            tokio::spawn(async move { person.idle().await });
            return there;
        }
    }
}

impl fmt::Display for Storm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { people, spread_ms, half_ms, most_ms, all_ms } = self;
        writeln!(f, "{people} people came back, spread over {spread_ms:.0} ms; from when the server listened again")?;
        write!(f, "  there      half after {half_ms:.0}, 99 % after {most_ms:.0}, all after {all_ms:.0} ms")
    }
}
