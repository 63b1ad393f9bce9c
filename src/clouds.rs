//! The list of all clouds: the only place that names each of them.

use crate::cloud::{Clouds, huawei, ncloud};

/// Every cloud, in the order in which they are documented.
pub const CLOUDS: Clouds = &[&ncloud::Ncloud, &huawei::Huawei];
