//! The exporter about itself: its metrics, its process, its logs.

pub mod log;
pub mod process;
pub mod series;

use jiff::Timestamp;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Prefix of the exporter's own families.
pub const PREFIX: &str = "rolling_upgrade_exporter";

/// Families that a scrape shows besides those of the clusters. The module that counts registers its own.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Builds a registry with the families of the process and of the build.
    pub fn new() -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(process::Process));
        let own = registry.sub_registry_with_prefix(PREFIX);
        let build = Family::<_, Gauge>::default();
        build
            .get_or_create_owned(&[
                ("version", env!("CARGO_PKG_VERSION")),
                ("revision", env!("BUILD_REVISION")),
                ("rustversion", env!("BUILD_RUSTC")),
            ])
            .set(1);
        own.register(
            "build_info",
            "Version, commit and compiler of the program; 1",
            build,
        );
        Self { registry }
    }

    /// Returns a registry of the exporter's own families, whose names get its prefix.
    pub fn own(&mut self) -> &mut Registry {
        self.registry.sub_registry_with_prefix(PREFIX)
    }

    /// Returns the registry of all families.
    pub fn registry(&mut self) -> &mut Registry {
        &mut self.registry
    }

    /// All families as `OpenMetrics` text, with its `# EOF`.
    pub fn encode(&self) -> String {
        let mut out = String::with_capacity(16 << 10);
        // Writing to a String cannot fail.
        if encode(&mut out, &self.registry).is_err() {
            tracing::error!("The exporter's own metrics could not be written.");
        }
        out
    }
}

/// A time as Prometheus writes it.
#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds since 1970 fit 53 bits for 280,000 years"
)]
pub fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}
