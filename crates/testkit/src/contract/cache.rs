//! The cache that instances share.

use std::sync::Arc;
use std::time::Duration;

use coordination::{Cache, CacheKey, Freshness, Lookup, Turn};
use tokio::task::JoinSet;

use crate::{Scenario, SharedAdapters, eventually, scenarios};

pub(crate) fn suite() -> Vec<Scenario<dyn SharedAdapters>> {
    scenarios![
        what_was_put_is_found,
        entries_and_groups_are_kept_apart,
        of_many_callers_at_once_one_gets_the_turn,
        a_turn_that_is_not_used_goes_to_another,
        a_turn_that_is_given_up_goes_to_the_next_at_once,
        only_its_owner_ends_a_turn,
        a_slow_owner_does_not_replace_what_was_computed_after_it,
        a_stale_value_is_shown_while_one_caller_computes,
        a_value_ends,
        what_was_dropped_is_gone,
        what_was_computed_before_a_drop_is_never_shown,
        a_turn_from_before_everything_was_lost_puts_nothing,
    ]
}

const LEASE: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_millis(150);
const LONG: Freshness = Freshness { fresh: Duration::from_mins(1), stale: Duration::from_mins(1) };

fn key() -> CacheKey {
    CacheKey::new("test", "entry")
}

async fn look(cache: &Arc<dyn Cache>) -> Lookup {
    cache.look_up(&key(), LEASE).await.unwrap()
}

async fn turn(cache: &Arc<dyn Cache>, key: &CacheKey) -> Turn {
    match cache.look_up(key, LEASE).await.unwrap() {
        Lookup::Missing { turn: Some(turn) } => turn,
        other => panic!("no turn, but {other:?}"),
    }
}

fn fresh(value: &[u8]) -> Lookup {
    Lookup::Fresh(value.to_vec())
}

async fn what_was_put_is_found(adapters: Arc<dyn SharedAdapters>) {
    let (mine, theirs) = (adapters.cache(), adapters.cache());
    // Bytes, not text, and of any length.
    let all: Vec<u8> = (0..=255).collect();
    for (number, value) in [all, Vec::new(), vec![7; 300_000]].into_iter().enumerate() {
        let key = CacheKey::new("test", number);
        let turn = turn(&mine, &key).await;
        assert_eq!(turn.key, key);
        mine.put(&turn, &value, LONG).await.unwrap();
        for cache in [&mine, &theirs] {
            assert!(cache.look_up(&key, LEASE).await.unwrap() == fresh(&value), "value {number}");
        }
    }
}

async fn entries_and_groups_are_kept_apart(adapters: Arc<dyn SharedAdapters>) {
    let cache = adapters.cache();
    let keys =
        [key(), CacheKey::new("test", "other"), CacheKey::new("other", "entry"), CacheKey::new("test", "")];
    for (number, key) in (0_u8..).zip(&keys) {
        let turn = turn(&cache, key).await;
        cache.put(&turn, &[number], LONG).await.unwrap();
    }
    for (number, key) in (0_u8..).zip(&keys) {
        assert_eq!(cache.look_up(key, LEASE).await.unwrap(), fresh(&[number]), "{key:?}");
    }
}

async fn of_many_callers_at_once_one_gets_the_turn(adapters: Arc<dyn SharedAdapters>) {
    for round in 0..10 {
        let mut callers = JoinSet::new();
        for _ in 0..20 {
            let cache = adapters.cache();
            callers.spawn(async move { cache.look_up(&CacheKey::new("test", round), LEASE).await.unwrap() });
        }
        let turns = callers.join_all().await.into_iter().filter(|lookup| match lookup {
            Lookup::Missing { turn } => turn.is_some(),
            other => panic!("{other:?}"),
        });
        assert_eq!(turns.count(), 1);
    }
}

async fn a_turn_that_is_not_used_goes_to_another(adapters: Arc<dyn SharedAdapters>) {
    let (mine, theirs) = (adapters.cache(), adapters.cache());
    let lookup = mine.look_up(&key(), SHORT).await.unwrap();
    assert!(matches!(lookup, Lookup::Missing { turn: Some(_) }), "{lookup:?}");
    let turn = eventually("the turn runs out", async || match look(&theirs).await {
        Lookup::Missing { turn } => turn,
        other => panic!("{other:?}"),
    });
    theirs.put(&turn.await, b"theirs", LONG).await.unwrap();
    assert_eq!(look(&mine).await, fresh(b"theirs"));
}

async fn a_turn_that_is_given_up_goes_to_the_next_at_once(adapters: Arc<dyn SharedAdapters>) {
    let (mine, theirs) = (adapters.cache(), adapters.cache());
    let given = turn(&mine, &key()).await;
    assert_eq!(look(&theirs).await, Lookup::Missing { turn: None });
    mine.give_up(&given).await.unwrap();
    turn(&theirs, &key()).await;
}

async fn only_its_owner_ends_a_turn(adapters: Arc<dyn SharedAdapters>) {
    let cache = adapters.cache();
    let given = turn(&cache, &key()).await;
    let forged = Turn { owner: given.owner ^ 1, ..given.clone() };
    cache.give_up(&forged).await.unwrap();
    assert_eq!(look(&cache).await, Lookup::Missing { turn: None });
    cache.put(&forged, b"forged", LONG).await.unwrap();
    assert_eq!(look(&cache).await, Lookup::Missing { turn: None });
    cache.put(&given, b"true", LONG).await.unwrap();
    assert_eq!(look(&cache).await, fresh(b"true"));
}

async fn a_slow_owner_does_not_replace_what_was_computed_after_it(adapters: Arc<dyn SharedAdapters>) {
    let cache = adapters.cache();
    let slow = match cache.look_up(&key(), SHORT).await.unwrap() {
        Lookup::Missing { turn: Some(turn) } => turn,
        other => panic!("{other:?}"),
    };
    let next = eventually("the turn runs out", async || match look(&cache).await {
        Lookup::Missing { turn } => turn,
        other => panic!("{other:?}"),
    })
    .await;
    cache.put(&slow, b"old", LONG).await.unwrap();
    cache.give_up(&slow).await.unwrap();
    assert_eq!(look(&cache).await, Lookup::Missing { turn: None }, "the turn is another's");
    cache.put(&next, b"new", LONG).await.unwrap();
    cache.put(&slow, b"old", LONG).await.unwrap();
    assert_eq!(look(&cache).await, fresh(b"new"));
}

async fn a_stale_value_is_shown_while_one_caller_computes(adapters: Arc<dyn SharedAdapters>) {
    let (mine, theirs) = (adapters.cache(), adapters.cache());
    let given = turn(&mine, &key()).await;
    let freshness = Freshness { fresh: SHORT, stale: Duration::from_mins(1) };
    mine.put(&given, b"old", freshness).await.unwrap();
    let turn = eventually("the value becomes stale", async || match look(&mine).await {
        Lookup::Fresh(value) => {
            assert_eq!(value, b"old");
            None
        }
        Lookup::Stale { value, turn } => {
            assert_eq!(value, b"old");
            turn
        }
        Lookup::Missing { .. } => panic!("it is stale, not missing"),
    })
    .await;
    let stale = Lookup::Stale { value: b"old".to_vec(), turn: None };
    assert_eq!(look(&theirs).await, stale);
    assert_eq!(look(&mine).await, stale);
    mine.give_up(&turn).await.unwrap();
    let turn = match look(&theirs).await {
        Lookup::Stale { value, turn: Some(turn) } if value == b"old" => turn,
        other => panic!("{other:?}"),
    };
    theirs.put(&turn, b"new", LONG).await.unwrap();
    assert_eq!(look(&mine).await, fresh(b"new"));
}

async fn a_value_ends(adapters: Arc<dyn SharedAdapters>) {
    let cache = adapters.cache();
    let given = turn(&cache, &key()).await;
    cache.put(&given, b"short", Freshness { fresh: Duration::ZERO, stale: SHORT }).await.unwrap();
    let mut turns = 0;
    eventually("the value ends", async || match look(&cache).await {
        Lookup::Fresh(_) => panic!("it is stale from the beginning"),
        Lookup::Stale { turn, .. } => {
            turns += usize::from(turn.is_some());
            None
        }
        Lookup::Missing { turn } => {
            turns += usize::from(turn.is_some());
            Some(())
        }
    })
    .await;
    assert_eq!(turns, 1);
}

async fn what_was_dropped_is_gone(adapters: Arc<dyn SharedAdapters>) {
    let (mine, theirs) = (adapters.cache(), adapters.cache());
    let other = CacheKey::new("other", "entry");
    for key in [key(), CacheKey::new("test", "second"), other.clone()] {
        let turn = turn(&mine, &key).await;
        mine.put(&turn, b"before", LONG).await.unwrap();
    }
    mine.drop_group("test").await.unwrap();
    let next = turn(&theirs, &key()).await;
    turn(&theirs, &CacheKey::new("test", "second")).await;
    assert_eq!(theirs.look_up(&other, LEASE).await.unwrap(), fresh(b"before"));
    theirs.put(&next, b"after", LONG).await.unwrap();
    assert_eq!(look(&mine).await, fresh(b"after"));
    // A group that nobody has asked for yet can be dropped too.
    mine.drop_group("unknown").await.unwrap();
}

async fn what_was_computed_before_a_drop_is_never_shown(adapters: Arc<dyn SharedAdapters>) {
    let (mine, theirs) = (adapters.cache(), adapters.cache());
    let before = turn(&mine, &key()).await;
    theirs.drop_group("test").await.unwrap();
    mine.put(&before, b"before", LONG).await.unwrap();
    // The turn from before the drop keeps nobody from computing anew.
    let after = turn(&theirs, &key()).await;
    assert!(after.generation > before.generation);
    mine.put(&before, b"before", LONG).await.unwrap();
    mine.put(&Turn { owner: after.owner, ..before.clone() }, b"before", LONG).await.unwrap();
    assert_eq!(look(&theirs).await, Lookup::Missing { turn: None });
    theirs.put(&after, b"after", LONG).await.unwrap();
    mine.put(&before, b"before", LONG).await.unwrap();
    assert_eq!(look(&mine).await, fresh(b"after"));
}

async fn a_turn_from_before_everything_was_lost_puts_nothing(adapters: Arc<dyn SharedAdapters>) {
    let before = turn(&adapters.cache(), &key()).await;
    adapters.wipe().await;
    let cache = adapters.cache();
    let after = turn(&cache, &key()).await;
    assert!(after.generation > before.generation, "generations do not go backwards");
    cache.put(&before, b"before", LONG).await.unwrap();
    assert_eq!(look(&cache).await, Lookup::Missing { turn: None });
}
