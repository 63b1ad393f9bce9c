//! What an exposition tells of a cluster.

use std::fmt;

use rolling_upgrade_exporter::sim::scenario::Cluster;

/// The text of `/metrics`.
pub(crate) struct Exposition(String);

impl Exposition {
    pub(crate) fn new(text: String) -> Self {
        Self(text)
    }

    /// Returns the samples of a metric that have these labels: labels and value.
    pub(crate) fn samples<'a>(
        &'a self,
        name: &str,
        labels: &[(&str, &str)],
    ) -> impl Iterator<Item = (&'a str, f64)> + use<'a> {
        let begin = format!("{name}{{");
        let wanted: Vec<String> = labels
            .iter()
            .map(|(label, value)| format!("{label}=\"{value}\""))
            .collect();
        let samples = self.0.lines().filter_map(move |line| {
            let rest = line.strip_prefix(&begin)?;
            let (labels, value) = rest.rsplit_once("} ")?;
            Some((labels, value.parse().unwrap()))
        });
        samples.filter(move |(labels, _)| wanted.iter().all(|wanted| labels.contains(wanted)))
    }

    /// Returns the sum of the samples of a metric that have these labels; `None` when there are none.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        self.samples(name, labels)
            .map(|(_, value)| value)
            .reduce(|a, b| a + b)
    }

    fn of(&self, name: &str, cluster: &Cluster) -> Option<f64> {
        self.sum(name, &[("cluster_id", &cluster.id)])
    }

    /// Returns true while the cluster has a series of any kind.
    pub(crate) fn has(&self, cluster: &Cluster) -> bool {
        self.0.contains(&format!("cluster_id=\"{}\"", cluster.id))
    }

    /// Returns true when the last poll of the cluster was good.
    pub(crate) fn is_up(&self, cluster: &Cluster) -> bool {
        self.of("rolling_upgrade_up", cluster) == Some(1.0)
    }

    /// Returns the state of the cluster's upgrade of its version; `None` before a good poll.
    pub(crate) fn status(&self, cluster: &Cluster) -> Option<&str> {
        let labels = [("cluster_id", cluster.id.as_str()), ("kind", "version")];
        let mut samples = self.samples("rolling_upgrade_status", &labels);
        let (labels, _) = samples.find(|(_, value)| *value > 0.0)?;
        label(labels, "status")
    }

    pub(crate) fn is_stalled(&self, cluster: &Cluster) -> bool {
        self.of("rolling_upgrade_stalled", cluster) == Some(1.0)
    }

    pub(crate) fn ratio(&self, cluster: &Cluster) -> Option<f64> {
        self.of("rolling_upgrade_progress_ratio", cluster)
    }

    /// Returns the number of nodes of the upgrade in this state; `None` without an upgrade.
    pub(crate) fn nodes(&self, cluster: &Cluster, status: &str) -> Option<f64> {
        let labels = [("cluster_id", cluster.id.as_str()), ("status", status)];
        self.sum("rolling_upgrade_nodes", &labels)
    }

    /// Returns the number of all nodes of the upgrade.
    pub(crate) fn all_nodes(&self, cluster: &Cluster) -> Option<f64> {
        self.of("rolling_upgrade_nodes", cluster)
    }

    /// Returns the version that the cluster runs.
    pub(crate) fn version(&self, cluster: &Cluster) -> String {
        let labels = [("cluster_id", cluster.id.as_str())];
        let mut samples = self.samples("rolling_upgrade_cluster_info", &labels);
        let version = samples
            .next()
            .and_then(|(labels, _)| label(labels, "version"));
        version.unwrap_or_default().to_owned()
    }

    /// Returns the number of polls that failed for this reason.
    pub(crate) fn failures(&self, reason: &str) -> f64 {
        let name = "rolling_upgrade_exporter_poll_failures_total";
        self.sum(name, &[("reason", reason)]).unwrap_or(0.0)
    }

    /// Returns the number of states that the vendor wrote in an unknown word.
    pub(crate) fn unknown_words(&self) -> f64 {
        let name = "rolling_upgrade_exporter_unknown_statuses_total";
        self.sum(name, &[]).unwrap_or(0.0)
    }

    /// Returns true while this secondary call fails for this reason.
    pub(crate) fn is_degraded(&self, call: &str, reason: &str) -> bool {
        let name = "rolling_upgrade_exporter_degraded_since_timestamp_seconds";
        self.sum(name, &[("endpoint", call), ("reason", reason)])
            .is_some()
    }
}

impl fmt::Display for Exposition {
    /// Writes the samples that are not 0.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.0.lines();
        for line in lines.filter(|line| !line.starts_with('#') && !line.ends_with(" 0")) {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}

fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = labels.split_once(&format!("{name}=\""))?;
    rest.split('"').next()
}
