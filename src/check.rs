//! Checks beyond the form of the config: what is legal and likely wrong ([`hints`]), and whether
//! each product of each account answers ([`live`]).

pub mod hints;
pub mod live;
