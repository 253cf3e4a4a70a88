//! A directory that remembers who may do what.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use coordination::{Coalescer, Sharing};
use kernel::{StoreError, UserId};
use user::{Credentials, Email, Role, User, UserDirectory};

/// Answers roles from memory for a few seconds, since every request asks for one. Only users who exist
/// are remembered, so a new user is known at once. Of a crowd that comes at the same moment, such as for a
/// coupon, all are looked up in one question (ADR-041).
pub struct CachedDirectory {
    inner: Arc<dyn UserDirectory>,
    lookups: Coalescer<(), UserId, Arc<HashMap<UserId, Role>>>,
    roles: Mutex<HashMap<UserId, (Role, Instant)>>,
}

impl CachedDirectory {
    /// How long a role is remembered: for so long a change of role may go unnoticed.
    pub const TTL: Duration = Duration::from_secs(10);
    /// How many users are remembered.
    const USERS: usize = 100_000;

    /// So many users are asked for in one question, at most.
    const LOOKUPS: Sharing = Sharing { name: "roles", questions: 1_000 };

    /// Puts a memory in front of a directory. What callers share is read on the current runtime.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub fn new(inner: Arc<dyn UserDirectory>) -> Self {
        let reader = inner.clone();
        let lookups = Coalescer::new(Self::LOOKUPS, move |(), ids: Vec<UserId>| {
            let reader = reader.clone();
            async move { reader.roles(&ids).await.map(Arc::new) }
        });
        Self { inner, lookups, roles: Mutex::default() }
    }
}

#[async_trait]
impl UserDirectory for CachedDirectory {
    async fn find(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.inner.find(id).await
    }

    async fn role(&self, id: UserId) -> Result<Option<Role>, StoreError> {
        let remembered = {
            let roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
            roles.get(&id).filter(|(_, at)| at.elapsed() < Self::TTL).map(|(role, _)| *role)
        };
        if remembered.is_some() {
            return Ok(remembered);
        }
        let role = self.lookups.ask((), id).await?.get(&id).copied();
        if let Some(role) = role {
            let mut roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
            if roles.len() >= Self::USERS {
                roles.clear();
            }
            roles.insert(id, (role, Instant::now()));
        }
        Ok(role)
    }

    async fn roles(&self, ids: &[UserId]) -> Result<HashMap<UserId, Role>, StoreError> {
        self.inner.roles(ids).await
    }

    async fn credentials(&self, email: &Email) -> Result<Option<Credentials>, StoreError> {
        self.inner.credentials(email).await
    }
}
