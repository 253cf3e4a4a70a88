//! The books themselves, and that every instance shows the same.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use uuid::Uuid;

use super::Check;
use crate::Failure;
use crate::client::Request;
use crate::load::Load;
use crate::site::Site;

/// Runs `jumun audit`.
pub(super) async fn audit(site: &Site) -> Result<Check, Failure> {
    let complaints = site.audit().await?;
    Ok(Check::new("the books balance", "jumun audit".to_owned(), complaints))
}

/// Asks every instance for the same things.
pub(super) async fn same_answers(site: &Site, load: &Load) -> Result<Check, Failure> {
    let newest = "SELECT user_id, id FROM orders ORDER BY id DESC LIMIT 60";
    let orders: Vec<(Vec<u8>, Vec<u8>)> = sqlx::query_as(newest).fetch_all(&site.db).await?;
    let id = |bytes: &[u8]| Uuid::from_slice(bytes).unwrap_or_default();
    let mut requests: Vec<_> =
        orders.iter().map(|(user, order)| Request::get(format!("/orders/{}", id(order)), id(user))).collect();
    requests.extend(load.shop.buyers.iter().map(|user| Request::get("/wallets", *user)));
    requests
        .extend(load.shop.coupons().iter().map(|code| Request::get(format!("/coupons/{code}"), Uuid::nil())));
    let mut complaints = Vec::new();
    for request in &requests {
        let answers = load.addrs.iter().map(|addr| load.client.send_to(*addr, request));
        let answers = join_all(answers).await;
        let different: BTreeSet<_> = answers.iter().map(|answer| format!("{answer:?}")).collect();
        if different.len() != 1 || answers[0].status() != Some(200) {
            complaints.push(format!("{}: {different:?}", request.path));
        }
    }
    let seen = format!("{} orders, wallets and coupons", requests.len());
    Ok(Check::new("every instance gives the same answer", seen, complaints))
}
