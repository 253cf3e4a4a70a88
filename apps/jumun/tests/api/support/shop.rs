//! A shop with a server in front of it.

use std::net::{SocketAddr, TcpListener};
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::web;
use checkout::{BusinessTerms, Transaction, UnitOfWork};
use jumun::http::{self, RateLimiter, ServerSettings, Services};
use jumun::settlement::Settlement;
use jumun::shared::Shared;
use jumun::wiring::{Gateway, Wiring};
use kernel::{BusinessZone, ProductId, UserId};
use local::SystemClock;
use payment::PaymentGateway;
use payment_gateway::NoticeVerifier;
use secrecy::SecretString;
use serde_json::{Value, json};
use storage::Database;
use testkit::{ScriptedGateway, TestDatabase, fixtures};
use user::{HashCost, Role};

use super::{Answer, Call, Client};

/// Puts other things in the place of what handlers work with.
pub(crate) type Replace = Box<dyn FnOnce(&mut Services) + Send>;

/// Signs the notices of the payment gateway.
pub(crate) const NOTICE_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What a shop has that others have not.
#[derive(Default)]
pub(crate) struct Setup {
    /// How often each caller may ask.
    pub(crate) limiter: Option<RateLimiter>,
    /// Puts other things in the place of what handlers work with.
    pub(crate) replace: Option<Replace>,
    /// A pool of its own to the database.
    pub(crate) database: Option<Database>,
    /// The payment gateway; the one in memory otherwise.
    pub(crate) gateway: Option<Arc<dyn PaymentGateway>>,
    /// What it shares with other instances; in process otherwise.
    pub(crate) shared: Option<Shared>,
    /// Whether the document of its API is not shown.
    pub(crate) hidden: bool,
}

/// A server with a database of its own and an administrator. It calls itself by its client.
pub(crate) struct Shop {
    pub(crate) addr: SocketAddr,
    pub(crate) wiring: Wiring,
    pub(crate) admin: UserId,
    /// The payment gateway, unless there is another one.
    pub(crate) cards: Arc<ScriptedGateway>,
    /// What would go on in the background, for a test to do when it wants.
    pub(crate) settlement: Settlement,
    client: Client,
    server: ServerHandle,
    database: Arc<TestDatabase>,
}

impl Deref for Shop {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        drop(self.server.stop(false));
    }
}

impl Shop {
    /// Opens a shop as it is in production.
    pub(crate) async fn open(database: Arc<TestDatabase>) -> Self {
        Self::open_with(database, Setup::default()).await
    }

    /// Opens a shop that is different.
    pub(crate) async fn open_with(database: Arc<TestDatabase>, setup: Setup) -> Self {
        let pool = setup.database.unwrap_or_else(|| database.database.clone());
        let terms = BusinessTerms { zone: BusinessZone::default(), payment_window: fixtures::PAYMENT_WINDOW };
        let wiring = Wiring::with_shared(pool, terms, setup.shared.unwrap_or_else(Shared::in_process));
        let cards = Arc::new(ScriptedGateway::default());
        let secret = SecretString::from(NOTICE_SECRET);
        let notices = Arc::new(NoticeVerifier::new(&secret, wiring.clock.clone()).unwrap());
        let client = setup.gateway.unwrap_or_else(|| cards.clone());
        let gateway = Gateway { client, notices };
        let mut services = wiring.services(HashCost::Minimal, &gateway);
        let settlement = wiring.settlement(&gateway);
        if let Some(replace) = setup.replace {
            replace(&mut services);
        }
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let shutdown_timeout = Duration::from_secs(1);
        let settings = ServerSettings {
            workers: Some(2),
            shutdown_timeout,
            docs: !setup.hidden,
            ..ServerSettings::default()
        };
        let server = http::build(listener, services, setup.limiter.map(web::Data::new), settings).unwrap();
        let handle = server.handle();
        tokio::spawn(server);
        let client = Client::new(&format!("http://{addr}"));
        let admin = add_user(&database, Role::Admin).await;
        Self { addr, wiring, admin, cards, settlement, client, server: handle, database }
    }

    /// Returns the database, to go past the API.
    pub(crate) fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// Adds a user who has never charged the wallet.
    pub(crate) async fn user(&self) -> UserId {
        add_user(&self.database, Role::User).await
    }

    /// Adds an administrator who has never done anything.
    pub(crate) async fn administrator(&self) -> UserId {
        add_user(&self.database, Role::Admin).await
    }

    /// Adds a user with so many won, 1,000 at least.
    pub(crate) async fn buyer(&self, won: i64) -> UserId {
        let user = self.user().await;
        let mut left = won;
        while left > 0 {
            let piece = if left > 1_000_000 && left < 1_001_000 { 500_000 } else { left.min(1_000_000) };
            self.charge(user, &piece.to_string()).await.is(200);
            left -= piece;
        }
        user
    }

    /// Charges a user's wallet; the amount is sent as it is written.
    pub(crate) fn charge(&self, user: UserId, amount: &str) -> Call {
        self.post("/wallets/charge").by(user).body(format!(r#"{{"amount":{amount}}}"#))
    }

    /// Adds a product.
    pub(crate) async fn product(&self, won: i64, stock: u32) -> ProductId {
        self.product_named("a thing", &won.to_string(), stock).await
    }

    /// Adds a product with a name; the price is sent as it is written.
    pub(crate) async fn product_named(&self, name: &str, price: &str, stock: u32) -> ProductId {
        let body = format!(r#"{{"name":{},"price":{price},"stock":{stock}}}"#, json!(name));
        let answer = self.post("/products").by(self.admin).body(body).await.is(201);
        ProductId::from_uuid(answer.json()["id"].as_str().unwrap().parse().unwrap())
    }

    /// Takes a product off sale.
    pub(crate) async fn withdraw(&self, product: ProductId) {
        let change = json!({"status": "INACTIVE"});
        self.patch(&format!("/products/{product}")).by(self.admin).json(change).await.is(200);
    }

    /// Orders so many pieces of a product.
    pub(crate) fn order(&self, buyer: UserId, product: ProductId, qty: u32) -> Call {
        let body = json!({"items": [{"productId": product, "qty": qty}]});
        self.post("/orders").by(buyer).json(body)
    }

    /// Returns what is left of a product.
    pub(crate) async fn stock(&self, product: ProductId) -> u64 {
        let shown = self.get(&format!("/products/{product}")).by(self.admin).await.ok();
        shown["stock"].as_u64().unwrap()
    }

    /// Returns what is in a wallet, as it is written.
    pub(crate) async fn balance(&self, user: UserId) -> String {
        self.get("/wallets").by(user).await.is(200).raw("balance")
    }

    /// Returns the ids of a user's orders, the newest first; 100 at most.
    pub(crate) async fn orders(&self, user: UserId) -> Vec<String> {
        let page = self.get("/orders?size=100").by(user).await.ok();
        assert_eq!(page["nextCursor"], Value::Null);
        let ids = page["content"].as_array().unwrap().iter();
        ids.map(|order| order["orderId"].as_str().unwrap().to_owned()).collect()
    }

    /// Asks for the audit and fails the test unless every invariant holds.
    pub(crate) async fn assert_audit_is_clean(&self) -> Answer {
        let answer = self.get("/admin/audit").by(self.admin).await.is(200);
        assert_eq!(answer.json()["clean"], true, "{:#}", answer.json());
        answer
    }
}

async fn add_user(database: &TestDatabase, role: Role) -> UserId {
    let user = fixtures::user(role, kernel::Clock::now(&SystemClock));
    let mut tx: Box<dyn Transaction> = database.database.begin().await.unwrap();
    tx.users().insert(std::slice::from_ref(&user)).await.unwrap();
    tx.commit().await.unwrap();
    user.id
}
