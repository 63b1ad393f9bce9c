//! Words of the document: values of the model's enums, and words of a newer exporter.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::model::{FindingScope, Kind, NodeStatus, Reason, TaskStatus, UpgradeStatus};

/// Enum of the model with a fixed word for each value.
pub trait Vocabulary: Copy + PartialEq + 'static {
    /// Every value.
    const ALL: &'static [Self];

    /// Returns the word of this value in the document.
    fn word(self) -> &'static str;
}

macro_rules! vocabulary {
    ($($name:ty),+ $(,)?) => {$(
        impl Vocabulary for $name {
            const ALL: &'static [Self] = Self::ALL;

            fn word(self) -> &'static str {
                self.as_str()
            }
        }
    )+};
}

vocabulary!(
    FindingScope,
    Kind,
    NodeStatus,
    Reason,
    TaskStatus,
    UpgradeStatus,
);

/// Value of an enum in the document, or a word that only a newer exporter knows: the document of a
/// newer version is read, and its words are shown as they are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Word<T> {
    /// Value that this version knows.
    Known(T),
    /// Word of a newer version: foreign text, which is escaped before it is shown.
    Other(String),
}

impl<T: Vocabulary> Word<T> {
    /// Returns the value; `None` for a word that this version does not know.
    pub fn known(&self) -> Option<T> {
        match self {
            Self::Known(value) => Some(*value),
            Self::Other(_) => None,
        }
    }

    /// Returns the word as it stands in the document.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(value) => value.word(),
            Self::Other(word) => word,
        }
    }
}

impl<T: Vocabulary> From<T> for Word<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl<T: Vocabulary> PartialEq<T> for Word<T> {
    fn eq(&self, other: &T) -> bool {
        self.known() == Some(*other)
    }
}

impl<T: Vocabulary> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de, T: Vocabulary> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        let known = T::ALL.iter().find(|value| value.word() == word);
        Ok(known.map_or_else(|| Self::Other(word), |value| Self::Known(*value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{
        ClusterReport, DegradedReport, ErrorReport, FindingReport, NodeReport, Report, TaskReport,
        UpgradeReport,
    };
    use crate::text::json;

    /// A field that becomes text does not compile here.
    #[test]
    fn enums_of_the_model_stay_enums_in_the_report() {
        let document = include_str!("../../tests/data/api/upgrades.json");
        let report: Report = serde_json::from_str(document).unwrap();
        let ErrorReport { reason, .. } = report.products[0].last_error.as_ref().unwrap();
        let _: &Word<Reason> = reason;
        let ClusterReport {
            degraded, upgrades, ..
        } = &report.clusters[0];
        let DegradedReport { reason, .. } = &degraded[0];
        let _: &Word<Reason> = reason;
        let UpgradeReport {
            kind,
            status,
            nodes,
            tasks,
            precheck,
            ..
        } = &upgrades[0];
        let (_, _): (&Word<Kind>, &Word<UpgradeStatus>) = (kind, status);
        let NodeReport { status, .. } = &nodes[0];
        let _: &Word<NodeStatus> = status;
        let TaskReport { status, .. } = &tasks[0];
        let _: &Word<TaskStatus> = status;
        let FindingReport { scope, .. } = &precheck.as_ref().unwrap().findings[0];
        let _: &Word<FindingScope> = scope;
    }

    fn every_word_is_read_back<T: Vocabulary + std::fmt::Debug>() {
        for &value in T::ALL {
            let written = json::to_string(&Word::from(value)).unwrap();
            assert_eq!(written, format!("\"{}\"", value.word()));
            let read: Word<T> = serde_json::from_str(&written).unwrap();
            assert_eq!(read.known(), Some(value));
        }
    }

    #[test]
    fn words_of_the_model_are_read_back() {
        every_word_is_read_back::<FindingScope>();
        every_word_is_read_back::<Kind>();
        every_word_is_read_back::<NodeStatus>();
        every_word_is_read_back::<Reason>();
        every_word_is_read_back::<TaskStatus>();
        every_word_is_read_back::<UpgradeStatus>();
    }

    #[test]
    fn word_of_a_newer_version_is_kept() {
        let written = r#""rolling_back""#;
        let word: Word<UpgradeStatus> = serde_json::from_str(written).unwrap();
        assert_eq!(word.known(), None);
        assert_ne!(word, UpgradeStatus::Unknown);
        assert_eq!(word.as_str(), "rolling_back");
        assert_eq!(json::to_string(&word).unwrap(), written);
    }
}
