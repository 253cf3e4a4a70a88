//! Sessions: what one login leads to, a family of refresh tokens of which one at a time is good.

use std::time::Duration;

use kernel::{Timestamp, UserId};

use crate::{TokenDigest, UserError};

kernel::id_type!(
    /// Identifies a session, the family of its refresh tokens.
    SessionId
);

/// A refresh token of a session, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IssuedToken {
    /// Its hash.
    pub digest: TokenDigest,
    /// Its place in the family, from 1 on.
    pub sequence: u32,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// The first instant at which it is no longer good.
    pub expires_at: Timestamp,
    /// When it was exchanged for the next one.
    pub used_at: Option<Timestamp>,
}

impl IssuedToken {
    /// How long a refresh token is good for.
    pub const LIFETIME: Duration = Duration::from_hours(7 * 24);

    fn issue(digest: TokenDigest, sequence: u32, now: Timestamp) -> Self {
        Self { digest, sequence, issued_at: now, expires_at: now + Self::LIFETIME, used_at: None }
    }
}

/// A session, seen through one of its tokens: the one that somebody presents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The session.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// When it began.
    pub opened_at: Timestamp,
    /// When its tokens lost their worth, all at once.
    pub revoked_at: Option<Timestamp>,
    /// The token that is presented.
    pub token: IssuedToken,
}

/// What a refresh token that is presented leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presented {
    /// It was good and is used up: this one takes its place.
    Rotated(IssuedToken),
    /// It was used before, so that two have it, one of them a thief: the family is worth nothing any more.
    Reused,
}

impl Session {
    /// Begins a session with its first token.
    pub fn open(id: SessionId, user_id: UserId, digest: TokenDigest, now: Timestamp) -> Self {
        Self { id, user_id, opened_at: now, revoked_at: None, token: IssuedToken::issue(digest, 1, now) }
    }

    /// Exchanges the presented token for the next one, or finds out that it was stolen.
    ///
    /// There is no grace for a client that sends a token twice (ADR-035). A token that has had its time is
    /// expired and nothing else, whatever became of it before.
    ///
    /// # Errors
    /// [`UserError::InvalidToken`] if the session was revoked or the token is expired.
    pub fn present(&self, next: TokenDigest, now: Timestamp) -> Result<Presented, UserError> {
        if self.revoked_at.is_some() || now >= self.token.expires_at {
            return Err(UserError::InvalidToken);
        }
        if self.token.used_at.is_some() {
            return Ok(Presented::Reused);
        }
        let sequence = self.token.sequence.checked_add(1).ok_or(UserError::InvalidToken)?;
        Ok(Presented::Rotated(IssuedToken::issue(next, sequence, now)))
    }
}

#[cfg(test)]
mod tests {
    use kernel::IdGenerator;
    use kernel::export::Uuid;

    use super::*;
    use crate::RefreshToken;

    struct Bytes(u8);

    impl IdGenerator for Bytes {
        fn uuid(&self) -> Uuid {
            Uuid::from_bytes([self.0; 16])
        }

        fn fill_random(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    fn digest(number: u8) -> TokenDigest {
        RefreshToken::generate(&Bytes(number)).digest()
    }

    fn noon() -> Timestamp {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn session() -> Session {
        let id = Bytes(1).uuid();
        Session::open(SessionId::from_uuid(id), UserId::from_uuid(id), digest(1), noon())
    }

    #[test]
    fn a_good_token_is_exchanged_for_one_of_a_full_life() {
        let later = noon() + Duration::from_hours(24);
        let Ok(Presented::Rotated(next)) = session().present(digest(2), later) else {
            panic!("the token is good")
        };
        assert_eq!((next.digest, next.sequence, next.used_at), (digest(2), 2, None));
        assert_eq!((next.issued_at, next.expires_at), (later, later + Duration::from_hours(168)));
    }

    #[test]
    fn a_used_token_gives_the_thief_away_until_it_expires() {
        let mut session = session();
        session.token.used_at = Some(noon());
        assert_eq!(session.present(digest(2), noon()), Ok(Presented::Reused));
        assert_eq!(session.present(digest(2), session.token.expires_at), Err(UserError::InvalidToken));
    }

    #[test]
    fn a_token_is_good_until_its_last_microsecond() {
        let session = session();
        let end = noon() + IssuedToken::LIFETIME;
        assert!(session.present(digest(2), end - Duration::from_micros(1)).is_ok());
        assert_eq!(session.present(digest(2), end), Err(UserError::InvalidToken));
    }

    #[test]
    fn no_token_of_a_revoked_session_is_good() {
        let mut session = session();
        session.revoked_at = Some(noon());
        assert_eq!(session.present(digest(2), noon()), Err(UserError::InvalidToken));
        session.token.used_at = Some(noon());
        assert_eq!(session.present(digest(2), noon()), Err(UserError::InvalidToken));
    }
}
