//! Whole lines, in both forms.

use std::io::Write;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

use super::line::TextFields;
use super::object::JsonEvent;
use crate::text::is_unprintable;

const EVIL: &str =
    "a\n2026-01-01T00:00:00Z ERROR forged level=ERROR msg=\"x\" \r\u{1b}[31m\u{9b}\u{202e}%41\\";

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Lines {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock())).unwrap()
    }
}

/// Returns what is logged as text, and as JSON.
fn logged(log: impl Fn()) -> [String; 2] {
    let lines = Lines::default();
    let text = tracing_subscriber::fmt()
        .with_writer(lines.clone())
        .with_ansi(false)
        .with_target(false)
        .without_time()
        .fmt_fields(TextFields)
        .finish();
    tracing::subscriber::with_default(text, &log);
    let text = lines.take();
    let json = tracing_subscriber::fmt()
        .with_writer(lines.clone())
        .event_format(JsonEvent)
        .finish();
    tracing::subscriber::with_default(json, &log);
    [text, lines.take()]
}

#[test]
fn plain_fields_keep_their_form() {
    let [text, json] = logged(|| {
        let (account, r#type) = ("kr", "x y");
        tracing::warn!(account, r#type, id = %"3427188", wait = %"1h 30m", none = %"", n = 3, is = true, part = 0.5, "Some {}.", "message");
    });
    assert_eq!(
        text,
        " WARN Some message. account=kr type=\"x y\" id=3427188 wait=\"1h 30m\" none=\"\" n=3 is=true part=0.5\n"
    );
    let json: Value = serde_json::from_str(&json).unwrap();
    let mut want = serde_json::json!({
        "level": "WARN", "message": "Some message.", "account": "kr", "type": "x y", "id": "3427188",
        "wait": "1h 30m", "none": "", "n": 3, "is": true, "part": 0.5,
    });
    want["timestamp"] = json["timestamp"].clone();
    assert_eq!(json, want);
    let at = json["timestamp"].as_str().unwrap();
    assert!(at.parse::<jiff::Timestamp>().is_ok(), "{at}");
}

#[test]
fn foreign_values_forge_neither_lines_nor_fields() {
    let [text, json] = logged(|| {
        tracing::info!(account = EVIL, cluster = %EVIL, error = ?EVIL, "It said {EVIL}.");
        tracing::info!(text = EVIL, "{EVIL}");
    });
    for log in [&text, &json] {
        assert_eq!(log.lines().count(), 2, "{log}");
        let raw = |c: char| c != '\n' && is_unprintable(c);
        assert!(!log.contains(raw), "{log:?}");
    }
    for line in text.lines() {
        let outside: String = line.replace("\\\\", "").replace("\\\"", "");
        let outside: Vec<&str> = outside.split('"').step_by(2).collect();
        let outside = outside.join("");
        assert!(
            !outside.contains("level=") && !outside.contains("msg="),
            "{line}"
        );
    }
    for line in json.lines() {
        let object: Value = serde_json::from_str(line).unwrap();
        assert_eq!(object["level"], "INFO");
        let values = ["account", "cluster", "text"].map(|name| object[name].as_str());
        assert!(
            values.iter().flatten().all(|value| *value == EVIL),
            "{line}"
        );
    }
}

#[test]
fn lines_are_bounded_however_long_their_values() {
    let long = "\u{202e}".repeat(3_000_000);
    let [text, json] = logged(|| {
        tracing::info!(a = %long, b = long, c = ?long, d = %long, e = %long, "{long}");
    });
    for log in [&text, &json] {
        assert_eq!(log.lines().count(), 1);
        assert!(log.len() <= 16 * 1024, "{}", log.len());
        assert!(log.contains('…'));
    }
    let object: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(object.as_object().unwrap().len(), 8);
}
