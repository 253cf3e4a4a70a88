//! Charging a wallet.

use async_trait::async_trait;
use kernel::{Timestamp, UserId};
use point::{ChargeAmount, Wallet};

use crate::{
    Answer, Checkout, Idempotent, KeyedRequest, Render, Transaction, TransactionScript, UseCaseError,
};

/// Money that a user pays in.
pub struct ChargeWallet {
    /// Whose wallet.
    pub user_id: UserId,
    /// How much.
    pub amount: ChargeAmount,
}

impl Checkout {
    /// Charges a wallet and answers with what is in it then.
    ///
    /// # Errors
    /// The rejection of the wallet, or why it could not be decided.
    pub async fn charge_wallet(
        &self,
        charge: ChargeWallet,
        request: Option<KeyedRequest>,
        render: Render<Wallet>,
    ) -> Result<Answer, UseCaseError> {
        let now = self.clock.now();
        let script = Script { charge, now };
        self.runner.run(Idempotent { script, request, render, now }).await
    }
}

struct Script {
    charge: ChargeWallet,
    now: Timestamp,
}

#[async_trait]
impl TransactionScript for Script {
    type Output = Wallet;

    const NAME: &'static str = "charge_wallet";

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<Wallet, UseCaseError> {
        let user = self.charge.user_id;
        let found = tx.wallets().lock(&[user].into()).await?.into_iter().next();
        let mut wallet = found.unwrap_or_else(|| Wallet::empty(user));
        let entry = wallet.charge(self.charge.amount, self.now).map_err(UseCaseError::rejected)?;
        tx.wallets().record(&[entry]).await?;
        Ok(wallet)
    }
}
