//! Ids: newtypes over `UUIDv7` (RFC 9562, ADR-011), one type an aggregate, so that they cannot be mixed up.

use uuid::Uuid;

/// Declares a newtype over [`Uuid`] that orders, prints and serialises as the id it wraps.
#[macro_export]
macro_rules! id_type {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord,
            $crate::export::serde::Serialize, $crate::export::serde::Deserialize,
        )]
        #[serde(crate = "::kernel::export::serde", transparent)]
        pub struct $name($crate::export::Uuid);

        impl $name {
            /// Wraps an id that exists already.
            pub const fn from_uuid(id: $crate::export::Uuid) -> Self {
                Self(id)
            }

            /// Returns the bare id, for adapters.
            pub const fn as_uuid(self) -> $crate::export::Uuid {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

// The ids by which aggregates refer to one another (ADR-013): a domain knows its neighbour's id and
// nothing else of it.

id_type!(
    /// Identifies a user.
    UserId
);
id_type!(
    /// Identifies a product.
    ProductId
);
id_type!(
    /// Identifies an order.
    OrderId
);
id_type!(
    /// Identifies an attempt to pay for an order.
    PaymentId
);
id_type!(
    /// Identifies a refund of a payment or of a part of it.
    RefundId
);
id_type!(
    /// Identifies a coupon that is issued to many.
    CouponId
);
id_type!(
    /// Identifies the piece of a coupon that one user holds.
    UserCouponId
);

/// Source of new ids and of all other randomness.
///
/// Implementations must be safe to call from many threads; ids grow with time within one process, so
/// that rows are appended at the end of their index.
pub trait IdGenerator: Send + Sync {
    /// Returns a new `UUIDv7`.
    fn uuid(&self) -> Uuid;

    /// Fills `bytes` with cryptographically secure randomness.
    fn fill_random(&self, bytes: &mut [u8]);

    /// Returns a random number, uniform over all of `u64`.
    fn random(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_random(&mut bytes);
        u64::from_le_bytes(bytes)
    }
}
