//! Whole numbers in float form, such as `3427188.0` and `3.427188E6`.

/// Largest whole number that a float holds exactly together with all smaller ones.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// Value of a number in float form.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Float {
    Whole(i64),
    Fraction(f64),
    /// Beyond 2^53, where a float stands for several whole numbers, or not finite.
    Inexact,
}

impl Float {
    pub(super) fn of(float: f64) -> Self {
        if !float.is_finite() || float.abs() > MAX_EXACT {
            Self::Inexact
        } else if float.fract() == 0.0 {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a whole number within the bounds of i64"
            )]
            Self::Whole(float as i64)
        } else {
            Self::Fraction(float)
        }
    }

    /// Reads a text of digits in float form; `None` for a text that is no number.
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self::of)
    }
}

/// Returns the whole number that a float stands for exactly.
pub(crate) fn whole(float: f64) -> Option<i64> {
    match Float::of(float) {
        Float::Whole(number) => Some(number),
        Float::Fraction(_) | Float::Inexact => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_whole_numbers_up_to_two_to_the_53() {
        for (text, want) in [
            ("3427188.0", Float::Whole(3_427_188)),
            ("3.427188E6", Float::Whole(3_427_188)),
            ("-0.0", Float::Whole(0)),
            ("9007199254740992.0", Float::Whole(9_007_199_254_740_992)),
            ("9007199254740994.0", Float::Inexact),
            ("-1e300", Float::Inexact),
            ("1e999", Float::Inexact),
            ("inf", Float::Inexact),
            ("NaN", Float::Inexact),
            ("0.4", Float::Fraction(0.4)),
        ] {
            assert_eq!(Float::parse(text), Some(want), "{text}");
        }
        assert_eq!(Float::parse("two"), None);
    }
}
