//! Families that show state: written from the snapshots when they are scraped.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::{ExporterHealth, Store};
use crate::telemetry::seconds;
use crate::text;

/// Label with its value.
type Label<'a> = (&'static str, Cow<'a, str>);

/// Registers the families that show the health of the exporter and the numbers of clusters.
pub fn register(store: &Arc<Store>, registry: &mut Registry) {
    registry.register_collector(Box::new(StoreCollector(store.clone())));
}

#[derive(Debug)]
struct StoreCollector(Arc<Store>);

impl Collector for StoreCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let discoveries = self.0.discoveries();
        // An account may be in several regions.
        let mut numbers: BTreeMap<(&str, &str), [(&str, u64); 2]> = BTreeMap::new();
        for discovery in discoveries.values() {
            let product = (&*discovery.account, discovery.product);
            let [watched, inaccessible] = numbers
                .entry(product)
                .or_insert([("watched", 0), ("inaccessible", 0)]);
            watched.1 += discovery.watched;
            inaccessible.1 += discovery.inaccessible;
        }
        let clusters = numbers
            .into_iter()
            .flat_map(|((account, product), states)| {
                states.map(|(state, count)| {
                    let labels = [
                        ("account", text::escaped(account)),
                        ("product", product.into()),
                        ("state", state.into()),
                    ];
                    (labels, count)
                })
            });
        gauges(
            &mut encoder,
            "clusters",
            "Clusters that are watched, and those that the account may not read.",
            clusters,
        )?;
        self.0.health().encode(encoder)
    }
}

impl Collector for ExporterHealth {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let failing = self.failing.iter().map(|failing| {
            let labels = [
                ("account", text::escaped(&failing.account)),
                ("product", failing.product.into()),
                ("reason", failing.reason.as_str().into()),
            ];
            (labels, seconds(failing.since))
        });
        gauges(
            &mut encoder,
            "failing_since_timestamp_seconds",
            "Since when polls of the product in the account fail for that reason (the longest failing cluster, or the discovery); absent when fine.",
            failing,
        )?;
        let skews = self.clock_skew.iter();
        gauges(
            &mut encoder,
            "clock_skew_seconds",
            "Local clock minus the vendor's, from the Date header of its last answer; a step of more than a minute counts when two answers agree.",
            skews.map(|(account, skew)| ([("account", text::escaped(account))], *skew)),
        )?;
        gauges(
            &mut encoder,
            "config_last_reload_successful",
            "Whether the last attempt to load the config, at the start or by a reload, went well; a bad config changes nothing.",
            [([], i64::from(!self.reload_failed))],
        )?;
        gauges(
            &mut encoder,
            "config_last_reload_success_timestamp_seconds",
            "When the config in use was loaded.",
            self.config_loaded.map(|at| ([], seconds(at))),
        )?;
        gauges(
            &mut encoder,
            "storage_up",
            "Whether the state is stored (--storage.path); 0 while the disk fails, and the exporter goes on from memory.",
            self.storage_up.map(|is_up| ([], i64::from(is_up))),
        )?;
        let unreachable = self.unreachable.iter();
        gauges(
            &mut encoder,
            "notifications_failing_since_timestamp_seconds",
            "Since when an Alertmanager takes no alerts; absent when fine.",
            unreachable.map(|(url, since)| ([("alertmanager", url.into())], seconds(*since))),
        )
    }
}

/// Writes a family, if it has any series.
fn gauges<'a, const N: usize, V: EncodeGaugeValue>(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    series: impl IntoIterator<Item = ([Label<'a>; N], V)>,
) -> fmt::Result {
    let mut series = series.into_iter().peekable();
    if series.peek().is_none() {
        return Ok(());
    }
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (labels, value) in series {
        if N == 0 {
            family.encode_gauge(&value)?;
        } else {
            family.encode_family(&labels)?.encode_gauge(&value)?;
        }
    }
    Ok(())
}
