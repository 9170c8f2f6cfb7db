//! Where a person stands, as components that any app can use.

pub mod status;
