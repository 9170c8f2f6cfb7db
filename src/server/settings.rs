//! What can be set about a server, with the design's values as defaults.

use std::time::Duration;

use crate::sync::message::{Limits, Timing};

/// A server's settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What both ends hold to.
    pub limits: Limits,
    /// Names the running program; clients that were made by another build offer to reload.
    pub build: String,
    /// Whose pages, besides the server's own, may open the socket: `host` or `host:port`, as in an `Origin`.
    pub allowed_origins: Vec<String>,
    /// The last address in `X-Forwarded-For` is the client's: a proxy in front puts it there.
    pub trust_proxy: bool,
    /// Most open connections, of all clients.
    pub connections: usize,
    /// Most sockets of one client, which is an address, or of IPv6 what begins with the same 64 bits; and twice as many
    /// connections. Programs on the same machine are not counted.
    pub sockets_per_client: usize,
    /// Most documents that one client may make in an hour.
    pub documents_per_hour: u32,
    /// Most documents in memory.
    pub rooms: usize,
    /// Most clients that are brought up to date at a time; more wait their turn.
    pub joins: usize,
    /// What one client may say in a second, in bytes, once it has said the eightfold: what is more is read later. A message counts
    /// as its length and 256.
    pub bytes_per_second: u32,
    /// A client must say `sync_request` within this time.
    pub sync_request_within: Duration,
    /// How often a client gets a `ping`.
    pub ping_interval: Duration,
    /// A client that was silent this long is taken for gone.
    pub silence: Duration,
    /// What is kept in memory of the ends of logs.
    pub recent: RecentLimits,
    /// Most bytes that wait for one client; past it, it is told to come back.
    pub outbound_bytes: usize,
    /// Time that a client has to take a last message, and to answer a close.
    pub farewell: Duration,
    /// A room that nobody is in leaves memory after this time.
    pub room_idle: Duration,
    /// A snapshot is kept every so many entries.
    pub snapshot_every: u64,
    /// Wait before trying again to append to a log when the database failed.
    pub append_pause: Duration,
    /// With other servers on the same store: how often it is asked what they wrote, should a hint have got lost.
    pub ask_every: Duration,
    /// A stranger's request line and headers must have come within this time.
    pub headers_within: Duration,
    /// A connection that is no socket is closed when nothing has moved on it for this time.
    pub http_silence: Duration,
    /// Time for everything to end in, when the server is told to.
    pub drain_within: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            build: env!("CARGO_PKG_VERSION").to_owned(),
            allowed_origins: Vec::new(),
            trust_proxy: false,
            connections: 20_000,
            sockets_per_client: 200,
            documents_per_hour: 120,
            rooms: 10_000,
            joins: 64,
            bytes_per_second: 1024 * 1024,
            sync_request_within: Duration::from_millis(Timing::SYNC_REQUEST_MS),
            ping_interval: Duration::from_millis(Timing::PING_INTERVAL_MS),
            silence: Duration::from_millis(Timing::SERVER_DEADLINE_MS),
            recent: RecentLimits::default(),
            outbound_bytes: 4 * 1024 * 1024,
            farewell: Duration::from_secs(5),
            room_idle: Duration::from_secs(30),
            snapshot_every: 256,
            append_pause: Duration::from_millis(500),
            ask_every: Duration::from_secs(1),
            headers_within: Duration::from_secs(10),
            http_silence: Duration::from_secs(60),
            drain_within: Duration::from_secs(10),
        }
    }
}

/// What is kept in memory of the ends of logs, in bytes: what reconnecting clients most often lack. What is not kept is read from the
/// store, which takes ten times as long.
#[derive(Clone, Copy, Debug)]
pub struct RecentLimits {
    /// Most of one log.
    pub log: usize,
    /// Most of one log, once all together have come to `all`.
    pub crowded: usize,
    /// See `crowded`.
    pub all: usize,
}

impl Default for RecentLimits {
    /// Some 15,000 entries of a log; or 1,000, with many logs that are that long.
    fn default() -> Self {
        Self { log: 4 * 1024 * 1024, crowded: 256 * 1024, all: 64 * 1024 * 1024 }
    }
}
