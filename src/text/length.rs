//! Lengths of time in one form for all texts: `45s`, `2m5s`, `3h12m`, `2d1h`, as Kubernetes writes ages.

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Writes a length in seconds in its two largest units, rounded down. Below 0 it is `0s`.
pub fn length(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is within the bounds"
    )]
    let seconds = seconds.clamp(0.0, 1e12) as u64;
    let two = |large, a, small, b| match seconds % large / small {
        0 => format!("{}{a}", seconds / large),
        rest => format!("{}{a}{rest}{b}", seconds / large),
    };
    match seconds {
        0..MINUTE => format!("{seconds}s"),
        MINUTE..HOUR => two(MINUTE, 'm', 1, 's'),
        HOUR..DAY => two(HOUR, 'h', MINUTE, 'm'),
        _ => two(DAY, 'd', HOUR, 'h'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_two_largest_units() {
        for (seconds, want) in [
            (-3.0, "0s"),
            (59.9, "59s"),
            (60.0, "1m"),
            (125.0, "2m5s"),
            (3600.0, "1h"),
            (11_520.0, "3h12m"),
            (86_400.0 * 2.0 + 3_700.0, "2d1h"),
            (f64::INFINITY, "11574074d1h"),
            (f64::NAN, "0s"),
        ] {
            assert_eq!(length(seconds), want, "{seconds}");
        }
    }
}
