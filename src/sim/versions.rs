//! Versions of a simulated cluster: those of its list, and the newer ones that follow for ever.

use super::World;
use super::scenario::Cluster;
use super::timeline::Moment;

/// Version of which the later ones are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form<'a> {
    /// Code of the Search Engine Service: `2150` is 2.15.0, and 2160 follows.
    Code { major: &'a str, minor: u64 },
    /// `3.9.0`, which 3.10.0 follows; Kubernetes's `v1.31.1-r0`, which v1.32.0-r0 follows.
    Dotted {
        major: &'a str,
        minor: u64,
        revision: &'static str,
    },
    /// Image within a version of the engine: `7.10.2_24.3.0_0827` is the third image of 2024, and
    /// `7.10.2_24.4.0_1029` follows. The last of a year is its fifth.
    Image {
        engine: &'a str,
        year: u64,
        release: u64,
    },
}

/// Month and day of each image of a year.
const IMAGE_DAYS: [&str; 5] = ["0425", "0627", "0827", "1029", "1230"];
const IMAGES_A_YEAR: u64 = IMAGE_DAYS.len() as u64;

impl<'a> Form<'a> {
    fn of(version: &'a str) -> Option<Self> {
        if let Some((engine, image)) = version.split_once('_') {
            let (number, _day) = image.split_once('_')?;
            let mut parts = number.split('.').map(number_in);
            let (year, release) = (parts.next()??, parts.next()??);
            let release = release.clamp(1, IMAGES_A_YEAR);
            return Some(Self::Image {
                engine,
                year,
                release,
            });
        }
        if let Some((major, rest)) = version.split_once('.') {
            number_in(major.strip_prefix('v').unwrap_or(major))?;
            let (minor, rest) = rest.split_once('.')?;
            let (patch, revision) = match rest.split_once("-r") {
                Some((patch, revision)) => (patch, Some(number_in(revision)?)),
                None => (rest, None),
            };
            number_in(patch)?;
            return Some(Self::Dotted {
                major,
                minor: number_in(minor)?,
                revision: revision.map_or("", |_| "-r0"),
            });
        }
        number_in(version)?;
        let (major, rest) = version.split_at_checked(1)?;
        let (minor, _patch) = rest.split_at_checked(rest.len().checked_sub(1)?)?;
        Some(Self::Code {
            major,
            minor: number_in(minor)?,
        })
    }

    /// Writes the version that is this many steps later.
    fn later(self, steps: u64) -> String {
        match self {
            Self::Code { major, minor } => format!("{major}{}0", minor.saturating_add(steps)),
            Self::Dotted {
                major,
                minor,
                revision,
            } => format!("{major}.{}.0{revision}", minor.saturating_add(steps)),
            Self::Image {
                engine,
                year,
                release,
            } => {
                let images = (release - 1).saturating_add(steps);
                let year = year.saturating_add(images / IMAGES_A_YEAR);
                let place = images % IMAGES_A_YEAR;
                let day = usize::try_from(place).ok().and_then(|n| IMAGE_DAYS.get(n));
                let day = day.copied().unwrap_or_default();
                format!("{engine}_{year}.{}.0_{day}", place + 1)
            }
        }
    }
}

fn number_in(digits: &str) -> Option<u64> {
    let is_number = digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// Returns the version that follows `version` after this many steps; `None` for a version of another form
/// than `2150`, `3.9.0`, `v1.31.1-r0` and `7.10.2_24.3.0_0827`.
pub(super) fn later(version: &str, steps: u64) -> Option<String> {
    Form::of(version).map(|form| form.later(steps))
}

impl Cluster {
    /// Returns the version to which run `place - 1` goes, where nothing fails; the first of the list for 0.
    pub(super) fn version_at(&self, place: u64) -> String {
        let count = self.versions.len() as u64;
        let beyond = place.saturating_add(1).saturating_sub(count);
        if beyond > 0
            && self.repetition.endless_versions
            && let Some(last) = self.versions.last()
            && let Some(version) = later(last, beyond)
        {
            return version;
        }
        let index = usize::try_from(place % count.max(1)).unwrap_or_default();
        self.versions.get(index).cloned().unwrap_or_default()
    }

    /// Returns the version that it runs at this moment of its upgrades; its first one before any.
    pub fn version<'a>(&'a self, moment: Option<&'a Moment>) -> &'a str {
        let first = || self.versions.first().map_or("", String::as_str);
        moment.map_or_else(first, Moment::version)
    }
}

impl World {
    /// Returns the versions that the vendor has for a cluster now: those of the list, and, where they are
    /// endless, those of its upgrade and `ahead` later ones.
    pub fn versions(&self, cluster: &Cluster, ahead: u64) -> Vec<String> {
        let mut all = cluster.versions.clone();
        if !cluster.repetition.endless_versions {
            return all;
        }
        let mut add = |version: String| {
            if !all.contains(&version) {
                all.push(version);
            }
        };
        let last = cluster.versions.last().cloned().unwrap_or_default();
        let newest = match self.moment(cluster) {
            Some(Moment { from, to, .. }) if !cluster.versions.contains(&to) => {
                add(from);
                add(to.clone());
                to
            }
            _ => last,
        };
        (1..=ahead)
            .filter_map(|steps| later(&newest, steps))
            .for_each(add);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three_after(version: &str) -> Vec<String> {
        (1..=3).filter_map(|steps| later(version, steps)).collect()
    }

    #[test]
    fn newer_versions_follow_in_the_vendors_form() {
        for (version, want) in [
            ("2150", ["2160", "2170", "2180"]),
            ("290", ["2100", "2110", "2120"]),
            ("3.9.0", ["3.10.0", "3.11.0", "3.12.0"]),
            ("4.0.1", ["4.1.0", "4.2.0", "4.3.0"]),
            ("v1.31.1-r0", ["v1.32.0-r0", "v1.33.0-r0", "v1.34.0-r0"]),
            ("v1.9.8-r6", ["v1.10.0-r0", "v1.11.0-r0", "v1.12.0-r0"]),
            (
                "7.10.2_24.3.0_0827",
                [
                    "7.10.2_24.4.0_1029",
                    "7.10.2_24.5.0_1230",
                    "7.10.2_25.1.0_0425",
                ],
            ),
            (
                "7.10.2_22.5.1_1230",
                [
                    "7.10.2_23.1.0_0425",
                    "7.10.2_23.2.0_0627",
                    "7.10.2_23.3.0_0827",
                ],
            ),
        ] {
            assert_eq!(three_after(version), want, "{version}");
        }
        assert_eq!(
            later("3.9.0", u64::MAX).unwrap(),
            format!("3.{}.0", u64::MAX)
        );
    }

    #[test]
    fn nothing_follows_a_version_of_another_form() {
        for version in [
            "",
            "x",
            "12",
            "v1.28",
            "1.2.3.4",
            "1.2.x",
            "v1.2.3-r",
            "+150",
            "1_2",
            "7.10.2_x.y_1",
        ] {
            assert_eq!(later(version, 1), None, "{version:?}");
        }
    }
}
