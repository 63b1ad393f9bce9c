//! A Prometheus exporter for the rolling upgrades that cloud vendors make of managed clusters.
//!
//! The way of the data is the way through the modules:
//!
//! ```text
//! config -> cloud (signed calls, wire, map) -> model -> poll (when) -> store (what is known) -> expose | alert | report -> web
//! ```
//!
//! docs/ARCHITECTURE.md is the map, with what must stay true; tests/walls.rs holds the imports to it.

pub mod alert;
pub mod app;
pub mod assets;
mod blocking;
pub mod check;
pub mod clock;
pub mod cloud;
pub mod clouds;
pub mod config;
pub mod expose;
pub mod fields;
pub mod http;
mod json;
pub mod model;
pub mod poll;
pub mod ready;
pub mod report;
pub mod secret;
pub mod sim;
pub mod store;
pub mod telemetry;
pub mod text;
pub mod web;

/// The commit that this was built from; `unknown` when neither git nor the build's caller told it.
pub const BUILD_REVISION: &str = env!("BUILD_REVISION");

/// The compiler that this was built with.
pub const BUILD_RUSTC: &str = env!("BUILD_RUSTC");
