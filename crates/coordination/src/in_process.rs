//! Who of this process waits for a value already.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

use crate::CacheKey;

/// For each key the one task of this process that computes or polls; the others wait for it.
#[derive(Clone, Default)]
pub(crate) struct InProcess(Arc<Mutex<HashMap<CacheKey, watch::Receiver<()>>>>);

/// What a task that asks is to do.
pub(crate) enum Part {
    /// To compute or to poll.
    Lead(Lead),
    /// To wait for the one who does.
    Follow(Follow),
}

impl InProcess {
    /// Leads, unless somebody does.
    pub(crate) fn join(&self, key: &CacheKey) -> Part {
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key.clone()) {
            Entry::Occupied(led) => Part::Follow(Follow(led.get().clone())),
            Entry::Vacant(free) => {
                let (end, ended) = watch::channel(());
                free.insert(ended);
                Part::Lead(Lead { all: self.clone(), key: key.clone(), _end: end })
            }
        }
    }

    /// Leads if nobody does.
    pub(crate) fn lead(&self, key: &CacheKey) -> Option<Lead> {
        match self.join(key) {
            Part::Lead(lead) => Some(lead),
            Part::Follow(_) => None,
        }
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().unwrap().is_empty()
    }
}

/// Held by the task that leads. Whatever becomes of that task, when this is dropped the others go on.
pub(crate) struct Lead {
    all: InProcess,
    key: CacheKey,
    _end: watch::Sender<()>,
}

impl Drop for Lead {
    fn drop(&mut self) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// Held by a task that waits.
pub(crate) struct Follow(watch::Receiver<()>);

impl Follow {
    /// Waits until the leading task has ended. What it saw is not handed on: the cache is to be asked
    /// again, since its group may have been dropped in between.
    pub(crate) async fn ended(mut self) {
        while self.0.changed().await.is_ok() {}
    }
}
