//! A circuit breaker: while somebody does not answer, not every call waits for it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// When a [`CircuitBreaker`] opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    /// After so many failures in a row calls fail at once; 0 counts as 1.
    pub failures: u32,
    /// So long after the last failure.
    pub pause: Duration,
    /// So long the others fail at once while one tries, unless it is done before: longer than a call takes.
    pub trial: Duration,
}

/// Lets calls through until so many in a row have failed; then one in a while, until one is answered.
#[derive(Debug)]
pub struct CircuitBreaker {
    settings: BreakerSettings,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Calls are let through.
    Closed {
        /// How many of them have failed since the last answer.
        failures: u32,
    },
    /// Calls fail at once.
    Open {
        /// Until one may try.
        next_try: Instant,
    },
}

impl CircuitBreaker {
    /// Makes one that lets calls through.
    pub const fn new(settings: BreakerSettings) -> Self {
        Self { settings, state: Mutex::new(State::Closed { failures: 0 }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says whether a call may be made. A caller that goes away without saying what it found keeps the
    /// others waiting for [`BreakerSettings::trial`] only.
    pub fn lets_through(&self) -> bool {
        let now = Instant::now();
        let mut state = self.state();
        match *state {
            State::Open { next_try } if now < next_try => false,
            State::Open { .. } => {
                *state = State::Open { next_try: now + self.settings.trial };
                true
            }
            State::Closed { .. } => true,
        }
    }

    /// Takes note that a call was answered; returns whether this closes the circuit.
    pub fn answered(&self) -> bool {
        let before = std::mem::replace(&mut *self.state(), State::Closed { failures: 0 });
        matches!(before, State::Open { .. })
    }

    /// Takes note that a call failed; returns whether this opens the circuit.
    pub fn failed(&self) -> bool {
        let mut state = self.state();
        let open = State::Open { next_try: Instant::now() + self.settings.pause };
        let (next, opens) = match *state {
            State::Closed { failures } if failures + 1 < self.settings.failures => {
                (State::Closed { failures: failures + 1 }, false)
            }
            State::Closed { .. } => (open, true),
            State::Open { .. } => (open, false),
        };
        *state = next;
        opens
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const MOMENT: Duration = Duration::from_millis(1);
    const PAUSE: Duration = Duration::from_millis(500);
    const TRIAL: Duration = Duration::from_secs(1);

    fn breaker(failures: u32) -> CircuitBreaker {
        CircuitBreaker::new(BreakerSettings { failures, pause: PAUSE, trial: TRIAL })
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_failure_calls_fail_at_once_and_then_one_tries() {
        let breaker = breaker(1);
        assert!(breaker.lets_through() && breaker.lets_through());
        assert!(breaker.failed() && !breaker.failed());
        assert!(!breaker.lets_through());
        advance(PAUSE.saturating_sub(MOMENT)).await;
        assert!(!breaker.lets_through());
        advance(MOMENT).await;
        assert!(breaker.lets_through());
        assert!(!breaker.lets_through(), "one is enough");
        assert!(!breaker.failed());
        advance(PAUSE).await;
        assert!(breaker.lets_through());
        assert!(breaker.answered() && !breaker.answered());
        assert!(breaker.lets_through() && breaker.lets_through());
    }

    #[tokio::test(start_paused = true)]
    async fn a_caller_that_went_away_is_followed_by_another() {
        let breaker = breaker(1);
        breaker.failed();
        advance(PAUSE).await;
        assert!(breaker.lets_through());
        advance(TRIAL.saturating_sub(MOMENT)).await;
        assert!(!breaker.lets_through());
        advance(MOMENT).await;
        assert!(breaker.lets_through());
    }

    #[tokio::test(start_paused = true)]
    async fn only_failures_in_a_row_count() {
        let breaker = breaker(3);
        for _ in 0..2 {
            assert!(!breaker.failed() && !breaker.failed());
            assert!(breaker.lets_through());
            assert!(!breaker.answered(), "it was never open");
        }
        assert!(!breaker.failed() && !breaker.failed() && breaker.failed());
        assert!(!breaker.lets_through());
        assert!(breaker.answered());
        assert!(!breaker.failed() && breaker.lets_through(), "the count begins anew");
    }
}
