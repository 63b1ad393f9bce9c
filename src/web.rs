//! Placeholder.

pub mod ready;
