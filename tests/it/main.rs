//! Tests of the server from the outside: its store, its rooms, its sockets, its program.

mod api;
mod chaos;
mod encryption;
mod frames;
mod functions;
mod limits;
mod load;
mod logs;
mod markup;
mod native;
mod nodes;
mod notes;
mod polled;
mod process;
mod rooms;
mod socket;
mod store;
mod support;
mod under_load;
mod upkeep;
