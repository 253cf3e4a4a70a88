//! Changing a cart.

use async_trait::async_trait;
use cart::{Cart, CartError, Offer};
use kernel::{ProductId, Timestamp, UserId};
use product::{Product, ProductError, ProductStatus};

use crate::{Checkout, Transaction, TransactionScript, UseCaseError};

/// What changes in a cart.
#[derive(Clone, Debug)]
pub enum CartChange {
    /// So many pieces of a product, which has been looked up.
    Put {
        /// The product.
        product_id: ProductId,
        /// What was found of it. It is read without a lock, for a cart promises nothing: it may be sold out
        /// or taken off sale in the next moment just as well.
        product: Option<Product>,
        /// How many pieces.
        quantity: u32,
    },
    /// None of a product any more.
    Remove(ProductId),
    /// Nothing any more.
    Clear,
}

/// A change of a user's cart, and which state of it the caller has seen.
pub struct ChangeCart {
    /// Whose cart.
    pub user_id: UserId,
    /// What changes.
    pub change: CartChange,
    /// Whether the cart may be changed as it is; the caller's precondition.
    pub precondition: Box<dyn Fn(&Cart) -> bool + Send + Sync>,
}

/// Returns what the shop offers of a product: nothing unless it is for sale.
pub fn offer(product: &Product) -> Option<Offer> {
    (product.status == ProductStatus::Active).then(|| Offer {
        product_id: product.id,
        name: product.name.to_string(),
        unit_price: product.price,
        stock: product.stock,
    })
}

impl Checkout {
    /// Changes a cart and returns it as it is then.
    ///
    /// # Errors
    /// The rejection of the cart or the product, or why it could not be decided.
    pub async fn change_cart(&self, change: ChangeCart) -> Result<Cart, UseCaseError> {
        self.runner.run(Script { change, now: self.clock.now() }).await
    }
}

struct Script {
    change: ChangeCart,
    now: Timestamp,
}

#[async_trait]
impl TransactionScript for Script {
    type Output = Cart;

    const NAME: &'static str = "change_cart";

    async fn execute(&self, tx: &mut dyn Transaction) -> Result<Cart, UseCaseError> {
        let ChangeCart { user_id, change, precondition } = &self.change;
        let found = tx.carts().lock(&[*user_id].into()).await?.into_iter().next();
        let mut cart = found.unwrap_or_else(|| Cart::empty(*user_id));
        if !precondition(&cart) {
            return Err(UseCaseError::rejected(CartError::NotAsSeen));
        }
        let changed = match change {
            CartChange::Put { product_id, product, quantity } => {
                let offer = product.as_ref().and_then(offer);
                let offer =
                    offer.ok_or_else(|| UseCaseError::rejected(ProductError::NotFound(*product_id)))?;
                cart.put(&offer, *quantity, self.now).map_err(UseCaseError::rejected)?
            }
            CartChange::Remove(product) => cart.remove(*product, self.now),
            CartChange::Clear => cart.clear(self.now),
        };
        if changed {
            tx.carts().save(std::slice::from_ref(&cart)).await?;
        }
        Ok(cart)
    }
}
