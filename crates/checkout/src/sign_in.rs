//! Logging in, staying logged in and logging out (ADR-035).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kernel::{Clock, IdGenerator, Timestamp, UserId};
use user::{
    AccessToken, AccessTokens, Email, LoginAttempt, LoginAttempts, Password, Passwords, Presented,
    RefreshToken, Session, SessionId, TokenDigest, UserDirectory, UserError,
};

use crate::{Transaction, TransactionRunner, TransactionScript, UseCaseError};

/// How long a login waits before it looks again for a slot.
const ANOTHER_TRY: Duration = Duration::from_millis(100);

/// What a caller gets who has proved who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Shown with each request.
    pub access: AccessToken,
    /// Exchanged for both anew.
    pub refresh: RefreshToken,
}

/// Lets users in by their password, keeps them in by their refresh tokens, and lets them out.
#[derive(Clone)]
pub struct SignIn {
    runner: TransactionRunner,
    users: Arc<dyn UserDirectory>,
    passwords: Arc<dyn Passwords>,
    tokens: Arc<dyn AccessTokens>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
}

impl SignIn {
    /// Puts the use cases together.
    pub fn new(
        runner: TransactionRunner,
        users: Arc<dyn UserDirectory>,
        passwords: Arc<dyn Passwords>,
        tokens: Arc<dyn AccessTokens>,
        (clock, ids): (Arc<dyn Clock>, Arc<dyn IdGenerator>),
    ) -> Self {
        Self { runner, users, passwords, tokens, clock, ids }
    }

    /// Lets in whoever knows the password of an address.
    ///
    /// Whether anybody has the address makes no difference until the password was right: the try is
    /// counted first, and without a user a password is verified all the same.
    ///
    /// # Errors
    /// [`UserError::WrongCredentials`], [`UserError::TooManyAttempts`] before the password is looked at, or
    /// why it could not be carried out.
    pub async fn log_in(&self, email: Email, password: Password) -> Result<SignedIn, UseCaseError> {
        let result = self.try_to_log_in(email, password).await;
        let outcome = match &result {
            Ok(_) => "succeeded",
            Err(error) if is(error, |error| *error == UserError::WrongCredentials) => "wrong",
            Err(error) if is(error, |error| matches!(error, UserError::TooManyAttempts { .. })) => {
                "throttled"
            }
            Err(_) => "failed",
        };
        metrics::counter!("jumun_logins_total", "outcome" => outcome).increment(1);
        result
    }

    async fn try_to_log_in(&self, email: Email, password: Password) -> Result<SignedIn, UseCaseError> {
        let attempt = self.reserve(&email).await?;
        let user = match self.prove(&email, password).await {
            Ok(Some(user)) => user,
            Ok(None) => return Err(UseCaseError::rejected(UserError::WrongCredentials)),
            Err(error) => {
                // Nobody has found out whether the password was right. If this fails, the try counts.
                let _ = self.runner.run(TakeBack { email, attempt }).await;
                return Err(error);
            }
        };
        let refresh = RefreshToken::generate(self.ids.as_ref());
        let id = SessionId::from_uuid(self.ids.uuid());
        let session = Session::open(id, user, refresh.digest(), self.clock.now());
        let access = self.tokens.issue(user).map_err(UseCaseError::rejected)?;
        self.runner.run(Open { email, session }).await?;
        Ok(SignedIn { access, refresh })
    }

    /// Takes one of the slots for tries. Where all were taken a moment ago, some of them may be of logins that
    /// are about to succeed and give theirs back: that is waited for, before anybody is turned away.
    async fn reserve(&self, email: &Email) -> Result<LoginAttempt, UseCaseError> {
        loop {
            let attempt = LoginAttempt { id: self.ids.uuid(), at: self.clock.now() };
            let reserved = self.runner.run(Reserve { email: email.clone(), attempt }).await;
            let under_way = matches!(
                &reserved,
                Err(UseCaseError::Rejected(crate::Rejection::User(UserError::TooManyAttempts { retry_after })))
                    if *retry_after + LoginAttempts::UNDER_WAY > LoginAttempts::WINDOW
            );
            if !under_way {
                return reserved.map(|()| attempt);
            }
            tokio::time::sleep(ANOTHER_TRY).await;
        }
    }

    /// Returns whose password it is.
    async fn prove(&self, email: &Email, password: Password) -> Result<Option<UserId>, UseCaseError> {
        let found = self.users.credentials(email).await?;
        let (user, hash) = found.map(|found| (found.user_id, found.password_hash)).unzip();
        let right = self.passwords.verify(password, hash).await.map_err(UseCaseError::rejected)?;
        Ok(user.filter(|_| right))
    }

    /// Exchanges a refresh token for new tokens. One that was used before ends its session.
    ///
    /// # Errors
    /// [`UserError::InvalidToken`], or why it could not be carried out.
    pub async fn refresh(&self, token: &RefreshToken) -> Result<SignedIn, UseCaseError> {
        let refresh = RefreshToken::generate(self.ids.as_ref());
        let rotate = Rotate { token: token.digest(), next: refresh.digest(), now: self.clock.now() };
        let result = self.runner.run(rotate).await;
        let outcome = match &result {
            Ok(Rotated::Anew(_)) => "rotated",
            Ok(Rotated::Reused(_)) => "reused",
            Err(UseCaseError::Rejected(_)) => "refused",
            Err(UseCaseError::Failed(_)) => "failed",
        };
        metrics::counter!("jumun_token_refreshes_total", "outcome" => outcome).increment(1);
        match result? {
            Rotated::Anew(user) => {
                let access = self.tokens.issue(user).map_err(UseCaseError::rejected)?;
                Ok(SignedIn { access, refresh })
            }
            Rotated::Reused(session) => {
                tracing::warn!(%session, "a used refresh token was presented, its session is revoked");
                Err(UseCaseError::rejected(UserError::InvalidToken))
            }
        }
    }

    /// Ends the session of a refresh token, whatever its state; a token of no session ends nothing.
    ///
    /// # Errors
    /// Why it could not be carried out.
    pub async fn log_out(&self, token: &RefreshToken) -> Result<(), UseCaseError> {
        self.runner.run(End { token: token.digest(), now: self.clock.now() }).await
    }
}

fn is(error: &UseCaseError, kind: impl Fn(&UserError) -> bool) -> bool {
    matches!(error, UseCaseError::Rejected(crate::Rejection::User(error)) if kind(error))
}

/// Counts a try before the password is looked at, so that many at once cannot slip past the limit.
struct Reserve {
    email: Email,
    attempt: LoginAttempt,
}

#[async_trait]
impl TransactionScript for Reserve {
    type Output = ();

    const NAME: &'static str = "reserve_login";

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<(), UseCaseError> {
        let attempts = tx.login_attempts().lock(&self.email).await?;
        let slot = attempts.reserve(self.attempt.at).map_err(UseCaseError::rejected)?;
        Ok(tx.login_attempts().put(&self.email, &attempts, slot, self.attempt).await?)
    }
}

/// Gives back a try that was never decided.
struct TakeBack {
    email: Email,
    attempt: LoginAttempt,
}

#[async_trait]
impl TransactionScript for TakeBack {
    type Output = ();

    const NAME: &'static str = "take_back_login";

    fn repeatable(&self) -> bool {
        true
    }

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<(), UseCaseError> {
        Ok(tx.login_attempts().remove(&self.email, self.attempt).await?)
    }
}

/// Forgets the tries and begins the session.
struct Open {
    email: Email,
    session: Session,
}

#[async_trait]
impl TransactionScript for Open {
    type Output = ();

    const NAME: &'static str = "open_session";

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<(), UseCaseError> {
        tx.login_attempts().clear(&self.email).await?;
        Ok(tx.sessions().insert(&self.session).await?)
    }
}

enum Rotated {
    Anew(UserId),
    Reused(SessionId),
}

/// Uses a token up. What it finds out of a theft is committed; a refusal changes nothing.
struct Rotate {
    token: TokenDigest,
    next: TokenDigest,
    now: Timestamp,
}

#[async_trait]
impl TransactionScript for Rotate {
    type Output = Rotated;

    const NAME: &'static str = "refresh_session";

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<Rotated, UseCaseError> {
        let session = tx.sessions().lock(&self.token).await?;
        let session = session.ok_or_else(|| UseCaseError::rejected(UserError::InvalidToken))?;
        match session.present(self.next, self.now).map_err(UseCaseError::rejected)? {
            Presented::Rotated(next) => {
                tx.sessions().rotate(&session, &next).await?;
                Ok(Rotated::Anew(session.user_id))
            }
            Presented::Reused => {
                tx.sessions().revoke(session.id, self.now).await?;
                Ok(Rotated::Reused(session.id))
            }
        }
    }
}

/// Ends a session.
struct End {
    token: TokenDigest,
    now: Timestamp,
}

#[async_trait]
impl TransactionScript for End {
    type Output = ();

    const NAME: &'static str = "end_session";

    fn repeatable(&self) -> bool {
        true
    }

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<(), UseCaseError> {
        let session = tx.sessions().lock(&self.token).await?;
        if let Some(session) = session {
            tx.sessions().revoke(session.id, self.now).await?;
        }
        Ok(())
    }
}
