//! The parser: YAML text to a tree of nodes.
//!
//! Scalars stay text: what a text means is decided where it is used, so `no`, `1.10` and `0123`
//! are what they look like. Anchors and aliases are followed within a budget.

mod blanks;

use std::collections::{BTreeSet, HashMap};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Tag};

use crate::node::{Key, Node, Value, shown_key};
use crate::problem::{At, Problem, Problems};

/// Longest text that is read, in bytes.
pub const LONGEST: usize = 1 << 20;
/// Lists and mappings inside each other.
const DEEPEST: usize = 32;
/// Budget of anchors and aliases for copies: nodes and bytes of text, counted together.
const COPY_BUDGET: usize = 1 << 20;

/// Parses a text. `None` means that `problems` holds the reason.
pub fn parse(text: &str, problems: &Problems) -> Option<Node> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.len() > LONGEST {
        problems.add(
            At::START,
            "this file is longer than 1 MiB, so it is not a configuration: name another one",
        );
        return None;
    }
    let mut look_alikes = BTreeSet::new();
    let built = build(text, problems, &mut look_alikes);
    if let Err(problem) = &built {
        // What the parser met first may be the consequence of a blank before it.
        look_alikes.extend(1..=problem.line);
    }
    let found = blanks::find(text, &look_alikes);
    for (at, message) in &found {
        problems.add(*at, message);
    }
    match built {
        Ok(_) if !found.is_empty() => None,
        Ok(Some(root)) if !root.is_null() => Some(root),
        Ok(_) => {
            problems.add(At::START, "this file is empty: write its first key");
            None
        }
        Err(problem) => {
            problems.add(
                At {
                    line: problem.line,
                    column: problem.column,
                },
                problem.message,
            );
            None
        }
    }
}

/// A list or a mapping whose end was not seen yet.
struct Open {
    at: At,
    anchor: usize,
    inside: Inside,
}

enum Inside {
    List(Vec<Node>),
    Map {
        entries: Vec<(Key, Node)>,
        seen: HashMap<String, At>,
        next: Next,
    },
}

/// Next part of a mapping.
enum Next {
    Key,
    ValueOf(Key),
    /// The value of a key that was wrong.
    Dropped,
}

struct Builder<'a> {
    problems: &'a Problems,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    budget: usize,
    root: Option<Node>,
}

/// Builds the tree, and adds to `look_alikes` the lines of plain text in which a blank stands for a space.
fn build(
    text: &str,
    problems: &Problems,
    look_alikes: &mut BTreeSet<usize>,
) -> Result<Option<Node>, Problem> {
    let mut builder = Builder {
        problems,
        open: Vec::new(),
        anchors: HashMap::new(),
        budget: COPY_BUDGET,
        root: None,
    };
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| not_yaml(&error))?;
        let at = place(span.start);
        match event {
            Event::DocumentStart(_) => {
                documents += 1;
                if documents > 1 {
                    let message =
                        "a second document begins here: a file holds one, so remove the ---";
                    return Err(Problem::new(at, message));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                if style == ScalarStyle::Plain && blanks::is_broken(&text) {
                    look_alikes.extend(at.line..=place(span.end).line);
                }
                let text = text.into_owned();
                let quoted = style != ScalarStyle::Plain || is_str(tag.as_deref(), at)?;
                let value = Value::Scalar { text, quoted };
                builder.close(Node { at, value }, anchor)?;
            }
            Event::SequenceStart(anchor, tag) => {
                is_str(tag.as_deref(), at)?;
                builder.enter(at, anchor, Inside::List(Vec::new()))?;
            }
            Event::MappingStart(anchor, tag) => {
                is_str(tag.as_deref(), at)?;
                let inside = Inside::Map {
                    entries: Vec::new(),
                    seen: HashMap::new(),
                    next: Next::Key,
                };
                builder.enter(at, anchor, inside)?;
            }
            Event::SequenceEnd | Event::MappingEnd => builder.leave()?,
            Event::Alias(anchor) => builder.copy(anchor, at)?,
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
    }
    Ok(builder.root)
}

impl Builder<'_> {
    fn enter(&mut self, at: At, anchor: usize, inside: Inside) -> Result<(), Problem> {
        if self.open.len() >= DEEPEST {
            return Err(too_deep(at));
        }
        self.open.push(Open { at, anchor, inside });
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Problem> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let value = match open.inside {
            Inside::List(items) => Value::List(items),
            Inside::Map { entries, .. } => Value::Map(entries),
        };
        let node = Node { at: open.at, value };
        self.close(node, open.anchor)
    }

    /// Takes a node that is complete, and keeps a copy when it has an anchor (they count from 1).
    fn close(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        if anchor > 0 {
            let (size, _) = node.weigh();
            self.spend(size, node.at)?;
            self.anchors.insert(anchor, node.clone());
        }
        self.add(node)
    }

    fn copy(&mut self, anchor: usize, at: At) -> Result<(), Problem> {
        let Some(node) = self.anchors.get(&anchor) else {
            let message = "this alias stands inside of what it repeats: write the value out";
            return Err(Problem::new(at, message));
        };
        let (size, depth) = node.weigh();
        if self.open.len() + depth > DEEPEST {
            return Err(too_deep(at));
        }
        let node = node.clone();
        self.spend(size, at)?;
        self.add(node)
    }

    fn spend(&mut self, size: usize, at: At) -> Result<(), Problem> {
        self.budget = self.budget.checked_sub(size).ok_or_else(|| {
            Problem::new(
                at,
                "anchors and aliases make this file too large: write the values out",
            )
        })?;
        Ok(())
    }

    /// Puts a node where it belongs: it is a key, a value, an item or the whole.
    fn add(&mut self, node: Node) -> Result<(), Problem> {
        match self.open.last_mut().map(|open| &mut open.inside) {
            None => self.root = Some(node),
            Some(Inside::List(items)) => items.push(node),
            Some(Inside::Map {
                entries,
                seen,
                next,
            }) => match std::mem::replace(next, Next::Key) {
                Next::ValueOf(key) => entries.push((key, node)),
                Next::Dropped => {}
                Next::Key => *next = key(node, seen, self.problems)?,
            },
        }
        Ok(())
    }
}

/// Reads a node as a key.
fn key(node: Node, seen: &mut HashMap<String, At>, problems: &Problems) -> Result<Next, Problem> {
    let at = node.at;
    let empty = node.is_null();
    let Value::Scalar { text, quoted } = node.value else {
        let message = format!("a key must be a word, not {}", node.kind());
        return Err(Problem::new(at, message));
    };
    if empty {
        problems.add(at, "a key is missing before this colon");
        return Ok(Next::Dropped);
    }
    if text == "<<" && !quoted {
        problems.add(at, "merge keys (<<) are not known here: write the keys out");
        return Ok(Next::Dropped);
    }
    if let Some(first) = seen.get(&text) {
        let shown = shown_key(&text);
        problems.add(
            at,
            format!("{shown} stands here a second time: it is at {first} already, keep one"),
        );
        return Ok(Next::Dropped);
    }
    seen.insert(text.clone(), at);
    Ok(Next::ValueOf(Key { at, text }))
}

/// Returns true for the tag of text; rejects every other tag.
fn is_str(tag: Option<&Tag>, at: At) -> Result<bool, Problem> {
    match tag {
        None => Ok(false),
        Some(tag) if tag.is_yaml_core_schema() && tag.suffix == "str" => Ok(true),
        Some(_) => Err(Problem::new(
            at,
            "tags (words that begin with !) are not known here: put the text in quotes",
        )),
    }
}

fn too_deep(at: At) -> Problem {
    Problem::new(
        at,
        format!(
            "lists and mappings stand more than {DEEPEST} deep in each other: check the brackets"
        ),
    )
}

fn place(mark: Marker) -> At {
    At {
        line: mark.line().max(1),
        column: mark.col() + 1,
    }
}

/// The parser's words are fixed texts that quote at most one character of the file.
fn not_yaml(error: &ScanError) -> Problem {
    let info = error.info();
    let hint = if info.contains("tab") {
        ": indent with spaces, not tabs"
    } else if info.contains("in quoted scalar")
        || info.contains("quoted scalar, found unexpected end")
    {
        ": close the quote"
    } else if info.contains("mapping values are not allowed") || info.contains("simple key expect")
    {
        ": check the indentation, and that a space follows each colon"
    } else if info.contains("flow") || info.contains("recursion") {
        ": close the bracket"
    } else if info.contains("unknown anchor") {
        ": an alias (*name) needs its anchor (&name) before it; put a pattern in quotes"
    } else {
        ": check the indentation and the quotes"
    };
    Problem::new(
        place(*error.marker()),
        format!("this is not YAML ({info}){hint}"),
    )
}

#[cfg(test)]
mod tests;
