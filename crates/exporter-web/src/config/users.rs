//! The section `basic_auth_users`: names, and bcrypt hashes of their passwords.

use std::collections::BTreeMap;

use bcrypt::HashParts;
use secrecy::SecretString;

use spanned_yaml::{Field, Value, quote, shown_key};

/// The costs that bcrypt knows.
const COSTS: std::ops::RangeInclusive<u32> = 4..=31;

/// The cost of the decoy where the users' hashes have several.
const DECOY_COST: u32 = 10;
/// Salt and digest of the decoy.
const DECOY: &str = "V5ihaUc3p3IRk.UO3IaBTe1dOpy4AkRPasjBv5MIu1oQdzbWdzSLy";

/// Users that may log in, with the hashes of their passwords.
#[derive(Debug, Clone, Default)]
pub struct Users {
    hashes: BTreeMap<String, PasswordHash>,
    decoy: Option<PasswordHash>,
}

/// A bcrypt hash of a password.
#[derive(Debug, Clone)]
pub(crate) struct PasswordHash {
    pub(crate) text: SecretString,
    /// The binary logarithm of its rounds.
    pub(crate) cost: u32,
}

impl Users {
    fn new(hashes: BTreeMap<String, PasswordHash>) -> Self {
        let mut costs = hashes.values().map(|hash| hash.cost);
        let decoy = costs.next().map(|first| {
            let cost = if costs.all(|cost| cost == first) {
                first
            } else {
                DECOY_COST
            };
            PasswordHash {
                text: format!("$2y${cost:02}${DECOY}").into(),
                cost,
            }
        });
        Self { hashes, decoy }
    }

    /// Reports that no request needs a login.
    pub(crate) fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Returns the hash of a user's password.
    pub(crate) fn hash(&self, user: &[u8]) -> Option<&PasswordHash> {
        self.hashes.get(std::str::from_utf8(user).ok()?)
    }

    /// Returns the hash that passwords of unknown users are compared with; `None` without users.
    ///
    /// The decoy costs what every user's hash costs, so that the time of an answer does not tell which users
    /// exist; where these differ it costs 10, as exporter-toolkit's does.
    pub(crate) fn decoy(&self) -> Option<&PasswordHash> {
        self.decoy.as_ref()
    }

    #[cfg(test)]
    pub(crate) fn of(users: &[(&str, &str)]) -> Self {
        let user = |(name, hash): &(&str, &str)| ((*name).to_owned(), parse(hash).unwrap());
        Self::new(users.iter().map(user).collect())
    }
}

pub(super) fn read(field: &Field<'_>) -> Option<Users> {
    let entries = match &field.node.value {
        Value::Map(entries) => entries.as_slice(),
        _ if field.node.is_null() => &[],
        _ => {
            let (name, kind) = (&field.name, field.node.kind());
            field.wrong(format!("{name} must be a mapping (user: hash), not {kind}"));
            return None;
        }
    };
    let users: Vec<Option<(String, PasswordHash)>> = entries
        .iter()
        .map(|(key, node)| {
            let name = key.text.as_str();
            if name.contains(':') {
                let message = format!(
                    "{} holds a colon, and a user with one can never log in: put a space after the \
                     colon, or choose another name",
                    shown_key(name)
                );
                field.problems.add(key.at, message);
                return None;
            }
            let user = Field {
                name: format!("the password of {}", quote(name)),
                at: key.at,
                node,
                problems: field.problems,
            };
            let hash = parse(user.text()?);
            if hash.is_none() {
                user.wrong(format!(
                    "{} is no bcrypt hash: make one with htpasswd -nBC 10 USER",
                    user.name
                ));
            }
            Some((name.to_owned(), hash?))
        })
        .collect();
    let users: Option<BTreeMap<_, _>> = users.into_iter().collect();
    Some(Users::new(users?))
}

fn parse(hash: &str) -> Option<PasswordHash> {
    let cost = hash.parse::<HashParts>().ok()?.get_cost();
    COSTS.contains(&cost).then(|| PasswordHash {
        text: hash.into(),
        cost,
    })
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    /// The cost of the decoy of users with these costs.
    fn decoy(costs: &[u32]) -> Option<u32> {
        let hashes: Vec<String> = costs
            .iter()
            .map(|cost| format!("$2y${cost:02}${DECOY}"))
            .collect();
        let users: Vec<(String, &str)> = hashes
            .iter()
            .enumerate()
            .map(|(number, hash)| (format!("user-{number}"), hash.as_str()))
            .collect();
        let users: Vec<(&str, &str)> = users.iter().map(|(n, hash)| (n.as_str(), *hash)).collect();
        let users = Users::of(&users);
        Some(users.decoy()?.cost)
    }

    #[test]
    fn the_decoy_costs_10_unless_all_hashes_have_one_cost() {
        assert_eq!(decoy(&[]), None);
        for (costs, want) in [
            (&[12][..], 12),
            (&[4, 4, 4], 4),
            (&[4, 12], 10),
            (&[12, 14, 14], 10),
            (&[10, 10, 14], 10),
        ] {
            assert_eq!(decoy(costs), Some(want), "{costs:?}");
        }
    }

    #[test]
    fn the_decoy_is_a_hash_that_is_computed() {
        let users = Users::of(&[("alice", &bcrypt::hash("secret", 4).unwrap())]);
        let decoy = users.decoy().unwrap();
        // An error would be a hash that costs nothing.
        assert!(!bcrypt::verify("secret", decoy.text.expose_secret()).unwrap());
        assert!(decoy.text.expose_secret().starts_with("$2y$04$"));
    }
}
