//! Passwords are hashed and verified here, away from the threads that serve requests.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kernel::IdGenerator;
use tokio::sync::Semaphore;
use user::{HashCost, Password, PasswordHash, Passwords, UserError};

/// How long a password waits for its turn.
const PATIENCE: Duration = Duration::from_secs(2);

/// Works on so many passwords at a time, each of which takes a core and 19 MiB.
pub struct PasswordBench {
    cost: HashCost,
    places: Arc<Semaphore>,
    ids: Arc<dyn IdGenerator>,
}

impl PasswordBench {
    /// Makes a bench with so many places.
    pub fn new(cost: HashCost, places: usize, ids: Arc<dyn IdGenerator>) -> Self {
        Self { cost, places: Arc::new(Semaphore::new(places)), ids }
    }

    /// Does the work on a blocking thread once there is a place. Whoever gives up waiting for the result does
    /// not give the place up before the work is done.
    async fn work<T: Send + 'static>(
        &self,
        purpose: &'static str,
        work: impl FnOnce() -> Result<T, UserError> + Send + 'static,
    ) -> Result<T, UserError> {
        let place = tokio::select! {
            place = self.places.clone().acquire_owned() => place.map_err(|_| UserError::Hashing)?,
            () = tokio::time::sleep(PATIENCE) => return Err(UserError::Busy),
        };
        let done = tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        });
        let done = done.await.unwrap_or(Err(UserError::Hashing));
        let outcome = if done.is_ok() { "done" } else { "failed" };
        metrics::counter!("jumun_passwords_total", "purpose" => purpose, "outcome" => outcome).increment(1);
        done
    }
}

#[async_trait]
impl Passwords for PasswordBench {
    async fn hash(&self, password: Password) -> Result<PasswordHash, UserError> {
        let mut salt = [0; 16];
        self.ids.fill_random(&mut salt);
        let cost = self.cost;
        self.work("hash", move || password.hash(salt, cost)).await
    }

    async fn verify(&self, password: Password, hash: Option<PasswordHash>) -> Result<bool, UserError> {
        let (known, cost) = (hash.is_some(), self.cost);
        // ADR-035: one path for both, so that there is no faster one.
        let hash = hash.unwrap_or_else(|| cost.decoy());
        let right = self.work("verify", move || password.verify(&hash)).await?;
        Ok(right && known)
    }
}

#[cfg(test)]
mod tests {
    use local::SystemIds;

    use super::*;

    fn bench(places: usize) -> PasswordBench {
        PasswordBench::new(HashCost::Minimal, places, Arc::new(SystemIds))
    }

    fn password(text: &str) -> Password {
        Password::new(text.into()).unwrap()
    }

    #[tokio::test]
    async fn a_password_is_verified_by_its_hash_and_by_no_decoy() {
        let bench = bench(1);
        let hash = bench.hash(password("correct horse")).await.unwrap();
        assert_eq!(bench.verify(password("correct horse"), Some(hash.clone())).await, Ok(true));
        assert_eq!(bench.verify(password("wrong horse"), Some(hash)).await, Ok(false));
        assert_eq!(bench.verify(password("correct horse"), None).await, Ok(false));
        let broken = PasswordHash::from_phc("x".into());
        assert_eq!(bench.verify(password("correct horse"), Some(broken)).await, Err(UserError::Hashing));
    }

    /// Without a hash the same work waits for the same place: it is not skipped.
    #[tokio::test(start_paused = true)]
    async fn whoever_waits_too_long_for_a_place_is_told_so_with_and_without_a_hash() {
        let bench = bench(0);
        let hash = HashCost::Minimal.decoy();
        assert_eq!(bench.hash(password("correct horse")).await, Err(UserError::Busy));
        assert_eq!(bench.verify(password("correct horse"), Some(hash)).await, Err(UserError::Busy));
        assert_eq!(bench.verify(password("correct horse"), None).await, Err(UserError::Busy));
    }
}
