//! Users: who they are, what they may do, and how they prove it.
//!
//! Invariants
//! - an e-mail address belongs to one user, whatever its case;
//! - a role is kept with the user and never taken from a request;
//! - a password is known only by its hash, and neither it nor personal data ever prints.
//!
//! Ports: [`UserRepository`] inside a transaction, [`UserDirectory`] for reads.

mod error;
mod password;
mod ports;
mod user;

pub use error::UserError;
pub use password::{HashCost, Password, PasswordHash};
#[cfg(feature = "mocks")]
pub use ports::{MockUserDirectory, MockUserRepository};
pub use ports::{UserDirectory, UserRepository};
pub use user::{Email, Role, User, UserName};
