//! What the failures of Redis mean to the callers of a port.

use deadpool_redis::PoolError;
use kernel::StoreError;
use redis::{ErrorKind, RedisError, ServerErrorKind};

/// What is not known once a call was sent and no answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing that matters: the call asks. What it may leave behind, such as a lease or a place that is
    /// kept, runs out by itself.
    Question,
    /// Whether it was carried out: [`StoreError::OutcomeUnknown`]. A delayed answer of a command that was
    /// carried out looks the same as a lost command, and so nothing is sent twice (whatever
    /// `RedisError::retry_method` says).
    Change,
}

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// An earlier call has just found nobody there.
    #[error("Redis did not answer just now")]
    Broken,
    /// No connection could be had in time.
    #[error("no connection to Redis in time")]
    NoConnection,
    /// The pool has no connection to give.
    #[error("no connection to Redis")]
    Pool(#[source] PoolError),
    /// The call failed after it was sent.
    #[error("a call of Redis failed")]
    Call(#[source] RedisError),
    /// The answer is not what the script returns.
    #[error("Redis answered something else: {0}")]
    Answer(String),
}

impl Failure {
    /// Tells whether this means that nobody is there, rather than that the call was wrong.
    pub(crate) fn is_absence(&self) -> bool {
        match self {
            Self::NoConnection | Self::Pool(_) => true,
            Self::Call(error) => error.is_io_error() || refuses_all(error),
            Self::Broken | Self::Answer(_) => false,
        }
    }

    /// Translates the failure for the callers of a port.
    pub(crate) fn into_store_error(self, effect: Effect) -> StoreError {
        match self {
            Self::Broken | Self::NoConnection | Self::Pool(_) => StoreError::Unavailable(Box::new(self)),
            Self::Call(ref error) if refuses_all(error) => StoreError::Unavailable(Box::new(self)),
            Self::Call(ref error) if error.is_io_error() => match effect {
                Effect::Question => StoreError::Unavailable(Box::new(self)),
                Effect::Change => StoreError::OutcomeUnknown(Box::new(self)),
            },
            Self::Call(_) | Self::Answer(_) => StoreError::Internal(Box::new(self)),
        }
    }
}

/// Tells whether Redis refused the call, without doing anything, for its own state: while it loads, is
/// not the primary, or has no memory or disk left.
fn refuses_all(error: &RedisError) -> bool {
    match error.kind() {
        ErrorKind::Server(kind) => matches!(
            kind,
            ServerErrorKind::BusyLoading
                | ServerErrorKind::ClusterDown
                | ServerErrorKind::MasterDown
                | ServerErrorKind::ReadOnly
                | ServerErrorKind::TryAgain
        ),
        _ => matches!(error.code(), Some("OOM" | "MISCONF" | "NOREPLICAS")),
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn call(kind: io::ErrorKind) -> Failure {
        Failure::Call(io::Error::from(kind).into())
    }

    #[test]
    fn a_change_without_an_answer_has_an_unknown_outcome() {
        for kind in [io::ErrorKind::TimedOut, io::ErrorKind::ConnectionReset, io::ErrorKind::BrokenPipe] {
            assert!(call(kind).is_absence());
            let change = call(kind).into_store_error(Effect::Change);
            assert!(matches!(change, StoreError::OutcomeUnknown(_)), "{change:?}");
            let question = call(kind).into_store_error(Effect::Question);
            assert!(matches!(question, StoreError::Unavailable(_)), "{question:?}");
        }
    }

    #[test]
    fn nothing_was_done_without_a_connection() {
        for failure in [Failure::Broken, Failure::NoConnection, Failure::Pool(PoolError::Closed)] {
            let error = failure.into_store_error(Effect::Change);
            assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
        }
    }

    #[test]
    fn a_server_that_refuses_everything_is_not_there() {
        let refusing = [ServerErrorKind::BusyLoading, ServerErrorKind::ReadOnly];
        for kind in refusing {
            let failure = || Failure::Call((ErrorKind::Server(kind), "refused").into());
            assert!(failure().is_absence());
            assert!(matches!(failure().into_store_error(Effect::Change), StoreError::Unavailable(_)));
        }
        let failure = || Failure::Call((ErrorKind::Server(ServerErrorKind::ResponseError), "wrong").into());
        assert!(!failure().is_absence());
        assert!(matches!(failure().into_store_error(Effect::Change), StoreError::Internal(_)));
    }
}
