//! What stands for a card.

use std::fmt;

use crate::PaymentError;

/// What the gateway gave the buyer in place of a card: 1 to 255 printable ASCII characters. It exists only
/// until the gateway has it: it is never stored, and it does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct CardToken(String);

impl CardToken {
    /// Takes a token as the buyer sent it.
    pub fn new(text: &str) -> Result<Self, PaymentError> {
        if !(1..=255).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(PaymentError::InvalidCardToken);
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the token, for the gateway alone.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CardToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_printable_ascii_and_does_not_print() {
        for (text, valid) in
            [("", false), ("tok_ok", true), ("tok ok", false), ("tok\n", false), ("토큰", false)]
        {
            assert_eq!(CardToken::new(text).is_ok(), valid, "{text:?}");
        }
        assert!(CardToken::new(&"t".repeat(255)).is_ok() && CardToken::new(&"t".repeat(256)).is_err());
        assert!(!format!("{:?}", CardToken::new("tok_ok").unwrap()).contains("tok"));
    }
}
