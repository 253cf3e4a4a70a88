//! The counter of views.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use kernel::{IdGenerator, ProductId};
use local::SystemIds;
use ranking::{DailyViews, ViewBatch, ViewBatchId, ViewCounter};
use tokio::task::JoinSet;

use crate::{Scenario, SharedAdapters, scenarios};

pub(crate) fn suite() -> Vec<Scenario<dyn SharedAdapters>> {
    scenarios![
        nothing_counted_is_nothing_taken,
        what_is_added_adds_up,
        days_and_products_are_counted_apart_and_ascending,
        a_batch_is_taken_again_until_it_is_confirmed,
        what_is_added_after_a_batch_is_in_the_next_one,
        confirming_another_batch_does_nothing,
        nothing_is_lost_or_counted_twice_while_many_add,
        a_count_has_an_end_and_does_not_begin_anew,
    ]
}

fn day(number: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 7, number).unwrap()
}

fn product() -> ProductId {
    ProductId::from_uuid(SystemIds.uuid())
}

fn views(number: u32, product_id: ProductId, count: u32) -> DailyViews {
    DailyViews { day: day(number), product_id, count }
}

async fn take(counter: &Arc<dyn ViewCounter>) -> ViewBatch {
    counter.take().await.unwrap().expect("a batch")
}

async fn nothing_counted_is_nothing_taken(adapters: Arc<dyn SharedAdapters>) {
    let counter = adapters.views();
    assert_eq!(counter.take().await.unwrap(), None);
    counter.add(&[]).await.unwrap();
    assert_eq!(counter.take().await.unwrap(), None);
    counter.confirm(ViewBatchId::from_uuid(SystemIds.uuid())).await.unwrap();
}

async fn what_is_added_adds_up(adapters: Arc<dyn SharedAdapters>) {
    let (mine, theirs) = (adapters.views(), adapters.views());
    let product = product();
    mine.add(&[views(1, product, 1), views(1, product, 2)]).await.unwrap();
    theirs.add(&[views(1, product, 4)]).await.unwrap();
    assert_eq!(take(&mine).await.views, [views(1, product, 7)]);
}

async fn days_and_products_are_counted_apart_and_ascending(adapters: Arc<dyn SharedAdapters>) {
    let counter = adapters.views();
    let mut expected = Vec::new();
    for number in 1..=20 {
        for count in 1..=20 {
            expected.push(views(number, product(), count));
        }
    }
    let mut shuffled = expected.clone();
    shuffled.sort_by_key(|views| (views.count, std::cmp::Reverse(views.day)));
    counter.add(&shuffled).await.unwrap();
    expected.sort();
    assert_eq!(take(&counter).await.views, expected);
}

async fn a_batch_is_taken_again_until_it_is_confirmed(adapters: Arc<dyn SharedAdapters>) {
    let (mine, theirs) = (adapters.views(), adapters.views());
    mine.add(&[views(1, product(), 3)]).await.unwrap();
    let batch = take(&mine).await;
    for counter in [&theirs, &mine] {
        assert_eq!(take(counter).await, batch);
    }
    for counter in [&theirs, &mine] {
        counter.confirm(batch.id).await.unwrap();
        assert_eq!(counter.take().await.unwrap(), None);
    }
}

async fn what_is_added_after_a_batch_is_in_the_next_one(adapters: Arc<dyn SharedAdapters>) {
    let counter = adapters.views();
    let product = product();
    counter.add(&[views(1, product, 3)]).await.unwrap();
    let batch = take(&counter).await;
    counter.add(&[views(1, product, 4)]).await.unwrap();
    assert_eq!(take(&counter).await, batch);
    counter.confirm(batch.id).await.unwrap();
    let next = take(&counter).await;
    assert_ne!(next.id, batch.id);
    assert_eq!(next.views, [views(1, product, 4)]);
}

async fn confirming_another_batch_does_nothing(adapters: Arc<dyn SharedAdapters>) {
    let counter = adapters.views();
    counter.add(&[views(1, product(), 3)]).await.unwrap();
    let first = take(&counter).await;
    counter.confirm(ViewBatchId::from_uuid(SystemIds.uuid())).await.unwrap();
    assert_eq!(take(&counter).await, first);
    counter.confirm(first.id).await.unwrap();
    counter.add(&[views(2, product(), 5)]).await.unwrap();
    let second = take(&counter).await;
    counter.confirm(first.id).await.unwrap();
    assert_eq!(take(&counter).await, second);
}

async fn nothing_is_lost_or_counted_twice_while_many_add(adapters: Arc<dyn SharedAdapters>) {
    let products = [product(), product(), product()];
    let mut adding = JoinSet::new();
    for _ in 0..8 {
        let counter = adapters.views();
        adding.spawn(async move {
            for _ in 0..50 {
                counter.add(&products.map(|product| views(1, product, 1))).await.unwrap();
            }
        });
    }
    let mut stored = BTreeMap::new();
    let (mut sum, mut last) = (0, None);
    let counter = adapters.views();
    loop {
        let is_done = adding.try_join_next().is_none() && adding.is_empty();
        match counter.take().await.unwrap() {
            Some(batch) => {
                assert_ne!(last, Some(batch.id), "a confirmed batch is gone");
                for views in &batch.views {
                    *stored.entry(views.product_id).or_insert(0) += views.count;
                    sum += views.count;
                }
                counter.confirm(batch.id).await.unwrap();
                last = Some(batch.id);
            }
            None if is_done => break,
            None => tokio::task::yield_now().await,
        }
    }
    assert_eq!(stored, products.map(|product| (product, 400)).into(), "{sum} in all");
}

async fn a_count_has_an_end_and_does_not_begin_anew(adapters: Arc<dyn SharedAdapters>) {
    let counter = adapters.views();
    let product = product();
    for count in [u32::MAX - 1, 1, 1, u32::MAX] {
        counter.add(&[views(1, product, count)]).await.unwrap();
    }
    assert_eq!(take(&counter).await.views, [views(1, product, u32::MAX)]);
}
