//! The regions of Huawei Cloud, against misspelt ones.

use crate::text::quote;
use spanned_yaml::Field;

/// Regions of Huawei Cloud, sorted: those of CSS, CCE, IAM and ECS in the vendor's SDK for Python
/// (`huaweicloudsdkcss` and so on, version 3.1.219). A new region may be missing, so another one is no
/// error.
const REGIONS: &[&str] = &[
    "ae-ad-1",
    "af-north-1",
    "af-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "cn-east-2",
    "cn-east-3",
    "cn-east-4",
    "cn-east-5",
    "cn-north-1",
    "cn-north-11",
    "cn-north-12",
    "cn-north-2",
    "cn-north-4",
    "cn-north-9",
    "cn-south-1",
    "cn-south-2",
    "cn-south-4",
    "cn-southwest-2",
    "cn-southwest-3",
    "eu-west-0",
    "eu-west-101",
    "la-north-2",
    "la-south-2",
    "me-east-1",
    "my-kualalumpur-1",
    "na-mexico-1",
    "ru-moscow-1",
    "ru-northwest-2",
    "sa-brazil-1",
    "tr-west-1",
];

/// Warns of a region that is not in the list, and names the nearest that is.
pub(super) fn look(field: &Field<'_>, region: &str) {
    if REGIONS.contains(&region) {
        return;
    }
    let nearest = spanned_yaml::closest(region, REGIONS);
    let nearest = nearest.map_or(String::new(), |near| format!(", the nearest is {near}"));
    field.odd(format!(
        "region {} is no known region of Huawei Cloud{nearest}: correct it, or set domain or endpoint for another cloud",
        quote(region)
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_sorted_and_in_lower_case() {
        assert!(REGIONS.is_sorted());
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(REGIONS.iter().all(|region| region.chars().all(is_plain)));
    }

    #[test]
    fn misspelt_regions_have_a_nearest_one() {
        for (region, nearest) in [
            ("cn-nroth-4", Some("cn-north-4")),
            ("cn-north4", Some("cn-north-4")),
            ("CN-NORTH-4", Some("cn-north-4")),
            ("ap-southest-3", Some("ap-southeast-3")),
            ("eu-west-11", Some("eu-west-101")),
            ("eu-de", None),
            ("seoul", None),
        ] {
            assert_eq!(spanned_yaml::closest(region, REGIONS), nearest, "{region}");
        }
    }
}
