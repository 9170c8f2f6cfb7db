//! The engine: keeps replicas of a [`document::Document`] the same over a line that fails.
//!
//! Pure and sans-I/O: events and the time go in, effects come out. There is no socket, clock, randomness or storage here,
//! so the same code runs in a page, in a native client, in the server's rooms and in a simulation on virtual time.
//!
//! | module | what it is |
//! |---|---|
//! | [`document`] | the trait an app implements |
//! | [`message`] | the wire: messages, close codes, limits |
//! | [`id`], [`digest`], [`time`] | identity, the hash chain over a log, the engine's clock reading |
//! | [`backoff`], [`link`] | the reconnecting connection as a state machine |
//! | [`transport`], [`polling`] | WebSocket or HTTP, and a line over the latter |
//! | [`network`] | judges where the device stands, from hints and probes |
//! | [`outbox`] | own changes that the server has not confirmed |
//! | [`replica`] | confirmed document plus pending changes: the optimistic view |
//! | [`retained`] | what was confirmed lately, to be offered again to a server that was restored from a backup |
//! | [`unsent`] | unsaved changes as a file |
//! | [`drafts`] | text that is being typed, stored until it is a change |
//! | [`write_behind`] | what a device keeps, in two stages |
//! | [`client`] | joins them |
//! | [`sequencer`] | the server's side of one document |
//! | [`faults`] | what a bad network can do, as seeded policy |
//! | [`planted`] | bugs for tests to plant |

pub mod backoff;
pub mod client;
pub mod digest;
pub mod document;
pub mod drafts;
pub mod faults;
pub mod id;
pub mod link;
pub mod message;
pub mod network;
pub mod outbox;
pub mod planted;
pub mod polling;
pub mod replica;
pub mod retained;
pub mod sequencer;
pub mod time;
pub mod transport;
pub mod unsent;
pub mod write_behind;
