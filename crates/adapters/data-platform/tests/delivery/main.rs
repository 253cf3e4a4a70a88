//! What the client puts on the wire, and what it makes of the answers.

#![cfg(test)]

mod doubles;
mod receiver;

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::{DATE, LOCATION, RETRY_AFTER};
use checkout::outbox::{DeliveryError, EventSink};
use data_platform::{DataPlatformClient, SetupError, TimeLimits};
use kernel::TraceContext;
use secrecy::SecretString;
use standardwebhooks::Webhook;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use doubles::{NOW, SECRET, client, client_with, order_placed};
use receiver::Receiver;

const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// Short enough for a test to sit out, long enough for a busy machine.
const SHORT: TimeLimits =
    TimeLimits { connect: Duration::from_millis(300), total: Duration::from_millis(300) };

fn accept() -> HttpResponse {
    HttpResponse::Ok().json(())
}

#[tokio::test]
async fn an_event_goes_out_as_a_cloud_event_with_its_amounts_untouched() {
    let receiver = Receiver::answering(accept);
    let mut event = order_placed();
    event.trace = Some(TRACEPARENT.parse().unwrap());

    client(receiver.base()).send(&event).await.unwrap();

    let request = receiver.only_request();
    assert_eq!(request.line, "POST /platform/v1/events");
    assert_eq!(request.header("content-type"), "application/cloudevents+json");
    assert_eq!(
        request.body,
        concat!(
            r#"{"specversion":"1.0","id":"019a6891-e6c0-7000-8000-000000000001","#,
            r#""source":"/jumun/orders/019a6891-e6c0-7000-8000-0000000000aa","type":"OrderPlaced","#,
            r#""subject":"019a6891-e6c0-7000-8000-0000000000aa","time":"2025-11-09T12:34:55.000250Z","#,
            r#""datacontenttype":"application/json","sequence":"0000000012","#,
            r#""partitionkey":"019a6891-e6c0-7000-8000-0000000000aa","#,
            r#""traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","#,
            r#""data":{"orderId":"019a6891-e6c0-7000-8000-0000000000aa","totalAmount":19900.00,"name":"김밥"}}"#,
        )
    );
}

#[tokio::test]
async fn the_signature_is_valid_and_bound_to_event_and_time() {
    let receiver = Receiver::answering(accept);
    let event = order_placed();

    client(receiver.base()).send(&event).await.unwrap();

    let request = receiver.only_request();
    assert_eq!(request.header("webhook-id"), event.id.to_string());
    assert_eq!(request.header("webhook-timestamp"), NOW.timestamp().to_string());
    let expected = Webhook::new(SECRET)
        .unwrap()
        .sign(&event.id.to_string(), NOW.timestamp(), request.body.as_bytes())
        .unwrap();
    assert_eq!(request.header("webhook-signature"), expected);
}

#[tokio::test]
async fn a_receiver_that_follows_the_standard_accepts_the_signature() {
    let receiver = Receiver::answering(accept);
    let clock = doubles::SystemClock;

    client_with(receiver.base(), TimeLimits::default(), clock).send(&order_placed()).await.unwrap();

    let request = receiver.only_request();
    let headers = ["webhook-id", "webhook-timestamp", "webhook-signature"]
        .map(|name| (name.parse().unwrap(), request.header(name).parse().unwrap()));
    let headers = headers.into_iter().collect();
    Webhook::new(SECRET).unwrap().verify(request.body.as_bytes(), &headers).unwrap();
}

#[tokio::test]
async fn the_call_is_a_child_span_in_the_trace_of_the_event() {
    let receiver = Receiver::answering(accept);
    let origin: TraceContext = TRACEPARENT.parse().unwrap();
    let mut event = order_placed();
    event.trace = Some(origin);

    client(receiver.base()).send(&event).await.unwrap();

    let call: TraceContext = receiver.only_request().header("traceparent").parse().unwrap();
    assert_eq!(call.trace_id(), origin.trace_id());
    assert_ne!(call, origin);
}

#[tokio::test]
async fn an_event_without_a_trace_is_sent_without_one() {
    let receiver = Receiver::answering(accept);

    client(receiver.base()).send(&order_placed()).await.unwrap();

    let request = receiver.only_request();
    assert!(!request.headers.contains_key("traceparent"));
    assert!(!request.body.contains("traceparent"));
}

#[tokio::test]
async fn a_repeated_event_has_the_same_id_and_the_same_body() {
    let receiver = Receiver::answering(accept);
    let client = client(receiver.base());

    for _ in 0..2 {
        client.send(&order_placed()).await.unwrap();
    }

    let requests = receiver.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].body, requests[1].body);
    assert_eq!(requests[0].header("webhook-id"), requests[1].header("webhook-id"));
}

#[tokio::test]
async fn every_2xx_confirms_and_nothing_else_does() {
    let receiver = Receiver::answering(|| HttpResponse::Accepted().finish());
    client(receiver.base()).send(&order_placed()).await.unwrap();

    for (answer, expected) in [
        ((|| HttpResponse::NotModified().finish()) as fn() -> HttpResponse, 304),
        (|| HttpResponse::BadRequest().json("poison"), 400),
        (|| HttpResponse::Conflict().json("already here"), 409),
        (|| HttpResponse::InternalServerError().finish(), 500),
    ] {
        let receiver = Receiver::answering(answer);
        let error = client(receiver.base()).send(&order_placed()).await.unwrap_err();
        assert!(
            matches!(error, DeliveryError::Refused { status, retry_after: None } if status == expected),
            "{expected}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_refusal_tells_how_long_the_receiver_wants_to_be_left_alone() {
    let seconds = || HttpResponse::TooManyRequests().insert_header((RETRY_AFTER, "17")).finish();
    let date = || {
        HttpResponse::ServiceUnavailable()
            .insert_header((RETRY_AFTER, "Sun, 09 Nov 2025 12:35:56 GMT"))
            // The pause is counted by our clock, whatever the receiver's shows.
            .insert_header((DATE, "Sun, 09 Nov 2025 00:00:00 GMT"))
            .finish()
    };
    for (answer, expected) in [
        (seconds as fn() -> HttpResponse, (429, Duration::from_secs(17))),
        (date, (503, Duration::from_mins(1))),
    ] {
        let receiver = Receiver::answering(answer);
        let error = client(receiver.base()).send(&order_placed()).await.unwrap_err();
        assert!(
            matches!(error, DeliveryError::Refused { status, retry_after: Some(wait) } if (status, wait) == expected),
            "{expected:?}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let receiver = Receiver::answering(|| {
        HttpResponse::TemporaryRedirect().insert_header((LOCATION, "/elsewhere")).finish()
    });

    let error = client(receiver.base()).send(&order_placed()).await.unwrap_err();

    assert!(matches!(error, DeliveryError::Refused { status: 307, .. }), "{error:?}");
    assert_eq!(receiver.only_request().line, "POST /platform/v1/events");
}

/// Not even where it would be asked kindly, as by the service that tells a machine of a cloud its secrets.
#[tokio::test]
async fn a_redirect_to_elsewhere_is_not_followed() {
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let here = elsewhere.local_addr().unwrap();
    for status in ["301 Moved Permanently", "302 Found", "303 See Other", "308 Permanent Redirect"] {
        for to in [here.to_string(), "169.254.169.254".to_owned()] {
            let answer = format!(
                "HTTP/1.1 {status}\r\nlocation: http://{to}/latest/meta-data\r\nconnection: close\r\n\
                 content-length: 0\r\n\r\n"
            );
            let (base, asked) = answering_once(answer.into_bytes()).await;
            let error = client(base).send(&order_placed()).await.unwrap_err();
            let code: u16 = status[..3].parse().unwrap();
            let refused = matches!(error, DeliveryError::Refused { status, .. } if status == code);
            assert!(refused, "{status}: {error:?}");
            asked.await.unwrap();
        }
    }
    assert_eq!(elsewhere.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "nobody came");
}

/// Whatever it says: the status is the answer.
#[tokio::test]
async fn a_body_of_ten_megabytes_is_not_read() {
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 10000000\r\n\r\n{\"broken\": ";
    let answer = [head.as_bytes(), &vec![b' '; 10_000_000]].concat();
    let (base, asked) = answering_once(answer).await;
    client(base).send(&order_placed()).await.unwrap();
    assert!(asked.await.unwrap() < 10_000_000, "all of it was taken");
}

/// Answers one request, and tells how much of the answer was taken.
async fn answering_once(answer: Vec<u8>) -> (url::Url, tokio::task::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = receiver::base(listener.local_addr().unwrap());
    let asked = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        connection.read_exact(&mut [0; 64]).await.unwrap();
        let mut taken = 0;
        while let Ok(length @ 1..) = connection.write(&answer[taken..]).await {
            taken += length;
        }
        // It stays open until the client hangs up.
        let _ = connection.read_to_end(&mut Vec::new()).await;
        taken
    });
    (base, asked)
}

#[tokio::test]
async fn a_silent_receiver_is_given_up_in_time() {
    // The system completes the handshake; nobody reads.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let base = receiver::base(silent.local_addr().unwrap());

    let error = client_with(base, SHORT, NOW).send(&order_placed()).await.unwrap_err();

    let DeliveryError::Unreachable(cause) = error else { panic!("{error:?}") };
    assert!(cause.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_timeout), "{cause:?}");
}

#[tokio::test]
async fn a_closed_port_is_unreachable() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();

    let error = client(receiver::base(closed)).send(&order_placed()).await.unwrap_err();

    assert!(matches!(error, DeliveryError::Unreachable(_)), "{error:?}");
}

#[tokio::test]
async fn an_answer_lost_on_the_way_back_is_no_confirmation() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = receiver::base(listener.local_addr().unwrap());
    let hang_up = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        connection.read_exact(&mut [0; 64]).await.unwrap();
    });

    let error = client(base).send(&order_placed()).await.unwrap_err();

    assert!(matches!(error, DeliveryError::Unreachable(_)), "{error:?}");
    hang_up.await.unwrap();
}

#[tokio::test]
async fn the_body_of_an_answer_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = receiver::base(listener.local_addr().unwrap());
    let promise_much = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        connection.read_exact(&mut [0; 64]).await.unwrap();
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000\r\n\r\n").await.unwrap();
        // It stays open and sends nothing more until the client hangs up.
        let mut rest = Vec::new();
        let _ = connection.read_to_end(&mut rest).await;
    });

    client(base).send(&order_placed()).await.unwrap();

    promise_much.await.unwrap();
}

#[tokio::test]
async fn an_event_whose_data_is_not_json_is_a_defect_and_is_not_sent() {
    let receiver = Receiver::answering(accept);
    let mut event = order_placed();
    event.data = "{\"totalAmount\":".to_owned();

    let error = client(receiver.base()).send(&event).await.unwrap_err();

    assert!(matches!(error, DeliveryError::Encoding(_)), "{error:?}");
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn settings_are_checked_at_once_and_secrets_are_not_shown() {
    let base = receiver::base(([127, 0, 0, 1], 8081).into());
    let shown = format!("{:?}", client(base.clone()));
    assert_eq!(shown, r#"DataPlatformClient { endpoint: "http://127.0.0.1:8081/platform/v1/events", .. }"#);

    let refused = DataPlatformClient::new(
        base,
        &SecretString::from("whsec_"),
        TimeLimits::default(),
        std::sync::Arc::new(NOW),
        doubles::ids(),
    );
    assert!(matches!(refused, Err(SetupError::InvalidSecret)));
}
