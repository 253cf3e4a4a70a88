//! A bounded queue in which all who wait have their turns.

use std::collections::{BTreeMap, VecDeque};

/// Items by whose they are. Turns go round: whoever has many items waiting delays the others by no more than
/// one each.
#[derive(Debug)]
pub(super) struct FairQueue<K, T> {
    waiting: BTreeMap<K, VecDeque<T>>,
    /// Everybody who has something waiting, once each.
    turns: VecDeque<K>,
    len: usize,
    capacity: usize,
}

impl<K: Copy + Ord, T> FairQueue<K, T> {
    /// The part of the queue that one owner may fill, so that there is room for others.
    const SHARE: usize = 4;

    pub(super) fn new(capacity: usize) -> Self {
        Self { waiting: BTreeMap::new(), turns: VecDeque::new(), len: 0, capacity }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Adds an item, or gives it back if there is no room for it.
    pub(super) fn push(&mut self, owner: K, item: T) -> Result<(), T> {
        let own = self.waiting.get(&owner).map_or(0, VecDeque::len);
        if self.len >= self.capacity || own >= self.capacity.div_ceil(Self::SHARE) {
            return Err(item);
        }
        if own == 0 {
            self.turns.push_back(owner);
        }
        self.waiting.entry(owner).or_default().push_back(item);
        self.len += 1;
        Ok(())
    }

    /// Takes items in turn until what they cost reaches the budget; one at least, if any is there.
    pub(super) fn take(&mut self, budget: usize, cost: impl Fn(&T) -> usize) -> Vec<T> {
        let mut taken = Vec::new();
        let mut spent = 0;
        while spent < budget || taken.is_empty() {
            let Some(owner) = self.turns.pop_front() else { break };
            let Some(items) = self.waiting.get_mut(&owner) else { continue };
            if let Some(item) = items.pop_front() {
                spent += cost(&item);
                self.len -= 1;
                taken.push(item);
            }
            if items.is_empty() {
                self.waiting.remove(&owner);
            } else {
                self.turns.push_back(owner);
            }
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn one<T>(_: &T) -> usize {
        1
    }

    #[test]
    fn whoever_sends_many_delays_another_by_one() {
        let mut queue = FairQueue::new(16);
        for item in ["a1", "a2", "a3"] {
            queue.push('a', item).unwrap();
        }
        queue.push('b', "b1").unwrap();
        assert_eq!(queue.take(2, one), ["a1", "b1"]);
        assert_eq!(queue.take(9, one), ["a2", "a3"]);
        assert!(queue.take(9, one).is_empty());
    }

    #[test]
    fn one_owner_fills_a_quarter_and_all_of_them_no_more_than_all() {
        let mut queue = FairQueue::new(8);
        assert_eq!([1, 2, 3].map(|item| queue.push(0, item)), [Ok(()), Ok(()), Err(3)]);
        for owner in 1..4 {
            assert_eq!([1, 2].map(|item| queue.push(owner, item)), [Ok(()), Ok(())]);
        }
        assert_eq!((queue.push(9, 1), queue.len()), (Err(1), 8));
        assert_eq!(queue.take(1, one), [1]);
        assert_eq!(queue.push(9, 1), Ok(()));
    }

    #[test]
    fn what_costs_more_than_the_budget_is_taken_alone() {
        let mut queue = FairQueue::new(8);
        for (owner, cost) in [(1, 100), (2, 3), (3, 3), (4, 3)] {
            queue.push(owner, cost).unwrap();
        }
        assert_eq!(queue.take(5, |cost| *cost), [100]);
        assert_eq!(queue.take(5, |cost| *cost), [3, 3]);
        assert_eq!(queue.take(5, |cost| *cost), [3]);
    }

    proptest! {
        /// Nothing is lost, nothing is doubled, and what one owner sent stays in order.
        #[test]
        fn what_goes_in_comes_out_once_and_in_order(
            steps in prop::collection::vec(prop_oneof![
                (0_u8..5).prop_map(Some),
                Just(None),
            ], 0..200),
            capacity in 1_usize..20,
            budget in 0_usize..8,
        ) {
            let mut queue = FairQueue::new(capacity);
            let (mut sent, mut received) = (Vec::new(), Vec::new());
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Some(owner) => if queue.push(owner, (owner, number)).is_ok() {
                        sent.push((owner, number));
                    },
                    None => received.extend(queue.take(budget, one)),
                }
                prop_assert_eq!(queue.len(), sent.len() - received.len());
                prop_assert!(queue.len() <= capacity);
            }
            while queue.len() > 0 {
                received.extend(queue.take(budget, one));
            }
            for owner in 0..5 {
                let of = |all: &[(u8, usize)]| all.iter().filter(|(by, _)| *by == owner).copied().collect::<Vec<_>>();
                prop_assert_eq!(of(&sent), of(&received));
            }
        }
    }
}
