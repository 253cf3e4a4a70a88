//! What the payment gateway, the data platform and the buyers of coupons know.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures_util::future::join_all;
use serde_json::Value;
use uuid::Uuid;

use super::Check;
use crate::Failure;
use crate::client::Request;
use crate::load::Load;
use crate::shop::PIECES;
use crate::site::Site;

/// Lets everybody who has none ask for a piece of each coupon, and counts.
pub(super) async fn exact_coupons(site: &Site, load: &Load) -> Result<Check, Failure> {
    let mut complaints = Vec::new();
    let coupons = load.shop.coupons();
    for code in &coupons {
        let claims = load.shop.buyers.iter().enumerate().map(async |(number, user)| {
            let claim = Request::post(format!("/coupons/{code}/claim"), *user, &Value::Null);
            let claim = Request { body: None, ..claim };
            load.client.send_to(load.addrs[number % load.addrs.len()], &claim).await
        });
        for answer in join_all(claims).await {
            let code = answer.code();
            let is_well = answer.status() == Some(200)
                || matches!(code.as_deref(), Some("COUPON_SOLD_OUT" | "COUPON_ALREADY_CLAIMED"));
            if !is_well {
                complaints.push(format!("{answer:?}"));
            }
        }
        let pieces =
            "SELECT COUNT(*) FROM user_coupons u JOIN coupons c ON c.id = u.coupon_id WHERE c.code = ?";
        let issued: i64 = sqlx::query_scalar(pieces).bind(code.as_bytes()).fetch_one(&site.db).await?;
        if usize::try_from(issued) != Ok(PIECES) {
            complaints.push(format!("{issued} pieces of {code}"));
        }
    }
    let seen = format!("{} coupons, {} buyers each", coupons.len(), load.shop.buyers.len());
    Ok(Check::new("exactly 20 pieces of each coupon are issued once everybody has asked", seen, complaints))
}

/// Compares the gateway's charges with our payments: the same money for each key, less what was given back.
pub(super) async fn charges(site: &Site) -> Result<Check, Failure> {
    let url = format!("http://{}/v1/payments", site.stand_ins.addr());
    let list: Value = reqwest::get(url).await?.error_for_status()?.json().await?;
    let list = list["content"].as_array().cloned().unwrap_or_default();
    let mut theirs = BTreeMap::new();
    for charge in &list {
        let key: Uuid = charge["key"].as_str().and_then(|key| key.parse().ok()).unwrap_or_default();
        let taken = if charge["status"] == "SUCCEEDED" { cents(&charge["amount"]) } else { 0 };
        theirs.insert(key, taken - cents(&charge["refundedAmount"]));
    }
    theirs.retain(|_, amount| *amount != 0);
    let ours = "SELECT id, CAST((card_amount - card_refunds) * 100 AS SIGNED) FROM payments \
        WHERE status = 'SUCCESS' AND card_amount <> card_refunds";
    let ours: Vec<(Vec<u8>, i64)> = sqlx::query_as(ours).fetch_all(&site.db).await?;
    let ours: BTreeMap<_, _> =
        ours.into_iter().map(|(id, amount)| (Uuid::from_slice(&id).unwrap_or_default(), amount)).collect();
    let keys: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    let complaints = keys
        .into_iter()
        .filter(|key| ours.get(key) != theirs.get(key))
        .map(|key| format!("payment {key}: {:?} cents here, {:?} there", ours.get(key), theirs.get(key)));
    let complaints: Vec<_> = complaints.collect();
    let seen = format!("{} charges there, {} of them with money", list.len(), theirs.len());
    Ok(Check::new("the gateway has taken what our payments say, once each", seen, complaints))
}

fn cents(amount: &Value) -> i64 {
    let text = amount.to_string();
    let (won, cents) = text.trim_matches('"').split_once('.').unwrap_or((&text, "00"));
    won.parse::<i64>().unwrap_or_default() * 100 + format!("{cents:0<2}").parse::<i64>().unwrap_or_default()
}

/// Compares the events of the outbox with those that arrived, and looks at their order.
pub(super) async fn events(site: &Site) -> Result<Check, Failure> {
    let url = format!("http://{}/v1/events", site.stand_ins.addr());
    let answer: Value = reqwest::get(url).await?.error_for_status()?.json().await?;
    let arrived = answer["events"].as_array().cloned().unwrap_or_default();
    let ours: Vec<Vec<u8>> = sqlx::query_scalar("SELECT id FROM outbox").fetch_all(&site.db).await?;
    let ours: BTreeSet<_> = ours.iter().map(|id| Uuid::from_slice(id).unwrap_or_default()).collect();
    let id = |event: &Value| event["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_default();
    let theirs: BTreeSet<Uuid> = arrived.iter().map(id).collect();
    let mut complaints: Vec<_> =
        ours.difference(&theirs).map(|id| format!("event {id} never arrived")).collect();
    complaints.extend(theirs.difference(&ours).map(|id| format!("event {id} is of nothing")));
    let mut last: HashMap<&str, u64> = HashMap::new();
    let mut again = 0;
    for event in &arrived {
        let subject = event["subject"].as_str().unwrap_or_default();
        let sequence: u64 = event["sequence"].as_str().and_then(|text| text.parse().ok()).unwrap_or_default();
        again += event["deliveries"].as_u64().unwrap_or(1) - 1;
        let before = last.insert(subject, sequence).unwrap_or_default();
        if sequence != before + 1 {
            complaints.push(format!("{subject}: event {sequence} arrived after {before}"));
        }
    }
    let seen =
        format!("{} events of {} aggregates, {again} of them delivered again", arrived.len(), last.len());
    Ok(Check::new("every event has arrived, in the order of its aggregate", seen, complaints))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_amounts_to_the_cent() {
        for (amount, expected) in [(json!(12.5), 1_250), (json!("3.07"), 307), (json!(4), 400)] {
            assert_eq!(cents(&amount), expected, "{amount}");
        }
    }
}
