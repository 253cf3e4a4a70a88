//! The charges in the order in which they came, within bounds.

use std::collections::{HashMap, VecDeque};

use super::charge::{Charge, ChargeRequest, Course, Record, Refund, Refusal, Status};

/// So many charges are kept before the oldest goes.
pub(super) const CAPACITY: usize = 100_000;

/// The charges by key. The oldest are forgotten when there are too many: such a key is new if it comes
/// again.
pub(super) struct Ledger {
    capacity: usize,
    records: HashMap<String, Record>,
    /// The keys in the order in which they came.
    order: VecDeque<String>,
    /// The key of each charge by its id.
    keys: HashMap<String, String>,
}

impl Ledger {
    /// Makes an empty one.
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, records: HashMap::new(), order: VecDeque::new(), keys: HashMap::new() }
    }

    /// Begins a charge, or says what became of it when the key came first; and whether it is new.
    pub(super) fn charge(
        &mut self,
        key: &str,
        request: ChargeRequest,
        new_id: impl FnOnce() -> String,
    ) -> Result<(Charge, bool), Refusal> {
        if let Some(record) = self.records.get(key) {
            let same = record.request == request;
            return if same { Ok((record.charge.clone(), false)) } else { Err(Refusal::KeyReused) };
        }
        let course = Course::of(&request.card_token);
        let charge = Charge::new(new_id(), key.to_owned(), request.amount, course);
        self.keys.insert(charge.id.clone(), key.to_owned());
        self.order.push_back(key.to_owned());
        self.records.insert(key.to_owned(), Record::new(charge.clone(), request));
        if self.order.len() > self.capacity {
            self.forget_oldest();
        }
        Ok((charge, true))
    }

    /// Takes the money of a charge that waited, and returns the charge; `None` if it does not wait.
    pub(super) fn settle(&mut self, key: &str) -> Option<Charge> {
        let charge = &mut self.records.get_mut(key)?.charge;
        if charge.status != Status::Pending {
            return None;
        }
        charge.status = Status::Succeeded;
        Some(charge.clone())
    }

    /// Returns the charge with a key.
    pub(super) fn find(&self, key: &str) -> Option<&Charge> {
        self.records.get(key).map(|record| &record.charge)
    }

    /// Returns all charges in the order in which they came.
    pub(super) fn all(&self) -> Vec<&Charge> {
        self.order.iter().filter_map(|key| self.find(key)).collect()
    }

    /// Gives money of a charge back.
    pub(super) fn refund(
        &mut self,
        charge_id: &str,
        key: &str,
        amount: kernel::Money,
        new_id: impl FnOnce() -> String,
    ) -> Result<Refund, Refusal> {
        let record = self.keys.get(charge_id).and_then(|key| self.records.get_mut(key));
        record.ok_or(Refusal::NotFound)?.refund(key, amount, new_id)
    }

    /// Returns the refunds of a charge in the order in which they came.
    pub(super) fn refunds(&self, charge_id: &str) -> Option<&[Refund]> {
        let record = self.keys.get(charge_id).and_then(|key| self.records.get(key));
        record.map(|record| record.refunds.as_slice())
    }

    fn forget_oldest(&mut self) {
        let oldest = self.order.pop_front().and_then(|key| self.records.remove(&key));
        if let Some(record) = oldest {
            self.keys.remove(&record.charge.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::Money;

    use super::*;

    fn charge(ledger: &mut Ledger, key: &str, token: &str) -> Result<(Charge, bool), Refusal> {
        let request = ChargeRequest {
            amount: Money::won(100),
            currency: "KRW".to_owned(),
            card_token: token.to_owned(),
            order_id: "o".to_owned(),
        };
        ledger.charge(key, request, || format!("pay_{key}"))
    }

    #[test]
    fn a_key_is_charged_once_and_for_one_thing() {
        let mut ledger = Ledger::new(CAPACITY);
        let (first, is_new) = charge(&mut ledger, "a", "tok_ok").unwrap();
        assert!(is_new);
        assert_eq!(charge(&mut ledger, "a", "tok_ok"), Ok((first, false)));
        assert_eq!(charge(&mut ledger, "a", "tok_late"), Err(Refusal::KeyReused));
        assert_eq!(ledger.all().len(), 1);
    }

    #[test]
    fn a_charge_that_waits_is_settled_once() {
        let mut ledger = Ledger::new(CAPACITY);
        charge(&mut ledger, "a", "tok_late").unwrap();
        charge(&mut ledger, "b", "tok_declined").unwrap();
        assert_eq!(ledger.find("a").unwrap().status, Status::Pending);
        assert_eq!(ledger.settle("a").unwrap().status, Status::Succeeded);
        for key in ["a", "b", "c"] {
            assert_eq!(ledger.settle(key), None, "{key}");
        }
    }

    #[test]
    fn beyond_its_capacity_the_oldest_go() {
        let mut ledger = Ledger::new(2);
        for key in ["a", "b", "c"] {
            charge(&mut ledger, key, "tok_ok").unwrap();
        }
        assert!(ledger.find("a").is_none() && ledger.refunds("pay_a").is_none());
        let keys: Vec<_> = ledger.all().into_iter().map(|charge| charge.key.as_str()).collect();
        assert_eq!(keys, ["b", "c"]);
        assert_eq!((ledger.records.len(), ledger.keys.len()), (2, 2));
    }
}
