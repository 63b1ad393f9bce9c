//! The fields of a log line for people: `message name=value name="another value"`.
//!
//! Every field of every event passes through here: outside of quotes no value holds a space, a `=` or
//! an unprintable character, and a message that could be taken for fields stands in quotes.

use std::fmt::{self, Debug};

use tracing::field::{Field, Visit};
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::FormatFields;
use tracing_subscriber::fmt::format::Writer;

use super::value::{Room, Style, collect, cut};
use crate::text::is_unprintable;

const ITALIC: &str = "\u{1b}[3m";
const DIMMED: &str = "\u{1b}[2m";
const RESET: &str = "\u{1b}[0m";

/// Writes the fields of a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct TextFields;

impl<'writer> FormatFields<'writer> for TextFields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut line = Line {
            writer,
            room: Room::default(),
            is_empty: true,
            written: Ok(()),
        };
        fields.record(&mut line);
        line.written
    }
}

struct Line<'a> {
    writer: Writer<'a>,
    room: Room,
    is_empty: bool,
    written: fmt::Result,
}

impl Line<'_> {
    fn add(&mut self, field: &Field, style: Style, value: &str) -> fmt::Result {
        if !self.is_empty {
            self.writer.write_char(' ')?;
        }
        self.is_empty = false;
        let name = field.name().trim_start_matches("r#");
        if name != "message" && self.writer.has_ansi_escapes() {
            write!(self.writer, "{ITALIC}{name}{RESET}{DIMMED}={RESET}")?;
        } else if name != "message" {
            write!(self.writer, "{name}=")?;
        }
        self.room.write(&mut self.writer, style, value)
    }
}

impl Visit for Line<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        let value = cut(value);
        let style = if field.name() == "message" {
            style_of_message(&value)
        } else {
            style_of_value(&value)
        };
        self.written = self.written.and_then(|()| self.add(field, style, &value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let value = collect(value);
        let style = if field.name() == "message" {
            style_of_message(&value)
        } else {
            style_of_value(&value)
        };
        self.written = self.written.and_then(|()| self.add(field, style, &value));
    }
}

fn style_of_message(message: &str) -> Style {
    if message.contains(['=', '"']) {
        Style::Quoted
    } else {
        Style::Bare
    }
}

fn style_of_value(value: &str) -> Style {
    let is_special =
        |c: char| matches!(c, '=' | '"' | '\\') || c.is_whitespace() || is_unprintable(c);
    if value.is_empty() || value.contains(is_special) {
        Style::Quoted
    } else {
        Style::Bare
    }
}
