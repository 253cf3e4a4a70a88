//! The score of a product, and the order that follows from it.

use std::cmp::Reverse;
use std::fmt;

use kernel::ProductId;
use serde::ser::Error as _;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// How many places of a published ranking are shown.
pub const SHOWN: usize = 10;
/// How many places are computed: the later ones move up when a product is taken off sale.
pub const RANKED: usize = 30;

/// How often a product was sold and looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Popularity {
    /// The product.
    pub product_id: ProductId,
    /// How many pieces were sold.
    pub sold: u64,
    /// How often it was looked at.
    pub views: u64,
}

/// Sold × 0.7 + views × 0.3, exactly: a count of tenths. In JSON it is a number with one decimal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Score(u64);

impl Score {
    /// Weighs sales and views. Counts beyond 10^18 all weigh the same.
    pub const fn of(sold: u64, views: u64) -> Self {
        Self(sold.saturating_mul(7).saturating_add(views.saturating_mul(3)))
    }

    /// Returns the score in tenths.
    pub const fn tenths(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

impl Serialize for Score {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // As text, for a float would not hold every count of tenths.
        RawValue::from_string(self.to_string()).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl Popularity {
    /// Returns the score.
    pub const fn score(&self) -> Score {
        Score::of(self.sold, self.views)
    }
}

/// A product at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RankedProduct {
    /// The place, from 1.
    pub place: u32,
    /// The product and what it was ranked by.
    pub popularity: Popularity,
}

/// Ranks products: by score, then by pieces sold, the higher first, then by id. Products that were
/// neither sold nor looked at have no place, and there are [`RANKED`] places at the most.
pub fn rank(mut counts: Vec<Popularity>) -> Vec<RankedProduct> {
    counts.retain(|count| count.score() > Score::of(0, 0));
    counts.sort_unstable_by_key(|count| (Reverse(count.score()), Reverse(count.sold), count.product_id));
    counts.truncate(RANKED);
    (1..).zip(counts).map(|(place, popularity)| RankedProduct { place, popularity }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    fn count(id: u128, sold: u64, views: u64) -> Popularity {
        Popularity { product_id: ProductId::from_uuid(Uuid::from_u128(id)), sold, views }
    }

    #[test]
    fn a_score_is_exact_and_has_one_decimal() {
        for (sold, views, shown) in [
            (0, 0, "0.0"),
            (1, 0, "0.7"),
            (0, 1, "0.3"),
            (1, 1, "1.0"),
            (3, 7, "4.2"),
            (10, 0, "7.0"),
            (1_234_567_890_123_456, 1, "864197523086419.5"),
        ] {
            assert_eq!(serde_json::to_string(&Score::of(sold, views)).unwrap(), shown);
        }
    }

    #[test]
    fn equal_scores_are_ordered_by_sales_and_then_by_id() {
        // 3 sold weigh as much as 7 views.
        let ranking =
            rank(vec![count(4, 0, 7), count(3, 3, 0), count(2, 3, 0), count(1, 0, 0), count(5, 9, 9)]);
        let order: Vec<_> =
            ranking.iter().map(|ranked| ranked.popularity.product_id.as_uuid().as_u128()).collect();
        assert_eq!(order, [5, 2, 3, 4]);
        assert_eq!(ranking.iter().map(|ranked| ranked.place).collect::<Vec<_>>(), [1, 2, 3, 4]);
    }

    fn counts() -> impl Strategy<Value = Vec<Popularity>> {
        // Small counts, so that equal scores are common.
        prop::collection::btree_map(0..200_u128, (0..12_u64, 0..12_u64), 0..120)
            .prop_map(|map| map.into_iter().map(|(id, (sold, views))| count(id, sold, views)).collect())
    }

    proptest! {
        #[test]
        fn the_order_of_the_counts_does_not_matter(counts in counts(), seed in any::<u64>()) {
            let mut shuffled = counts.clone();
            let len = shuffled.len() as u64;
            for index in 0..shuffled.len() {
                let other = seed.rotate_left(u32::try_from(index % 64).unwrap()) % len;
                shuffled.swap(index, usize::try_from(other).unwrap());
            }
            prop_assert_eq!(rank(counts), rank(shuffled));
        }

        #[test]
        fn nobody_without_a_place_beats_somebody_with_one(counts in counts()) {
            let ranking = rank(counts.clone());
            prop_assert!(ranking.len() <= RANKED);
            for pair in ranking.windows(2) {
                prop_assert!(before(&pair[0].popularity, &pair[1].popularity));
                prop_assert_eq!(pair[0].place + 1, pair[1].place);
            }
            for other in counts {
                let placed = ranking.iter().any(|ranked| ranked.popularity == other);
                let beaten = ranking.last().is_some_and(|last| before(&last.popularity, &other));
                prop_assert!(placed || (ranking.len() == RANKED && beaten) || (other.sold, other.views) == (0, 0));
            }
        }

        #[test]
        fn the_score_is_the_weighted_sum(sold in 0..1_u64 << 40, views in 0..1_u64 << 40) {
            let exact = u128::from(sold) * 7 + u128::from(views) * 3;
            prop_assert_eq!(u128::from(Score::of(sold, views).tenths()), exact);
            prop_assert!(Score::of(sold, views) < Score::of(sold + 1, views));
            prop_assert!(Score::of(sold, views) < Score::of(sold, views + 1));
        }
    }

    /// The rule, written down once more.
    fn before(a: &Popularity, b: &Popularity) -> bool {
        let score = |p: &Popularity| 7 * p.sold + 3 * p.views;
        score(a) > score(b)
            || score(a) == score(b) && (a.sold > b.sold || a.sold == b.sold && a.product_id < b.product_id)
    }
}
