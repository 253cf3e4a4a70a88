//! Notices with bodies as a broken or hostile gateway would sign them.

use bolero::check;

use super::tests::{SUCCEEDED, read};
use super::*;

/// Whatever is read as a notice has the form that is documented.
fn check_body(body: &str) {
    match read(body) {
        Ok(Received::Notice(notice)) => {
            let charge = &notice.charge;
            assert!((1..=64).contains(&charge.id.len()) && charge.id.bytes().all(|b| b.is_ascii_graphic()));
            assert!(!charge.amount.is_negative(), "{body}");
            let captured = charge.state == ChargeState::Captured;
            assert_eq!(captured, notice.kind == NoticeKind::Succeeded, "{body}");
            // What was understood, written down again, is understood alike.
            assert_eq!(read(&written(&notice)), Ok(Received::Notice(notice)), "{body}");
        }
        Ok(Received::Ignored { id }) => assert_eq!(id, "msg_1"),
        Err(error) => assert_eq!((error.kind(), error.code()), (ErrorKind::Invalid, "VALIDATION_ERROR")),
    }
}

fn written(notice: &Notice) -> String {
    let (kind, state) = match &notice.charge.state {
        ChargeState::Declined { code } => {
            let code = serde_json::to_string(code).unwrap();
            ("payment.failed", format!(r#""DECLINED","declineCode":{code}"#))
        }
        _ => ("payment.succeeded", r#""SUCCEEDED""#.to_owned()),
    };
    let id = serde_json::to_string(&notice.charge.id).unwrap();
    let (at, key, amount) = (notice.occurred_at.to_rfc3339(), notice.payment_id, notice.charge.amount);
    format!(
        r#"{{"type":"{kind}","timestamp":"{at}","data":{{"id":{id},"key":"{key}","status":{state},"amount":{amount}}}}}"#
    )
}

#[test]
fn any_text_that_the_gateway_signed_is_a_notice_or_invalid() {
    check!().with_iterations(1_000).with_type::<String>().for_each(|body| check_body(body));
}

#[test]
fn a_notice_with_any_text_in_any_place_is_still_one_or_invalid() {
    check!().with_iterations(4_000).with_type::<(usize, u8, String)>().for_each(|(place, length, text)| {
        let from = place % SUCCEEDED.len();
        let to = (from + usize::from(*length) % 8).min(SUCCEEDED.len());
        let mut body = SUCCEEDED.to_owned();
        body.replace_range(from..to, text);
        check_body(&body);
        // Numbers, rather than any text, in the place of the amount.
        let digits: String =
            text.bytes().map(|byte| char::from(b"0123456789.-eE"[usize::from(byte % 14)])).collect();
        check_body(&SUCCEEDED.replace("12345.00", &digits));
    });
}
