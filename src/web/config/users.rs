//! The section `basic_auth_users`: names, and bcrypt hashes of their passwords.

use std::collections::BTreeMap;

use bcrypt::HashParts;
use secrecy::SecretString;

use crate::config::decode::Field;
use crate::config::problem::quote;
use crate::config::tree::{Value, shown};

/// The costs that bcrypt knows.
const COSTS: std::ops::RangeInclusive<u32> = 4..=31;

/// Who may come in, with the hash of each one's password.
#[derive(Debug, Clone, Default)]
pub struct Users(BTreeMap<String, SecretString>);

impl Users {
    /// Whether nobody needs to log in.
    pub(in crate::web) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(in crate::web) fn len(&self) -> usize {
        self.0.len()
    }

    /// The hash of a user's password.
    pub(in crate::web) fn hash(&self, user: &[u8]) -> Option<&SecretString> {
        self.0.get(std::str::from_utf8(user).ok()?)
    }

    /// One of the hashes; which one hangs on `number` alone.
    pub(in crate::web) fn any_hash(&self, number: u64) -> Option<&SecretString> {
        let count = u64::try_from(self.0.len()).ok()?;
        let place = usize::try_from(number.checked_rem(count)?).ok()?;
        self.0.values().nth(place)
    }

    #[cfg(test)]
    pub(in crate::web) fn of(users: &[(&str, &str)]) -> Self {
        let user = |(name, hash): &(&str, &str)| ((*name).to_owned(), (*hash).into());
        Self(users.iter().map(user).collect())
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
    let users: Vec<Option<(String, SecretString)>> = entries
        .iter()
        .map(|(key, node)| {
            let name = key.text.as_str();
            if name.contains(':') {
                let message = format!(
                    "{} holds a colon, and a user with one can never log in: put a space after the \
                     colon, or choose another name",
                    shown(name)
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
            let hash = user.text()?;
            if !is_bcrypt(hash) {
                user.wrong(format!(
                    "{} is no bcrypt hash: make one with htpasswd -nBC 10 USER",
                    user.name
                ));
                return None;
            }
            Some((name.to_owned(), SecretString::from(hash)))
        })
        .collect();
    let users: Option<BTreeMap<_, _>> = users.into_iter().collect();
    Some(Users(users?))
}

fn is_bcrypt(hash: &str) -> bool {
    hash.parse::<HashParts>()
        .is_ok_and(|parts| COSTS.contains(&parts.get_cost()))
}
