//! Answers that callers who ask at the same moment share.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::fmt;
use std::hash::Hash;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use kernel::StoreError;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// How much of its work a [`Coalescer`] does at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sharing {
    /// What is read, for the metrics.
    pub name: &'static str,
    /// How many questions one read answers at the most, at least one.
    pub questions: usize,
}

/// Lets callers who wait at the same moment share one read (ADR-041).
///
/// Questions that can be answered together stand in one line. Its reader takes what waits in it, be it one
/// question, as soon as the last read has ended; nothing waits for others to come. **No read answers a
/// question that was asked after it began**, so an answer is never older than its question. A read that
/// takes long, such as one over a connection that fell silent, does not hold the line up: whoever comes
/// while it is slow brings another reader.
///
/// A read that fails fails those whose questions it took, and nobody else. It runs in a task of its own:
/// a caller who goes away harms nobody, and a question whose caller has gone before a reader took it is
/// not read.
pub struct Coalescer<L, Q, A>(Arc<Shared<L, Q, A>>);

impl<L, Q, A> Clone for Coalescer<L, Q, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

struct Shared<L, Q, A> {
    sharing: Sharing,
    runtime: Handle,
    read: Box<Read<L, Q, A>>,
    lines: Mutex<HashMap<L, Line<Q, A>>>,
}

type Read<L, Q, A> = dyn Fn(L, Vec<Q>) -> BoxFuture<'static, Result<A, StoreError>> + Send + Sync;

/// Those who wait, and how many readers are at work for them.
struct Line<Q, A> {
    readers: usize,
    /// When the last of them was called or began to read.
    begun: Instant,
    waiting: VecDeque<Waiting<Q, A>>,
}

impl<Q, A> Line<Q, A> {
    fn new() -> Self {
        Self { readers: 0, begun: Instant::now(), waiting: VecDeque::new() }
    }
}

struct Waiting<Q, A> {
    question: Q,
    answer: oneshot::Sender<Result<A, SharedError>>,
}

impl<L, Q, A> Coalescer<L, Q, A>
where
    L: Clone + Eq + Hash + Send + Sync + 'static,
    Q: Send + 'static,
    A: Clone + Send + 'static,
{
    /// A read that takes longer is slow.
    pub const SLOW: Duration = Duration::from_millis(5);
    /// How many readers a line has at the most.
    pub const READERS: usize = 4;
    /// After this time a caller is told that there is no answer: as long as a read of the database may
    /// take (ADR-016), whoever stood before it in the line.
    pub const LONGEST_WAIT: Duration = Duration::from_secs(15);

    /// Makes lines whose questions `read` answers, in tasks of the current runtime. An answer is for all
    /// questions of a read and is cloned for each caller.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn new<F, R>(sharing: Sharing, read: F) -> Self
    where
        F: Fn(L, Vec<Q>) -> R + Send + Sync + 'static,
        R: Future<Output = Result<A, StoreError>> + Send + 'static,
    {
        let read = Box::new(move |line, questions| read(line, questions).boxed());
        Self(Arc::new(Shared { sharing, runtime: Handle::current(), read, lines: Mutex::default() }))
    }

    /// Asks in a line, and returns the answer to all questions of the read that took this one.
    ///
    /// # Errors
    /// Those of the read, [`StoreError::Internal`] if it panics, and [`StoreError::Unavailable`] if there is
    /// no answer within [`Self::LONGEST_WAIT`].
    pub async fn ask(&self, line: L, question: Q) -> Result<A, StoreError> {
        let (answer, answered) = oneshot::channel();
        if self.0.stand(&line, Waiting { question, answer }) {
            let shared = self.0.clone();
            self.0.runtime.spawn(async move { shared.read_on(line).await });
        }
        tokio::select! {
            // Whoever has an answer does not look at the time.
            biased;
            answered = answered => match answered {
                Ok(answer) => answer.map_err(StoreError::from),
                Err(_) => Err(StoreError::Unavailable("the reader is gone".into())),
            },
            () = tokio::time::sleep(Self::LONGEST_WAIT) => {
                Err(StoreError::Unavailable("a read has not ended in time".into()))
            }
        }
    }
}

impl<L, Q, A> Shared<L, Q, A>
where
    L: Clone + Eq + Hash + Send + Sync + 'static,
    Q: Send + 'static,
    A: Clone + Send + 'static,
{
    fn lines(&self) -> MutexGuard<'_, HashMap<L, Line<Q, A>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a place in a line, and tells whether there is a reader to be started for it.
    fn stand(&self, name: &L, waiting: Waiting<Q, A>) -> bool {
        let mut lines = self.lines();
        let line = match lines.get_mut(name) {
            Some(line) => line,
            None => lines.entry(name.clone()).or_insert_with(Line::new),
        };
        line.waiting.push_back(waiting);
        let is_slow = || {
            line.readers < Coalescer::<L, Q, A>::READERS && line.begun.elapsed() >= Coalescer::<L, Q, A>::SLOW
        };
        let is_called = line.readers == 0 || is_slow();
        if is_called {
            line.readers += 1;
            line.begun = Instant::now();
        }
        is_called
    }

    /// Reads until nobody waits in the line, or until another reader serves it after a slow read.
    async fn read_on(&self, name: L) {
        let mut was_slow = false;
        while let Some((questions, callers)) = self.take(&name, was_slow) {
            let begun = Instant::now();
            let sharing = self.sharing.name;
            metrics::counter!("jumun_shared_reads_total", "name" => sharing).increment(1);
            metrics::counter!("jumun_shared_read_callers_total", "name" => sharing)
                .increment(callers.len() as u64);
            let reading = async { (self.read)(name.clone(), questions).await };
            let read = AssertUnwindSafe(reading).catch_unwind().await;
            let read = read.unwrap_or_else(|_| Err(StoreError::Internal("a read panicked".into())));
            let answer = read.map_err(|error| SharedError(Arc::new(error)));
            for caller in callers {
                // Who has gone does not need it.
                drop(caller.send(answer.clone()));
            }
            was_slow = begun.elapsed() >= Coalescer::<L, Q, A>::SLOW;
        }
    }

    /// Takes what waits; `None` if that is nothing or is another's, and then the reader is one of the line no
    /// more.
    #[expect(clippy::type_complexity, reason = "the two halves of those who wait")]
    fn take(
        &self,
        name: &L,
        was_slow: bool,
    ) -> Option<(Vec<Q>, Vec<oneshot::Sender<Result<A, SharedError>>>)> {
        let mut lines = self.lines();
        let line = lines.get_mut(name)?;
        // Whoever was called in its place is at work: with one reader the sets are the largest.
        if was_slow && line.readers > 1 && line.begun.elapsed() < Coalescer::<L, Q, A>::SLOW {
            line.readers -= 1;
            return None;
        }
        let mut questions = Vec::new();
        let mut callers = Vec::new();
        while questions.len() < self.sharing.questions.max(1) {
            let Some(Waiting { question, answer }) = line.waiting.pop_front() else { break };
            if !answer.is_closed() {
                questions.push(question);
                callers.push(answer);
            }
        }
        if !questions.is_empty() {
            line.begun = Instant::now();
            return Some((questions, callers));
        }
        line.readers -= 1;
        if line.readers == 0 {
            lines.remove(name);
        }
        None
    }
}

/// A failure that several callers are told of.
#[derive(Clone, Debug)]
struct SharedError(Arc<StoreError>);

impl SharedError {
    /// Returns what the failure was caused by; every kind has a cause but a duplicate.
    fn cause(&self) -> &dyn std::error::Error {
        std::error::Error::source(self.0.as_ref()).unwrap_or(self.0.as_ref())
    }
}

impl fmt::Display for SharedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cause())
    }
}

impl std::error::Error for SharedError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(self.0.as_ref()).and_then(std::error::Error::source)
    }
}

/// The failure once more, of the same kind and with the same causes.
impl From<SharedError> for StoreError {
    fn from(error: SharedError) -> Self {
        match *error.0 {
            Self::Contended(_) => Self::Contended(Box::new(error)),
            Self::Duplicate(what) => Self::Duplicate(what),
            Self::Unavailable(_) => Self::Unavailable(Box::new(error)),
            Self::OutcomeUnknown(_) => Self::OutcomeUnknown(Box::new(error)),
            Self::Internal(_) => Self::Internal(Box::new(error)),
        }
    }
}

#[cfg(test)]
mod tests;
