//! End to end: the program's own processes over loopback, and real servers beside them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod alerts;
mod announce;
mod boards;
mod bounds;
mod cce;
mod check;
mod clock;
mod degraded;
mod demo;
mod echo;
mod faults;
mod files;
mod foreign;
mod harness;
mod history;
mod history_page;
mod inhibition;
mod overload;
mod prometheus;
mod reload;
mod replay;
mod restart;
mod start;
mod status;
mod storage;
mod systemd;
mod tls;
mod webhook;
mod words;
