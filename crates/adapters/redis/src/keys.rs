//! The names of all keys.
//!
//! What a script touches together carries one hash tag, the part in braces, so that it lies on one node
//! of a cluster.

use coordination::{CacheKey, LockName};
use kernel::CouponId;

/// Makes the names: `jumun:`, then what the deployment or test adds, then what is named here.
#[derive(Debug)]
pub(crate) struct Keys {
    prefix: String,
}

/// The keys of a lock.
pub(crate) struct LockKeys {
    /// The owner of the lease, for its length.
    pub(crate) lease: String,
    /// The last fencing token.
    pub(crate) fence: String,
}

/// The keys of an entry of the cache.
pub(crate) struct CacheKeys {
    /// The generation of the group.
    pub(crate) generation: String,
    /// The entry: a hash of the value and the turn.
    pub(crate) entry: String,
}

/// The keys of a coupon's gate.
pub(crate) struct GateKeys {
    /// A hash of the builder's fence, the quantity and the time of the next probe.
    pub(crate) meta: String,
    /// The set of those who hold a piece.
    pub(crate) holders: String,
    /// Those for whom a place is kept, by the time at which it ends.
    pub(crate) pending: String,
}

/// The keys of the view counter.
pub(crate) struct ViewKeys {
    /// A hash of what is being counted.
    pub(crate) counting: String,
    /// A hash of the batch that is not confirmed yet.
    pub(crate) batch: String,
}

impl Keys {
    pub(crate) fn new(added: &str) -> Self {
        Self { prefix: format!("jumun:{added}") }
    }

    pub(crate) fn lock(&self, name: &LockName) -> LockKeys {
        let lock = format!("{}lock:{{{name}}}", self.prefix);
        LockKeys { lease: format!("{lock}:lease"), fence: format!("{lock}:fence") }
    }

    pub(crate) fn generation(&self, group: &str) -> String {
        format!("{}cache:{{{group}}}:generation", self.prefix)
    }

    pub(crate) fn cache(&self, key: &CacheKey) -> CacheKeys {
        let entry = format!("{}cache:{{{}}}:entry:{}", self.prefix, key.group(), key.entry());
        CacheKeys { generation: self.generation(key.group()), entry }
    }

    pub(crate) fn gate(&self, coupon: CouponId) -> GateKeys {
        let gate = format!("{}gate:{{{coupon}}}", self.prefix);
        GateKeys {
            meta: format!("{gate}:meta"),
            holders: format!("{gate}:holders"),
            pending: format!("{gate}:pending"),
        }
    }

    pub(crate) fn views(&self) -> ViewKeys {
        let views = format!("{}{{views}}", self.prefix);
        ViewKeys { counting: format!("{views}:counting"), batch: format!("{views}:batch") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_one_script_lie_in_one_slot() {
        let keys = Keys::new("test:");
        let lock = keys.lock(&LockName::of("ranking", 7));
        let cache = keys.cache(&CacheKey::new("products", "top:{3}"));
        let gate = keys.gate(CouponId::from_uuid(uuid::Uuid::nil()));
        let views = keys.views();
        for together in [
            vec![lock.lease, lock.fence],
            vec![cache.generation, cache.entry],
            vec![gate.meta, gate.holders, gate.pending],
            vec![views.counting, views.batch],
        ] {
            let tag = |key: &str| key.split_once('{').unwrap().1.split_once('}').unwrap().0.to_owned();
            assert!(
                together.iter().all(|key| key.starts_with("jumun:test:") && tag(key) == tag(&together[0]))
            );
            assert!(!tag(&together[0]).is_empty());
        }
    }
}
