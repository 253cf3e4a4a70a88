//! Tokens of strangers: none is believed and none makes the reader panic.

use std::panic::AssertUnwindSafe;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bolero::check;
use serde_json::Value;

use super::*;
use crate::tests::{good, tokens, user};

#[test]
fn what_is_no_token_of_ours_is_refused() {
    let tokens = AssertUnwindSafe(tokens().0);
    check!().with_iterations(2_000).with_type::<(String, Vec<u8>, Vec<u8>)>().for_each(
        |(text, header, claims)| {
            assert_eq!(tokens.verify(text), Err(UserError::InvalidToken));
            let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
            for token in [
                format!("{header}.{claims}."),
                format!("{header}.{claims}.{text}"),
                format!("{header}.{claims}"),
            ] {
                assert_eq!(tokens.verify(&token), Err(UserError::InvalidToken), "{token}");
            }
        },
    );
}

#[test]
fn a_token_in_which_anything_was_changed_is_refused() {
    let tokens = AssertUnwindSafe(tokens().0);
    let real = tokens.issue(user()).unwrap().expose().to_owned();
    check!().with_iterations(2_000).with_type::<(usize, char, u8)>().for_each(|(place, letter, what)| {
        let place = place % real.len();
        let mut changed = real.clone();
        match what % 3 {
            0 => changed.replace_range(place..=place, letter.encode_utf8(&mut [0; 4])),
            1 => changed.insert(place, *letter),
            _ => changed.replace_range(place..=place, ""),
        }
        let expected = if changed == real { Ok(user()) } else { Err(UserError::InvalidToken) };
        assert_eq!(tokens.verify(&changed), expected, "{changed}");
    });
}

/// Even who knows the secret is believed only what has the form of our claims.
#[test]
fn claims_that_were_signed_and_spoiled_name_nobody_else() {
    let tokens = AssertUnwindSafe(tokens().0);
    let text = crate::tests::claims().to_string();
    check!().with_iterations(2_000).with_type::<(usize, u8)>().for_each(|(place, byte)| {
        let mut spoiled = text.clone().into_bytes();
        let place = place % spoiled.len();
        spoiled[place] = *byte;
        let Ok(claims) = serde_json::from_slice::<Value>(&spoiled) else { return };
        if let Ok(named) = tokens.verify(&good(&claims)) {
            // In capital letters it is the same user.
            let sub = claims["sub"].as_str().unwrap();
            assert_eq!(named.to_string(), sub.to_lowercase());
        }
    });
}
