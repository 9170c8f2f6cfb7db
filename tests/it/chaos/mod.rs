//! The engine, the server and a bad network between them, made by the chaos proxy.
//!
//! | module | what it tests |
//! |---|---|
//! | `faults` | each fault alone: what the client notices, and that nothing is lost or doubled |
//! | `rounds` | many faults at once, and a server that is killed again and again |
//! | `disk` | no room under the server, and an older copy of its data |
//! | `program` | the proxy as a program, steered from outside |

mod disk;
mod faults;
mod program;
mod rounds;
