//! What goes wrong. Each fault says whether it hit something: one that did not proves nothing.

use fastrand::Rng;
use sheetbend::sync::faults::{self, Directions, Preset};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Fault {
    /// Connections break with frames under way.
    Cut,
    /// Connections are refused.
    Refused,
    /// WebSockets are refused, and nothing else is: HTTP carries the line.
    WebSocketsBlocked,
    /// They get through again, while HTTP carries the line.
    WebSocketsLetThrough,
    /// A connection is taken and never answered.
    SilentHandshake,
    /// Nothing gets through to the server, or to the client, or either way, and nobody is told.
    HalfOpen,
    /// Frames are late.
    Delay,
    /// Frames take as long as the line is narrow.
    Bandwidth,
    /// A frame is lost on a live line.
    Lost,
    /// A frame arrives twice.
    Doubled,
    /// A frame is overtaken.
    Reordered,
    /// The connection is closed with a code.
    ClosedWithCode,
    /// A captive portal answers.
    Portal,
    /// What the device says of its network is false.
    FalseHint,
    /// What a closed socket says comes late.
    LateEvent,
    /// The server dies before what it has taken is durable.
    KilledBeforeDurable,
    /// The server dies when it is durable, and nobody has been told.
    KilledBeforeTold,
    /// The server is restored from an older copy.
    Restored,
    /// The disk under the server is full.
    DiskFull,
    /// The log is cut short while someone is behind.
    Compacted,
    /// The server says goodbye, and when to come back.
    Bye,
    /// A change makes the server hang up.
    Poison,
    /// A change is refused.
    Refusal,
    /// A newer client made a change that the server does not know.
    NewerClient,
    /// An older client meets a change that it does not know.
    OlderClient,
    /// A page dies between two effects.
    TabKilled,
    /// A page dies with a transaction under way.
    TabKilledInTransaction,
    /// A page is closed or loaded again.
    TabClosed,
    /// A page is frozen, and wakes.
    TabFrozen,
    /// The tab that has the voice does nothing with it, and another takes it.
    VoiceTaken,
    /// The device's first stage is full.
    FirstStageFull,
    /// The device's database fails while the page is open.
    DatabaseFails,
    /// The device's database does not open.
    DatabaseMissing,
    /// It opens late, and the page goes on without it until then.
    DatabaseLate,
    /// The device's storage is wiped.
    Wiped,
    /// The device's power is cut: the last writes of its first stage are lost.
    PowerCut,
    /// The profile is copied to another device.
    Cloned,
    /// A device's clock jumps.
    ClockJumps,
    /// A page is loaded with a document that is older than what its device knows.
    OldPage,
    /// A document is made without a network.
    MadeOffline,
    /// Unsaved changes are taken to another device as a file, and taken in twice.
    File,
    /// Attempts run out.
    GaveUp,
}

impl Fault {
    pub(crate) const ALL: [Self; 42] = [
        Self::Cut,
        Self::Refused,
        Self::WebSocketsBlocked,
        Self::WebSocketsLetThrough,
        Self::SilentHandshake,
        Self::HalfOpen,
        Self::Delay,
        Self::Bandwidth,
        Self::Lost,
        Self::Doubled,
        Self::Reordered,
        Self::ClosedWithCode,
        Self::Portal,
        Self::FalseHint,
        Self::LateEvent,
        Self::KilledBeforeDurable,
        Self::KilledBeforeTold,
        Self::Restored,
        Self::DiskFull,
        Self::Compacted,
        Self::Bye,
        Self::Poison,
        Self::Refusal,
        Self::NewerClient,
        Self::OlderClient,
        Self::TabKilled,
        Self::TabKilledInTransaction,
        Self::TabClosed,
        Self::TabFrozen,
        Self::VoiceTaken,
        Self::FirstStageFull,
        Self::DatabaseFails,
        Self::DatabaseMissing,
        Self::DatabaseLate,
        Self::Wiped,
        Self::PowerCut,
        Self::Cloned,
        Self::ClockJumps,
        Self::OldPage,
        Self::MadeOffline,
        Self::File,
        Self::GaveUp,
    ];
}

/// What happens to a line: a fault, alone or on a timeline.
pub(crate) enum Weather {
    Fault(faults::Fault),
    Preset(Preset),
}

/// Something that happens to a line.
pub(crate) fn weather(rng: &mut Rng) -> Weather {
    use faults::Fault as F;

    let direction = match rng.u8(..3) {
        0 => Directions::ToServer,
        1 => Directions::ToClient,
        _ => Directions::Both,
    };
    Weather::Fault(match rng.u8(..16) {
        0 | 1 => F::Cut,
        2 => F::Refuse,
        3 => F::SilentHandshake,
        4 | 5 => F::HalfOpen { direction },
        6 => F::Delay { ms: rng.u64(10..2_000), jitter_ms: rng.u64(0..1_000), direction },
        7 => F::Bandwidth { kbit_per_s: rng.u64(5..400), direction },
        8 => F::CutAfter { bytes: rng.u64(0..2_000), direction },
        9 => F::Close { code: if rng.bool() { 1001 } else { 1011 } },
        10 => F::Portal,
        11 => F::Offline,
        12 | 13 => return Weather::Preset(Preset::ALL[rng.usize(..Preset::ALL.len())]),
        _ => F::Clear,
    })
}

/// What no line over TCP does to messages.
pub(crate) fn disorder(rng: &mut Rng) -> faults::Fault {
    use faults::Fault as F;

    let (share, direction) = (f64::from(rng.u8(5..50)) / 100.0, Directions::Both);
    match rng.u8(..3) {
        0 => F::Lose { share, direction },
        1 => F::Duplicate { share, direction },
        _ => F::Reorder { share, within_ms: rng.u64(10..3_000), direction },
    }
}
