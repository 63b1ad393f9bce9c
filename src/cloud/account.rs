//! Accounts at clouds.

use std::any::Any;
use std::fmt::Debug;
use std::sync::Arc;

use url::Url;

use super::Call;
use crate::secret::Secret;

/// An account at a cloud, in one region, with everything that its calls are signed with.
pub trait CloudAccount: Any + Debug + Send + Sync {
    /// Returns the region that its calls go to: the label `cloud_region`.
    fn region(&self) -> &Arc<str>;

    /// Writes where it is, for people: `public/KR`.
    fn location(&self) -> String;

    /// Returns the secrets that its calls are signed with.
    fn secrets(&self) -> Vec<&Secret>;

    /// Returns the addresses that it calls besides its products', such as that of a sign-in: each as the
    /// config names it, `None` where the vendor's own is used.
    fn endpoints(&self) -> Vec<Option<&Url>>;

    /// Returns the call by which it signs in, with the status that means success; `None` when each call is
    /// signed instead.
    fn sign_in(&self) -> Option<(&'static Call, &'static str)>;

    /// Writes the place at its cloud in which a cluster's id names one cluster: the location with all that
    /// people need not read, such as a project. It is stored: its form must not change.
    fn place(&self) -> String;

    /// Returns true when another account is in the same place at the same cloud, so that what is known of a
    /// cluster stays true.
    fn is_same_location(&self, other: &dyn CloudAccount) -> bool {
        self.type_id() == other.type_id() && self.place() == other.place()
    }

    /// Returns true when another account is the same in everything that calls depend on.
    fn is_same_access(&self, other: &dyn CloudAccount) -> bool;
}

impl dyn CloudAccount {
    /// Returns the account of a cloud by the type of its accounts; `None` for one of another cloud.
    pub fn downcast<T: CloudAccount>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }
}

impl PartialEq for dyn CloudAccount {
    fn eq(&self, other: &Self) -> bool {
        self.is_same_access(other)
    }
}
