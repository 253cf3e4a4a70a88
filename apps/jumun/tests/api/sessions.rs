//! Staying logged in and logging out.

use std::sync::Arc;

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, Statement};
use serde_json::Value;
use testkit::{Scenario, TestDatabase, eventually, scenarios};

use crate::auth::{PASSWORD, UNKNOWN, log_in, log_out, refresh, refresh_token, register};
use crate::support::{Answer, Delivery, Platform, Shop};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        a_refresh_token_is_exchanged_once,
        a_refresh_token_that_is_used_again_ends_its_session,
        of_two_refreshes_at_once_one_succeeds,
        an_expired_refresh_token_is_worth_nothing,
        whoever_logs_out_ends_one_session,
        the_worker_removes_what_has_had_its_time,
    ]
}

async fn a_refresh_token_is_exchanged_once(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    register(&shop, "kim@example.com").await;
    let mut token = refresh_token(&log_in(&shop, "kim@example.com", PASSWORD).await);
    let mut seen = vec![token.clone()];
    for _ in 0..3 {
        token = refresh_token(&refresh(&shop, &token).await);
        assert!(!seen.contains(&token));
        seen.push(token.clone());
    }
    for unknown in [UNKNOWN, "", "x", &"A".repeat(100_000)] {
        let answer = refresh(&shop, unknown).await;
        answer.problem(401, "UNAUTHORIZED");
        assert!(answer.header("www-authenticate").is_some());
    }
}

async fn a_refresh_token_that_is_used_again_ends_its_session(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    register(&shop, "kim@example.com").await;
    let other = refresh_token(&log_in(&shop, "kim@example.com", PASSWORD).await);
    let first = refresh_token(&log_in(&shop, "kim@example.com", PASSWORD).await);
    let second = refresh_token(&refresh(&shop, &first).await);
    let third = refresh_token(&refresh(&shop, &second).await);
    // Whoever of the two is the thief: nobody gets any further.
    let caught = refresh(&shop, &first).await;
    let without_moment = |answer: &Answer| {
        let mut problem = answer.problem(401, "UNAUTHORIZED");
        problem["timestamp"] = Value::Null;
        problem["traceId"] = Value::Null;
        problem
    };
    for token in [&first, &second, &third] {
        let refused = refresh(&shop, token).await;
        assert_eq!(without_moment(&refused), without_moment(&caught));
    }
    refresh_token(&refresh(&shop, &other).await);
}

async fn of_two_refreshes_at_once_one_succeeds(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    register(&shop, "kim@example.com").await;
    for _ in 0..5 {
        let token = refresh_token(&log_in(&shop, "kim@example.com", PASSWORD).await);
        let twins = join_all([(); 2].map(|()| refresh(&shop, &token).into_future())).await;
        let mut statuses: Vec<_> = twins.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401], "{twins:#?}");
        // There is no grace: the second was a reuse.
        let won = twins.iter().find(|answer| answer.status == 200).unwrap();
        refresh(&shop, &refresh_token(won)).await.problem(401, "UNAUTHORIZED");
    }
}

async fn an_expired_refresh_token_is_worth_nothing(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    register(&shop, "kim@example.com").await;
    let token = refresh_token(&log_in(&shop, "kim@example.com", PASSWORD).await);
    shop.database().execute("UPDATE refresh_tokens SET expires_at = issued_at").await;
    refresh(&shop, &token).await.problem(401, "UNAUTHORIZED");
}

async fn whoever_logs_out_ends_one_session(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    register(&shop, "kim@example.com").await;
    let [first, other] = [
        refresh_token(&log_in(&shop, "kim@example.com", PASSWORD).await),
        refresh_token(&log_in(&shop, "kim@example.com", PASSWORD).await),
    ];
    let second = refresh_token(&refresh(&shop, &first).await);
    // With any token of the session, as often as one likes.
    for token in [&first, &second, &second, &UNKNOWN.to_owned(), &String::new(), &"x".repeat(10_000)] {
        assert_eq!(log_out(&shop, token).await.is(204).text, "");
    }
    for token in [&first, &second] {
        refresh(&shop, token).await.problem(401, "UNAUTHORIZED");
    }
    refresh_token(&refresh(&shop, &other).await);
}

async fn the_worker_removes_what_has_had_its_time(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    register(&shop, "kim@example.com").await;
    let ended = refresh_token(&log_in(&shop, "kim@example.com", PASSWORD).await);
    log_in(&shop, "kim@example.com", "wrong horse").await.problem(401, "UNAUTHORIZED");
    let database = shop.database();
    for change in [
        "UPDATE sessions SET expires_at = '2026-01-01 00:00:00'",
        "UPDATE refresh_tokens SET expires_at = '2026-01-01 00:00:00'",
        "UPDATE login_attempts SET attempted_at = '2026-01-01 00:00:00'",
    ] {
        database.execute(change).await;
    }
    register(&shop, "lee@example.com").await;
    let going_on = refresh_token(&log_in(&shop, "lee@example.com", PASSWORD).await);
    let platform = Platform::start();
    let delivery = Delivery::start(&shop, &platform);
    let connection = database.connect().await.unwrap();
    for (table, left) in [("login_attempts", 0), ("sessions", 1), ("refresh_tokens", 1)] {
        eventually("what has had its time is removed", || async {
            let count = format!("SELECT COUNT(*) AS n FROM {table}");
            let count = Statement::from_string(connection.get_database_backend(), count);
            let row = connection.query_one_raw(count).await.unwrap().unwrap();
            (row.try_get::<i64>("", "n").unwrap() == left).then_some(())
        })
        .await;
    }
    delivery.finish().await;
    connection.close().await.unwrap();
    refresh(&shop, &ended).await.problem(401, "UNAUTHORIZED");
    refresh_token(&refresh(&shop, &going_on).await);
}
