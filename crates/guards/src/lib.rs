//! The guards that consistency hangs on, by name.
//!
//! In a build for tests, with the feature `removable`, the variable `JUMUN_WITHOUT_GUARD` takes one of them
//! out: something must fail then (ADR-044). Any other build has all of them, and asking costs nothing.

/// Something without which the books would go wrong or the service would stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Rows that are decided on are locked (ADR-017, ADR-043).
    RowLock,
    /// A change applies only to the version that it was decided on (ADR-018).
    ConditionalUpdate,
    /// The database itself allows one piece of a coupon a user (ADR-019).
    UniqueKey,
    /// The key of a request is claimed in the transaction of its effect (ADR-024).
    IdempotencyRow,
    /// Rows are locked in one order (ADR-021).
    LockOrder,
    /// Events are written in the transaction that makes them true (ADR-025).
    OutboxInTransaction,
    /// One instance builds a gate at a time (ADR-019, ADR-022).
    GateRebuildLock,
    /// What has begun a transaction does not end with its caller (ADR-016).
    DetachedWork,
    /// A connection that comes back to the pool has no transaction left (ADR-016).
    RollbackOnRelease,
}

impl Guard {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::RowLock,
        Self::ConditionalUpdate,
        Self::UniqueKey,
        Self::IdempotencyRow,
        Self::LockOrder,
        Self::OutboxInTransaction,
        Self::GateRebuildLock,
        Self::DetachedWork,
        Self::RollbackOnRelease,
    ];

    /// Returns the name that takes it out.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RowLock => "row-lock",
            Self::ConditionalUpdate => "conditional-update",
            Self::UniqueKey => "unique-key",
            Self::IdempotencyRow => "idempotency-row",
            Self::LockOrder => "lock-order",
            Self::OutboxInTransaction => "outbox-in-transaction",
            Self::GateRebuildLock => "gate-rebuild-lock",
            Self::DetachedWork => "detached-work",
            Self::RollbackOnRelease => "rollback-on-release",
        }
    }

    /// Tells whether it is there, as always outside tests.
    #[cfg(not(feature = "removable"))]
    #[must_use]
    pub const fn stands(self) -> bool {
        true
    }

    /// Tells whether it is there: unless `JUMUN_WITHOUT_GUARD` has its name.
    #[cfg(feature = "removable")]
    #[must_use]
    pub fn stands(self) -> bool {
        use std::sync::LazyLock;
        static WITHOUT: LazyLock<Option<String>> =
            LazyLock::new(|| std::env::var("JUMUN_WITHOUT_GUARD").ok());
        WITHOUT.as_deref() != Some(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_guard_has_a_name_of_its_own_and_stands() {
        let names: BTreeSet<_> = Guard::ALL.iter().map(|guard| guard.name()).collect();
        assert_eq!(names.len(), Guard::ALL.len());
        assert!(Guard::ALL.iter().all(|guard| guard.stands()));
    }
}
