//! A gateway that is away, slow, broken or hostile (F21).

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use payment::PaymentGateway;
use tokio::net::TcpSocket;

use crate::doubles::{LONG, SHORT, card_charge, card_refund, charge_json, client, payment_id, word};
use crate::gateway::{Act, Gateway, answer, base};

/// What the three calls come to, in a word each.
async fn calls(client: &impl PaymentGateway) -> [String; 3] {
    [
        word(&client.charge(&card_charge()).await),
        word(&client.refund(&card_refund()).await),
        word(&client.find(payment_id(), None).await),
    ]
}

fn closed_port() -> std::net::SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn nobody_at_the_address_means_not_sent() {
    assert_eq!(calls(&client(base(closed_port()), LONG)).await, ["not sent"; 3]);
    let nameless = "http://gateway.invalid/".parse().unwrap();
    assert_eq!(calls(&client(nameless, LONG)).await, ["not sent"; 3]);
}

#[tokio::test]
async fn what_was_never_sent_is_tried_once_more() {
    let client = client(base(closed_port()), LONG);
    for call in 0..3 {
        let begun = Instant::now();
        match call {
            0 => drop(client.charge(&card_charge()).await),
            1 => drop(client.refund(&card_refund()).await),
            _ => drop(client.find(payment_id(), None).await),
        }
        // A closed port answers at once: the time is the pause before the second attempt.
        assert!(begun.elapsed() >= Duration::from_millis(100), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_connection_that_does_not_come_to_stand_means_not_sent() {
    // The queue of those who wait to be accepted is full: the system does not answer further ones.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    loop {
        tokio::select! {
            connection = tokio::net::TcpStream::connect(address) => waiting.push(connection.unwrap()),
            () = tokio::time::sleep(Duration::from_millis(300)) => break,
        }
    }
    let begun = Instant::now();
    assert_eq!(calls(&client(base(address), SHORT)).await, ["not sent"; 3]);
    assert!(begun.elapsed() < 4 * SHORT.total, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_gateway_that_accepts_and_never_answers_is_given_up_in_time() {
    let gateway = Gateway::doing(vec![Act::FallSilent(Vec::new())]).await;
    let begun = Instant::now();
    assert_eq!(calls(&client(gateway.base(), SHORT)).await, ["unknown"; 3]);
    assert!(begun.elapsed() >= 3 * SHORT.total);
    assert_eq!(gateway.requests().len(), 3, "nothing is sent again when the time is over");
}

#[tokio::test]
async fn an_answer_that_comes_late_or_in_drops_is_given_up_in_time() {
    let good = charge_json("SUCCEEDED");
    let Act::Write(whole) = answer("201 Created", &good) else { unreachable!() };
    let half = whole[..whole.len() - 10].to_vec();
    for act in [Act::WriteLate(Duration::from_mins(1), whole.clone()), Act::FallSilent(half)] {
        let gateway = Gateway::doing(vec![act]).await;
        let result = client(gateway.base(), SHORT).charge(&card_charge()).await;
        assert_eq!(word(&result), "unknown");
    }
    let gateway = Gateway::doing(vec![Act::WriteLate(Duration::from_millis(300), whole)]).await;
    client(gateway.base(), LONG).charge(&card_charge()).await.unwrap();
}

#[tokio::test]
async fn after_a_broken_connection_only_questions_are_repeated() {
    let good = charge_json("SUCCEEDED");
    let Act::Write(whole) = answer("201 Created", &good) else { unreachable!() };
    for broken in [Vec::new(), b"HTTP/1.1 20".to_vec(), whole[..whole.len() - 10].to_vec()] {
        let gateway = Gateway::doing(vec![Act::Write(broken)]).await;
        assert_eq!(calls(&client(gateway.base(), LONG)).await, ["unknown"; 3]);
        assert_eq!(gateway.requests().len(), 1 + 1 + 2);
    }
    let gateway = Gateway::doing(vec![Act::Write(Vec::new()), Act::Write(whole)]).await;
    let found = client(gateway.base(), LONG).find(payment_id(), None).await.unwrap();
    assert_eq!(found.unwrap().id, "pay_1");
}

#[tokio::test]
async fn an_answer_of_ten_megabytes_is_not_read() {
    let padded = charge_json("SUCCEEDED").replace('{', &format!("{{{}", " ".repeat(10_000_000)));
    let unending = b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    let endless = Act::FallSilent([unending, chunk.repeat(2).as_bytes()].concat());
    for act in [answer("201 Created", &padded), endless, answer("422 Unprocessable Content", &padded)] {
        let gateway = Gateway::doing(vec![act]).await;
        assert_eq!(calls(&client(gateway.base(), LONG)).await, ["unknown"; 3]);
        assert_eq!(gateway.requests().len(), 3);
    }
    // What is just short enough is read.
    let whole = charge_json("SUCCEEDED");
    let longest = whole.replacen('{', &format!("{{{}", " ".repeat(64 * 1024 - whole.len())), 1);
    let gateway = Gateway::doing(vec![answer("201 Created", &longest)]).await;
    client(gateway.base(), LONG).charge(&card_charge()).await.unwrap();
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    for status in ["301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect"] {
        let address = elsewhere.local_addr().unwrap();
        let redirect = format!(
            "HTTP/1.1 {status}\r\nlocation: http://{address}/latest/meta-data\r\ncontent-length: 0\r\n\r\n"
        );
        let gateway = Gateway::doing(vec![Act::Write(redirect.into_bytes())]).await;
        assert_eq!(calls(&client(gateway.base(), LONG)).await, ["unknown"; 3]);
        assert_eq!(gateway.requests().len(), 3);
    }
    assert_eq!(elsewhere.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nobody came");
}
