//! The ways in which an answer is decoded before it is searched.
//!
//! Each step decodes the whole text once, and is made only where it changes something. The number of
//! readings is fixed, so that the work grows with the length of the text alone.

use super::dividers::{Whitespace, undivided};
use super::escapes::{entity, json, percent};
use super::reading::{Decoder, Reading};

#[derive(Debug, Clone, Copy)]
enum Encoding {
    Json,
    Html,
    Url,
}

/// An encoding that is removed, and those that are removed after it.
struct Step {
    encoding: Encoding,
    then: &'static [Step],
}

const fn last(encoding: Encoding) -> Step {
    Step {
        encoding,
        then: &[],
    }
}

/// Each encoding alone, JSON twice, two of them in either order, and all.
const ALL: &[Step] = &[
    Step {
        encoding: Encoding::Json,
        then: &[
            last(Encoding::Json),
            Step {
                encoding: Encoding::Html,
                then: &[last(Encoding::Url)],
            },
            last(Encoding::Url),
        ],
    },
    Step {
        encoding: Encoding::Html,
        then: &[last(Encoding::Json), last(Encoding::Url)],
    },
    Step {
        encoding: Encoding::Url,
        then: &[last(Encoding::Json)],
    },
];

/// Those in which JSON data repeats what was sent.
const FEW: &[Step] = &[
    Step {
        encoding: Encoding::Json,
        then: &[last(Encoding::Url)],
    },
    last(Encoding::Url),
];

/// Reads a part of a large answer.
pub(super) fn few(part: &Reading, see: &mut dyn FnMut(&Reading)) {
    see(part);
    each(part, FEW, see);
}

/// Reads a short text, whose dividers are removed before or after its encodings. `has_space` is true
/// when a secret holds whitespace.
pub(super) fn all(text: &Reading, has_space: bool, see: &mut dyn FnMut(&Reading)) {
    let ways: &[Whitespace] = if has_space {
        &[Whitespace::Divides, Whitespace::Shows]
    } else {
        &[Whitespace::Divides]
    };
    let mut see_undivided = |reading: &Reading| {
        see(reading);
        for way in ways {
            if let Some(undivided) = undivided(reading, *way) {
                see(&undivided);
            }
        }
    };
    see_undivided(text);
    each(text, ALL, &mut see_undivided);
    for way in ways {
        if let Some(undivided) = undivided(text, *way) {
            each(&undivided, ALL, see);
        }
    }
}

/// Reads after each of the steps.
fn each(reading: &Reading, steps: &[Step], see: &mut dyn FnMut(&Reading)) {
    for step in steps {
        if let Some(decoded) = without(reading, step.encoding) {
            see(&decoded);
            each(&decoded, step.then, see);
        }
    }
}

/// Removes an encoding; `None` when nothing is encoded so.
fn without(reading: &Reading, encoding: Encoding) -> Option<Reading> {
    let (first, decode): (u8, Decoder) = match encoding {
        Encoding::Json => (b'\\', json),
        Encoding::Html => (b'&', entity),
        Encoding::Url => (b'%', percent),
    };
    let is_used = reading.bytes().contains(&first);
    is_used.then(|| reading.decoded(decode))?
}

#[cfg(test)]
mod tests {
    use super::super::reading::Source;
    use super::*;

    /// Number of readings of a text, and of their bytes.
    fn work(text: &str) -> (usize, usize) {
        let source = Source {
            bytes: text.as_bytes(),
            is_json: false,
        };
        let (reading, is_last) = source.read(0, text.len());
        assert!(is_last);
        let (mut readings, mut bytes) = (0, 0);
        all(&reading, true, &mut |reading| {
            readings += 1;
            bytes += reading.bytes().len();
        });
        (readings, bytes)
    }

    #[test]
    fn reads_a_plain_text_once() {
        assert_eq!(work("no such user: a + b"), (1, 19));
        assert_eq!(work(""), (1, 0));
    }

    #[test]
    fn bounds_the_readings_of_any_text() {
        for unit in [
            "<s",
            "<b>\\u005c%5c&#37;&quot;\n\u{200b}",
            "\\\\u0026amp;%2526\r\n<i>",
            "\\",
            "&",
            "%",
            "<",
            "\u{200b}",
        ] {
            let text = unit.repeat((64 << 10) / unit.len());
            let (readings, bytes) = work(&text);
            assert!(readings <= 60, "{unit}: {readings}");
            assert!(bytes <= readings * text.len(), "{unit}: {bytes}");
        }
    }
}
