//! YAML in which every key and value knows its line and column.
//!
//! A program's config file is read in three steps: [`parse`] builds a tree of [`Node`]s, a [`Section`]
//! takes the keys that it knows from a mapping, and a [`Field`] reads its value as what the program needs.
//! Nothing stops at the first error: [`Problems`] collects all of them, with their places, and
//! [`Section::finish`] reports the keys that were not taken, with the known key that was likely meant.
//!
//! [`parse_file`] joins the three with the reading of a file, and names it in the [`ConfigError`].
//!
//! Scalars stay text until they are read: `no`, `1.10` and `0123` are what they look like. Anchors and
//! aliases are followed within a budget, so that a small file cannot become a large tree. Nodes have no
//! `Debug`, and messages quote at most 40 characters, because values may be secrets.
//!
//! ```
//! use spanned_yaml::{At, Problems, Section, parse};
//!
//! let problems = Problems::default();
//! let port = parse("prot: 80\n", &problems).and_then(|root| {
//!     let mut section = Section::new(&root, "the file", At::START, &problems);
//!     let port = section.take("port").and_then(|field| field.integer(1..=65_535));
//!     section.finish();
//!     port
//! });
//! let problems = problems.settle(port).unwrap_err();
//! assert_eq!(problems[0].to_string(), r#"1:1: unknown key "prot": did you mean port?"#);
//! ```

mod duration;
mod field;
mod file;
mod node;
mod parse;
mod problem;
mod quote;
mod section;
mod suggest;

pub use duration::{Bounds, exact_length};
pub use field::Field;
pub use file::{ConfigError, parse_file, text};
pub use node::{Key, Node, Value, shown_key};
pub use parse::{LONGEST, parse};
pub use problem::{At, Problem, Problems, either};
pub use quote::quote;
pub use section::Section;
pub use suggest::closest;
