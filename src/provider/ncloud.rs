//! NAVER Cloud Platform.

pub mod cdss;
pub mod ses;

use crate::provider::CloudSpec;

/// This cloud's line of the table.
pub const CLOUD: CloudSpec = CloudSpec {
    name: "ncloud",
    sim: |_, _| None,
};
