//! Counters whose series end with their owner.

use std::borrow::Cow;
use std::collections::HashSet;

use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// Labels of a series.
pub type Labels = Vec<(&'static str, Cow<'static, str>)>;

/// Family of counters.
pub type Counters = Family<Labels, Counter>;

/// Registers a family of counters.
pub fn counters(registry: &mut Registry, name: &str, help: &str) -> Counters {
    let family = Counters::default();
    registry.register(name, help, family.clone());
    family
}

/// Counters of one owner in a family; their series end when this is dropped.
#[derive(Debug)]
pub struct Series {
    family: Counters,
    owner: Labels,
    known: Mutex<HashSet<Labels>>,
}

impl Series {
    /// Builds the counters of the owner that these labels name; there are none yet.
    pub fn new(family: &Counters, owner: &Labels) -> Self {
        Self {
            family: family.clone(),
            owner: owner.clone(),
            known: Mutex::default(),
        }
    }

    /// Returns the counter with these labels after those of the owner; a new one is at 0.
    pub fn counter(&self, labels: &[(&'static str, &str)]) -> Counter {
        let mut all = self.owner.clone();
        let labels = labels.iter();
        all.extend(labels.map(|(name, value)| (*name, Cow::Owned((*value).to_owned()))));
        let counter = self.family.get_or_create_owned(&all);
        self.known.lock().insert(all);
        counter
    }
}

#[cfg(test)]
impl Series {
    /// Returns whether a counter has this label.
    pub(crate) fn has(&self, label: (&'static str, &str)) -> bool {
        let known = self.known.lock();
        known
            .iter()
            .flatten()
            .any(|(name, value)| (*name, &**value) == label)
    }
}

impl Drop for Series {
    fn drop(&mut self) {
        for labels in self.known.get_mut().iter() {
            self.family.remove(labels);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_end_with_their_owner() {
        let mut registry = Registry::default();
        let family = counters(&mut registry, "calls", "Calls");
        let series = |owner: &'static str| Series::new(&family, &vec![("owner", owner.into())]);
        let shown = || {
            let mut text = String::new();
            prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
            let lines = text.lines().filter(|line| !line.starts_with('#'));
            let mut lines: Vec<_> = lines.map(str::to_owned).collect();
            lines.sort();
            lines
        };
        let (one, other) = (series("one"), series("other"));
        one.counter(&[("code", "200")]).inc_by(2);
        let straggler = one.counter(&[("code", "503")]);
        other.counter(&[]);
        let of_other = "calls_total{owner=\"other\"} 0";
        let of_one = [
            "calls_total{owner=\"one\",code=\"200\"} 2",
            "calls_total{owner=\"one\",code=\"503\"} 0",
        ];
        assert_eq!(shown(), [of_one[0], of_one[1], of_other]);
        drop(one);
        straggler.inc();
        assert_eq!(shown(), [of_other], "a late count brings nothing back");
        series("one").counter(&[("code", "200")]);
        assert_eq!(shown(), [of_other], "dropped again");
        let again = series("one");
        again.counter(&[("code", "200")]).inc();
        assert_eq!(shown()[0], "calls_total{owner=\"one\",code=\"200\"} 1");
    }
}
