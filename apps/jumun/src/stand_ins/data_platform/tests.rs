//! The platform as its callers see it: over its routes, and by the client that Jumun sends with.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ::data_platform::{DataPlatformClient, TimeLimits};
use actix_web::App;
use actix_web::dev::ServerHandle;
use actix_web::test::{TestRequest, call_service, init_service};
use checkout::outbox::{DeliveryError, EventSink};
use kernel::{DomainEvent, EventId, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use super::super::payment_gateway::PaymentGateway;
use super::super::{StandIns, start};
use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_timestamp(1_762_691_696, 0).unwrap()
    }
}

/// Draws the least and the greatest number in turns: at a rate of a half every other request fails.
#[derive(Default)]
struct Alternating(AtomicU32);

impl IdGenerator for Alternating {
    fn uuid(&self) -> Uuid {
        Uuid::nil()
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        let odd = self.0.fetch_add(1, Ordering::Relaxed) % 2 == 1;
        bytes.fill(if odd { 0xff } else { 0 });
    }
}

fn platform(secret: Option<&str>) -> DataPlatform {
    let secret = secret.map(SecretString::from);
    DataPlatform::new(secret.as_ref(), Arc::new(FixedClock), Arc::new(Alternating::default())).unwrap()
}

/// A platform on a port of its own, stopped when it is dropped.
struct Running {
    base: Url,
    server: ServerHandle,
    http: reqwest::Client,
}

impl Running {
    /// Starts a platform that takes any event.
    fn open() -> Self {
        Self::start(None)
    }

    /// Starts a platform that takes signed events only.
    fn signed() -> Self {
        Self::start(Some(SECRET))
    }

    fn start(secret: Option<&str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let gateway = PaymentGateway::new(
            &SecretString::from(SECRET),
            None,
            Arc::new(FixedClock),
            Arc::new(Alternating::default()),
        );
        let stand_ins = StandIns { data_platform: platform(secret), payment_gateway: gateway.unwrap() };
        let server = start(listener, stand_ins).unwrap();
        let handle = server.handle();
        tokio::spawn(server);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { base, server: handle, http }
    }

    async fn call(&self, method: Method, path: &str, body: &str) -> (StatusCode, String) {
        let url = self.base.join(path).unwrap();
        let response = self.http.request(method, url).body(body.to_owned()).send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    async fn post(&self, event: &str) -> (StatusCode, String) {
        self.call(Method::POST, "/v1/events", event).await
    }

    async fn list(&self, query: &str) -> String {
        let (status, body) = self.call(Method::GET, &format!("/v1/events{query}"), "").await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body
    }

    /// Returns the ids of the events that a query lists.
    async fn ids(&self, query: &str) -> Vec<String> {
        let list: Value = serde_json::from_str(&self.list(query).await).unwrap();
        let events = list["events"].as_array().unwrap();
        events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
    }

    async fn set_faults(&self, faults: &str) {
        let (status, body) = self.call(Method::PUT, "/v1/faults", faults).await;
        assert_eq!(status, StatusCode::OK, "{body}");
    }

    fn client(&self, total: Duration) -> DataPlatformClient {
        let limits = TimeLimits { total, ..TimeLimits::default() };
        let ids = Arc::new(Alternating::default());
        let secret = SecretString::from(SECRET);
        DataPlatformClient::new(self.base.clone(), &secret, limits, Arc::new(FixedClock), ids).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

fn event(id: &str, kind: &str, subject: &str) -> String {
    format!(
        r#"{{"specversion":"1.0","id":"{id}","source":"/s","type":"{kind}","subject":"{subject}","data":{{"amount":19900.00}}}}"#
    )
}

fn order_placed() -> DomainEvent {
    DomainEvent {
        id: EventId::from_uuid(Uuid::from_u128(1)),
        event_type: "OrderPlaced".to_owned(),
        aggregate_type: "order".to_owned(),
        aggregate_id: Uuid::from_u128(2),
        sequence: 1,
        occurred_at: Timestamp::UNIX_EPOCH,
        data: r#"{"totalAmount":19900.00}"#.to_owned(),
        trace: None,
    }
}

#[tokio::test]
async fn an_event_is_listed_as_it_came() {
    let platform = Running::open();
    let event = event("1", "OrderPlaced", "o1");

    let (status, answer) = platform.post(&event).await;

    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer, r#"{"duplicate":false,"received":true}"#);
    let listed = format!(r#"{{"receivedAt":"2025-11-09T12:34:56.000000Z","deliveries":1,{}"#, &event[1..]);
    assert_eq!(platform.list("").await, format!(r#"{{"events":[{listed}],"count":1}}"#));
}

#[tokio::test]
async fn an_event_that_comes_again_is_counted_and_keeps_its_first_version_and_place() {
    let platform = Running::open();
    platform.post(&event("1", "OrderPlaced", "o1")).await;
    platform.post(&event("2", "OrderPaid", "o1")).await;

    let (status, answer) = platform.post(&event("1", "Changed", "o9")).await;

    assert_eq!((status, answer.as_str()), (StatusCode::OK, r#"{"duplicate":true,"received":true}"#));
    let list: Value = serde_json::from_str(&platform.list("").await).unwrap();
    let shown = |index: usize| (&list["events"][index]["type"], &list["events"][index]["deliveries"]);
    assert_eq!(shown(0), (&"OrderPlaced".into(), &2.into()));
    assert_eq!(shown(1), (&"OrderPaid".into(), &1.into()));
    assert_eq!(list["count"], 2);
}

#[tokio::test]
async fn the_list_is_filtered_by_type_and_subject_and_cleared() {
    let platform = Running::open();
    for (id, kind, subject) in
        [("1", "OrderPlaced", "o1"), ("2", "OrderPaid", "o1"), ("3", "OrderPlaced", "o2")]
    {
        platform.post(&event(id, kind, subject)).await;
    }

    assert_eq!(platform.ids("?type=OrderPlaced").await, ["1", "3"]);
    assert_eq!(platform.ids("?subject=o1").await, ["1", "2"]);
    assert_eq!(platform.ids("?type=OrderPlaced&subject=o2").await, ["3"]);
    assert_eq!(platform.call(Method::GET, "/v1/events?kind=x", "").await.0, StatusCode::BAD_REQUEST);

    assert_eq!(platform.call(Method::DELETE, "/v1/events", "").await.0, StatusCode::NO_CONTENT);
    assert_eq!(platform.list("").await, r#"{"events":[],"count":0}"#);
}

#[tokio::test]
async fn what_is_no_event_is_refused() {
    let platform = Running::open();

    let (status, answer) = platform.post(r#"{"specversion":"1.0"}"#).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(answer.contains("missing field `id`"), "{answer}");
    assert!(platform.ids("").await.is_empty());
}

/// Without a connection: one that is closed while the body is still being sent may lose the answer.
#[actix_web::test]
async fn an_event_that_is_too_long_is_refused() {
    let platform = platform(None);
    let app = init_service(App::new().configure(|cfg| configure(cfg, platform.clone()))).await;
    let too_long = event("1", &"x".repeat(MAX_EVENT), "o1");

    let request = TestRequest::post().uri("/v1/events").set_payload(too_long).to_request();

    assert_eq!(call_service(&app, request).await.status().as_u16(), 413);
    assert_eq!(platform.log().to_json(|_| true), r#"{"events":[],"count":0}"#);
}

#[tokio::test]
async fn a_webhook_id_that_is_not_the_id_of_the_event_is_refused() {
    let platform = Running::open();

    let url = platform.base.join("/v1/events").unwrap();
    let request = platform.http.post(url).header("webhook-id", "2").body(event("1", "OrderPlaced", "o1"));

    assert_eq!(request.send().await.unwrap().status(), StatusCode::BAD_REQUEST);
    assert!(platform.ids("").await.is_empty());
}

#[tokio::test]
async fn with_a_secret_only_signed_events_are_taken() {
    let platform = Running::signed();

    let (status, answer) = platform.post(&event("1", "OrderPlaced", "o1")).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer, r#"{"error":"webhook-id is missing"}"#);
    assert!(platform.ids("").await.is_empty());
}

#[tokio::test]
async fn it_understands_what_our_own_client_sends() {
    let platform = Running::signed();
    let client = platform.client(TimeLimits::default().total);

    for _ in 0..2 {
        client.send(&order_placed()).await.unwrap();
    }

    let list = platform.list("?type=OrderPlaced&subject=00000000-0000-0000-0000-000000000002").await;
    assert!(list.contains(r#""deliveries":2"#) && list.contains(r#""count":1"#), "{list}");
    assert!(list.contains(r#""data":{"totalAmount":19900.00}"#), "{list}");
}

#[tokio::test]
async fn faults_fail_their_share_of_the_events_and_the_failed_ones_are_not_kept() {
    let platform = Running::signed();
    platform.set_faults(r#"{"errorRate":0.5,"status":503,"retryAfter":7}"#).await;
    let client = platform.client(TimeLimits::default().total);

    let error = client.send(&order_placed()).await.unwrap_err();
    assert!(
        matches!(error, DeliveryError::Refused { status: 503, retry_after: Some(wait) } if wait.as_secs() == 7),
        "{error:?}"
    );
    assert!(platform.ids("").await.is_empty());

    client.send(&order_placed()).await.unwrap();
    assert_eq!(platform.ids("").await.len(), 1);
}

#[tokio::test]
async fn a_caller_that_gives_up_during_a_delay_has_delivered_all_the_same() {
    let platform = Running::signed();
    platform.set_faults(r#"{"delayMs":600000}"#).await;

    let error = platform.client(Duration::from_millis(300)).send(&order_placed()).await.unwrap_err();

    assert!(matches!(error, DeliveryError::Unreachable(_)), "{error:?}");
    platform.set_faults("{}").await;
    platform.client(TimeLimits::default().total).send(&order_placed()).await.unwrap();
    let list = platform.list("").await;
    assert!(list.contains(r#""deliveries":2"#) && list.contains(r#""count":1"#), "{list}");
}

#[tokio::test]
async fn faults_are_shown_and_checked() {
    let platform = Running::open();
    let both = |faults: Value| json!({ "data-platform": faults, "payment-gateway": faults });
    let (status, shown) = platform.call(Method::GET, "/v1/faults", "").await;
    let defaults = both(json!({ "errorRate": 0.0, "delayMs": 0, "status": 500 }));
    assert_eq!((status, shown), (StatusCode::OK, defaults.to_string()));

    let faults = json!({ "errorRate": 1.0, "delayMs": 0, "status": 429, "retryAfter": 3 });
    platform.set_faults(&faults.to_string()).await;
    let (status, answer) = platform.call(Method::PUT, "/v1/faults", r#"{"errorRate":2}"#).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(answer, r#"{"error":"errorRate must be between 0 and 1"}"#);
    assert_eq!(platform.call(Method::GET, "/v1/faults", "").await.1, both(faults).to_string());
    assert_eq!(platform.post(&event("1", "T", "s")).await.0, StatusCode::TOO_MANY_REQUESTS);
}

#[test]
fn a_secret_of_another_form_is_refused() {
    let secret = SecretString::from("secret");
    let refused = DataPlatform::new(Some(&secret), Arc::new(FixedClock), Arc::new(Alternating::default()));
    assert_eq!(refused.err(), Some(InvalidSecret));
}
