//! A payment gateway in memory that does what a test wants, and remembers the truth.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use async_trait::async_trait;
use kernel::{Money, PaymentId, RefundId, TraceContext};
use payment::{CardCharge, CardRefund, ChargeState, GatewayCharge, GatewayError, PaymentGateway};
use tokio::sync::Notify;

/// What becomes of the next call that moves money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Turn {
    /// It is done, and the answer says so.
    #[default]
    Answered,
    /// A card is declined; a refund is refused.
    Declined,
    /// It is done, and the answer is lost.
    Lost,
    /// It is not done, and no answer says so.
    Silent,
    /// It is not done, and no answer says so once [`ScriptedGateway::go_on`] lets it.
    Stalled,
    /// It never arrives.
    Unreachable,
    /// It is under way: [`ScriptedGateway::capture`] ends it.
    Pending,
    /// It is done, and the answer waits for [`ScriptedGateway::go_on`].
    Slow,
}

/// A payment gateway in memory. What is not scripted is answered.
#[derive(Debug, Default)]
pub struct ScriptedGateway {
    script: Mutex<VecDeque<Turn>>,
    charges: Mutex<BTreeMap<PaymentId, GatewayCharge>>,
    refunds: Mutex<BTreeMap<RefundId, CardRefund>>,
    calls: Mutex<u32>,
    /// Told when a slow call has done its work.
    pub arrived: Notify,
    go_on: Notify,
}

impl ScriptedGateway {
    /// Says what becomes of the next calls that move money, one after the other.
    ///
    /// # Panics
    /// Never: no holder of the lock panics.
    pub fn script(&self, turns: impl IntoIterator<Item = Turn>) {
        self.script.lock().unwrap().extend(turns);
    }

    /// Lets a slow call answer.
    pub fn go_on(&self) {
        self.go_on.notify_one();
    }

    /// Takes the money of a pending charge, and returns what a notice would say of it.
    ///
    /// # Panics
    /// When there is no such charge.
    pub fn capture(&self, key: PaymentId) -> GatewayCharge {
        let mut charges = self.charges.lock().unwrap();
        let charge = charges.get_mut(&key).expect("a charge");
        charge.state = ChargeState::Captured;
        charge.clone()
    }

    /// Takes money that was asked for long ago, of which it had never heard until now.
    ///
    /// # Panics
    /// Never: no holder of the lock panics.
    pub fn capture_late(&self, key: PaymentId, amount: Money) -> GatewayCharge {
        let charge = GatewayCharge { id: format!("late-{key}"), amount, state: ChargeState::Captured };
        self.charges.lock().unwrap().insert(key, charge.clone());
        charge
    }

    /// Returns what is known of a charge.
    ///
    /// # Panics
    /// When there is no such charge.
    pub fn charge_of(&self, key: PaymentId) -> GatewayCharge {
        self.charges.lock().unwrap().get(&key).expect("a charge").clone()
    }

    /// Returns the money that was taken and not given back.
    ///
    /// # Panics
    /// When it is not an amount.
    pub fn kept(&self) -> Money {
        let charges = self.charges.lock().unwrap();
        let taken = charges.values().filter(|charge| charge.state == ChargeState::Captured);
        let taken = taken.map(|charge| charge.amount).sum::<Option<Money>>().expect("an amount");
        let refunds = self.refunds.lock().unwrap();
        let given = refunds.values().map(|refund| refund.amount).sum::<Option<Money>>().expect("an amount");
        taken.checked_sub(given).expect("no more is given back than was taken")
    }

    /// Returns how often it was asked to move money.
    ///
    /// # Panics
    /// Never: no holder of the lock panics.
    pub fn calls(&self) -> u32 {
        *self.calls.lock().unwrap()
    }

    fn next(&self) -> Turn {
        *self.calls.lock().unwrap() += 1;
        self.script.lock().unwrap().pop_front().unwrap_or_default()
    }

    async fn slowly(&self) {
        self.arrived.notify_one();
        self.go_on.notified().await;
    }
}

fn lost<T>() -> Result<T, GatewayError> {
    Err(GatewayError::Unknown("the answer is lost".into()))
}

#[async_trait]
impl PaymentGateway for ScriptedGateway {
    async fn charge(&self, charge: &CardCharge) -> Result<GatewayCharge, GatewayError> {
        let turn = self.next();
        let state = match turn {
            Turn::Unreachable => return Err(GatewayError::NotSent("there is no way".into())),
            Turn::Silent => return lost(),
            Turn::Stalled => {
                self.slowly().await;
                return lost();
            }
            Turn::Pending => ChargeState::Pending,
            Turn::Declined => ChargeState::Declined { code: "insufficient_funds".into() },
            Turn::Answered | Turn::Lost | Turn::Slow => ChargeState::Captured,
        };
        let new = GatewayCharge { id: format!("charge-{}", charge.key), amount: charge.amount, state };
        let charge = self.charges.lock().unwrap().entry(charge.key).or_insert(new).clone();
        match turn {
            Turn::Lost => return lost(),
            Turn::Slow => self.slowly().await,
            _ => {}
        }
        Ok(charge)
    }

    async fn find(
        &self,
        key: PaymentId,
        _trace: Option<TraceContext>,
    ) -> Result<Option<GatewayCharge>, GatewayError> {
        Ok(self.charges.lock().unwrap().get(&key).cloned())
    }

    async fn refund(&self, refund: &CardRefund) -> Result<(), GatewayError> {
        let turn = self.next();
        match turn {
            Turn::Unreachable => return Err(GatewayError::NotSent("there is no way".into())),
            Turn::Silent | Turn::Pending => return lost(),
            Turn::Stalled => {
                self.slowly().await;
                return lost();
            }
            Turn::Declined => return Err(GatewayError::Refused { code: "not_refundable".into() }),
            Turn::Answered | Turn::Lost | Turn::Slow => {}
        }
        self.refunds.lock().unwrap().entry(refund.key).or_insert_with(|| refund.clone());
        match turn {
            Turn::Lost => lost(),
            Turn::Slow => {
                self.slowly().await;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}
