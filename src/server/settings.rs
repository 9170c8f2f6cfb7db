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
    /// A client must say `sync_request` within this time.
    pub sync_request_within: Duration,
    /// How often a client gets a `ping`.
    pub ping_interval: Duration,
    /// A client that was silent this long is taken for gone.
    pub silence: Duration,
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
            sync_request_within: Duration::from_millis(Timing::SYNC_REQUEST_MS),
            ping_interval: Duration::from_millis(Timing::PING_INTERVAL_MS),
            silence: Duration::from_millis(Timing::SERVER_DEADLINE_MS),
            outbound_bytes: 4 * 1024 * 1024,
            farewell: Duration::from_secs(5),
            room_idle: Duration::from_secs(30),
            snapshot_every: 256,
            append_pause: Duration::from_millis(500),
            headers_within: Duration::from_secs(30),
            http_silence: Duration::from_secs(60),
            drain_within: Duration::from_secs(10),
        }
    }
}
