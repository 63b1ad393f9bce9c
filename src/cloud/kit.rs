//! What products share beside the transport: pages, lists that all clusters need, secondary calls.

pub mod listing;
pub(crate) mod paginate;
pub mod secondary;
