//! Access tokens as JSON Web Tokens (RFC 7519), ADR-035.
//!
//! The algorithm is pinned to HS256: what the header of a token says of it is compared and never followed.
//! `jsonwebtoken` checks signature, issuer and audience; the times are checked here, since they come from
//! [`Clock`], to the second and without leeway.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use kernel::{Clock, IdGenerator, UserId};
use serde::{Deserialize, Serialize};
use user::{AccessToken, AccessTokens, UserError};

/// Who issues the tokens.
const ISSUER: &str = "jumun";
/// For whom they are.
const AUDIENCE: &str = "jumun-api";
/// What kind of token it is (RFC 9068), so that no other kind under the same key can pass for one.
const KIND: &str = "at+jwt";
/// The longest token that is looked at; ours have about 350 characters.
const LONGEST: usize = 1024;

/// Issues and checks tokens with a shared secret. It does not print.
pub struct JwtTokens {
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
}

/// What a token says. Every member has to be there, and in this form.
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    iat: i64,
    nbf: i64,
    exp: i64,
    jti: String,
}

impl JwtTokens {
    /// Takes the secret with which all instances sign.
    pub fn new(secret: &[u8; 32], clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.required_spec_claims =
            HashSet::from(["exp", "nbf", "iss", "aud", "sub"].map(str::to_owned));
        // The library would ask the system's clock.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.leeway = 0;
        Self {
            signing: EncodingKey::from_secret(secret),
            checking: DecodingKey::from_secret(secret),
            validation,
            clock,
            ids,
        }
    }
}

impl AccessTokens for JwtTokens {
    fn issue(&self, user: UserId) -> Result<AccessToken, UserError> {
        let now = self.clock.now();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user,
            iat: now.timestamp(),
            nbf: now.timestamp(),
            exp: (now + AccessToken::LIFETIME).timestamp(),
            jti: self.ids.uuid().to_string(),
        };
        let header = Header { typ: Some(KIND.to_owned()), ..Header::new(Algorithm::HS256) };
        let token = jsonwebtoken::encode(&header, &claims, &self.signing).map_err(|_| UserError::Signing)?;
        Ok(AccessToken::new(token))
    }

    fn verify(&self, token: &str) -> Result<UserId, UserError> {
        if token.len() > LONGEST {
            return Err(UserError::InvalidToken);
        }
        let token = jsonwebtoken::decode::<Claims>(token, &self.checking, &self.validation)
            .map_err(|_| UserError::InvalidToken)?;
        let (claims, now) = (token.claims, self.clock.now().timestamp());
        let good_now = claims.nbf <= now && now < claims.exp;
        if !good_now || token.header.typ.as_deref() != Some(KIND) {
            return Err(UserError::InvalidToken);
        }
        Ok(claims.sub)
    }
}

impl fmt::Debug for JwtTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JwtTokens(…)")
    }
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
