//! A cache of one process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use coordination::{Cache, CacheKey, Freshness, Lookup, Turn};
use kernel::StoreError;

use crate::tokens::{Tokens, random_owner};

/// A cache for the tasks of one process. When it is full, those entries go first that would expire first.
#[derive(Default)]
pub struct LocalCache {
    state: Mutex<State>,
    tokens: Tokens,
}

#[derive(Default)]
struct State {
    generations: HashMap<&'static str, u64>,
    entries: HashMap<CacheKey, Entry>,
}

#[derive(Default)]
struct Entry {
    value: Option<Value>,
    turn: Option<TakenTurn>,
}

struct Value {
    bytes: Vec<u8>,
    fresh_until: Instant,
    stale_until: Instant,
}

struct TakenTurn {
    owner: u128,
    until: Instant,
}

impl Entry {
    /// When nobody would miss it any more.
    fn end(&self) -> Option<Instant> {
        let value = self.value.as_ref().map(|value| value.stale_until);
        value.max(self.turn.as_ref().map(|turn| turn.until))
    }
}

impl LocalCache {
    /// How many entries are remembered.
    pub const ENTRIES: usize = 10_000;

    /// Makes an empty cache.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the generation of a group; one that is new here is newer than all of an earlier process.
    fn generation(&self, state: &mut State, group: &'static str) -> u64 {
        *state.generations.entry(group).or_insert_with(|| self.tokens.next())
    }
}

impl State {
    /// Makes room for one more entry: expired ones go, and if there are none, a tenth of all.
    fn make_room(&mut self, now: Instant) {
        if self.entries.len() < LocalCache::ENTRIES {
            return;
        }
        self.entries.retain(|_, entry| entry.end().is_some_and(|end| end > now));
        if self.entries.len() < LocalCache::ENTRIES {
            return;
        }
        let mut ends: Vec<_> = self.entries.values().map(Entry::end).collect();
        let (_, last_to_go, _) = ends.select_nth_unstable(LocalCache::ENTRIES / 10);
        let last_to_go = *last_to_go;
        self.entries.retain(|_, entry| entry.end() > last_to_go);
    }
}

#[async_trait]
impl Cache for LocalCache {
    async fn look_up(&self, key: &CacheKey, lease: Duration) -> Result<Lookup, StoreError> {
        let now = Instant::now();
        let mut state = self.state();
        let generation = self.generation(&mut state, key.group());
        let shown = match state.entries.get(key).and_then(|entry| entry.value.as_ref()) {
            Some(value) if now < value.fresh_until => return Ok(Lookup::Fresh(value.bytes.clone())),
            Some(value) if now < value.stale_until => Some(value.bytes.clone()),
            _ => None,
        };
        if !state.entries.contains_key(key) {
            state.make_room(now);
        }
        let entry = state.entries.entry(key.clone()).or_default();
        let is_taken = entry.turn.as_ref().is_some_and(|turn| now < turn.until);
        let turn = (!is_taken).then(|| {
            let owner = random_owner();
            entry.turn = Some(TakenTurn { owner, until: now + lease });
            Turn { key: key.clone(), generation, owner }
        });
        Ok(match shown {
            Some(value) => Lookup::Stale { value, turn },
            None => Lookup::Missing { turn },
        })
    }

    async fn put(&self, turn: &Turn, value: &[u8], freshness: Freshness) -> Result<(), StoreError> {
        let now = Instant::now();
        let mut state = self.state();
        let is_current = self.generation(&mut state, turn.key.group()) == turn.generation;
        // A turn that has run out still counts while nobody else has taken it: what was computed is true.
        let entry = state.entries.get_mut(&turn.key).filter(|entry| entry.is_of(turn));
        if let Some(entry) = entry.filter(|_| is_current) {
            let fresh_until = now + freshness.fresh;
            let stale_until = fresh_until + freshness.stale;
            entry.value = Some(Value { bytes: value.to_vec(), fresh_until, stale_until });
            entry.turn = None;
        }
        Ok(())
    }

    async fn give_up(&self, turn: &Turn) -> Result<(), StoreError> {
        let mut state = self.state();
        if let Some(entry) = state.entries.get_mut(&turn.key).filter(|entry| entry.is_of(turn)) {
            entry.turn = None;
        }
        Ok(())
    }

    async fn drop_group(&self, group: &'static str) -> Result<(), StoreError> {
        let mut state = self.state();
        state.generations.insert(group, self.tokens.next());
        state.entries.retain(|key, _| key.group() != group);
        Ok(())
    }
}

impl Entry {
    fn is_of(&self, turn: &Turn) -> bool {
        self.turn.as_ref().is_some_and(|taken| taken.owner == turn.owner)
    }
}
