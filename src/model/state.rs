//! States of upgrades, nodes and tasks, and the kinds of upgrades: words of label values, which
//! docs/ARCHITECTURE.md explains.

/// Declares an enum of states with its exposition words, in the order in which they are exposed.
macro_rules! states {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident => $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every state, in the order in which they are exposed.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word of this state in metrics and answers.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        super::words::serde_words!($name);
    };
}

states! {
    /// State of an upgrade.
    UpgradeStatus {
        /// No upgrade is known.
        None => "none",
        /// Requested; nothing has moved yet.
        Pending => "pending",
        /// In work.
        Running => "running",
        /// Held by a person.
        Paused => "paused",
        /// Ended well.
        Succeeded => "succeeded",
        /// Ended badly, or waits for a retry.
        Failed => "failed",
        /// Ended with some nodes done and some not.
        PartiallyFailed => "partially_failed",
        /// Called off.
        Cancelled => "cancelled",
        /// The vendor's word is not one that this program knows.
        Unknown => "unknown",
    }
}

states! {
    /// The state of a node within an upgrade.
    NodeStatus {
        /// Its turn has not come.
        Waiting => "waiting",
        /// In work.
        Upgrading => "upgrading",
        /// Done.
        Succeeded => "succeeded",
        /// Its upgrade failed.
        Failed => "failed",
        /// Cannot be told.
        Unknown => "unknown",
    }
}

states! {
    /// The state of a task (a step of the node in work, or a point of a workflow).
    TaskStatus {
        /// Not begun.
        Waiting => "waiting",
        /// In work.
        Running => "running",
        /// Done.
        Succeeded => "succeeded",
        /// Failed.
        Failed => "failed",
        /// Cannot be told.
        Unknown => "unknown",
    }
}

states! {
    /// What an upgrade changes; two kinds are two series sets side by side.
    Kind {
        /// The version of the cluster.
        Version => "version",
        /// The availability zone of its nodes.
        AzMigration => "az_migration",
    }
}

impl UpgradeStatus {
    /// Whether the upgrade is over, if no node is in work any more.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Succeeded | Self::Failed | Self::PartiallyFailed | Self::Cancelled
        )
    }

    /// Whether a cluster in this state is polled at the active interval.
    pub const fn is_active(self) -> bool {
        matches!(
            self,
            Self::Pending | Self::Running | Self::Paused | Self::Unknown
        )
    }
}

impl NodeStatus {
    /// Which of two reports about one node to believe: the worse one.
    pub const fn badness(self) -> u8 {
        match self {
            Self::Succeeded => 0,
            Self::Waiting => 1,
            Self::Upgrading => 2,
            Self::Unknown => 3,
            Self::Failed => 4,
        }
    }
}
