//! Faults that can be switched on while stand-ins run: `PUT /v1/faults`.
//!
//! `{errorRate, delayMs, status, retryAfter}` sets those of all stand-ins, with `target: "data-platform"`
//! or `"payment-gateway"` those of one. `GET` shows them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::RETRY_AFTER;
use actix_web::{HttpResponse, Resource, web};
use kernel::IdGenerator;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// How a stand-in misbehaves; not at all by default.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Faults {
    /// Which share of the requests fails, 0 to 1.
    error_rate: f64,
    /// How long an answer is held back, whether good or bad, in milliseconds.
    delay_ms: u64,
    /// The HTTP status of a failure.
    status: u16,
    /// What a failure asks the caller to wait, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u32>,
}

impl Default for Faults {
    fn default() -> Self {
        Self { error_rate: 0.0, delay_ms: 0, status: 500, retry_after: None }
    }
}

/// Which stand-in misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Target {
    DataPlatform,
    PaymentGateway,
}

impl Faults {
    /// Reads faults from JSON, and whose they are, if not everybody's; what is not mentioned is as by
    /// default.
    fn parse(json: &[u8]) -> Result<(Option<Target>, Self), String> {
        let (target, faults) = Self::read(json).map_err(|error| error.to_string())?;
        for (holds, rule) in [
            ((0.0..=1.0).contains(&faults.error_rate), "errorRate must be between 0 and 1"),
            (faults.delay_ms <= 600_000, "delayMs must be at most 600000"),
            ((300..=599).contains(&faults.status), "status must be between 300 and 599"),
            (faults.retry_after.is_none_or(|seconds| seconds <= 86_400), "retryAfter must be at most 86400"),
        ] {
            if !holds {
                return Err(rule.to_owned());
            }
        }
        Ok((target, faults))
    }

    fn read(json: &[u8]) -> serde_json::Result<(Option<Target>, Self)> {
        let mut members: Map<String, Value> = serde_json::from_slice(json)?;
        let target = members.remove("target").map(serde_json::from_value).transpose()?;
        Ok((target, serde_json::from_value(Value::Object(members))?))
    }

    fn fails(&self, ids: &dyn IdGenerator) -> bool {
        let mut bytes = [0; 4];
        ids.fill_random(&mut bytes);
        f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0) < self.error_rate
    }

    fn failure(&self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        if let Some(seconds) = self.retry_after {
            response.insert_header((RETRY_AFTER, seconds));
        }
        response.json(json!({ "error": "this failure was asked for" }))
    }
}

/// The faults of one stand-in, shared by its workers.
#[derive(Clone)]
pub(super) struct FaultSwitch {
    current: Arc<Mutex<Faults>>,
    ids: Arc<dyn IdGenerator>,
}

impl FaultSwitch {
    /// Begins without faults; `ids` chooses the requests that fail.
    pub(super) fn new(ids: Arc<dyn IdGenerator>) -> Self {
        Self { current: Arc::default(), ids }
    }

    /// Answers a request by `work`, or fails in its place, as the faults of the moment say.
    ///
    /// A delay holds back the answer and not the work: to a caller that gives up in between, the answer
    /// is lost on its way back.
    pub(super) async fn around(&self, work: impl FnOnce() -> HttpResponse) -> HttpResponse {
        let faults = *self.current();
        let answer = if faults.fails(&*self.ids) { faults.failure() } else { work() };
        if faults.delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(faults.delay_ms)).await;
        }
        answer
    }

    fn current(&self) -> MutexGuard<'_, Faults> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The switches of all stand-ins.
#[derive(Clone)]
pub(super) struct Switchboard {
    /// Those of the data platform.
    pub(super) data_platform: FaultSwitch,
    /// Those of the payment gateway.
    pub(super) payment_gateway: FaultSwitch,
}

impl Switchboard {
    /// Returns the endpoint that shows and sets the faults.
    pub(super) fn resource(self) -> Resource {
        web::resource("/v1/faults")
            .app_data(web::Data::new(self))
            .route(web::get().to(show))
            .route(web::put().to(set))
    }

    fn set(&self, target: Option<Target>, faults: Faults) {
        for (name, switch) in
            [(Target::DataPlatform, &self.data_platform), (Target::PaymentGateway, &self.payment_gateway)]
        {
            if target.is_none_or(|target| target == name) {
                *switch.current() = faults;
            }
        }
    }

    fn to_json(&self) -> Value {
        let [data_platform, payment_gateway] =
            [&self.data_platform, &self.payment_gateway].map(|switch| *switch.current());
        json!({ "data-platform": data_platform, "payment-gateway": payment_gateway })
    }
}

async fn show(switches: web::Data<Switchboard>) -> HttpResponse {
    HttpResponse::Ok().json(switches.to_json())
}

/// Takes the body whatever its content type says, so that `curl -d` will do.
async fn set(switches: web::Data<Switchboard>, body: web::Bytes) -> HttpResponse {
    match Faults::parse(&body) {
        Ok((target, faults)) => {
            tracing::info!(?target, ?faults, "stand-ins change their faults");
            switches.set(target, faults);
            HttpResponse::Ok().json(switches.to_json())
        }
        Err(error) => HttpResponse::BadRequest().json(json!({ "error": error })),
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    /// Always draws the same number.
    struct Loaded(u32);

    impl IdGenerator for Loaded {
        fn uuid(&self) -> Uuid {
            Uuid::nil()
        }

        fn fill_random(&self, bytes: &mut [u8]) {
            bytes.copy_from_slice(&self.0.to_le_bytes());
        }
    }

    #[test]
    fn the_error_rate_is_the_share_of_the_draws_that_fail() {
        let fails = |rate: &str, draw| {
            Faults::parse(format!(r#"{{"errorRate":{rate}}}"#).as_bytes()).unwrap().1.fails(&Loaded(draw))
        };
        assert!(!fails("0", 0) && !fails("0.0", u32::MAX));
        assert!(fails("1", 0) && fails("1.0", u32::MAX));
        assert!(fails("0.25", (1 << 30) - 1) && !fails("0.25", 1 << 30));
    }

    #[test]
    fn what_is_not_mentioned_is_as_by_default() {
        let (target, given) = Faults::parse(b"{}").unwrap();
        assert_eq!(target, None);
        assert_eq!(serde_json::to_string(&given).unwrap(), r#"{"errorRate":0.0,"delayMs":0,"status":500}"#);
    }

    #[test]
    fn faults_are_those_of_one_stand_in_or_of_all() {
        let ids: Arc<dyn IdGenerator> = Arc::new(Loaded(0));
        let [data_platform, payment_gateway] = [FaultSwitch::new(ids.clone()), FaultSwitch::new(ids)];
        let switches = Switchboard { data_platform, payment_gateway };
        for (json, expected) in [
            (r#"{"target":"payment-gateway","delayMs":1}"#, (0, 1)),
            (r#"{"target":"data-platform","delayMs":2}"#, (2, 1)),
            (r#"{"delayMs":3}"#, (3, 3)),
            (r#"{"target":"payment-gateway"}"#, (3, 0)),
        ] {
            let (target, faults) = Faults::parse(json.as_bytes()).unwrap();
            switches.set(target, faults);
            let shown = switches.to_json();
            assert_eq!(shown["data-platform"]["delayMs"], expected.0, "{json}");
            assert_eq!(shown["payment-gateway"]["delayMs"], expected.1, "{json}");
        }
    }

    #[test]
    fn values_out_of_range_and_unknown_members_are_refused() {
        for (json, reason) in [
            (r#"{"errorRate":1.01}"#, "errorRate must be"),
            (r#"{"errorRate":-0.1}"#, "errorRate must be"),
            (r#"{"delayMs":600001}"#, "delayMs must be"),
            (r#"{"delayMs":-1}"#, "invalid value"),
            (r#"{"status":200}"#, "status must be"),
            (r#"{"status":600}"#, "status must be"),
            (r#"{"retryAfter":86401}"#, "retryAfter must be"),
            (r#"{"errorrate":1}"#, "unknown field"),
            (r#"{"target":"gateway"}"#, "unknown variant"),
            ("[]", "invalid type"),
        ] {
            let error = Faults::parse(json.as_bytes()).unwrap_err();
            assert!(error.starts_with(reason), "{json}: {error}");
        }
    }
}
