//! The gate in front of coupons, in one process.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use coupon::{Admission, CouponGate, GateTiming};
use kernel::{CouponId, StoreError, UserId};

/// Gates for the claims of one process.
pub struct LocalGate {
    timing: GateTiming,
    gates: Mutex<HashMap<CouponId, Gate>>,
}

/// What is known of a coupon.
struct Gate {
    /// Who builds or built it.
    fence: u64,
    /// How many pieces there are, once it is open.
    quantity: Option<u32>,
    holders: HashSet<UserId>,
    /// Until when a place is kept for whom.
    pending: HashMap<UserId, Instant>,
    /// When the next claim is sent on although the gate is full.
    probe_at: Instant,
    /// When it is thrown away.
    end: Instant,
}

impl Gate {
    fn begun(fence: u64, now: Instant) -> Self {
        Self {
            fence,
            quantity: None,
            holders: HashSet::new(),
            pending: HashMap::new(),
            probe_at: now,
            end: now + LocalGate::LIFETIME,
        }
    }

    fn admit(&mut self, user: UserId, timing: GateTiming, now: Instant) -> Admission {
        let Some(quantity) = self.quantity else { return Admission::NotReady };
        if self.holders.contains(&user) {
            return Admission::Ask;
        }
        let quantity = usize::try_from(quantity).unwrap_or(usize::MAX);
        if self.holders.len() + self.pending.len() >= quantity {
            self.pending.retain(|_, until| *until > now);
        }
        let has_place = self.pending.get(&user).is_some_and(|until| *until > now);
        if has_place || self.holders.len() + self.pending.len() < quantity {
            self.pending.insert(user, now + timing.hold);
            return Admission::Admitted;
        }
        if now < self.probe_at {
            return Admission::SoldOut;
        }
        self.probe_at = now + timing.probe;
        Admission::Ask
    }
}

impl LocalGate {
    /// So long after it was opened a gate is thrown away.
    const LIFETIME: Duration = Duration::from_hours(24);

    /// Makes a place for gates; there are none yet.
    pub fn new(timing: GateTiming) -> Self {
        Self { timing, gates: Mutex::default() }
    }

    fn gates(&self) -> MutexGuard<'_, HashMap<CouponId, Gate>> {
        self.gates.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl CouponGate for LocalGate {
    async fn admit(&self, coupon: CouponId, user: UserId) -> Result<Admission, StoreError> {
        let now = Instant::now();
        let mut gates = self.gates();
        let gate = gates.get_mut(&coupon).filter(|gate| gate.end > now);
        Ok(gate.map_or(Admission::NotReady, |gate| gate.admit(user, self.timing, now)))
    }

    async fn confirm(&self, coupon: CouponId, user: UserId) -> Result<(), StoreError> {
        if let Some(gate) = self.gates().get_mut(&coupon) {
            gate.pending.remove(&user);
            gate.holders.insert(user);
        }
        Ok(())
    }

    async fn release(&self, coupon: CouponId, user: UserId) -> Result<(), StoreError> {
        if let Some(gate) = self.gates().get_mut(&coupon) {
            gate.pending.remove(&user);
        }
        Ok(())
    }

    async fn begin(&self, coupon: CouponId, fence: u64) -> Result<bool, StoreError> {
        let now = Instant::now();
        let mut gates = self.gates();
        gates.retain(|_, gate| gate.end > now);
        if gates.get(&coupon).is_some_and(|gate| gate.fence > fence) {
            return Ok(false);
        }
        gates.insert(coupon, Gate::begun(fence, now));
        Ok(true)
    }

    async fn open(
        &self,
        coupon: CouponId,
        fence: u64,
        quantity: u32,
        holders: &[UserId],
    ) -> Result<bool, StoreError> {
        let now = Instant::now();
        let mut gates = self.gates();
        let Some(gate) = gates.get_mut(&coupon).filter(|gate| gate.fence == fence && gate.end > now) else {
            return Ok(false);
        };
        gate.holders.extend(holders);
        gate.pending.retain(|user, _| !gate.holders.contains(user));
        gate.quantity = Some(quantity);
        // The database has just been asked.
        gate.probe_at = now + self.timing.probe;
        gate.end = now + Self::LIFETIME;
        Ok(true)
    }

    async fn forget(&self, coupon: CouponId) -> Result<(), StoreError> {
        self.gates().remove(&coupon);
        Ok(())
    }
}
