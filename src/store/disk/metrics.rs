//! Families of the storage: errors and size. Whether it is up is a fact of the store.

use std::fmt;
use std::sync::atomic::Ordering;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::Disk;

/// Registers the families of the storage.
pub fn register(disk: &Disk, registry: &mut Registry) {
    registry.register_collector(Box::new(DiskCollector(disk.clone())));
}

#[derive(Debug)]
struct DiskCollector(Disk);

impl Collector for DiskCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let disk = &*self.0.0;
        let errors = ConstCounter::new(disk.errors.load(Ordering::Relaxed));
        let metric = encoder.encode_descriptor(
            "storage_errors",
            "Failed tries to open the storage or to write to it",
            None,
            errors.metric_type(),
        )?;
        errors.encode(metric)?;
        let size =
            ConstGauge::new(i64::try_from(disk.size.load(Ordering::Relaxed)).unwrap_or(i64::MAX));
        let metric = encoder.encode_descriptor(
            "storage_size_bytes",
            "Bytes of the storage on the disk, by the last commit",
            None,
            size.metric_type(),
        )?;
        size.encode(metric)
    }
}
