//! YAML as far as these files use it: text, lists, mappings, anchors and `<<`.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Yaml {
    Text(String),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    pub(crate) fn parse(text: &str) -> Self {
        let mut events = Parser::new_from_str(text).map(|event| event.unwrap().0);
        let begins = |event: &Event<'_>| {
            !matches!(
                event,
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_)
            )
        };
        let first = events.find(begins).unwrap();
        node(first, &mut events, &mut HashMap::new())
    }

    /// The value at these keys, one inside the other.
    pub(crate) fn get(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |at, key| {
            at.entries().iter().find(|(k, _)| k == key).map(|(_, v)| v)
        })
    }

    pub(crate) fn text(&self, path: &[&str]) -> &str {
        match self.get(path) {
            Some(Self::Text(text)) => text,
            other => panic!("{path:?} is no text: {other:?}"),
        }
    }

    /// The texts of a list; none when nothing is there.
    pub(crate) fn texts(&self, path: &[&str]) -> Vec<&str> {
        self.list(path).iter().map(|item| item.text(&[])).collect()
    }

    /// A list; empty when nothing is there.
    pub(crate) fn list(&self, path: &[&str]) -> &[Self] {
        match self.get(path) {
            None => &[],
            Some(Self::List(items)) => items,
            Some(other) => panic!("{path:?} is no list: {other:?}"),
        }
    }

    pub(crate) fn entries(&self) -> &[(String, Self)] {
        match self {
            Self::Map(entries) => entries,
            other => panic!("no mapping: {other:?}"),
        }
    }
}

fn node<'a>(
    event: Event<'a>,
    rest: &mut impl Iterator<Item = Event<'a>>,
    anchors: &mut HashMap<usize, Yaml>,
) -> Yaml {
    let (anchor, value) = match event {
        Event::Alias(anchor) => return anchors[&anchor].clone(),
        Event::Scalar(text, _, anchor, _) => (anchor, Yaml::Text(text.into_owned())),
        Event::SequenceStart(anchor, _) => {
            let mut items = Vec::new();
            loop {
                match rest.next().unwrap() {
                    Event::SequenceEnd => break (anchor, Yaml::List(items)),
                    first => items.push(node(first, rest, anchors)),
                }
            }
        }
        Event::MappingStart(anchor, _) => {
            let mut entries = Vec::new();
            loop {
                let key = match rest.next().unwrap() {
                    Event::MappingEnd => break (anchor, Yaml::Map(entries)),
                    key => node(key, rest, anchors).text(&[]).to_owned(),
                };
                let first = rest.next().unwrap();
                let value = node(first, rest, anchors);
                if key == "<<" {
                    entries.extend(value.entries().iter().cloned());
                } else {
                    entries.push((key, value));
                }
            }
        }
        other => panic!("not expected here: {other:?}"),
    };
    if anchor > 0 {
        anchors.insert(anchor, value.clone());
    }
    value
}
