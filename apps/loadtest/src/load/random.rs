//! Cheap randomness that can be repeated; nothing here is a secret.

/// A xorshift generator.
pub(crate) struct Random(u64);

impl Random {
    /// Starts a sequence; each seed has its own.
    pub(crate) fn new(seed: u64) -> Self {
        // Neighbouring seeds begin far apart, and none is zero, where the sequence would stay.
        Self(seed.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// Returns a number below `bound`, or 0 where that is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let bound = bound.max(1) as u64;
        usize::try_from((self.0 >> 11) % bound).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_below_the_bound_comes_up() {
        let mut random = Random::new(0);
        let mut seen = [0_u32; 10];
        for _ in 0..10_000 {
            seen[random.below(10)] += 1;
        }
        assert!(seen.iter().all(|count| (800..1_200).contains(count)), "{seen:?}");
    }

    #[test]
    fn seeds_do_not_share_a_sequence() {
        let numbers = |seed| {
            let mut random = Random::new(seed);
            (0..5).map(|_| random.below(1_000_000)).collect::<Vec<_>>()
        };
        assert_ne!(numbers(1), numbers(2));
        assert_eq!(numbers(7), numbers(7));
    }
}
