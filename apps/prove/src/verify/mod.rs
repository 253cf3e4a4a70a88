//! What must hold once everything is well again and nothing is under way.

mod books;
mod effects;
mod hygiene;
mod peers;
mod replays;

use std::time::{Duration, Instant};

use crate::Failure;
use crate::drill::say;
use crate::load::Load;
use crate::site::Site;

/// How long it may take until nothing is under way: a payment of which the gateway knows nothing is given up
/// after 30 s, and each is asked for within a minute; and what an instance did whose clock was five minutes
/// ahead is due that much later.
const QUIET: Duration = Duration::from_mins(7);

/// Something that was looked at.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    /// What must hold.
    pub(crate) holds: &'static str,
    /// What was looked at.
    pub(crate) seen: String,
    /// What breaks it; nothing if it holds.
    pub(crate) complaints: Vec<String>,
}

impl Check {
    /// Makes one.
    pub(crate) const fn new(holds: &'static str, seen: String, complaints: Vec<String>) -> Self {
        Self { holds, seen, complaints }
    }
}

/// Waits for quiet, and looks at everything.
pub(crate) async fn all(site: &Site, load: &Load) -> Result<Vec<Check>, Failure> {
    let mut checks = vec![quiet(site).await?];
    say("asking again for everything that was asked for");
    let before = effects::Found::read(site).await?;
    let replays = replays::settle(load).await;
    checks.push(quiet(site).await?);
    let after = effects::Found::read(site).await?;
    checks.extend(effects::check(load, &before, &after, &replays));
    checks.push(replays.check());
    checks.push(peers::exact_coupons(site, load).await?);
    checks.push(quiet(site).await?);
    say("comparing with what the others know");
    checks.push(peers::charges(site).await?);
    checks.push(peers::events(site).await?);
    checks.push(books::same_answers(site, load).await?);
    checks.push(books::audit(site).await?);
    checks.push(hygiene::answers(load));
    checks.push(hygiene::pools(site, load).await?);
    checks.push(hygiene::database(site).await?);
    checks.push(hygiene::memory(site));
    checks.push(hygiene::logs(site)?);
    Ok(checks)
}

/// Waits until no event, payment and refund is under way.
async fn quiet(site: &Site) -> Result<Check, Failure> {
    const UNDER_WAY: &str = "SELECT (SELECT COUNT(*) FROM outbox WHERE status <> 'SENT') AS events, \
        (SELECT COUNT(*) FROM payments WHERE status = 'PENDING') AS payments, \
        (SELECT COUNT(*) FROM refunds WHERE status = 'PENDING') AS refunds";
    let begun = Instant::now();
    loop {
        let [events, payments, refunds]: [i64; 3] =
            sqlx::query_as::<_, (i64, i64, i64)>(UNDER_WAY).fetch_one(&site.db).await?.into();
        let complaints = if events + payments + refunds == 0 {
            Vec::new()
        } else if begun.elapsed() > QUIET {
            vec![format!("still {events} events, {payments} payments and {refunds} refunds")]
        } else {
            tokio::time::sleep(Duration::from_millis(200)).await;
            continue;
        };
        let seen = format!("after {:.0?}", begun.elapsed());
        return Ok(Check::new(
            "every event is delivered, every payment and refund settled",
            seen,
            complaints,
        ));
    }
}
