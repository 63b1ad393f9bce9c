//! Images within a version of the engine: `7.10.2_24.3.0_0827` is the third image of 2024, and
//! `7.10.2_24.4.0_1029` follows. The last of a year is its fifth.

use crate::sim::{VersionForm, number};

pub(super) const FORMS: &[VersionForm] = &[VersionForm {
    examples: &["7.10.2_24.3.0_0827"],
    later,
}];

/// Month and day of each image of a year.
const IMAGE_DAYS: [&str; 5] = ["0425", "0627", "0827", "1029", "1230"];
const IMAGES_A_YEAR: u64 = IMAGE_DAYS.len() as u64;

fn later(version: &str, steps: u64) -> Option<String> {
    let (engine, image) = version.split_once('_')?;
    let (release, _day) = image.split_once('_')?;
    let mut parts = release.split('.').map(number);
    let (year, release) = (parts.next()??, parts.next()??);
    let images = (release.clamp(1, IMAGES_A_YEAR) - 1).saturating_add(steps);
    let year = year.saturating_add(images / IMAGES_A_YEAR);
    let place = images % IMAGES_A_YEAR;
    let day = usize::try_from(place)
        .ok()
        .and_then(|n| IMAGE_DAYS.get(n))?;
    Some(format!("{engine}_{year}.{}.0_{day}", place + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_image_of_five_a_year_follows_an_image() {
        for (version, want) in [
            (
                "7.10.2_24.3.0_0827",
                [
                    "7.10.2_24.4.0_1029",
                    "7.10.2_24.5.0_1230",
                    "7.10.2_25.1.0_0425",
                ],
            ),
            (
                "7.10.2_22.5.1_1230",
                [
                    "7.10.2_23.1.0_0425",
                    "7.10.2_23.2.0_0627",
                    "7.10.2_23.3.0_0827",
                ],
            ),
        ] {
            let later: Vec<_> = (1..=3).filter_map(|steps| later(version, steps)).collect();
            assert_eq!(later, want, "{version}");
        }
    }
}
