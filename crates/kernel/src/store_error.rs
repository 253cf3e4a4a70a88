//! How a port that stores things may fail, whatever stands behind it.

use thiserror::Error;

/// The cause of a failure behind a port.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a repository or a transaction did not do what it was asked.
///
/// "Not found" is not among them: look-ups return `Option` or a shorter list.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Another transaction was in the way (deadlock, lock wait, a guard that found a changed row, a
    /// unique key taken in between). Nothing may follow in this transaction: roll back and run the
    /// whole of it again.
    #[error("another transaction was in the way")]
    Contended(#[source] BoxError),
    /// A row with this unique key exists already, and running again would not change that.
    #[error("a row with this {0} exists already")]
    Duplicate(&'static str),
    /// The store could not be reached or had no capacity; nothing was done.
    #[error("the store is unavailable")]
    Unavailable(#[source] BoxError),
    /// The connection broke during the commit: the effect exists or it does not.
    #[error("the outcome of the commit is unknown")]
    OutcomeUnknown(#[source] BoxError),
    /// A damaged row or a defect.
    #[error("the store failed")]
    Internal(#[source] BoxError),
}
