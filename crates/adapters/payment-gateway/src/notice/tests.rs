use kernel::Money;
use uuid::Uuid;
use webhooks::{ID, SIGNATURE, TIMESTAMP};

use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER_SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
const NOW: i64 = 1_762_691_696;
pub(super) const SUCCEEDED: &str = concat!(
    r#"{"type":"payment.succeeded","timestamp":"2025-11-09T12:34:56Z","data":{"id":"pay_1","#,
    r#""key":"00000000-0000-0000-0000-000000000001","status":"SUCCEEDED","amount":12345.00,"#,
    r#""refundedAmount":0.00}}"#,
);

struct FixedClock;

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        at(NOW)
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_timestamp(seconds, 0).unwrap()
}

type Headers = Vec<(&'static str, String)>;

/// The headers of a message signed with `secret` and sent at `seconds`.
fn signed(secret: &str, body: &str, seconds: i64) -> Headers {
    let key = WebhookKey::new(&SecretString::from(secret)).unwrap();
    let signature = key.sign("msg_1", at(seconds), body.as_bytes()).unwrap();
    vec![(ID, "msg_1".to_owned()), (TIMESTAMP, seconds.to_string()), (SIGNATURE, signature)]
}

fn verify(headers: &Headers, body: &str) -> Result<Received, NoticeError> {
    let verifier = NoticeVerifier::new(&SecretString::from(SECRET), Arc::new(FixedClock)).unwrap();
    let values = |name| {
        let found = headers.iter().filter(move |(header, _)| *header == name);
        found.map(|(_, value)| value.as_bytes()).collect::<Vec<_>>()
    };
    verifier.verify(values, body.as_bytes())
}

/// Verifies a message that is signed as it should be.
pub(super) fn read(body: &str) -> Result<Received, NoticeError> {
    verify(&signed(SECRET, body, NOW), body)
}

fn refused(headers: &Headers, body: &str) -> SignatureError {
    let error = verify(headers, body).unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Unauthorized, "UNAUTHORIZED"));
    let NoticeError::Unauthorized(why) = error else { panic!("{error:?}") };
    why
}

#[test]
fn a_settled_charge_is_read() {
    let notice = Notice {
        id: "msg_1".to_owned(),
        kind: NoticeKind::Succeeded,
        occurred_at: at(NOW),
        payment_id: PaymentId::from_uuid(Uuid::from_u128(1)),
        charge: GatewayCharge {
            id: "pay_1".to_owned(),
            amount: Money::won(12_345),
            state: ChargeState::Captured,
        },
    };
    assert_eq!(read(SUCCEEDED), Ok(Received::Notice(notice.clone())));

    let failed = SUCCEEDED
        .replace("payment.succeeded", "payment.failed")
        .replace(r#""SUCCEEDED""#, r#""DECLINED","declineCode":"insufficient_funds""#);
    let state = ChargeState::Declined { code: "insufficient_funds".to_owned() };
    let charge = GatewayCharge { state, ..notice.charge };
    let notice = Notice { kind: NoticeKind::Failed, charge, ..notice };
    assert_eq!(read(&failed), Ok(Received::Notice(notice)));
}

#[test]
fn what_is_of_no_use_is_ignored_if_it_is_believed() {
    for body in
        [r#"{"type":"refund.succeeded","timestamp":"x"}"#, r#"{"type":"payment.disputed","data":[1]}"#]
    {
        let body = body.replace(r#","timestamp":"x""#, "");
        assert_eq!(read(&body), Ok(Received::Ignored { id: "msg_1".to_owned() }), "{body}");
        assert_eq!(refused(&signed(OTHER_SECRET, &body, NOW), &body), SignatureError::Mismatch);
    }
}

#[test]
fn another_secret_and_a_changed_body_are_not_believed() {
    assert_eq!(refused(&signed(OTHER_SECRET, SUCCEEDED, NOW), SUCCEEDED), SignatureError::Mismatch);
    let tampered = SUCCEEDED.replace("12345.00", "99999.00");
    assert_eq!(refused(&signed(SECRET, SUCCEEDED, NOW), &tampered), SignatureError::Mismatch);
    // Not even looked at: it is no JSON.
    assert_eq!(refused(&signed(SECRET, SUCCEEDED, NOW), "{"), SignatureError::Mismatch);
}

#[test]
fn only_notices_of_now_are_believed() {
    for seconds in [NOW - 300, NOW + 300] {
        assert!(verify(&signed(SECRET, SUCCEEDED, seconds), SUCCEEDED).is_ok(), "{seconds}");
    }
    for seconds in [NOW - 301, NOW + 301, 0] {
        assert_eq!(refused(&signed(SECRET, SUCCEEDED, seconds), SUCCEEDED), SignatureError::Untimely);
    }
}

#[test]
fn each_header_is_there_once() {
    let whole = signed(SECRET, SUCCEEDED, NOW);
    for (index, header) in [ID, TIMESTAMP, SIGNATURE].into_iter().enumerate() {
        let mut without = whole.clone();
        let (_, value) = without.remove(index);
        assert_eq!(refused(&without, SUCCEEDED), SignatureError::Missing(header));
        let twice = [whole.clone(), vec![(header, value)]].concat();
        assert_eq!(refused(&twice, SUCCEEDED), SignatureError::Repeated(header));
    }
}

#[test]
fn one_good_signature_among_several_is_enough() {
    let mut headers = signed(SECRET, SUCCEEDED, NOW);
    let good = headers[2].1.clone();
    headers[2].1 = format!("v1,b2xk v1a,YXN5bW1ldHJpYw== {good}");
    assert!(verify(&headers, SUCCEEDED).is_ok());
    headers[2].1 = good.replace("v1,", "v1a,");
    assert_eq!(refused(&headers, SUCCEEDED), SignatureError::Mismatch);
}

#[test]
fn what_the_gateway_should_not_have_sent_is_invalid() {
    let without = |member: &str| SUCCEEDED.replace(member, r#""other""#);
    for body in [
        "{".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        r#"{"type":1}"#.to_owned(),
        without(r#""timestamp""#),
        SUCCEEDED.replace("2025-11-09T12:34:56Z", "yesterday"),
        without(r#""data""#),
        without(r#""id""#),
        without(r#""key""#),
        SUCCEEDED.replace("00000000-0000-0000-0000-000000000001", "1"),
        SUCCEEDED.replace("\"pay_1\"", "\"\""),
        SUCCEEDED.replace("\"SUCCEEDED\"", "\"PENDING\""),
        SUCCEEDED.replace("\"SUCCEEDED\"", "\"DECLINED\""),
        SUCCEEDED.replace("\"SUCCEEDED\"", "\"REVERSED\""),
        SUCCEEDED.replace("12345.00", "\"12345.00\""),
        SUCCEEDED.replace("12345.00", "-1.00"),
        SUCCEEDED.replace("12345.00", "0.001"),
        SUCCEEDED.replace("12345.00", "1e400"),
        SUCCEEDED.replace("\"amount\":", "\"amount\":1.00,\"amount\":"),
    ] {
        let error = read(&body).unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::Invalid, "VALIDATION_ERROR"), "{body}");
    }
}

#[test]
fn the_secret_is_checked_and_not_shown() {
    let refused = NoticeVerifier::new(&SecretString::from("whsec_hush"), Arc::new(FixedClock));
    let Err(SetupError::InvalidSecret) = refused else { panic!("{refused:?}") };
    let verifier = NoticeVerifier::new(&SecretString::from(SECRET), Arc::new(FixedClock)).unwrap();
    assert_eq!(format!("{verifier:?}"), "NoticeVerifier { .. }");
}
