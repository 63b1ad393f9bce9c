//! The page in a real browser: Chromium without a window, driven over `WebDriver`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod details;
mod details_stage;
mod driver;
mod everyone;
#[path = "../e2e/harness.rs"]
#[expect(dead_code, reason = "these tests need half of it")]
mod harness;
mod history;
mod page;
mod refresh;
mod stage;
