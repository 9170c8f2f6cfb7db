//! A line under a script.

use std::time::Duration;

use fastrand::Rng;

use super::conditions::{Conditions, Connect, Way};
use super::fault::{Fault, Incident};
use super::script::Script;
use super::{Direction, Level};
use crate::sync::time::Moment;

/// How long TCP waits before it sends a lost packet again, the least that Linux does; it doubles with each further loss of
/// the same packet.
pub const RETRANSMIT_MS: u64 = 200;

/// Most times that one packet is lost in a row: 6.2 s of waiting.
const RETRANSMITS: u32 = 5;

/// One person's line to the server, which carries all their connections first in, first out.
///
/// Given the same script and asked the same questions at the same times, it answers the same.
#[derive(Clone, Debug)]
pub struct Line {
    level: Level,
    rng: Rng,
    conditions: Conditions,
    playing: Option<Playing>,
    to_server: Pipe,
    to_client: Pipe,
}

/// A script, and how far it is.
#[derive(Clone, Debug)]
struct Playing {
    script: Script,
    /// When its present repetition started.
    since: Moment,
    /// The next step, and when it is due.
    next: usize,
    due: Moment,
}

/// One way of a line.
#[derive(Clone, Copy, Debug, Default)]
struct Pipe {
    /// When the last byte so far is through the narrowest place, in nanoseconds on the clock of [`Moment`].
    free_ns: u64,
    /// When the last piece that keeps its place arrives.
    last: Moment,
}

/// What becomes of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It arrives then.
    Deliver(Moment),
    /// It arrives then, and then again.
    Twice(Moment, Moment),
    /// It never arrives.
    Lost,
    /// The line is silent: keep it, in order, and ask again when its conditions have changed.
    Held,
    /// So many of its bytes arrive then, and the connection breaks. Of a message, nothing arrives.
    Cut {
        /// Bytes that still arrive.
        bytes: usize,
        /// When.
        at: Moment,
    },
}

impl Line {
    /// A clear line. `seed` feeds all that is random until a script brings its own.
    #[must_use]
    pub fn new(level: Level, seed: u64) -> Self {
        let (to_server, to_client) = (Pipe::default(), Pipe::default());
        let (rng, conditions) = (Rng::with_seed(seed), Conditions::default());
        Self { level, rng, conditions, playing: None, to_server, to_client }
    }

    /// What holds on it now.
    #[must_use]
    pub const fn conditions(&self) -> &Conditions {
        &self.conditions
    }

    /// Plays a script from its start, in place of one that is still playing. What holds stays, until a step changes it. The
    /// first steps are due at once: see [`Line::deadline`].
    pub fn play(&mut self, script: Script, now: Moment) {
        self.rng = Rng::with_seed(script.seed);
        let playing = Playing { script, since: now, next: 0, due: now };
        self.playing = playing.scheduled(&mut self.rng);
    }

    /// A fault happens now, beside the script. Returns what is to be done at once.
    pub fn apply(&mut self, fault: &Fault) -> Option<Incident> {
        self.conditions.apply(fault)
    }

    /// When the script's next step is due, if there is one.
    #[must_use]
    pub fn deadline(&self) -> Option<Moment> {
        self.playing.as_ref().map(|playing| playing.due)
    }

    /// Takes the script's steps that are due, each with what is to be done at once, in order.
    pub fn advance(&mut self, now: Moment) -> Vec<(Fault, Option<Incident>)> {
        let mut taken = Vec::new();
        while let Some(mut playing) = self.playing.take_if(|playing| playing.due <= now) {
            let fault = playing.script.steps[playing.next].fault.clone();
            playing.next += 1;
            self.playing = playing.scheduled(&mut self.rng);
            let incident = self.conditions.apply(&fault);
            taken.push((fault, incident));
        }
        taken
    }

    /// What becomes of a new connection.
    #[must_use]
    pub const fn connect(&self) -> Connect {
        self.conditions.connect
    }

    /// What becomes of a piece of `bytes` bytes. Pieces must be offered in the order in which they were sent.
    pub fn carry(&mut self, direction: Direction, bytes: usize, now: Moment) -> Verdict {
        let way = self.conditions.way_mut(direction);
        if way.silent {
            return Verdict::Held;
        }
        let size = u64::try_from(bytes).unwrap_or(u64::MAX);
        let cut = way.cut_after.take_if(|left| *left < size);
        if let Some(left) = &mut way.cut_after {
            *left -= size;
        }
        let way = way.clone();
        let pipe = match direction {
            Direction::ToServer => &mut self.to_server,
            Direction::ToClient => &mut self.to_client,
        };
        if let Some(left) = cut {
            let at = pipe.pass(&way, left, Duration::ZERO, now, &mut self.rng);
            let bytes = if self.level == Level::Stream { usize::try_from(left).unwrap_or(bytes) } else { 0 };
            return Verdict::Cut { bytes, at };
        }
        match self.level {
            Level::Stream => {
                let retransmission = retransmission(way.lose, &mut self.rng);
                Verdict::Deliver(pipe.pass(&way, size, retransmission, now, &mut self.rng))
            }
            Level::Messages => message(pipe, &way, size, now, &mut self.rng),
        }
    }
}

/// Each roll is made whatever comes of the others: so one fault more in a script leaves the luck of the rest as it was.
fn message(pipe: &mut Pipe, way: &Way, size: u64, now: Moment, rng: &mut Rng) -> Verdict {
    let [lost, twice, late] = [way.lose, way.duplicate, way.reorder].map(|share| rng.f64() < share);
    let hold_up = Duration::from_millis(rng.u64(0..=way.reorder_ms));
    let before = pipe.last;
    let at = pipe.pass(way, size, Duration::ZERO, now, rng);
    if lost {
        pipe.last = before;
        return Verdict::Lost;
    }
    if twice {
        return Verdict::Twice(at, at + hold_up);
    }
    if late {
        // It does not hold up those behind it: that is how they overtake it.
        pipe.last = before;
        return Verdict::Deliver(at + hold_up);
    }
    Verdict::Deliver(at)
}

/// What the losses of one packet cost.
fn retransmission(share: f64, rng: &mut Rng) -> Duration {
    let losses = (0..RETRANSMITS).take_while(|_| rng.f64() < share).count();
    let ms = (0..losses).map(|again| RETRANSMIT_MS << again).sum();
    Duration::from_millis(ms)
}

impl Pipe {
    /// When a piece arrives that keeps its place.
    fn pass(&mut self, way: &Way, size: u64, extra: Duration, now: Moment, rng: &mut Rng) -> Moment {
        const NS_IN_MS: u64 = 1_000_000;
        let start = self.free_ns.max(now.as_millis().saturating_mul(NS_IN_MS));
        // 8 bits a byte; a kbit/s is a bit a millisecond.
        let takes = (size.saturating_mul(8 * NS_IN_MS)).checked_div(way.kbit_per_s).unwrap_or(0);
        self.free_ns = start.saturating_add(takes);
        let through = Moment::from_millis(self.free_ns.div_ceil(NS_IN_MS));
        let delay = Duration::from_millis(way.delay_ms.saturating_add(rng.u64(0..=way.jitter_ms)));
        self.last = self.last.max(through + delay + extra);
        self.last
    }
}

impl Playing {
    /// With the next step's time, or `None` at the end.
    fn scheduled(mut self, rng: &mut Rng) -> Option<Self> {
        if self.next == self.script.steps.len() {
            let repeat = Duration::from_millis(self.script.repeat_ms?);
            self.since = self.since + repeat;
            self.next = 0;
        }
        let step = self.script.steps.get(self.next)?;
        let luck = rng.u64(0..=step.within_ms);
        let latest = self.script.steps.get(self.next + 1).map(|next| next.at_ms).or(self.script.repeat_ms);
        let at = step.at_ms.saturating_add(luck).min(latest.unwrap_or(u64::MAX));
        self.due = self.due.max(self.since + Duration::from_millis(at));
        Some(self)
    }
}
