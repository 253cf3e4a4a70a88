//! What runs inside a transaction, and how a script is made idempotent.

use async_trait::async_trait;
use kernel::Timestamp;

use crate::idempotency::{Answer, Claim, CompletedRequest, KeyedRequest, Render};
use crate::{Transaction, UseCaseError};

/// The part of a use case that runs inside one transaction.
///
/// It may run several times, each time in a new transaction: nothing in it may reach outside, neither
/// by HTTP nor to a cache. An error rolls the transaction back.
#[async_trait]
pub trait TransactionScript: Send + Sync + 'static {
    /// What it leads to.
    type Output: Send + 'static;

    /// Its name in logs and metrics.
    const NAME: &'static str;

    /// Tells whether running it again is safe even if an earlier run may have committed.
    fn repeatable(&self) -> bool {
        false
    }

    /// Loads, decides and stores.
    async fn execute(&self, tx: &mut dyn Transaction) -> Result<Self::Output, UseCaseError>;

    /// Hears once of the result, when it is committed, to count it; nothing is done by default. It is called
    /// in the runner's task, so that it happens whether or not the caller is still there.
    fn committed(&self, _output: &Self::Output) {}
}

/// A script whose reply is stored under the caller's key, in the same transaction.
pub struct Idempotent<S: TransactionScript> {
    /// What is to be done.
    pub script: S,
    /// The caller's key, if there is one.
    pub request: Option<KeyedRequest>,
    /// How the result is told.
    pub render: Render<S::Output>,
    /// The present.
    pub now: Timestamp,
}

#[async_trait]
impl<S: TransactionScript> TransactionScript for Idempotent<S> {
    type Output = Answer;

    const NAME: &'static str = S::NAME;

    fn repeatable(&self) -> bool {
        self.request.is_some() || self.script.repeatable()
    }

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<Answer, UseCaseError> {
        if let Some(answer) = claim_key(tx, self.request.as_ref(), self.now).await? {
            return Ok(answer);
        }
        let output = self.script.execute(tx).await?;
        let reply = (self.render)(&output).map_err(UseCaseError::defect)?;
        if let Some(request) = &self.request {
            let completed = CompletedRequest::new(request.clone(), reply.clone());
            tx.keys().complete(&[completed]).await?;
        }
        Ok(Answer::fresh(reply))
    }
}

/// Claims the key of a request that has one, and returns the answer that it was given before.
///
/// # Errors
/// That the key belongs to another request, or that this one is at work.
pub(crate) async fn claim_key(
    tx: &mut dyn Transaction,
    request: Option<&KeyedRequest>,
    now: Timestamp,
) -> Result<Option<Answer>, UseCaseError> {
    let Some(request) = request else { return Ok(None) };
    let claims = tx.keys().claim(std::slice::from_ref(request), now).await?;
    claims.into_iter().find_map(Claim::settled).transpose().map_err(UseCaseError::rejected)
}
