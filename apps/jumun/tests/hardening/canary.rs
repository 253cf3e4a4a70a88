//! What is secret or personal stays where it belongs: made-up secrets and a made-up person are let loose in a
//! server that logs all it can, and then looked for wherever they must not be.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use testkit::eventually;

use crate::site::{Server, Site};

const EMAIL: &str = "canary-mail@canary.example.com";
const NAME: &str = "Canary Kanarienvogel";
const PASSWORD: &str = "canary-password-7f3a";
const WRONG: &str = "canary-mistyped-7f3a";
const CARD: &str = "tok_canary_4242424242424242";
/// What the settings have, 32 bytes each.
const SECRETS: [&str; 4] = [
    "canary-jwt-secret-of-32-bytes-01",
    "canary-pii-key-of-32-bytes-00-02",
    "canary-events-key-of-32-bytes-03",
    "canary-notice-key-of-32-bytes-04",
];
/// What is in the open, to prove that what is looked through says something.
const PRODUCT: &str = "control-9d2e";

/// A server's callers, who keep what they must not be told again.
struct Callers {
    client: Client,
    api: String,
    /// Bodies of errors, and whatever else was answered that has nobody in it.
    answers: Vec<String>,
    /// Tokens that were handed out.
    tokens: Vec<String>,
}

impl Callers {
    fn call(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        let call = self.client.request(method, format!("{}/api/v1{path}", self.api));
        if token.is_empty() { call } else { call.bearer_auth(token) }
    }

    fn post(&self, path: &str, token: &str, body: &Value) -> RequestBuilder {
        self.call(Method::POST, path, token).json(body)
    }

    /// Sends a request that is answered with this status; the answer is kept unless it is about a person.
    async fn expect(&mut self, request: RequestBuilder, status: u16, personal: bool) -> Value {
        let answer = request.send().await.unwrap();
        let (answered, path) = (answer.status().as_u16(), answer.url().path().to_owned());
        let headers = format!("{:?}", answer.headers());
        let body = answer.text().await.unwrap();
        assert_eq!(answered, status, "{path} {body}");
        self.answers.push(headers);
        if !personal {
            self.answers.push(body.clone());
        }
        serde_json::from_str(&body).unwrap_or_default()
    }

    async fn log_in(&mut self, email: &str, password: &str) -> String {
        let login = self.post("/auth/login", "", &json!({"email": email, "password": password}));
        let tokens = self.expect(login, 200, true).await;
        let [access, refresh] = ["accessToken", "refreshToken"].map(|name| tokens[name].as_str().unwrap());
        self.tokens.extend([access.to_owned(), refresh.to_owned()]);
        access.to_owned()
    }

    /// Lets the person come, buy, pay and get into trouble. Returns what the administrator's token is.
    async fn live(&mut self) -> String {
        let admin = self.log_in("user1@example.com", "demo-password-1").await;
        let product = json!({"name": PRODUCT, "price": 5_000, "stock": 100});
        let product = self.post("/products", &admin, &product);
        let product = self.expect(product, 201, false).await["id"].clone();
        let person = json!({"email": EMAIL, "name": NAME, "password": PASSWORD});
        let user = self.expect(self.post("/users", "", &person), 201, true).await["userId"].clone();
        let token = self.log_in(EMAIL, PASSWORD).await;
        let profile = format!("/users/{}", user.as_str().unwrap());
        let shown = self.expect(self.call(Method::GET, &profile, &token), 200, true).await;
        assert_eq!((&shown["email"], &shown["name"]), (&json!(EMAIL), &json!(NAME)));
        let charge = self.post("/wallets/charge", &token, &json!({"amount": 100_000}));
        self.expect(charge, 200, false).await;
        let items = json!([{"productId": product, "qty": 2}]);
        let order = self.post("/orders", &token, &json!({"items": items})).header("Idempotency-Key", "k1");
        self.expect(order, 201, false).await;
        for (card, status) in [(CARD, 402), ("tok_ok", 201)] {
            let order = self.post("/orders", &token, &json!({"items": items, "payment": "LATER"}));
            let order = self.expect(order, 201, false).await["orderId"].clone();
            let pay = json!({"orderId": order, "method": "CARD", "cardToken": card});
            self.expect(self.post("/payments", &token, &pay), status, false).await;
        }
        self.go_wrong(&token, &person).await;
        admin
    }

    /// Makes the mistakes that people and programs make with what is theirs.
    async fn go_wrong(&mut self, token: &str, person: &Value) {
        self.expect(self.post("/users", "", person), 409, false).await;
        for (name, value) in [
            ("email", json!(EMAIL.replace('@', " at "))),
            ("name", json!(format!("{NAME}\u{7}"))),
            ("password", json!(PASSWORD.repeat(4))),
            ("email", Value::Null),
            ("password", json!([])),
        ] {
            let mut wrong = person.clone();
            wrong[name] = value;
            self.expect(self.post("/users", "", &wrong), 400, false).await;
        }
        let broken = format!("{{\"email\":\"{EMAIL}\",\"name\":\"{NAME}\",\"password\":\"{PASSWORD}");
        for path in ["/users", "/auth/login", "/nothing"] {
            let call = self.call(Method::POST, path, "").header("Content-Type", "application/json");
            let status = if path == "/nothing" { 404 } else { 400 };
            self.expect(call.body(broken.clone()), status, false).await;
            let untyped = self.call(Method::POST, path, "").body(broken.clone());
            let status = if path == "/nothing" { 404 } else { 415 };
            self.expect(untyped, status, false).await;
        }
        let mistyped = json!({"email": EMAIL, "password": WRONG});
        self.expect(self.post("/auth/login", "", &mistyped), 401, false).await;
        let refresh = self.tokens.last().unwrap().clone();
        let refreshed = self.post("/auth/refresh", "", &json!({"refreshToken": refresh}));
        let refreshed = self.expect(refreshed, 200, true).await;
        self.tokens.push(refreshed["refreshToken"].as_str().unwrap().to_owned());
        let again = self.post("/auth/refresh", "", &json!({"refreshToken": refresh}));
        self.expect(again, 401, false).await;
        let by_refresh = self.call(Method::GET, "/wallets", &refresh);
        self.expect(by_refresh, 401, false).await;
        let asked = format!("/products?nobody={}", EMAIL.replace('@', "%40"));
        self.expect(self.call(Method::GET, &asked, token), 400, false).await;
        let unpaid = json!({"orderId": person["email"], "method": "CARD", "cardToken": CARD});
        let answer = self.post("/payments", token, &unpaid).send().await.unwrap();
        assert_eq!(answer.status(), 400);
    }
}

/// Starts a server with the secrets of the canary, which logs as much as `log` says.
fn serve(site: &Site, log: &str) -> Server {
    let [jwt, pii, events, notices] = SECRETS.map(|secret| STANDARD.encode(secret));
    let [events, notices] = [events, notices].map(|secret| format!("whsec_{secret}"));
    site.serve(&[
        ("JUMUN_AUTH", "jwt"),
        ("JUMUN_JWT_SECRET", &jwt),
        ("JUMUN_PII_KEY", &pii),
        ("JUMUN_DATA_PLATFORM_SECRET", &events),
        ("JUMUN_PAYMENT_GATEWAY_SECRET", &notices),
        ("JUMUN_LOG", log),
        ("JUMUN_LOG_FORMAT", "json"),
    ])
}

/// Returns what must be nowhere.
fn canaries(tokens: &[String]) -> Vec<String> {
    let mut canaries: Vec<_> = [EMAIL, NAME, PASSWORD, WRONG, CARD].map(str::to_owned).into();
    canaries.push(EMAIL.replace('@', "%40"));
    canaries.push(NAME.split(' ').next_back().unwrap().to_owned());
    for secret in SECRETS {
        canaries.push(secret.to_owned());
        canaries.push(STANDARD.encode(secret));
    }
    // What a list of bytes looks like where it is printed by accident.
    canaries.extend(SECRETS.map(|secret| format!("{:?}", &secret.as_bytes()[..12]).replace(['[', ']'], "")));
    canaries.extend_from_slice(tokens);
    canaries
}

fn holds(place: &[u8], what: &str) -> bool {
    place.windows(what.len()).any(|window| window == what.as_bytes())
}

#[tokio::test]
async fn secrets_and_persons_are_nowhere_but_where_they_belong() {
    let site = Site::new();
    let server = serve(&site, "trace,sqlx=trace");
    let client = Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let mut callers = Callers { client, api: server.api.clone(), answers: Vec::new(), tokens: Vec::new() };
    let admin = callers.live().await;
    for path in ["/admin/outbox?size=100", "/admin/events?size=100", "/admin/audit"] {
        let shown = callers.call(Method::GET, path, &admin);
        callers.expect(shown, 200, false).await;
    }
    let metrics = callers.client.get(format!("{}/metrics", server.api));
    callers.expect(metrics, 200, false).await;
    let events = eventually("the events arrive", async || {
        let events = callers.client.get(format!("{}/v1/events", server.stand_ins)).send().await.unwrap();
        Some(events.text().await.unwrap()).filter(|events| events.contains("PaymentFailed"))
    })
    .await;

    let mut places = vec![
        ("the log".to_owned(), server.log().into_bytes()),
        ("the output".to_owned(), server.output().into_bytes()),
        ("the events".to_owned(), events.into_bytes()),
    ];
    places
        .extend(callers.answers.iter().map(|answer| (format!("the answer {answer}"), answer.clone().into())));
    places.extend(site.files());
    for (place, bytes) in &places {
        for canary in canaries(&callers.tokens) {
            assert!(!holds(bytes, &canary), "{canary} is in {place}");
        }
    }
    // What is in the open is found: in the database, in what it logs, and in what arrived.
    assert!(places.iter().any(|(place, bytes)| place.contains("jumun.db") && holds(bytes, PRODUCT)));
    let log = server.log();
    assert!(log.contains("\"level\":\"TRACE\"") && log.contains("/api/v1/payments"), "{log}");
}

#[test]
fn settings_are_told_without_their_secrets() {
    let site = Site::new();
    let [jwt, pii, events, notices] = SECRETS.map(|secret| STANDARD.encode(secret));
    let [events, notices] = [events, notices].map(|secret| format!("whsec_{secret}"));
    let url = format!("mysql://shop:{PASSWORD}@127.0.0.1:9/jumun");
    let redis = format!("redis://:{PASSWORD}@127.0.0.1:9/0");
    let settings = [
        ("JUMUN_JWT_SECRET", jwt.as_str()),
        ("JUMUN_PII_KEY", &pii),
        ("JUMUN_DATA_PLATFORM_SECRET", &events),
        ("JUMUN_PAYMENT_GATEWAY_SECRET", &notices),
        ("JUMUN_DATABASE_URL", &url),
        ("JUMUN_REDIS_URL", &redis),
        ("JUMUN_LOG", "trace,sqlx=trace"),
    ];
    for (command, succeeds) in [("config", true), ("serve", false), ("audit", false), ("migrate", false)] {
        let output = site.run(&[command], &settings);
        assert_eq!(output.status.success(), succeeds, "{command}: {output:?}");
        let said = [output.stdout, output.stderr].concat();
        assert!(!said.is_empty(), "{command} says nothing");
        for canary in canaries(&[]) {
            assert!(!holds(&said, &canary), "{canary} is in what {command} says");
        }
    }
}
