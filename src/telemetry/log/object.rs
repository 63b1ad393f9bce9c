//! A log line for machines: one JSON object, which holds nothing unprintable.

use std::fmt::{self, Debug, Display};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::value::{Room, Style, collect, cut};

/// Writes an event as an object: `timestamp`, `level`, `message` and the other fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct JsonEvent;

impl<S, N> FormatEvent<S, N> for JsonEvent
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        writer.write_str("{\"timestamp\":\"")?;
        SystemTime.format_time(&mut writer)?;
        write!(writer, "\",\"level\":\"{}\"", event.metadata().level())?;
        let mut object = Object {
            writer: writer.by_ref(),
            room: Room::default(),
            written: Ok(()),
        };
        event.record(&mut object);
        object.written?;
        writer.write_str("}\n")
    }
}

struct Object<'a> {
    writer: Writer<'a>,
    room: Room,
    written: fmt::Result,
}

impl Object<'_> {
    fn add(&mut self, field: &Field, value: &str) {
        self.written = self.written.and_then(|()| {
            self.name(field)?;
            self.room.write(&mut self.writer, Style::Json, value)
        });
    }

    fn add_plain(&mut self, field: &Field, value: impl Display) {
        self.written = self.written.and_then(|()| {
            self.name(field)?;
            write!(self.writer, "{value}")
        });
    }

    fn name(&mut self, field: &Field) -> fmt::Result {
        let name = field.name().trim_start_matches("r#");
        write!(self.writer, ",\"{name}\":")
    }
}

impl Visit for Object<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.add_plain(field, format_args!("{value:?}"));
        } else {
            self.add_plain(field, "null");
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add_plain(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add_plain(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add_plain(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, &cut(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, &collect(value));
    }
}
