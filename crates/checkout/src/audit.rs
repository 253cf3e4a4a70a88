//! The audit: what always holds, checked on the live database.

use async_trait::async_trait;
use kernel::StoreError;

/// One invariant and what breaks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditCheck {
    /// Its short name, for example `stock-equals-ledger`.
    pub name: &'static str,
    /// What holds, in a sentence.
    pub rule: &'static str,
    /// How many things break it.
    pub violations: u64,
    /// The ids of some of them.
    pub offenders: Vec<String>,
}

/// The result of an audit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditReport {
    /// Every invariant, in a fixed order.
    pub checks: Vec<AuditCheck>,
}

impl AuditReport {
    /// Tells whether everything holds.
    pub fn is_clean(&self) -> bool {
        self.checks.iter().all(|check| check.violations == 0)
    }
}

/// Checks the invariants.
#[async_trait]
pub trait Auditor: Send + Sync {
    /// Checks all invariants in one consistent read.
    async fn audit(&self) -> Result<AuditReport, StoreError>;
}
