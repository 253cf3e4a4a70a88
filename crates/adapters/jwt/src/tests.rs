use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use serde_json::{Value, json};
use testkit::ManualClock;
use testkit::fixtures::noon;
use uuid::Uuid;

use super::*;

struct Fixed;

impl IdGenerator for Fixed {
    fn uuid(&self) -> Uuid {
        Uuid::from_u128(9)
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        bytes.fill(9);
    }
}

const SECRET: &[u8; 32] = b"a secret of thirty-two bytes ...";

pub(super) fn user() -> UserId {
    UserId::from_uuid(Uuid::from_u128(0x0000_0000_0000_7000_8000_0000_0000_0002))
}

pub(super) fn tokens() -> (JwtTokens, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(noon()));
    (JwtTokens::new(SECRET, clock.clone(), Arc::new(Fixed)), clock)
}

/// Claims that are good at noon.
pub(super) fn claims() -> Value {
    let now = noon().timestamp();
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": user(), "iat": now, "nbf": now, "exp": now + 3600,
        "jti": "9"})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

/// Signs with an algorithm of the family of HMAC.
fn sign(algorithm: Algorithm, typ: Option<&str>, secret: &[u8], claims: &Value) -> String {
    let header = Header { typ: typ.map(str::to_owned), ..Header::new(algorithm) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret)).unwrap()
}

pub(super) fn good(claims: &Value) -> String {
    sign(Algorithm::HS256, Some(KIND), SECRET, claims)
}

/// Writes a token whose header says what no library would sign.
fn forge(header: &Value, claims: &Value, signature: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(header), part(claims))
}

#[test]
fn a_token_names_its_user_for_an_hour() {
    let (tokens, clock) = tokens();
    let token = tokens.issue(user()).unwrap();
    assert_eq!(tokens.verify(token.expose()), Ok(user()));
    clock.set(noon() + AccessToken::LIFETIME - TimeDelta::microseconds(1));
    assert_eq!(tokens.verify(token.expose()), Ok(user()));
    clock.advance(Duration::from_micros(1));
    assert_eq!(tokens.verify(token.expose()), Err(UserError::InvalidToken), "there is no leeway");
    assert_eq!(format!("{token:?} {tokens:?}"), "AccessToken(…) JwtTokens(…)");
}

#[test]
fn a_token_says_what_is_needed_and_nothing_personal() {
    let (tokens, _) = tokens();
    let token = tokens.issue(user()).unwrap();
    assert!(token.expose().len() < LONGEST / 2, "{}", token.expose().len());
    let part = |index| {
        let text = token.expose().split('.').nth(index).unwrap();
        serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    assert_eq!(part(0), json!({"typ": "at+jwt", "alg": "HS256"}));
    let now = noon().timestamp();
    let expected = json!({"iss": "jumun", "aud": "jumun-api", "sub": user(), "iat": now, "nbf": now,
        "exp": now + 3600, "jti": Uuid::from_u128(9)});
    assert_eq!(part(1), expected);
}

#[test]
fn claims_that_are_not_good_now_or_not_for_us_are_refused() {
    let (tokens, _) = tokens();
    assert_eq!(tokens.verify(&good(&claims())), Ok(user()));
    let now = noon().timestamp();
    for (what, claims) in [
        ("expired by a second", with("exp", json!(now - 1))),
        ("expired just now", with("exp", json!(now))),
        ("not good before a second from now", with("nbf", json!(now + 1))),
        ("another issuer", with("iss", json!("jumun2"))),
        ("several issuers", with("iss", json!([ISSUER, "other"]))),
        ("another audience", with("aud", json!("shop"))),
        ("several audiences", with("aud", json!([AUDIENCE, "shop"]))),
        ("a subject that is no user", with("sub", json!("1"))),
        ("an end that is a text", with("exp", json!("4102444800"))),
        ("an end that is a fraction", with("exp", json!(4_102_444_800.5))),
        ("an end that is too far", with("exp", json!(u64::MAX))),
        ("no end", without("exp")),
        ("an end of nothing", with("exp", Value::Null)),
        ("no begin", without("nbf")),
        ("no issuer", without("iss")),
        ("no audience", without("aud")),
        ("no subject", without("sub")),
        ("no claims", json!({})),
    ] {
        assert_eq!(tokens.verify(&good(&claims)), Err(UserError::InvalidToken), "{what}");
    }
}

#[test]
fn the_algorithm_is_ours_and_not_the_tokens() {
    let (tokens, _) = tokens();
    let real = good(&claims());
    let signature = real.rsplit('.').next().unwrap();
    for algorithm in ["none", "None", "NONE", "", "HS256 ", "hs256", "RS256", "ES256", "HS512", "XX"] {
        for signature in ["", signature] {
            let token = forge(&json!({"alg": algorithm, "typ": KIND}), &claims(), signature);
            assert_eq!(tokens.verify(&token), Err(UserError::InvalidToken), "{algorithm}");
        }
    }
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let token = sign(algorithm, Some(KIND), SECRET, &claims());
        assert_eq!(tokens.verify(&token), Err(UserError::InvalidToken), "{algorithm:?}");
    }
    for typ in [None, Some("JWT"), Some("rt+jwt")] {
        let token = sign(Algorithm::HS256, typ, SECRET, &claims());
        assert_eq!(tokens.verify(&token), Err(UserError::InvalidToken), "{typ:?}");
    }
}

#[test]
fn a_token_of_another_secret_or_with_a_changed_letter_is_refused() {
    let (tokens, _) = tokens();
    let other = sign(Algorithm::HS256, Some(KIND), b"another secret of 32 bytes ......", &claims());
    assert_eq!(tokens.verify(&other), Err(UserError::InvalidToken));
    let real = good(&claims());
    for index in 0..real.len() {
        let mut changed = real.clone().into_bytes();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(tokens.verify(&changed), Err(UserError::InvalidToken), "letter {index}");
        assert_eq!(tokens.verify(&real[..index]), Err(UserError::InvalidToken), "cut at {index}");
    }
    // Nothing that a token says of its key is followed.
    let header = json!({"alg": "HS256", "typ": KIND, "kid": "../../dev/null", "jku": "http://127.0.0.1/"});
    let message = forge(&header, &claims(), "");
    assert_eq!(tokens.verify(&message), Err(UserError::InvalidToken));
}

#[test]
fn what_is_no_token_is_refused_and_what_is_too_long_not_even_read() {
    let (tokens, _) = tokens();
    for text in ["", ".", "..", "...", "a.b.c", "eyJhbGciOiJIUzI1NiJ9..", " ", "\u{0}", "한.글.자"] {
        assert_eq!(tokens.verify(text), Err(UserError::InvalidToken), "{text}");
    }
    // Signed by us and good, and still not read.
    let long = good(&with("jti", json!("x".repeat(100_000))));
    assert!(long.len() > 100_000);
    assert_eq!(tokens.verify(&long), Err(UserError::InvalidToken));
}
