//! `sheetbend load`: runs a scenario, and prints what it found.

use std::fmt;
use std::io;
use std::time::Duration;

use serde::Serialize;
use sheetbend::native::load::{self, CatchUp, Chaos, Cuts, Durable, FanOut, Idle, Most, Sheetbend, Storm, Target};

use super::planner::Planner;
use super::{StartError, runtime};
use crate::cli::{Load, Scenario, Traffic};

/// Why there are no figures. Each is a sentence for the person who asked for them.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error(transparent)]
    Load(#[from] load::Failure),
    #[error("cannot write: {0}.")]
    Output(#[from] io::Error),
}

/// What a scenario found.
#[derive(Debug, Serialize)]
#[serde(tag = "scenario", rename_all = "snake_case")]
enum Found {
    FanOut(FanOut),
    Most(Most),
    Durable(Durable),
    Idle(Idle),
    Storm(Storm),
    CatchUp(CatchUp),
    Chaos(Chaos),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FanOut(found) => found.fmt(f),
            Self::Most(found) => found.fmt(f),
            Self::Durable(found) => found.fmt(f),
            Self::Idle(found) => found.fmt(f),
            Self::Storm(found) => found.fmt(f),
            Self::CatchUp(found) => found.fmt(f),
            Self::Chaos(found) => found.fmt(f),
        }
    }
}

pub(crate) fn run(options: &Load) -> Result<(), Failure> {
    let target = Target { dialect: Sheetbend::at(&options.servers.0, Planner::default()), pid: options.pid };
    let found = runtime()?.block_on(find(&target, options.scenario))?;
    if options.json {
        serde_json::to_writer_pretty(io::stdout().lock(), &found).map_err(io::Error::from)?;
        println!();
    } else {
        println!("{found}");
    }
    Ok(())
}

async fn find(target: &Target<Sheetbend<Planner>>, scenario: Scenario) -> Result<Found, load::Failure> {
    /// Longer than the server's pings are apart: with one and its answer, people who do nothing are still there.
    const IDLE_SECONDS: u64 = 20;
    Ok(match scenario {
        Scenario::FanOut(traffic) => Found::FanOut(target.fan_out(traffic.into()).await?),
        Scenario::Most(traffic) => Found::Most(target.most(traffic.into()).await?),
        Scenario::Durable { boards, writers, seconds } => {
            Found::Durable(target.durable(boards, writers, seconds).await?)
        }
        Scenario::Idle { people } => Found::Idle(target.idle(people, IDLE_SECONDS).await?),
        Scenario::Storm { people } => {
            let say = || eprintln!("{people} people are there. End the server now, and start it again.");
            Found::Storm(target.storm(people, say).await?)
        }
        Scenario::CatchUp { changes, times } => Found::CatchUp(target.catch_up(changes, times).await?),
        Scenario::Chaos { people, writers, rate, every, away, seconds } => {
            let (every, away) = (Duration::from_secs(every), Duration::from_secs(away));
            Found::Chaos(target.chaos(Cuts { people, writers, rate, every, away, seconds }).await?)
        }
    })
}

impl From<Traffic> for load::Traffic {
    fn from(Traffic { boards, people, writers, rate, seconds }: Traffic) -> Self {
        Self { boards, people, writers, rate, seconds }
    }
}
