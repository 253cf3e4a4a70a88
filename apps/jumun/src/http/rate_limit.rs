//! Rate limits: so many requests a caller in a while.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, web};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use uuid::Uuid;

use super::caller::USER_ID;
use super::problem::Problem;

/// Whom a limit counts: the caller a request names, or the address it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Source {
    User(Uuid),
    Address(IpAddr),
    Unknown,
}

/// Where anybody may become a user.
const REGISTRATION: &str = "/api/v1/users";

/// Counts the requests of each caller by the generic cell rate algorithm.
pub struct RateLimiter {
    limiter: DefaultKeyedRateLimiter<Source>,
    quota: Quota,
}

impl RateLimiter {
    /// Allows `count` requests at once and so many again in each `period`; `None` for a period of zero.
    pub fn new(count: NonZeroU32, period: Duration) -> Option<Self> {
        let quota = Quota::with_period(period / count.get())?.allow_burst(count);
        Some(Self { limiter: DefaultKeyedRateLimiter::dashmap(quota), quota })
    }

    /// Forgets callers who have been quiet.
    pub fn forget_the_quiet(&self) {
        self.limiter.retain_recent();
    }

    fn check(&self, request: &ServiceRequest) -> Result<(), Problem> {
        let named = request.headers().get(USER_ID).and_then(|id| Uuid::try_parse(id.to_str().ok()?).ok());
        // Where nobody has to be known, a name in a header is no name.
        let open = request.path() == REGISTRATION && request.method() == Method::POST;
        let source = match (named.filter(|_| !open), request.peer_addr()) {
            (Some(user), _) => Source::User(user),
            (None, Some(peer)) => Source::Address(peer.ip()),
            (None, None) => Source::Unknown,
        };
        self.limiter.check_key(&source).map_err(|early| {
            let wait = early.wait_time_from(DefaultClock::default().now());
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            let burst = self.quota.burst_size();
            let window = (self.quota.replenish_interval() * burst.get()).as_secs().max(1);
            let policy = format!("\"caller\";q={burst};w={window}");
            let state = format!("\"caller\";r=0;t={}", seconds.max(1));
            Problem::too_many_requests(seconds.max(1), &policy, &state)
        })
    }
}

/// Refuses requests of callers who ask too often, before anything else is done for them.
pub(crate) async fn limit(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if let Some(limiter) = request.app_data::<web::Data<RateLimiter>>() {
        limiter.check(&request)?;
    }
    next.call(request).await
}
