//! Stand-ins on a port of their own, and somebody who takes their notices.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use ::payment::{CardCharge, CardRefund, CardToken, GatewayCharge, PaymentGateway as _};
use ::payment_gateway::{Notice, NoticeVerifier, PaymentGatewayClient, Received, TimeLimits};
use actix_web::dev::{Server, ServerHandle};
use actix_web::http::header::HeaderValue;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use kernel::{Clock, IdGenerator, Money, OrderId, PaymentId, RefundId, Timestamp};
use local::SystemIds;
use reqwest::{Method, StatusCode};
use secrecy::SecretString;
use serde_json::{Value, value::RawValue};
use testkit::eventually;
use url::Url;

use crate::stand_ins::data_platform::DataPlatform;
use crate::stand_ins::payment_gateway::PaymentGateway;
use crate::stand_ins::{self, StandIns};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_timestamp(1_762_691_696, 0).unwrap()
    }
}

pub(super) fn new_payment() -> PaymentId {
    PaymentId::from_uuid(SystemIds.uuid())
}

/// A charge of 12,345 won.
pub(super) fn card_charge(key: PaymentId, token: &str) -> CardCharge {
    CardCharge {
        key,
        order_id: OrderId::from_uuid(key.as_uuid()),
        amount: Money::won(12_345),
        token: CardToken::new(token).unwrap(),
        trace: None,
    }
}

pub(super) fn card_refund(charge: &GatewayCharge, won: i64) -> CardRefund {
    CardRefund {
        key: RefundId::from_uuid(SystemIds.uuid()),
        charge_id: charge.id.clone(),
        amount: Money::won(won),
        trace: None,
    }
}

/// What has been told, and how often nobody wants to hear it.
#[derive(Default)]
struct Told {
    notices: Mutex<Vec<Notice>>,
    ids: Mutex<Vec<String>>,
    refusals: AtomicU32,
}

impl Told {
    fn take(&self, request: &HttpRequest, body: &[u8]) -> HttpResponse {
        let verifier = NoticeVerifier::new(&SecretString::from(SECRET), Arc::new(FixedClock)).unwrap();
        let values = |name| request.headers().get_all(name).map(HeaderValue::as_bytes);
        let received = verifier.verify(values, body).unwrap();
        let Received::Notice(notice) = received else { panic!("{received:?}") };
        self.ids.lock().unwrap().push(notice.id.clone());
        let left =
            self.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if left.is_ok() {
            return HttpResponse::ServiceUnavailable().finish();
        }
        self.notices.lock().unwrap().push(notice);
        HttpResponse::NoContent().finish()
    }
}

/// It is stopped when it is dropped.
pub(super) struct Site {
    base: Url,
    http: reqwest::Client,
    told: Arc<Told>,
    servers: [ServerHandle; 2],
}

fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, format!("http://{address}/"))
}

fn spawn(server: Server) -> ServerHandle {
    let handle = server.handle();
    tokio::spawn(server);
    handle
}

impl Site {
    pub(super) fn new() -> Self {
        let told = Arc::new(Told::default());
        let (listener, merchant) = listen();
        let told_there = Arc::clone(&told);
        let app = move || {
            let told = Arc::clone(&told_there);
            let take = move |request: HttpRequest, body: web::Bytes| {
                let answer = told.take(&request, &body);
                async move { answer }
            };
            App::new().route("/notices", web::post().to(take))
        };
        let merchant_server =
            HttpServer::new(app).workers(1).disable_signals().listen(listener).unwrap().run();
        let notice_url = Url::parse(&merchant).unwrap().join("notices").unwrap();

        let (clock, ids) = (Arc::new(FixedClock), Arc::new(SystemIds));
        let secret = SecretString::from(SECRET);
        let gateway = PaymentGateway::new(&secret, Some(notice_url), clock.clone(), ids.clone()).unwrap();
        let data_platform = DataPlatform::new(None, clock, ids).unwrap();
        let (listener, base) = listen();
        let server =
            stand_ins::start(listener, StandIns { data_platform, payment_gateway: gateway }).unwrap();
        Self {
            base: base.parse().unwrap(),
            http: reqwest::Client::builder().no_proxy().build().unwrap(),
            told,
            servers: [spawn(server), spawn(merchant_server)],
        }
    }

    pub(super) fn client(&self, limits: TimeLimits) -> PaymentGatewayClient {
        PaymentGatewayClient::new(self.base.clone(), limits, Arc::new(SystemIds)).unwrap()
    }

    /// Calls without the client; a key of `None` sends none.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: String,
    ) -> (StatusCode, String) {
        let mut request = self.http.request(method, self.base.join(path).unwrap()).body(body);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let response = request.send().await.unwrap();
        (response.status(), response.text().await.unwrap())
    }

    pub(super) async fn get(&self, path: &str) -> (StatusCode, String) {
        self.call(Method::GET, path, None, String::new()).await
    }

    /// Returns all charges as they are written.
    pub(super) async fn charges(&self) -> Vec<String> {
        #[derive(serde::Deserialize)]
        struct List {
            content: Vec<Box<RawValue>>,
        }
        let list: List = serde_json::from_str(&self.get("/v1/payments").await.1).unwrap();
        list.content.into_iter().map(|charge| charge.get().to_owned()).collect()
    }

    pub(super) async fn set_faults(&self, faults: Value) {
        let (status, body) = self.call(Method::PUT, "/v1/faults", None, faults.to_string()).await;
        assert_eq!(status, StatusCode::OK, "{body}");
    }

    /// Sends the data platform an event, and returns what it says.
    pub(super) async fn post_event(&self) -> StatusCode {
        let event = r#"{"specversion":"1.0","id":"1","source":"/s","type":"T"}"#;
        self.call(Method::POST, "/v1/events", None, event.to_owned()).await.0
    }

    /// Charges a card that is told of at once.
    pub(super) async fn charge_promptly(&self) -> PaymentId {
        let key = new_payment();
        self.client(super::LONG).charge(&card_charge(key, "tok_ok")).await.unwrap();
        key
    }

    /// Lets the next notices fail.
    pub(super) fn refuse_notices(&self, count: u32) {
        self.told.refusals.store(count, Ordering::Relaxed);
    }

    /// Returns the ids of all notices that came, refused ones included.
    pub(super) fn ids_of_notices(&self) -> Vec<String> {
        self.told.ids.lock().unwrap().clone()
    }

    /// Waits for the notice about a payment.
    pub(super) async fn notice_of(&self, key: PaymentId) -> Notice {
        eventually("the notice arrives", || async {
            let notices = self.told.notices.lock().unwrap();
            notices.iter().find(|notice| notice.payment_id == key).cloned()
        })
        .await
    }

    /// Fails the test unless there has been one notice for each of these payments and no other.
    pub(super) async fn assert_told_of_none_but(&self, keys: &[PaymentId]) {
        for key in keys {
            self.notice_of(*key).await;
        }
        let notices = self.told.notices.lock().unwrap();
        let told: Vec<_> = notices.iter().map(|notice| notice.payment_id).collect();
        assert_eq!(told, keys);
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for server in &self.servers {
            drop(server.stop(false));
        }
    }
}
