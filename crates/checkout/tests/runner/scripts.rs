//! What the runner makes of a script's result.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use checkout::{Rejection, Transaction, TransactionRunner, TransactionScript, UseCaseError};
use kernel::{Money, OrderId, StoreError};
use point::PointError;
use tokio::sync::{Mutex, oneshot};
use tokio::time::Instant;
use uuid::Uuid;

use crate::memory::{CommitFault, Count, FixedClock, Memory, contended, runner};

type Attempt = fn(u32) -> Result<u32, UseCaseError>;
type Expected = fn(&UseCaseError) -> bool;

/// A script whose attempts, counted from 1, do as they are told.
struct Scripted {
    attempt: Attempt,
    attempts: Arc<AtomicU32>,
    takes: Duration,
    repeatable: bool,
    /// What it heard of when it was committed.
    committed: Arc<std::sync::Mutex<Vec<u32>>>,
}

#[async_trait]
impl TransactionScript for Scripted {
    type Output = u32;

    const NAME: &'static str = "scripted";

    fn repeatable(&self) -> bool {
        self.repeatable
    }

    async fn execute(&self, _tx: &mut dyn Transaction) -> Result<u32, UseCaseError> {
        tokio::time::sleep(self.takes).await;
        (self.attempt)(self.attempts.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn committed(&self, output: &u32) {
        self.committed.lock().unwrap().push(*output);
    }
}

/// A script, and the number of attempts that it was given.
fn script(attempt: Attempt) -> (Scripted, Arc<AtomicU32>) {
    let attempts = Arc::new(AtomicU32::new(0));
    let counted = attempts.clone();
    let (takes, committed) = (Duration::ZERO, Arc::default());
    (Scripted { attempt, attempts: counted, takes, repeatable: false, committed }, attempts)
}

fn count(begun: u32, committed: u32, rolled_back: u32) -> Count {
    Count { begun, committed, rolled_back }
}

fn poor() -> UseCaseError {
    let (required, balance) = (Money::won(2), Money::won(1));
    UseCaseError::rejected(PointError::InsufficientBalance { required, balance })
}

#[tokio::test(start_paused = true)]
async fn a_script_that_succeeds_is_committed_once() {
    let memory = Arc::new(Memory::default());
    let (script, attempts) = script(Ok);
    assert_eq!(runner(&memory).0.run(script).await.unwrap(), 1);
    assert_eq!((attempts.load(Ordering::Relaxed), memory.count()), (1, count(1, 1, 0)));
}

#[tokio::test(start_paused = true)]
async fn contention_is_met_with_three_more_attempts_and_growing_pauses() {
    let memory = Arc::new(Memory::default());
    let (script, attempts) = script(|_| Err(contended().into()));
    let begun = Instant::now();
    let result = runner(&memory).0.run(script).await;
    assert!(matches!(result, Err(UseCaseError::Failed(StoreError::Contended(_)))), "{result:?}");
    assert_eq!((attempts.load(Ordering::Relaxed), memory.count()), (4, count(4, 0, 4)));
    // 5, 10 and 20 ms, of each a half to all, to a timer that counts whole milliseconds.
    let paused = begun.elapsed();
    assert!((Duration::from_micros(17_500)..=Duration::from_millis(38)).contains(&paused), "{paused:?}");
}

#[tokio::test(start_paused = true)]
async fn a_script_that_gets_through_at_last_has_succeeded() {
    let memory = Arc::new(Memory::default());
    let (script, attempts) = script(|attempt| if attempt < 4 { Err(contended().into()) } else { Ok(7) });
    assert_eq!(runner(&memory).0.run(script).await.unwrap(), 7);
    assert_eq!((attempts.load(Ordering::Relaxed), memory.count()), (4, count(4, 1, 3)));
}

#[tokio::test(start_paused = true)]
async fn contention_may_show_when_a_transaction_begins_or_commits() {
    let memory = Arc::new(Memory::default());
    memory.fail_to_begin([contended()]);
    memory.fail_to_commit([CommitFault::Refused]);
    let (script, attempts) = script(Ok);
    assert_eq!(runner(&memory).0.run(script).await.unwrap(), 2);
    assert_eq!((attempts.load(Ordering::Relaxed), memory.count()), (2, count(3, 2, 0)));
}

#[tokio::test(start_paused = true)]
async fn a_script_hears_of_its_result_once_and_only_when_it_is_committed() {
    let memory = Arc::new(Memory::default());
    memory.fail_to_commit([CommitFault::Refused]);
    let (second, _) = script(Ok);
    let heard = second.committed.clone();
    assert_eq!(runner(&memory).0.run(second).await.unwrap(), 2);
    assert_eq!(*heard.lock().unwrap(), [2]);

    let (refused, _) = script(|_| Err(poor()));
    let heard = refused.committed.clone();
    assert!(runner(&memory).0.run(refused).await.is_err());
    assert!(heard.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_script_does_not_run_again_once_its_time_is_used_up() {
    for (takes, expected) in [(1_600, 2), (3_000, 1), (10_000, 1)] {
        let memory = Arc::new(Memory::default());
        let (mut script, attempts) = script(|_| Err(contended().into()));
        script.takes = Duration::from_millis(takes);
        let result = runner(&memory).0.run(script).await;
        assert!(matches!(result, Err(UseCaseError::Failed(StoreError::Contended(_)))), "{result:?}");
        assert_eq!(attempts.load(Ordering::Relaxed), expected, "{takes} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn what_another_attempt_would_not_change_is_answered_at_once() {
    let failures: [(Attempt, Expected); 4] = [
        (|_| Err(poor()), |error| matches!(error, UseCaseError::Rejected(Rejection::Point(_)))),
        (
            |_| Err(StoreError::Unavailable("down".into()).into()),
            |error| matches!(error, UseCaseError::Failed(StoreError::Unavailable(_))),
        ),
        (
            |_| Err(StoreError::Internal("a defect".into()).into()),
            |error| matches!(error, UseCaseError::Failed(StoreError::Internal(_))),
        ),
        (
            |_| Err(StoreError::Duplicate("name").into()),
            |error| matches!(error, UseCaseError::Failed(StoreError::Duplicate("name"))),
        ),
    ];
    for (attempt, expected) in failures {
        for repeatable in [false, true] {
            let memory = Arc::new(Memory::default());
            let (mut script, attempts) = script(attempt);
            script.repeatable = repeatable;
            let error = runner(&memory).0.run(script).await.unwrap_err();
            assert!(expected(&error), "{error:?}");
            // Rolled back without a COMMIT ever being tried.
            assert_eq!((attempts.load(Ordering::Relaxed), memory.count()), (1, count(1, 0, 1)));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_database_that_cannot_be_reached_is_not_asked_again() {
    let memory = Arc::new(Memory::default());
    memory.fail_to_begin([StoreError::Unavailable("down".into())]);
    let (script, attempts) = script(Ok);
    let result = runner(&memory).0.run(script).await;
    assert!(matches!(result, Err(UseCaseError::Failed(StoreError::Unavailable(_)))), "{result:?}");
    assert_eq!((attempts.load(Ordering::Relaxed), memory.count()), (0, count(1, 0, 0)));
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_is_settled_by_running_a_repeatable_script_again() {
    for fault in [CommitFault::LostBefore, CommitFault::LostAfter] {
        let memory = Arc::new(Memory::default());
        memory.fail_to_commit([fault]);
        let (mut script, _) = script(Ok);
        script.repeatable = true;
        assert_eq!(runner(&memory).0.run(script).await.unwrap(), 2);
        assert_eq!(memory.count(), count(2, 2, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_outcome_of_any_other_script_is_told() {
    let memory = Arc::new(Memory::default());
    memory.fail_to_commit([CommitFault::LostAfter]);
    let (script, _) = script(Ok);
    let result = runner(&memory).0.run(script).await;
    assert!(matches!(result, Err(UseCaseError::Failed(StoreError::OutcomeUnknown(_)))), "{result:?}");
    assert_eq!(memory.count(), count(1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_stays_unknown_is_told_after_three_more_attempts() {
    let memory = Arc::new(Memory::default());
    memory.fail_to_commit([CommitFault::LostBefore; 9]);
    let (mut script, _) = script(|_| Ok(1));
    script.repeatable = true;
    let result = runner(&memory).0.run(script).await;
    assert!(matches!(result, Err(UseCaseError::Failed(StoreError::OutcomeUnknown(_)))), "{result:?}");
    assert_eq!(memory.count(), count(4, 4, 0));
}

/// The connection that broke in the middle of a commit is seldom the only one.
#[tokio::test(start_paused = true)]
async fn a_failure_after_an_unknown_outcome_does_not_make_it_known() {
    let failures: [Attempt; 3] = [
        |attempt| if attempt == 1 { Ok(1) } else { Err(StoreError::Unavailable("down".into()).into()) },
        |attempt| if attempt == 1 { Ok(1) } else { Err(StoreError::Internal("a defect".into()).into()) },
        |attempt| if attempt == 1 { Ok(1) } else { Err(contended().into()) },
    ];
    for attempt in failures {
        let memory = Arc::new(Memory::default());
        memory.fail_to_commit([CommitFault::LostAfter]);
        let (mut script, _) = script(attempt);
        script.repeatable = true;
        let result = runner(&memory).0.run(script).await;
        assert!(matches!(result, Err(UseCaseError::Failed(StoreError::OutcomeUnknown(_)))), "{result:?}");
    }
}

/// A key that is free, or a rule that is broken, shows that the first commit did not happen.
#[tokio::test(start_paused = true)]
async fn a_rejection_after_an_unknown_outcome_makes_it_known() {
    let memory = Arc::new(Memory::default());
    memory.fail_to_commit([CommitFault::LostBefore]);
    let (mut script, _) = script(|attempt| if attempt == 1 { Ok(1) } else { Err(poor()) });
    script.repeatable = true;
    let result = runner(&memory).0.run(script).await;
    assert!(matches!(result, Err(UseCaseError::Rejected(_))), "{result:?}");
}

/// A script that writes, tells that it has begun, and waits until it may go on.
struct Gated {
    begun: Mutex<Option<oneshot::Sender<()>>>,
    gate: Mutex<Option<oneshot::Receiver<()>>>,
}

#[async_trait]
impl TransactionScript for Gated {
    type Output = ();

    const NAME: &'static str = "gated";

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<(), UseCaseError> {
        let user = kernel::UserId::from_uuid(Uuid::from_u128(1));
        let mut wallet = tx.wallets().lock(&[user].into()).await?.remove(0);
        let order = OrderId::from_uuid(Uuid::from_u128(2));
        let entry = wallet
            .pay(
                Money::won(1),
                order,
                kernel::PaymentId::from_uuid(uuid::Uuid::nil()),
                kernel::Clock::now(&FixedClock),
            )
            .unwrap();
        tx.wallets().record(&[entry]).await?;
        self.begun.lock().await.take().unwrap().send(()).unwrap();
        self.gate.lock().await.take().unwrap().await.unwrap();
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_script_goes_on_to_its_end_when_its_caller_goes_away() {
    let memory = Arc::new(Memory::default());
    let user = memory.fill(1, Money::won(5));
    let (runner, tasks) = runner(&memory);
    let (begun, has_begun) = oneshot::channel();
    let (gate, opened) = oneshot::channel();
    let script = Gated { begun: Mutex::new(Some(begun)), gate: Mutex::new(Some(opened)) };
    let caller = tokio::spawn(async move { runner.run(script).await });
    has_begun.await.unwrap();
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    // The caller is gone, its transaction is neither committed nor rolled back, and a shutdown waits for it.
    assert_eq!((memory.count(), tasks.len()), (count(1, 0, 0), 1));
    gate.send(()).unwrap();
    tasks.close();
    tasks.wait().await;
    assert_eq!(memory.count(), count(1, 1, 0));
    assert_eq!(memory.tables().wallets[&user].balance(), Money::won(4));
}

async fn run_one_that_panics(runner: &TransactionRunner) -> UseCaseError {
    let (script, _) = script(|_| panic!("a defect in a script, as the test wants it"));
    runner.run(script).await.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_script_that_panics_is_rolled_back_and_harms_nobody() {
    let memory = Arc::new(Memory::default());
    let (runner, tasks) = runner(&memory);
    let error = run_one_that_panics(&runner).await;
    assert!(matches!(error, UseCaseError::Failed(StoreError::Internal(_))), "{error:?}");
    assert_eq!(memory.count(), count(1, 0, 1));
    let (script, _) = script(Ok);
    assert_eq!(runner.run(script).await.unwrap(), 1);
    assert_eq!(memory.count(), count(2, 1, 1));
    tasks.close();
    tasks.wait().await;
}
