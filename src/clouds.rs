//! Every cloud has a folder here and a line in the list, which is handed down: nothing else names them.

pub mod huawei;
pub mod ncloud;

use crate::cloud::Clouds;

/// Every cloud, in the order in which they are documented.
pub const CLOUDS: Clouds = &[&ncloud::Ncloud, &huawei::Huawei];
