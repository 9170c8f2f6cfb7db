//! Scripts with the numbers people know.

use std::fmt;
use std::str::FromStr;

use super::fault::{Directions, Fault};
use super::script::{Script, Step};

/// A script that has a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Preset {
    /// Nothing is wrong.
    Clear,
    /// 1.44 Mbit/s down, 675 kbit/s up, 562 ms there and back: Chrome's Fast 3G.
    Fast3g,
    /// 400 kbit/s each way, 2,000 ms there and back: Chrome's Slow 3G.
    Slow3g,
    /// No network.
    Offline,
    /// 30 % is lost, either way.
    Lossy,
    /// Cut every 15 s and gone for 2 s, again and again: as anycable/nodejs-websocket-bench does it.
    Flapping,
    /// A train goes through a tunnel: 3 s of a weak line, 30 s of silence with nothing to tell of it, 3 s of a weak line.
    Tunnel,
}

/// There is no preset of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no preset; there are clear, fast_3g, slow_3g, offline, lossy, flapping, tunnel")]
pub struct UnknownPreset(String);

impl Preset {
    /// All of them, the mild ones first.
    pub const ALL: [Self; 7] =
        [Self::Clear, Self::Fast3g, Self::Slow3g, Self::Offline, Self::Lossy, Self::Flapping, Self::Tunnel];

    /// Its name, as on a command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Fast3g => "fast_3g",
            Self::Slow3g => "slow_3g",
            Self::Offline => "offline",
            Self::Lossy => "lossy",
            Self::Flapping => "flapping",
            Self::Tunnel => "tunnel",
        }
    }

    /// What it plays. Its first step lifts what held before.
    #[must_use]
    pub fn script(self) -> Script {
        match self {
            Self::Clear => Script::of(Fault::Clear),
            Self::Fast3g => Script::of(Fault::Fast3g),
            Self::Slow3g => Script::of(Fault::Slow3g),
            Self::Offline => timeline([(0, Fault::Clear), (0, Fault::Offline)]),
            Self::Lossy => timeline([(0, Fault::Clear), (0, lose(0.3))]),
            Self::Flapping => {
                let steps = timeline([(0, Fault::Clear), (15_000, Fault::Offline)]);
                Script { repeat_ms: Some(17_000), ..steps }
            }
            Self::Tunnel => timeline([
                (0, Fault::Clear),
                (0, Fault::Delay { ms: 400, jitter_ms: 400, direction: Directions::Both }),
                (0, lose(0.2)),
                (3_000, Fault::HalfOpen { direction: Directions::Both }),
                (3_000, Fault::SilentHandshake),
                (33_000, Fault::Clear),
                (33_000, Fault::Delay { ms: 400, jitter_ms: 400, direction: Directions::Both }),
                (33_000, lose(0.2)),
                (36_000, Fault::Clear),
            ]),
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Preset {
    type Err = UnknownPreset;

    fn from_str(name: &str) -> Result<Self, UnknownPreset> {
        Self::ALL.into_iter().find(|preset| preset.name() == name).ok_or_else(|| UnknownPreset(name.to_owned()))
    }
}

const fn lose(share: f64) -> Fault {
    Fault::Lose { share, direction: Directions::Both }
}

fn timeline<const N: usize>(steps: [(u64, Fault); N]) -> Script {
    let steps = steps.into_iter().map(|(at_ms, fault)| Step { at_ms, within_ms: 0, fault }).collect();
    Script { steps, ..Script::default() }
}
