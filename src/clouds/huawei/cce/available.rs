//! Versions that the cloud offers a cluster, as `upgradeinfo` tells them.

use super::wire::VersionInfo;
use crate::model::AvailableVersion;
use crate::model::bounds::MAX_AVAILABLE;

/// Returns the versions to which the cloud offers to upgrade a cluster that runs `running`: the
/// suggested patch first, then the targets in the vendor's order, each once, at most [`MAX_AVAILABLE`].
///
/// `suggestPatch` is a patch of the release that the cluster runs (`r4`); the version that it makes is
/// written in full, as the cluster's own version is (`v1.19.10-r4`). A version that the cluster runs
/// already is no offer.
pub(super) fn versions(info: &VersionInfo, running: &str) -> Vec<AvailableVersion> {
    let release = match info.release.trim() {
        "" => without_patch(running.trim()),
        release => release,
    };
    let current = with_patch(release, info.patch.trim());
    let suggested = Some(info.suggest_patch.trim()).filter(|patch| !patch.is_empty());
    let suggested = suggested.map(|patch| (with_patch(release, patch), true));
    let targets = info.target_versions.iter();
    let targets = targets.map(|target| (target.trim().to_owned(), false));
    let mut found: Vec<AvailableVersion> = Vec::new();
    for (version, is_recommended) in suggested.into_iter().chain(targets) {
        // Each is compared with all before it: without an end an endless list would hold the thread.
        if found.len() == MAX_AVAILABLE {
            break;
        }
        let is_running = version == current || version == running.trim();
        if !version.is_empty() && !is_running && found.iter().all(|known| known.version != version)
        {
            found.push(AvailableVersion {
                version,
                is_recommended,
            });
        }
    }
    found
}

/// Returns the version with this patch; a patch that is a whole version stands for itself.
fn with_patch(release: &str, patch: &str) -> String {
    let is_version = patch.starts_with(['v', 'V']) || patch.contains('.');
    if is_version || release.is_empty() {
        return patch.to_owned();
    }
    if patch.is_empty() {
        return release.to_owned();
    }
    format!("{release}-{patch}")
}

fn without_patch(version: &str) -> &str {
    version
        .split_once('-')
        .map_or(version, |(release, _)| release)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(release: &str, patch: &str, suggested: &str, targets: &[&str]) -> VersionInfo {
        VersionInfo {
            release: release.to_owned(),
            patch: patch.to_owned(),
            suggest_patch: suggested.to_owned(),
            target_versions: targets.iter().map(|&target| target.to_owned()).collect(),
        }
    }

    fn told(info: &VersionInfo) -> Vec<(String, bool)> {
        let found = versions(info, "v1.28.3-r0");
        let found = found.into_iter();
        found.map(|v| (v.version, v.is_recommended)).collect()
    }

    fn want(versions: &[(&str, bool)]) -> Vec<(String, bool)> {
        let versions = versions.iter();
        versions.map(|&(v, is)| (v.to_owned(), is)).collect()
    }

    #[test]
    fn a_suggested_patch_is_written_in_full() {
        let both = info("v1.28.3", "r0", "r4", &["v1.29.1-r0", "v1.30.4-r2"]);
        assert_eq!(
            told(&both),
            want(&[
                ("v1.28.3-r4", true),
                ("v1.29.1-r0", false),
                ("v1.30.4-r2", false)
            ])
        );
        let without_release = info("", "", "r4", &[]);
        assert_eq!(told(&without_release), want(&[("v1.28.3-r4", true)]));
        let full = info("v1.28.3", "r0", "v1.28.3-r4", &[]);
        assert_eq!(told(&full), want(&[("v1.28.3-r4", true)]));
    }

    #[test]
    fn a_version_in_both_counts_once_as_recommended() {
        let both = info("v1.28.3", "r0", "r4", &["v1.29", "v1.28.3-r4", " v1.29 "]);
        assert_eq!(told(&both), want(&[("v1.28.3-r4", true), ("v1.29", false)]));
    }

    #[test]
    fn an_endless_list_is_read_to_the_bound() {
        let targets: Vec<String> = (0..300_000).map(|n| format!("v{n}")).collect();
        let endless = VersionInfo {
            suggest_patch: "r4".to_owned(),
            target_versions: targets,
            ..VersionInfo::default()
        };
        let found = told(&endless);
        assert_eq!(found.len(), MAX_AVAILABLE);
        assert_eq!(found[..2], want(&[("v1.28.3-r4", true), ("v0", false)]));
    }

    #[test]
    fn nothing_and_the_running_version_are_no_offer() {
        assert_eq!(told(&VersionInfo::default()), want(&[]));
        let same = info("v1.28.3", "r0", "r0", &["", "v1.28.3-r0"]);
        assert_eq!(told(&same), want(&[]));
    }
}
