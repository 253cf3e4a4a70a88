//! The damages that the audit has to find, and what mends each of them again.
//!
//! They are written for the shop that `audit.rs` makes: one order of each status, by which they name the order
//! that they mean, one buyer with a wallet, and two products.

mod goods;
mod money;
mod records;

/// A rule, what breaks it, and what mends it again.
pub(super) struct Damage {
    pub(super) rule: &'static str,
    pub(super) spoil: &'static str,
    pub(super) mend: &'static str,
}

const fn damage(rule: &'static str, spoil: &'static str, mend: &'static str) -> Damage {
    Damage { rule, spoil, mend }
}

/// What can be mended, several damages for a rule that has several parts.
pub(super) fn damages() -> impl Iterator<Item = &'static Damage> {
    [goods::DAMAGES, money::DAMAGES, records::DAMAGES].into_iter().flatten()
}

/// What is lost for good, to be done last: each a rule and what breaks it.
pub(super) const LOSSES: &[(&str, &str)] = &[
    ("points-paid-equal-payments", "DELETE FROM point_ledger WHERE kind = 'PAYMENT'"),
    ("failed-payments-have-their-event", "DELETE FROM outbox WHERE aggregate_type = 'payment'"),
    ("late-money-goes-back", "DELETE FROM refunds WHERE requested_by IS NULL"),
    ("refunds-within-payments", "DELETE FROM payments WHERE card_amount > 0"),
    ("no-orphans", "DELETE FROM users"),
];
