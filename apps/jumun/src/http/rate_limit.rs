//! Rate limits: so many requests a caller in a while, and so many attempts to come in from an address.

use std::hash::Hash;
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
use super::origin::origin;
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
/// Where they do so by a password.
const LOGIN: &str = "/api/v1/auth/login";

/// Counts by the generic cell rate algorithm.
struct Limit<K: Clone + Eq + Hash> {
    name: &'static str,
    limiter: DefaultKeyedRateLimiter<K>,
    quota: Quota,
}

impl<K: Clone + Eq + Hash> Limit<K> {
    fn new(name: &'static str, count: NonZeroU32, period: Duration) -> Option<Self> {
        let quota = Quota::with_period(period / count.get())?.allow_burst(count);
        Some(Self { name, limiter: DefaultKeyedRateLimiter::dashmap(quota), quota })
    }

    fn check(&self, key: &K) -> Result<(), Problem> {
        self.limiter.check_key(key).map_err(|early| {
            let wait = early.wait_time_from(DefaultClock::default().now());
            let seconds = (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1);
            let (name, burst) = (self.name, self.quota.burst_size());
            let window = (self.quota.replenish_interval() * burst.get()).as_secs().max(1);
            let policy = format!("\"{name}\";q={burst};w={window}");
            Problem::too_many_requests(seconds, &policy, &format!("\"{name}\";r=0;t={seconds}"))
        })
    }
}

/// Counts the requests of each caller, and from each address the attempts to log in and to register.
#[derive(Default)]
pub struct RateLimiter {
    callers: Option<Limit<Source>>,
    sign_ins: Option<Limit<Option<IpAddr>>>,
    proxies: u32,
}

impl RateLimiter {
    /// Allows each caller `count` requests at once and so many again in each `period`; `None` for a period of
    /// zero.
    pub fn new(count: NonZeroU32, period: Duration) -> Option<Self> {
        Some(Self { callers: Some(Limit::new("caller", count, period)?), ..Self::default() })
    }

    /// Allows each address `count` attempts to log in or to register at once and so many again in each `period`,
    /// whoever it says to be: passwords are guessed by trying few on many.
    #[must_use]
    pub fn with_sign_ins(self, count: NonZeroU32, period: Duration) -> Self {
        Self { sign_ins: Limit::new("sign-in", count, period), ..self }
    }

    /// Takes the word of so many proxies in front for the address that a request comes from.
    #[must_use]
    pub fn behind(self, proxies: u32) -> Self {
        Self { proxies, ..self }
    }

    /// Forgets callers who have been quiet.
    pub fn forget_the_quiet(&self) {
        if let Some(callers) = &self.callers {
            callers.limiter.retain_recent();
        }
        if let Some(sign_ins) = &self.sign_ins {
            sign_ins.limiter.retain_recent();
        }
    }

    fn check(&self, request: &ServiceRequest, named: Option<UserId>) -> Result<(), Problem> {
        // As routes are found: `/auth/log%69n` is where one logs in.
        let path = request.match_info().as_str();
        // Where nobody has to be known, a name in a header is no name.
        let registers = path == REGISTRATION && request.method() == Method::POST;
        let open = registers || path.starts_with(SIGN_IN);
        let address = origin(request, self.proxies);
        if let Some(callers) = &self.callers {
            callers.check(&match (named.filter(|_| !open), address) {
                (Some(user), _) => Source::User(user),
                (None, Some(address)) => Source::Address(address),
                (None, None) => Source::Unknown,
            })?;
        }
        match &self.sign_ins {
            Some(sign_ins) if registers || path == LOGIN => sign_ins.check(&address),
            _ => Ok(()),
        }
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
