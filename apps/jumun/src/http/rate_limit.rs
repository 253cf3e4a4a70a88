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
use kernel::UserId;

use super::caller::named;
use super::problem::Problem;

/// Whom a limit counts: the caller whom a request names in the way that is in force, a token verified and
/// a header believed, or the address it comes from. So nobody gets a new limit by a name that counts for
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Source {
    User(UserId),
    Address(IpAddr),
    Unknown,
}

/// Where anybody may become a user.
const REGISTRATION: &str = "/api/v1/users";
/// Where users show who they are.
const SIGN_IN: &str = "/api/v1/auth/";

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

    fn check(&self, request: &ServiceRequest, named: Option<UserId>) -> Result<(), Problem> {
        // Where nobody has to be known, a name in a header is no name.
        let registers = request.path() == REGISTRATION && request.method() == Method::POST;
        let open = registers || request.path().starts_with(SIGN_IN);
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
    let named = named(&request);
    if let Some(limiter) = request.app_data::<web::Data<RateLimiter>>() {
        limiter.check(&request, named)?;
    }
    next.call(request).await
}
