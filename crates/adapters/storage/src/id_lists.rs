//! Lists of ids in statements of few shapes.

use std::collections::BTreeSet;

use uuid::Uuid;

/// How many ids one statement names at most.
const LONGEST: usize = 1_024;

/// Cuts a set of ids into lists for `IN`, each as long as a power of two: the last id is repeated to fill
/// it. A statement that is prepared for each length there is would fill the server's memory of them; like
/// this there are eleven.
pub(crate) fn id_lists(ids: impl IntoIterator<Item = Uuid>) -> Vec<Vec<Uuid>> {
    let ids: Vec<Uuid> = ids.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    ids.chunks(LONGEST).map(|list| filled_up(list.to_vec(), list.len().next_power_of_two())).collect()
}

/// Fills a list up to a length, by naming the last one again.
pub(crate) fn filled_up<T: Clone>(mut list: Vec<T>, length: usize) -> Vec<T> {
    if let Some(last) = list.last().cloned() {
        list.resize(length, last);
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_have_few_lengths_and_name_every_id() {
        for count in [0, 1, 2, 3, 20, 64, 65, 1_024, 1_025, 2_500] {
            let ids: BTreeSet<Uuid> = (0..count).map(Uuid::from_u128).collect();
            let lists = id_lists(ids.iter().copied().chain(ids.iter().copied()));
            assert!(
                lists.iter().all(|list| list.len().is_power_of_two() && list.len() <= LONGEST),
                "{count}"
            );
            assert_eq!(lists.into_iter().flatten().collect::<BTreeSet<_>>(), ids, "{count}");
        }
    }
}
