//! What the tests share.

pub(crate) mod boards;
pub(crate) mod certificates;
pub(crate) mod cluster;
pub(crate) mod http;
pub(crate) mod ids;
pub(crate) mod memory;
pub(crate) mod people;
pub(crate) mod program;
pub(crate) mod served;
pub(crate) mod socket;
pub(crate) mod words;
