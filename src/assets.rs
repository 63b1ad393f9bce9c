//! The files that the program carries: what else is needed to run, alert on and look at it, so that
//! its image is enough. `export` writes them.

/// A file of the repository, as it was when the program was built.
#[derive(Debug, Clone, Copy)]
pub struct Asset {
    /// Where it lies in the repository, and below the folder that it is exported to.
    pub path: &'static str,
    /// What stands in it.
    pub bytes: &'static [u8],
}

macro_rules! assets {
    ($($path:literal,)*) => {
        &[$(Asset { path: $path, bytes: include_bytes!(concat!("../", $path)) },)*]
    };
}

/// All of them. `tests/ops/assets.rs` fails when one of the repository's folders holds another.
pub const ASSETS: &[Asset] = assets![
    "alerts/RUNBOOKS.md",
    "alerts/alertmanager.example.yml",
    "alerts/rolling-upgrade.rules.yml",
    "dashboards/rolling-upgrade-cluster.json",
    "dashboards/rolling-upgrade-overview.json",
    "deploy/kubernetes/config.yaml",
    "deploy/kubernetes/dashboard-rolling-upgrade-cluster.yaml",
    "deploy/kubernetes/dashboard-rolling-upgrade-overview.yaml",
    "deploy/kubernetes/kustomization.yaml",
    "deploy/kubernetes/networkpolicy.yaml",
    "deploy/kubernetes/prometheusrule.yaml",
    "deploy/kubernetes/secret.example.yaml",
    "deploy/kubernetes/service.yaml",
    "deploy/kubernetes/serviceaccount.yaml",
    "deploy/kubernetes/servicemonitor.yaml",
    "deploy/kubernetes/statefulset.yaml",
    "deploy/systemd/rolling-upgrade-exporter.service",
    "deploy/systemd/rolling-upgrade-exporter.socket",
    "deploy/systemd/rolling-upgrade-exporter.yml",
    "rolling-upgrade-exporter.example.yml",
];
