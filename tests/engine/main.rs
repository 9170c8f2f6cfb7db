//! Tests of the pure rooms, the engine and the board: no sockets, no clock, no features.
//!
//! | module | what it tests |
//! |---|---|
//! | `import` | boards from files, also hostile ones |
//! | `laws` | what holds for every change on every board |
//! | `conflicts` | the table of what becomes of changes made at the same time |
//! | `convergence` | two people, any schedule: the same board on both, every change once |
//! | `client`, `replica` | one client, frame by frame |
//! | `device` | one client and what its device keeps, and who speaks for the device |
//! | `faults` | what a bad network does |
//! | `undo` | undo takes back only what its person did |
//!
//! `harness` is a server and people in memory, `boards` makes boards and changes, `trello` makes Trello exports.

mod boards;
mod client;
mod conflicts;
mod convergence;
mod device;
mod faults;
mod harness;
mod import;
mod laws;
mod outbox;
mod replica;
mod trello;
mod undo;
