//! Work that one instance does at a time.

use std::time::Duration;

use guards::Guard;
use kernel::StoreError;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::{DistributedLock, Grant, LockName};

/// What is told to work that is done under a lock.
#[derive(Clone, Debug)]
pub struct Held {
    /// The fencing token, to be handed on with each write ([`Grant::fence`]).
    pub fence: u64,
    /// Cancelled once the lock is no longer held: somebody else may be at the same work by now. The
    /// work goes on all the same; what it makes of it is its own decision.
    pub lost: CancellationToken,
}

/// Does work unless another instance is doing it, and returns what came of it; `None` if another one is.
///
/// The lease is begun anew three times in its length while the work runs, more often while that fails,
/// and the lock is given back at the end. If the caller is dropped or the work panics, the lease runs out by itself.
///
/// # Errors
/// [`StoreError::Unavailable`] if it cannot be known who has the lock; then the work was not begun.
pub async fn exclusively<T, F, Fut>(
    lock: &dyn DistributedLock,
    name: &LockName,
    lease: Duration,
    work: F,
) -> Result<Option<T>, StoreError>
where
    F: FnOnce(Held) -> Fut,
    Fut: Future<Output = T>,
{
    // The lease is counted from before the question: then it never seems longer than it is.
    let asked = Instant::now();
    let grant = lock.acquire(name, lease).await?;
    if grant.is_none() && !Guard::GateRebuildLock.stands() {
        return Ok(Some(work(Held { fence: u64::MAX, lost: CancellationToken::new() }).await));
    }
    let Some(grant) = grant else { return Ok(None) };
    let held = Held { fence: grant.fence, lost: CancellationToken::new() };
    let keeping = keep(lock, &grant, lease, asked, &held.lost);
    let work = work(held.clone());
    tokio::pin!(keeping, work);
    let done = tokio::select! {
        done = &mut work => done,
        () = &mut keeping => work.await,
    };
    if let Err(error) = lock.release(&grant).await {
        tracing::debug!(lock = %name, %error, "a lock is not given back and will run out");
    }
    Ok(Some(done))
}

/// Begins the lease anew again and again; returns once the lock is lost.
async fn keep(
    lock: &dyn DistributedLock,
    grant: &Grant,
    lease: Duration,
    granted: Instant,
    lost: &CancellationToken,
) {
    let mut end = granted + lease;
    let mut pause = lease / 3;
    loop {
        sleep_until(end.min(Instant::now() + pause)).await;
        let asked = Instant::now();
        let renewed = tokio::select! {
            renewed = lock.renew(grant, lease) => renewed,
            () = sleep_until(end) => Ok(false),
        };
        match renewed {
            Ok(true) => (end, pause) = (asked + lease, lease / 3),
            Err(error) if Instant::now() < end => {
                tracing::debug!(lock = %grant.name, %error, "a lock could not be renewed yet");
                pause = lease / 12;
            }
            Ok(false) | Err(_) => {
                tracing::warn!(lock = %grant.name, fence = grant.fence, "a lock was lost while it was needed");
                lost.cancel();
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use tokio::time::sleep;

    use super::*;

    const LEASE: Duration = Duration::from_secs(3);

    /// What a lock answers to each renewal, the last answer for ever; and what it was asked.
    struct Answering {
        free: bool,
        renewals: Mutex<Vec<Renewal>>,
        asked: Mutex<Vec<&'static str>>,
    }

    #[derive(Clone, Copy)]
    enum Renewal {
        Done,
        TakenAway,
        Unreachable,
        Silent,
    }

    impl Answering {
        fn new(renewals: &[Renewal]) -> Self {
            Self { free: true, renewals: Mutex::new(renewals.to_vec()), asked: Mutex::default() }
        }

        fn asked(&self, what: &'static str) -> usize {
            self.asked.lock().unwrap().iter().filter(|asked| **asked == what).count()
        }
    }

    #[async_trait]
    impl DistributedLock for Answering {
        async fn acquire(&self, name: &LockName, _lease: Duration) -> Result<Option<Grant>, StoreError> {
            self.asked.lock().unwrap().push("acquire");
            Ok(self.free.then(|| Grant { name: name.clone(), owner: 7, fence: 42 }))
        }

        async fn renew(&self, grant: &Grant, _lease: Duration) -> Result<bool, StoreError> {
            assert_eq!(grant.owner, 7);
            self.asked.lock().unwrap().push("renew");
            let renewal = {
                let mut renewals = self.renewals.lock().unwrap();
                if renewals.len() > 1 { renewals.remove(0) } else { renewals[0] }
            };
            match renewal {
                Renewal::Done => Ok(true),
                Renewal::TakenAway => Ok(false),
                Renewal::Unreachable => Err(StoreError::Unavailable("no".into())),
                Renewal::Silent => std::future::pending().await,
            }
        }

        async fn release(&self, _grant: &Grant) -> Result<bool, StoreError> {
            self.asked.lock().unwrap().push("release");
            Ok(true)
        }
    }

    fn name() -> LockName {
        LockName::of_the("ranking")
    }

    #[tokio::test(start_paused = true)]
    async fn the_lock_is_renewed_while_the_work_runs_and_given_back() {
        let lock = Answering::new(&[Renewal::Done]);
        let done = exclusively(&lock, &name(), LEASE, |held| async move {
            sleep(LEASE * 4).await;
            assert!(!held.lost.is_cancelled());
            held.fence
        })
        .await;
        assert_eq!(done.unwrap(), Some(42));
        // The last of the twelve falls on the end of the work.
        assert!((11..=12).contains(&lock.asked("renew")), "{}", lock.asked("renew"));
        assert_eq!(lock.asked("release"), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_done_while_somebody_else_has_the_lock() {
        let lock = Answering { free: false, ..Answering::new(&[Renewal::Done]) };
        let done = exclusively(&lock, &name(), LEASE, |_| async { panic!("must not run") }).await;
        assert_eq!(done.unwrap(), None::<()>);
        assert_eq!(lock.asked("release"), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_holder_is_told_at_once_that_its_lock_was_taken_away_and_goes_on() {
        let lock = Answering::new(&[Renewal::Done, Renewal::TakenAway]);
        let begun = Instant::now();
        let done = exclusively(&lock, &name(), LEASE, |held| async move {
            held.lost.cancelled().await;
            let told = begun.elapsed();
            sleep(LEASE).await;
            told
        })
        .await;
        let told = done.unwrap().unwrap();
        assert!(told >= LEASE * 2 / 3 && told < LEASE, "{told:?}");
        assert_eq!(lock.asked("renew"), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_holder_is_told_when_its_lease_ends_unrenewed() {
        for answer in [Renewal::Unreachable, Renewal::Silent] {
            let lock = Answering::new(&[Renewal::Done, answer]);
            let begun = Instant::now();
            let done = exclusively(&lock, &name(), LEASE, |held| async move {
                held.lost.cancelled().await;
                begun.elapsed()
            })
            .await;
            let told = done.unwrap().unwrap();
            let end = LEASE / 3 + LEASE;
            assert!(told >= end && told < end + Duration::from_millis(10), "{told:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lock_that_is_reached_again_in_time_is_not_lost() {
        let lock = Answering::new(&[Renewal::Unreachable, Renewal::Unreachable, Renewal::Done]);
        let done = exclusively(&lock, &name(), LEASE, |held| async move {
            sleep(LEASE * 3).await;
            held.lost.is_cancelled()
        })
        .await;
        assert_eq!(done.unwrap(), Some(false));
    }
}
