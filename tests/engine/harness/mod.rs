//! A server and people in memory: frames travel when the test says so, and so does time.
//!
//! [`World::feed`] checks after every event what must hold at every moment.

mod person;
mod server;
mod world;

pub(crate) use person::settings;
pub(crate) use server::{Server, made_up};
pub(crate) use world::World;
