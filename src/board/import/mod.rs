//! Boards from files.
