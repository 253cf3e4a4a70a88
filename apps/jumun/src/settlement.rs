//! What becomes of orders and money in the background: unpaid orders expire, and the payment gateway is asked
//! until it is known what became of each payment and each refund.

use std::fmt::Display;
use std::time::Duration;

use checkout::{Checkout, PaymentResolver, RefundResolver, UseCaseError};
use kernel::{StoreError, causes};
use tokio_util::sync::CancellationToken;

/// How long each rests when nothing is due.
const IDLE: Duration = Duration::from_millis(500);
/// How long it rests when the database does not answer.
const TROUBLED: Duration = Duration::from_secs(2);

/// The background work on orders and money of one process. Any number of processes may do it at once: the
/// database gives each order, payment and refund to one of them.
pub struct Settlement {
    /// Lets orders expire.
    pub checkout: Checkout,
    /// Finds out what became of payments.
    pub payments: PaymentResolver,
    /// Sees refunds through.
    pub refunds: RefundResolver,
}

impl Settlement {
    /// Works until `stop` is cancelled; what was begun is finished.
    pub async fn run(self, stop: CancellationToken) {
        tokio::join!(
            repeat(&stop, "orders cannot expire", async || {
                self.checkout.expire_orders().await.map_err(|error| match error {
                    UseCaseError::Failed(error) => error,
                    UseCaseError::Rejected(rejection) => StoreError::Internal(Box::new(rejection)),
                })
            }),
            repeat(&stop, "payments cannot be settled", async || self.payments.run_once().await),
            repeat(&stop, "refunds cannot be seen through", async || self.refunds.run_once().await),
        );
    }
}

/// Does a round of work after the other, and rests where one found nothing to do.
async fn repeat<F>(stop: &CancellationToken, trouble: impl Display, round: impl Fn() -> F)
where
    F: Future<Output = Result<usize, StoreError>>,
{
    while !stop.is_cancelled() {
        let rest = match round().await {
            Ok(0) => IDLE,
            Ok(_) => continue,
            Err(error) => {
                tracing::warn!(causes = causes(&error), "{trouble}");
                TROUBLED
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(rest) => {}
        }
    }
}
