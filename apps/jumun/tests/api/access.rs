//! Who may do what with whose things: a table over the whole document, called by each caller.

mod estate;
mod table;

use std::collections::BTreeSet;
use std::sync::Arc;

use jumun::http::Authentication;
use kernel::{Clock, UserId};
use local::SystemClock;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};
use testkit::{Scenario, TestDatabase, scenarios};
use webhooks::WebhookKey;

use crate::auth_modes::{bearer, open, token};
use crate::support::{Answer, Call, NOBODY, NOTICE_SECRET, Operation, Shop, operations};

use estate::Estate;
use table::{Row, table};

pub(crate) fn suite() -> Vec<Scenario> {
    scenarios![
        the_table_and_the_document_have_the_same_operations,
        everybody_gets_what_the_table_says,
        everybody_gets_what_the_table_says_by_token,
        what_is_not_the_callers_to_set_is_refused,
        a_caller_who_is_nobody_is_refused_before_anything_is_read,
        an_administrators_operation_is_refused_to_users_before_anything_is_read,
    ]
}

/// A shop that is asked, and one over the same database that believes `X-User-Id`, for what must be there.
struct Stage {
    front: Shop,
    desk: Shop,
    mode: Authentication,
}

impl Stage {
    async fn set(database: Arc<TestDatabase>, mode: Authentication) -> Self {
        let desk = Shop::open(database.clone()).await;
        Self { front: open(database, mode).await, desk, mode }
    }

    /// Makes the call of a row, with something in the place of each id of the owner's if that is wanted.
    async fn send(&self, row: &Row, estate: &Estate, by: Option<UserId>, of: Of) -> Answer {
        let (method, template) = row.operation.split_once(' ').unwrap();
        let fresh = estate.fresh(&self.desk, template.contains("/auth/")).await;
        let name = (row.name)(estate);
        let path = template.replace("{id}", &name).replace("{code}", &name);
        let body = row.body.map(|body| body(estate, &fresh).to_string());
        let hide = |text: String| match of {
            Of::Owner => text,
            Of::Nobody => estate.anonymous(&text),
        };
        let call = self.front.call(method.parse::<Method>().unwrap(), &hide(path));
        let call = self.named(call, estate.owner, by);
        match body.map(hide) {
            Some(body) if row.signed => signed(call, &fresh.name, &body).body(body).await,
            Some(body) => call.body(body).await,
            None => call.await,
        }
    }

    /// Names the caller. Where a token counts the header claims to be the owner, which must not help.
    fn named(&self, call: Call, owner: UserId, by: Option<UserId>) -> Call {
        match (self.mode, by) {
            (Authentication::Header, Some(user)) => call.by(user),
            (Authentication::Header, None) => call,
            (_, Some(user)) => bearer(call, &token(user)).by(owner),
            (_, None) => call.by(owner),
        }
    }
}

/// Of whose things a call speaks.
#[derive(Clone, Copy)]
enum Of {
    Owner,
    Nobody,
}

fn signed(call: Call, id: &str, body: &str) -> Call {
    let now = SystemClock.now();
    let key = WebhookKey::new(&SecretString::from(NOTICE_SECRET)).unwrap();
    let signature = key.sign(id, now, body.as_bytes()).unwrap();
    let call = call.header(webhooks::ID, id).header(webhooks::SIGNATURE, signature);
    call.header(webhooks::TIMESTAMP, now.timestamp().to_string())
}

fn described(name: &str) -> Operation {
    operations().into_iter().find(|operation| operation.name() == name).unwrap()
}

/// An operation without a row, or a row without an operation, fails here.
async fn the_table_and_the_document_have_the_same_operations(_: Arc<TestDatabase>) {
    let described: BTreeSet<_> = operations().iter().map(Operation::name).collect();
    let listed: BTreeSet<_> = table().iter().map(|row| row.operation.to_owned()).collect();
    assert_eq!(listed, described);
    for row in table() {
        let operation = self::described(row.operation);
        let expected = row.expected;
        for status in [expected.nobody, expected.other, expected.owner, expected.admin] {
            assert!(operation.promises(&status.to_string()), "{} promises no {status}", row.operation);
        }
        let security = operation.description.get("security");
        // The gateway's signature is none of the ways in which users are known.
        let guarded = expected.nobody == 401 && !row.operation.ends_with("/webhooks/payment-gateway");
        let ways = json!([{"bearer": []}, {"caller": []}]);
        assert_eq!(security, Some(&ways).filter(|_| guarded), "{}", row.operation);
        assert_eq!(operation.promises("403"), expected.other == 403, "{}", row.operation);
        assert_eq!(
            operation.description.get("requestBody").is_some(),
            row.body.is_some(),
            "{}",
            row.operation
        );
    }
}

async fn everybody_gets_what_the_table_says(database: Arc<TestDatabase>) {
    run(Stage::set(database, Authentication::Header).await).await;
}

async fn everybody_gets_what_the_table_says_by_token(database: Arc<TestDatabase>) {
    run(Stage::set(database, Authentication::Jwt).await).await;
}

async fn run(stage: Stage) {
    let lasting = Estate::found(&stage.desk).await;
    let before = lasting.seen(&stage.desk).await;
    for row in table() {
        if row.reads() {
            refuse_others(&stage, &row, &lasting).await;
            admit(&stage, &row, &lasting, &lasting).await;
        } else {
            let owners = Estate::found(&stage.desk).await;
            refuse_others(&stage, &row, &owners).await;
            admit(&stage, &row, &owners, &Estate::found(&stage.desk).await).await;
        }
    }
    assert_eq!(lasting.seen(&stage.desk).await, before);
    stage.desk.assert_audit_is_clean().await;
}

/// Nobody and another user leave what the owner has as it is, for the next to be tried.
async fn refuse_others(stage: &Stage, row: &Row, estate: &Estate) {
    let other = stage.desk.user().await;
    let before = look(stage, row, estate).await;
    for (by, status) in [(None, row.expected.nobody), (Some(other), row.expected.other)] {
        let asked = stage.front.cards.calls();
        let answer = stage.send(row, estate, by, Of::Owner).await;
        assert_eq!(answer.status, status, "{} by {by:?}: {}", row.operation, answer.text);
        assert_eq!(stage.front.cards.calls(), asked, "{} by {by:?} asks for money", row.operation);
        let after = look(stage, row, estate).await;
        assert_eq!(after.0, before.0, "{} by {by:?}", row.operation);
        if status >= 400 {
            assert_eq!(after.1, before.1, "{} by {by:?}", row.operation);
        } else {
            assert_tells_nothing(row, estate, &answer);
        }
        if status == 404 {
            assert_alike(stage, row, estate, by, &answer).await;
        }
    }
}

/// The owner and an administrator, each with an estate to try it on.
async fn admit(stage: &Stage, row: &Row, owners: &Estate, estate: &Estate) {
    let answer = stage.send(row, owners, Some(owners.owner), Of::Owner).await;
    assert_eq!(answer.status, row.expected.owner, "{} by the owner: {}", row.operation, answer.text);
    // One of its own each time: what it owns itself must not help.
    let admin = stage.desk.administrator().await;
    let before = look(stage, row, estate).await;
    let answer = stage.send(row, estate, Some(admin), Of::Owner).await;
    assert_eq!(answer.status, row.expected.admin, "{} by an administrator: {}", row.operation, answer.text);
    if row.own && answer.status < 400 {
        assert_tells_nothing(row, estate, &answer);
    }
    if row.own || answer.status >= 400 {
        assert_eq!(look(stage, row, estate).await.0, before.0, "{} by an administrator", row.operation);
    }
}

/// Returns what the owner sees of what the owner has, and what is in the shop; nothing where nothing can
/// change, which is looked at in the end.
async fn look(stage: &Stage, row: &Row, estate: &Estate) -> (Vec<String>, Vec<String>) {
    if row.reads() {
        return (Vec::new(), Vec::new());
    }
    (estate.seen(&stage.desk).await, estate.shop_seen(&stage.desk).await)
}

/// What somebody may have who is not the owner has nothing of the owner's in it, but for what the caller
/// named and what proves who the owner is.
#[track_caller]
fn assert_tells_nothing(row: &Row, estate: &Estate, answer: &Answer) {
    for secret in estate.secrets() {
        let named = (row.name)(estate) == secret;
        // The shop offers it to everybody; only that it is in the cart is the owner's.
        let offered = !row.own && secret == estate.wanted.to_string();
        assert!(named || offered || !answer.text.contains(&secret), "{}: {}", row.operation, answer.text);
    }
}

/// What is another's is answered like what does not exist, to the letter but for ids and the moment.
async fn assert_alike(stage: &Stage, row: &Row, estate: &Estate, by: Option<UserId>, answer: &Answer) {
    let nothing = stage.send(row, estate, by, Of::Nobody).await;
    let plain = |answer: &Answer| {
        let mut problem: Value = serde_json::from_str(&estate.anonymous(&answer.text)).unwrap();
        problem["timestamp"] = Value::Null;
        problem["traceId"] = Value::Null;
        let mut headers: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
        headers.sort();
        (answer.status, headers, answer.header("content-length").map(str::to_owned), problem)
    };
    assert_eq!(plain(answer), plain(&nothing), "{}", row.operation);
    assert!(nothing.text.contains(NOBODY), "{}", nothing.text);
}

/// Mass assignment: what a thing has but a caller may not say is refused, wherever it stands in a body.
async fn what_is_not_the_callers_to_set_is_refused(database: Arc<TestDatabase>) {
    let stage = Stage::set(database, Authentication::Header).await;
    // What the gateway signs may say more than we know of.
    for row in table().iter().filter(|row| row.body.is_some() && !row.operation.contains("/webhooks/")) {
        let estate = Estate::found(&stage.desk).await;
        let by = if row.expected.owner == 403 { stage.desk.admin } else { estate.owner };
        let before = (estate.seen(&stage.desk).await, estate.shop_seen(&stage.desk).await);
        let fresh = estate.fresh(&stage.desk, row.operation.contains("/auth/")).await;
        let valid = row.body.unwrap()(&estate, &fresh);
        let (method, template) = row.operation.split_once(' ').unwrap();
        let path = template.replace("{id}", &(row.name)(&estate));
        let call = || stage.front.call(method.parse().unwrap(), &path).by(by);
        for (pointer, body) in enriched(row.operation, &valid) {
            let answer = call().json(body).await;
            answer.problem(400, "VALIDATION_ERROR");
            let blamed = answer.text.contains(&format!("\"pointer\":\"{pointer}\""));
            assert!(blamed, "{} {pointer}: {}", row.operation, answer.text);
        }
        let after = (estate.seen(&stage.desk).await, estate.shop_seen(&stage.desk).await);
        assert_eq!(after, before, "{}", row.operation);
        // It was for nothing else that the bodies were refused.
        let status = if by == estate.owner { row.expected.owner } else { row.expected.admin };
        call().json(valid).await.is(status);
    }
}

/// Returns a body with one member more in each object that it has, each time another one, and where that is.
fn enriched(operation: &str, valid: &Value) -> Vec<(String, Value)> {
    const MEMBERS: [&str; 18] = [
        "id",
        "userId",
        "user_id",
        "role",
        "admin",
        "status",
        "state",
        "price",
        "unitPrice",
        "balance",
        "amount",
        "totalAmount",
        "paidAmount",
        "discountAmount",
        "version",
        "createdAt",
        "__proto__",
        "",
    ];
    let mut bodies = Vec::new();
    let holds_objects = |value: &Value| value.pointer("/0").is_some_and(Value::is_object);
    let lists = valid.as_object().unwrap().iter().filter(|(_, value)| holds_objects(value));
    let lists = lists.map(|(name, _)| format!("/{name}/0"));
    for place in std::iter::once(String::new()).chain(lists) {
        for member in MEMBERS.iter().filter(|member| !may_say(operation, &place, member)) {
            let mut body = valid.clone();
            body.pointer_mut(&place).unwrap()[member] = json!("1");
            bodies.push((format!("{place}/{member}"), body));
        }
    }
    bodies
}

/// What is the caller's to say, by the contract.
fn may_say(operation: &str, place: &str, member: &str) -> bool {
    match (operation, place) {
        ("POST /api/v1/products", "") | ("POST /api/v1/products:bulk", "/products/0") => member == "price",
        ("PATCH /api/v1/products/{id}", "") => ["price", "status"].contains(&member),
        (operation, "") if operation.ends_with("/charge") => member == "amount",
        _ => false,
    }
}

/// Whether the rest of the request is valid must not make a difference.
async fn a_caller_who_is_nobody_is_refused_before_anything_is_read(database: Arc<TestDatabase>) {
    let shop = Shop::open(database).await;
    for operation in refusing(|row| row.expected.nobody == 401) {
        let wrong = operation.template.replace("{id}", "no-id");
        for path in [operation.path(), format!("{wrong}?unknown=1")] {
            for name in [None, Some(NOBODY)] {
                let call = shop.call(operation.method.clone(), &path).key("");
                let call = name.into_iter().fold(call, |call, name| call.header("X-User-Id", name));
                assert_challenged(&call.body("{").await);
            }
        }
    }
}

async fn an_administrators_operation_is_refused_to_users_before_anything_is_read(
    database: Arc<TestDatabase>,
) {
    let shop = Shop::open(database).await;
    for operation in refusing(|row| row.expected.other == 403) {
        // A user of its own each time: the server has not met this one.
        let user = shop.user().await;
        let wrong = operation.template.replace("{id}", "no-id");
        let call = shop.call(operation.method.clone(), &format!("{wrong}?unknown=1")).by(user).key("");
        call.body("{").await.problem(403, "FORBIDDEN");
    }
}

/// The operations of the rows that refuse somebody.
fn refusing(refused: fn(&Row) -> bool) -> Vec<Operation> {
    let names: BTreeSet<_> = table().iter().filter(|row| refused(row)).map(|row| row.operation).collect();
    assert!(!names.is_empty());
    names.into_iter().map(described).collect()
}

#[track_caller]
fn assert_challenged(answer: &Answer) {
    answer.problem(401, "UNAUTHORIZED");
    assert!(answer.header("www-authenticate").is_some_and(|text| text.contains("realm=")), "{answer:?}");
}
