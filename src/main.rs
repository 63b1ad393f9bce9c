//! The program: see `rolling-upgrade-exporter --help`.

fn main() {}
