//! A circuit breaker: while Redis does not answer, not every call waits for it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Lets calls through until one has found nobody there; then one in a while.
#[derive(Debug, Default)]
pub(crate) struct Breaker {
    /// Before this time calls fail at once; unset while Redis answers.
    next_try: Mutex<Option<Instant>>,
}

impl Breaker {
    /// So long after a failure calls fail at once.
    pub(crate) const PAUSE: Duration = Duration::from_millis(500);
    /// So long the others fail at once while one tries, unless it is done before.
    pub(crate) const TRIAL: Duration = Duration::from_secs(1);

    fn next_try(&self) -> MutexGuard<'_, Option<Instant>> {
        self.next_try.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether a call may be made. A caller that goes away without saying what it found keeps the
    /// others waiting for [`Self::TRIAL`] only.
    pub(crate) fn lets_through(&self) -> bool {
        let now = Instant::now();
        let mut next_try = self.next_try();
        match *next_try {
            Some(time) if now < time => false,
            Some(_) => {
                *next_try = Some(now + Self::TRIAL);
                true
            }
            None => true,
        }
    }

    /// Takes note that Redis has answered; returns whether it had not before.
    pub(crate) fn answered(&self) -> bool {
        self.next_try().take().is_some()
    }

    /// Takes note that nobody was there; returns whether somebody was before.
    pub(crate) fn failed(&self) -> bool {
        self.next_try().replace(Instant::now() + Self::PAUSE).is_none()
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const MOMENT: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn after_a_failure_calls_fail_at_once_and_then_one_tries() {
        let breaker = Breaker::default();
        assert!(breaker.lets_through() && breaker.lets_through());
        assert!(breaker.failed() && !breaker.failed());
        assert!(!breaker.lets_through());
        advance(Breaker::PAUSE.saturating_sub(MOMENT)).await;
        assert!(!breaker.lets_through());
        advance(MOMENT).await;
        assert!(breaker.lets_through());
        assert!(!breaker.lets_through(), "one is enough");
        assert!(!breaker.failed());
        advance(Breaker::PAUSE).await;
        assert!(breaker.lets_through());
        assert!(breaker.answered() && !breaker.answered());
        assert!(breaker.lets_through() && breaker.lets_through());
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_went_away_is_followed_by_another() {
        let breaker = Breaker::default();
        breaker.failed();
        advance(Breaker::PAUSE).await;
        assert!(breaker.lets_through());
        advance(Breaker::TRIAL.saturating_sub(MOMENT)).await;
        assert!(!breaker.lets_through());
        advance(MOMENT).await;
        assert!(breaker.lets_through());
    }
}
