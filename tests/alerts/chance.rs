//! Dice: texts, lengths and times on either side of a limit.

use std::time::Duration;

use jiff::Timestamp;

/// Parts of names, as bad as a vendor may send them.
const TEXTS: [&str; 14] = [
    "",
    "a",
    "\"",
    "\\",
    "\n",
    "\r",
    "}",
    "{{ $labels.kind }}",
    ",",
    "=",
    "\u{1b}",
    "\u{2028}",
    "한",
    "\\n",
];

/// True once in `n` times.
pub(crate) fn one_in(rng: &mut fastrand::Rng, n: u32) -> bool {
    rng.u32(..n) == 0
}

/// One of these.
pub(crate) fn one_of<T: Copy>(rng: &mut fastrand::Rng, all: &[T]) -> T {
    all[rng.usize(..all.len())]
}

/// A text without a pattern.
pub(crate) fn some_text(rng: &mut fastrand::Rng) -> String {
    (0..rng.usize(0..3)).map(|_| one_of(rng, &TEXTS)).collect()
}

/// Some of these lengths, exactly or a second beside it.
pub(crate) fn around(
    rng: &mut fastrand::Rng,
    one: Duration,
    times: std::ops::Range<u32>,
) -> Duration {
    let seconds = one.as_secs() * u64::from(rng.u32(times));
    Duration::from_secs(match rng.u8(..4) {
        0 => seconds - 1,
        1 => seconds + 1,
        _ => seconds,
    })
}

/// Up to `most` moments ago, or a second beside that.
pub(crate) fn time(
    rng: &mut fastrand::Rng,
    now: Timestamp,
    pace: Duration,
    most: u32,
) -> Timestamp {
    let offset = Duration::from_millis(one_of(rng, &[0, 0, 0, 0, 250, 1000]));
    let at = now - pace * rng.u32(0..most);
    if rng.bool() { at + offset } else { at - offset }
}
