//! Registering a user.

use async_trait::async_trait;
use kernel::{StoreError, UserId};
use user::{Email, PasswordHash, Role, User, UserError, UserName};

use crate::{Checkout, Transaction, TransactionScript, UseCaseError};

/// A user to register; the password is hashed already, outside any transaction.
pub struct RegisterUser {
    /// The e-mail address.
    pub email: Email,
    /// The name.
    pub name: UserName,
    /// Proves the password.
    pub password_hash: PasswordHash,
}

impl Checkout {
    /// Registers a user who may buy.
    ///
    /// # Errors
    /// [`UserError::DuplicateEmail`], or why it could not be carried out.
    pub async fn register_user(&self, user: RegisterUser) -> Result<User, UseCaseError> {
        let user = User {
            id: UserId::from_uuid(self.ids.uuid()),
            email: user.email,
            name: user.name,
            role: Role::User,
            password_hash: user.password_hash,
            created_at: self.clock.now(),
        };
        self.runner.run(Script { user }).await
    }
}

struct Script {
    user: User,
}

#[async_trait]
impl TransactionScript for Script {
    type Output = User;

    const NAME: &'static str = "register_user";

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<User, UseCaseError> {
        match tx.users().insert(std::slice::from_ref(&self.user)).await {
            Ok(()) => Ok(self.user.clone()),
            Err(StoreError::Duplicate(_)) => Err(UseCaseError::rejected(UserError::DuplicateEmail)),
            Err(error) => Err(error.into()),
        }
    }
}
