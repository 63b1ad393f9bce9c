//! Checksums of texts that are joined from parts.
//!
//! To join two CRC-32s takes some thousand instructions. Where a part has the length that it had, the checksum of
//! the whole changes by that of the difference alone: CRC-32 is linear (RFC 1952, section 8).

use crc32fast::Hasher;

/// Returns the checksum of the joined parts.
pub(super) fn join<'a>(parts: impl IntoIterator<Item = &'a Hasher>) -> Hasher {
    let mut whole = Hasher::new();
    for part in parts {
        whole.combine(part);
    }
    whole
}

/// Returns the checksum of the parts `now`, where `whole` is that of the parts `before`.
pub(super) fn rejoin<'a>(
    whole: &Hasher,
    before: impl ExactSizeIterator<Item = &'a Hasher> + Clone,
    now: impl ExactSizeIterator<Item = &'a Hasher> + Clone,
) -> Hasher {
    let mut pairs = before.clone().zip(now.clone());
    let is_in_place = before.len() == now.len()
        && pairs.all(|(before, now)| before.total_len() == now.total_len());
    if !is_in_place {
        return join(now);
    }
    let (mut crc, length) = (crc(whole), whole.total_len());
    let mut behind = length;
    for (before, now) in before.zip(now) {
        behind = behind.saturating_sub(now.total_len());
        let difference = self::crc(before) ^ self::crc(now);
        if difference != 0 {
            let mut moved = Hasher::new_with_initial(difference);
            moved.combine(&Hasher::new_with_initial_len(0, behind));
            crc ^= moved.finalize();
        }
    }
    Hasher::new_with_initial_len(crc, length)
}

fn crc(sum: &Hasher) -> u32 {
    sum.clone().finalize()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn parts_that_are_replaced_join_to_the_checksum_of_the_text(
            parts in prop::collection::vec((".{0,9}", ".{0,9}", 0u8..4), 0..9),
        ) {
            let sum = |text: &String| {
                let mut sum = Hasher::new();
                sum.update(text.as_bytes());
                sum
            };
            let next = |(old, new, kind): &(String, String, u8)| match kind {
                0 => new.clone(),
                1 => old.bytes().map(|byte| char::from(byte % 96 + 32)).collect(),
                _ => old.clone(),
            };
            let before: Vec<_> = parts.iter().map(|(old, ..)| sum(old)).collect();
            let texts: Vec<_> = parts.iter().map(next).collect();
            let now: Vec<_> = texts.iter().map(sum).collect();
            let whole = rejoin(&join(&before), before.iter(), now.iter());
            let text = sum(&texts.concat());
            prop_assert_eq!((crc(&whole), whole.total_len()), (crc(&text), text.total_len()));
        }
    }
}
