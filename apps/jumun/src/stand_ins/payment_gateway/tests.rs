//! The gateway as Jumun sees it: by the client that Jumun calls with, and by the notices that it is sent.

mod site;
mod wire;

use std::time::Duration;

use ::payment::{ChargeState, GatewayError, PaymentGateway as _};
use ::payment_gateway::{NoticeKind, TimeLimits};
use kernel::{Money, PaymentId};
use reqwest::StatusCode;
use serde_json::json;

use self::site::{Site, card_charge, card_refund, new_payment};

/// Short enough for a test to sit out, long enough for a busy machine.
const SHORT: TimeLimits = TimeLimits {
    connect: Duration::from_secs(10),
    total: Duration::from_millis(500),
    pause: Duration::from_secs(5),
};
const LONG: TimeLimits = TimeLimits { total: Duration::from_secs(30), ..SHORT };

fn declined(code: &str) -> ChargeState {
    ChargeState::Declined { code: code.to_owned() }
}

fn is_unknown<T>(result: &Result<T, GatewayError>) -> bool {
    matches!(result, Err(GatewayError::Unknown(_)))
}

fn is_refused<T>(result: Result<T, GatewayError>, expected: &str) -> bool {
    matches!(result, Err(GatewayError::Refused { code }) if code == expected)
}

#[tokio::test]
async fn a_card_that_settles_at_once_is_answered_found_and_told_of() {
    let site = Site::new();
    let client = site.client(LONG);
    for (token, state, kind) in [
        ("tok_ok", ChargeState::Captured, NoticeKind::Succeeded),
        ("tok_declined", declined("insufficient_funds"), NoticeKind::Failed),
        ("tok_unheard_of", declined("invalid_card"), NoticeKind::Failed),
    ] {
        let charge = card_charge(new_payment(), token);
        let answered = client.charge(&charge).await.unwrap();
        assert_eq!((&answered.state, answered.amount), (&state, charge.amount), "{token}");
        assert_eq!(client.find(charge.key, None).await.unwrap(), Some(answered.clone()), "{token}");
        let notice = site.notice_of(charge.key).await;
        assert_eq!((notice.kind, notice.charge), (kind, answered), "{token}");
    }
}

#[tokio::test]
async fn a_card_that_times_out_is_charged_and_only_asking_tells() {
    let site = Site::new();
    let charge = card_charge(new_payment(), "tok_timeout");
    for _ in 0..2 {
        assert!(is_unknown(&site.client(SHORT).charge(&charge).await));
    }
    let found = site.client(LONG).find(charge.key, None).await.unwrap().unwrap();
    assert_eq!((found.state, found.amount), (ChargeState::Captured, charge.amount));
    assert_eq!(site.charges().await.len(), 1);

    site.assert_told_of_none_but(&[site.charge_promptly().await]).await;
}

#[tokio::test]
async fn a_card_that_fails_is_not_charged_and_only_asking_tells() {
    let site = Site::new();
    let client = site.client(LONG);
    let charge = card_charge(new_payment(), "tok_error");
    for _ in 0..2 {
        assert!(is_unknown(&client.charge(&charge).await));
    }
    let found = client.find(charge.key, None).await.unwrap().unwrap();
    assert_eq!(found.state, declined("processing_error"));
    assert_eq!(site.charges().await.len(), 1);

    site.assert_told_of_none_but(&[site.charge_promptly().await]).await;
}

#[tokio::test]
async fn a_card_that_is_late_is_told_of_when_it_is_settled() {
    let site = Site::new();
    let client = site.client(LONG);
    let charge = card_charge(new_payment(), "tok_late");
    let answered = client.charge(&charge).await.unwrap();
    assert_eq!(answered.state, ChargeState::Pending);
    assert!(is_refused(client.refund(&card_refund(&answered, 1)).await, "charge_not_captured"));

    let notice = site.notice_of(charge.key).await;
    assert_eq!((notice.kind, &notice.charge.id), (NoticeKind::Succeeded, &answered.id));
    assert_eq!(client.find(charge.key, None).await.unwrap(), Some(notice.charge.clone()));
    assert_eq!(client.charge(&charge).await.unwrap(), notice.charge, "again it says what has become of it");
    site.assert_told_of_none_but(&[charge.key]).await;
}

#[tokio::test]
async fn a_charge_is_made_once_a_key() {
    let site = Site::new();
    let client = site.client(LONG);
    let charge = card_charge(new_payment(), "tok_ok");
    let first = client.charge(&charge).await.unwrap();
    assert_eq!(client.charge(&charge).await.unwrap(), first);
    let more = ::payment::CardCharge { amount: Money::won(1), ..charge.clone() };
    assert!(matches!(client.charge(&more).await, Err(GatewayError::Unknown(_))));
    assert_eq!(site.charges().await.len(), 1);

    let all: Vec<_> = (0..20).map(|_| new_payment()).collect();
    let calls = all.iter().chain(&all).map(|key| {
        let client = &client;
        async move { client.charge(&card_charge(*key, "tok_ok")).await.unwrap() }
    });
    futures_util::future::join_all(calls).await;
    assert_eq!(site.charges().await.len(), 1 + all.len());
}

#[tokio::test]
async fn a_charge_that_was_never_made_is_not_found() {
    let site = Site::new();
    assert_eq!(site.client(LONG).find(new_payment(), None).await.unwrap(), None);
}

#[tokio::test]
async fn refunds_are_made_once_a_key_and_add_up_to_the_charge() {
    let site = Site::new();
    let client = site.client(LONG);
    let charge = client.charge(&card_charge(new_payment(), "tok_ok")).await.unwrap();

    let first = card_refund(&charge, 12_000);
    for _ in 0..2 {
        client.refund(&first).await.unwrap();
    }
    assert!(is_refused(client.refund(&card_refund(&charge, 346)).await, "amount_exceeds_charge"));
    client.refund(&card_refund(&charge, 345)).await.unwrap();
    assert!(is_refused(client.refund(&card_refund(&charge, 1)).await, "amount_exceeds_charge"));

    let shown = site.get(&format!("/v1/payments/{}/refunds", charge.id)).await.1;
    let amounts: Vec<_> =
        shown.split(r#""amount":"#).skip(1).map(|rest| &rest[..rest.len().min(8)]).collect();
    assert!(amounts.len() == 2 && amounts[0] == "12000.00" && amounts[1].starts_with("345.00"), "{shown}");
    assert!(site.charges().await[0].contains(r#""refundedAmount":12345.00"#));

    let other = ::payment::CardRefund { amount: Money::won(1), ..first.clone() };
    assert!(matches!(client.refund(&other).await, Err(GatewayError::Unknown(_))));
    let nowhere = ::payment::CardRefund { charge_id: "pay_0".to_owned(), ..first };
    assert!(matches!(client.refund(&nowhere).await, Err(GatewayError::NotSent(_))));
    let declined = client.charge(&card_charge(new_payment(), "tok_declined")).await.unwrap();
    assert!(is_refused(client.refund(&card_refund(&declined, 1)).await, "charge_not_captured"));
}

#[tokio::test]
async fn a_notice_can_arrive_before_the_answer() {
    let site = Site::new();
    site.set_faults(json!({ "target": "payment-gateway", "delayMs": 600_000 })).await;
    let charge = card_charge(new_payment(), "tok_ok");
    let client = site.client(LONG);
    tokio::select! {
        answer = client.charge(&charge) => panic!("{answer:?}"),
        notice = site.notice_of(charge.key) => assert_eq!(notice.kind, NoticeKind::Succeeded),
    }
}

#[tokio::test]
async fn a_notice_is_sent_until_it_is_confirmed() {
    let site = Site::new();
    site.refuse_notices(2);
    let key: PaymentId = site.charge_promptly().await;
    site.notice_of(key).await;
    let ids = site.ids_of_notices();
    assert!(ids.len() == 3 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[tokio::test]
async fn faults_fail_instead_of_taking_money_and_leave_the_data_platform_alone() {
    let site = Site::new();
    site.set_faults(json!({ "target": "payment-gateway", "errorRate": 1, "status": 503 })).await;
    let client = site.client(LONG);
    let charge = card_charge(new_payment(), "tok_ok");
    assert!(is_unknown(&client.charge(&charge).await));
    assert!(is_unknown(&client.find(charge.key, None).await));
    assert!(site.charges().await.is_empty());
    assert_eq!(site.post_event().await, StatusCode::OK);

    site.set_faults(json!({ "target": "data-platform", "errorRate": 1, "status": 503 })).await;
    site.set_faults(json!({ "target": "payment-gateway" })).await;
    client.charge(&charge).await.unwrap();
    assert_eq!(site.post_event().await, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn a_caller_that_gives_up_during_a_delay_has_paid_all_the_same() {
    let site = Site::new();
    site.set_faults(json!({ "delayMs": 600_000 })).await;
    let charge = card_charge(new_payment(), "tok_ok");
    assert!(is_unknown(&site.client(SHORT).charge(&charge).await));
    site.set_faults(json!({})).await;
    let found = site.client(LONG).find(charge.key, None).await.unwrap().unwrap();
    assert_eq!(found.state, ChargeState::Captured);
}
