//! A cache that instances share.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use kernel::StoreError;

/// What a value is remembered under: an entry of a group, and groups are dropped as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CacheKey {
    group: &'static str,
    entry: String,
}

impl CacheKey {
    /// Names an entry.
    pub fn new(group: &'static str, entry: impl fmt::Display) -> Self {
        Self { group, entry: entry.to_string() }
    }

    /// Returns the group.
    pub const fn group(&self) -> &'static str {
        self.group
    }

    /// Returns the entry's name within its group.
    pub fn entry(&self) -> &str {
        &self.entry
    }
}

/// How long a value may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// For so long it is as good as new.
    pub fresh: Duration,
    /// For so long after that it may still be shown while somebody computes a new one.
    pub stale: Duration,
}

/// The right to compute a value, given to one caller at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// What is to be computed.
    pub key: CacheKey,
    /// The state of the group when the turn was given. A value that was computed before its group was
    /// dropped is never shown after it.
    pub generation: u64,
    /// A random number that only the owner of the turn knows.
    pub owner: u128,
}

/// What is remembered under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// A value as good as new.
    Fresh(Vec<u8>),
    /// A value that may be shown; whoever gets the turn computes a new one.
    Stale {
        /// The value.
        value: Vec<u8>,
        /// The right to compute a new one, unless somebody else has it.
        turn: Option<Turn>,
    },
    /// Nothing; whoever gets the turn computes it, others wait for it.
    Missing {
        /// The right to compute it, unless somebody else has it.
        turn: Option<Turn>,
    },
}

/// A cache whose values are computed by one caller at a time, across all instances.
#[async_trait]
pub trait Cache: Send + Sync {
    /// Looks a value up. If a new one is needed, one caller gets the turn to compute it; if that caller
    /// neither puts a value nor gives up within `lease`, another one gets it.
    ///
    /// Returns [`StoreError::Unavailable`] if the cache cannot be reached; then callers compute for
    /// themselves.
    async fn look_up(&self, key: &CacheKey, lease: Duration) -> Result<Lookup, StoreError>;

    /// Remembers the value that was computed in a turn, and ends the turn. It is never shown if its
    /// group was dropped since the turn was given.
    async fn put(&self, turn: &Turn, value: &[u8], freshness: Freshness) -> Result<(), StoreError>;

    /// Ends a turn without a value, so that another caller may try at once.
    async fn give_up(&self, turn: &Turn) -> Result<(), StoreError>;

    /// Forgets all entries of a group: once it returns, no caller of any instance sees one of them.
    async fn drop_group(&self, group: &'static str) -> Result<(), StoreError>;
}
