//! Versions of a simulated cluster: those of its list, and the newer ones that follow for ever.

use super::scenario::Cluster;
use super::timeline::Moment;
use super::{SimulatedCloud, World};

/// Form of versions of which the later ones are known.
#[derive(Debug, Clone, Copy)]
pub struct VersionForm {
    /// Versions in this form, for people.
    pub examples: &'static [&'static str],
    /// Returns the version that follows one after this many steps; `None` for a version of another form.
    pub later: fn(version: &str, steps: u64) -> Option<String>,
}

impl VersionForm {
    /// Dotted numbers: `3.9.0`, which 3.10.0 follows, and `v1.31.1-r0`, which v1.32.0-r0 follows.
    pub const DOTTED: Self = Self {
        examples: &["3.9.0", "v1.31.1-r0"],
        later: dotted,
    };

    /// Returns the form of a version, of those that the products of these clouds have.
    pub fn of(clouds: &[SimulatedCloud], version: &str) -> Option<Self> {
        Self::all(clouds).find(|form| form.has(version))
    }

    /// Returns versions in each form, the shortest first.
    pub(super) fn all_examples(clouds: &[SimulatedCloud]) -> Vec<&'static str> {
        let forms = Self::all(clouds);
        let mut examples: Vec<_> = forms.flat_map(|form| form.examples).copied().collect();
        examples.sort_by_key(|example| example.len());
        examples
    }

    fn all(clouds: &[SimulatedCloud]) -> impl Iterator<Item = Self> {
        let products = clouds.iter().flat_map(|cloud| &cloud.products);
        let own = products.flat_map(|product| product.service.version_forms());
        std::iter::once(Self::DOTTED).chain(own.copied())
    }

    fn has(&self, version: &str) -> bool {
        (self.later)(version, 1).is_some()
    }
}

impl PartialEq for VersionForm {
    fn eq(&self, other: &Self) -> bool {
        self.examples == other.examples
    }
}

impl Eq for VersionForm {}

fn dotted(version: &str, steps: u64) -> Option<String> {
    let (major, rest) = version.split_once('.')?;
    number(major.strip_prefix('v').unwrap_or(major))?;
    let (minor, rest) = rest.split_once('.')?;
    let (patch, revision) = match rest.split_once("-r") {
        Some((patch, revision)) => (patch, Some(number(revision)?)),
        None => (rest, None),
    };
    number(patch)?;
    let minor = number(minor)?.saturating_add(steps);
    let revision = revision.map_or("", |_| "-r0");
    Some(format!("{major}.{minor}.0{revision}"))
}

/// Reads a number that is written in digits and nothing else.
pub(crate) fn number(digits: &str) -> Option<u64> {
    let is_number = digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

impl Cluster {
    /// Returns the version to which run `place - 1` goes, where nothing fails; the first of the list for 0.
    pub(super) fn version_at(&self, place: u64) -> String {
        let count = self.versions.len() as u64;
        let beyond = place.saturating_add(1).saturating_sub(count);
        if beyond > 0
            && let Some(form) = self.repetition.endless_versions
            && let Some(last) = self.versions.last()
            && let Some(version) = (form.later)(last, beyond)
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
        let Some(form) = cluster.repetition.endless_versions else {
            return all;
        };
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
            .filter_map(|steps| (form.later)(&newest, steps))
            .for_each(add);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_versions_follow_in_their_form() {
        for (version, want) in [
            ("3.9.0", ["3.10.0", "3.11.0", "3.12.0"]),
            ("4.0.1", ["4.1.0", "4.2.0", "4.3.0"]),
            ("v1.31.1-r0", ["v1.32.0-r0", "v1.33.0-r0", "v1.34.0-r0"]),
            ("v1.9.8-r6", ["v1.10.0-r0", "v1.11.0-r0", "v1.12.0-r0"]),
        ] {
            let later: Vec<_> = (1..=3).filter_map(|steps| dotted(version, steps)).collect();
            assert_eq!(later, want, "{version}");
        }
        assert_eq!(
            dotted("3.9.0", u64::MAX).unwrap(),
            format!("3.{}.0", u64::MAX)
        );
    }

    #[test]
    fn nothing_follows_a_version_of_another_form() {
        let clouds = crate::cloud::simulated(crate::clouds::CLOUDS);
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
            assert_eq!(VersionForm::of(&clouds, version), None, "{version:?}");
        }
    }

    #[test]
    fn every_example_has_one_form() {
        let clouds = crate::cloud::simulated(crate::clouds::CLOUDS);
        for example in VersionForm::all_examples(&clouds) {
            let forms = VersionForm::all(&clouds).filter(|form| form.has(example));
            assert_eq!(forms.count(), 1, "{example}");
        }
    }
}
