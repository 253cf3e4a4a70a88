//! What is left of a payment, and what a refund of it gives back.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Money, PaymentId, ProductId, Timestamp};

use crate::{Refund, RefundError, RefundItem, RefundRequest, RefundStatus, RefundWindow};

/// A line of the order, as it was paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaidLine {
    /// The product.
    pub product_id: ProductId,
    /// How many pieces were bought.
    pub quantity: u32,
    /// What was paid for them: their subtotal without what a coupon took off.
    pub net: Money,
}

/// What a refund is going to give back. A preview shows it, [`Refund::begin`] records it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefundPlan {
    /// The payment.
    pub payment_id: PaymentId,
    /// Each product once, in the order in which the lines were bought.
    pub items: Vec<RefundItem>,
    /// What goes back to the wallet.
    pub point_amount: Money,
    /// What goes back to the card.
    pub card_amount: Money,
    /// Whether nothing is left after it.
    pub full: bool,
}

impl RefundPlan {
    /// Returns what it gives back in all.
    pub fn amount(&self) -> Money {
        // It is a part of what was paid, which is in range.
        self.point_amount.checked_add(self.card_amount).unwrap_or(Money::MAX)
    }
}

/// Money and pieces of which a part is taken.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    quantity: u32,
    /// Hundredths, never below zero. Wide, so that amount times quantity and amount times amount fit.
    amount: i128,
}

#[derive(Clone, Debug)]
struct Line {
    product_id: ProductId,
    bought: Share,
    refunded: Share,
}

impl Line {
    const fn left(&self) -> u32 {
        self.bought.quantity - self.refunded.quantity
    }

    /// Returns what is given back for `quantity` more pieces, of as many as are left.
    ///
    /// It is what all pieces so far are worth, rounded down, without what has been given back for those
    /// before: so roundings never add up, and the last piece takes all that is left. Where an earlier
    /// refund failed, those that stay may have got a hundredth more than that, and the next gets less.
    fn amount_for(&self, quantity: u32) -> i128 {
        let pieces = i128::from(self.refunded.quantity) + i128::from(quantity);
        let due = self.bought.amount * pieces / i128::from(self.bought.quantity);
        (due - self.refunded.amount).max(0)
    }
}

/// What was paid with one means, and what of it has gone back.
#[derive(Clone, Copy, Debug)]
struct Tender {
    paid: i128,
    refunded: i128,
}

impl Tender {
    const fn left(self) -> i128 {
        self.paid - self.refunded
    }
}

/// A settled payment with what has been given back of it: it knows what is left, and plans.
#[derive(Clone, Debug)]
pub struct Refundable {
    payment_id: PaymentId,
    window: RefundWindow,
    lines: Vec<Line>,
    points: Tender,
    card: Tender,
}

impl Refundable {
    /// Takes a payment that was settled at `paid_at`, the lines it paid, and all refunds of it so far.
    ///
    /// Those that failed do not count; those that are pending hold what they will give back. A reversal
    /// took everything.
    ///
    /// # Errors
    /// [`RefundError::Inconsistent`] if the lines do not come to what was paid, or if more has been given
    /// back than that.
    pub fn new(
        payment_id: PaymentId,
        point_amount: Money,
        card_amount: Money,
        paid_at: Timestamp,
        lines: Vec<PaidLine>,
        earlier: &[Refund],
    ) -> Result<Self, RefundError> {
        let mut refundable = Self {
            payment_id,
            window: RefundWindow::of(paid_at),
            lines: lines
                .into_iter()
                .map(|line| Line {
                    product_id: line.product_id,
                    bought: Share { quantity: line.quantity, amount: line.net.minor().into() },
                    refunded: Share::default(),
                })
                .collect(),
            points: Tender { paid: point_amount.minor().into(), refunded: 0 },
            card: Tender { paid: card_amount.minor().into(), refunded: 0 },
        };
        refundable.check_paid()?;
        for refund in earlier.iter().filter(|refund| refund.status != RefundStatus::Failed) {
            refundable.take(refund)?;
        }
        Ok(refundable)
    }

    /// Tells whether no piece is left to give back.
    pub fn is_exhausted(&self) -> bool {
        self.lines.iter().all(|line| line.left() == 0)
    }

    /// Says what a refund gives back, and changes nothing.
    ///
    /// # Errors
    /// A request that breaks its own rules; [`RefundError::AlreadyRefunded`], [`RefundError::WindowClosed`],
    /// [`RefundError::NotInOrder`], [`RefundError::TooMany`].
    pub fn plan(&self, request: &RefundRequest, now: Timestamp) -> Result<RefundPlan, RefundError> {
        request.check()?;
        if self.is_exhausted() {
            return Err(RefundError::AlreadyRefunded(self.payment_id));
        }
        self.window.ensure_open(now)?;
        let wanted = self.wanted(request)?;
        let mut items = Vec::with_capacity(wanted.len());
        let mut amount = 0;
        for line in &self.lines {
            let Some(quantity) = wanted.get(&line.product_id).copied() else { continue };
            let share = line.amount_for(quantity);
            amount += share;
            items.push(RefundItem { product_id: line.product_id, quantity, amount: money(share)? });
        }
        let card = self.card_share(amount);
        Ok(RefundPlan {
            payment_id: self.payment_id,
            items,
            point_amount: money(amount - card)?,
            card_amount: money(card)?,
            full: self
                .lines
                .iter()
                .all(|line| wanted.get(&line.product_id).copied().unwrap_or(0) == line.left()),
        })
    }

    /// Returns how many pieces of which product are asked for, all of which are there.
    fn wanted(&self, request: &RefundRequest) -> Result<BTreeMap<ProductId, u32>, RefundError> {
        let RefundRequest::Items(items) = request else {
            let left = self.lines.iter().filter(|line| line.left() > 0);
            return Ok(left.map(|line| (line.product_id, line.left())).collect());
        };
        let mut wanted: BTreeMap<ProductId, u32> = BTreeMap::new();
        for (product_id, quantity) in items {
            let sum = wanted.entry(*product_id).or_default();
            *sum = sum.saturating_add(*quantity);
        }
        // In the order in which they were named, so that the caller hears of the first that is wrong.
        for (product_id, _) in items {
            let line = self.lines.iter().find(|line| line.product_id == *product_id);
            let refundable = line.ok_or(RefundError::NotInOrder(*product_id))?.left();
            let requested = wanted.get(product_id).copied().unwrap_or_default();
            if requested > refundable {
                return Err(RefundError::TooMany { product_id: *product_id, requested, refundable });
            }
        }
        Ok(wanted)
    }

    /// Returns how much of an amount goes back to the card: what the card's share of everything given back
    /// comes to, rounded down, without what has gone back to it before.
    ///
    /// That never exceeds what the card has left, since its share of a part is not above its share of the
    /// whole; and what remains never exceeds what the points have left, for the same reason. Where earlier
    /// refunds failed, one tender may be so far behind that it takes the whole amount.
    fn card_share(&self, amount: i128) -> i128 {
        let paid = self.points.paid + self.card.paid;
        if paid == 0 {
            return 0;
        }
        let so_far = self.points.refunded + self.card.refunded + amount;
        (self.card.paid * so_far / paid - self.card.refunded).clamp(0, amount)
    }

    fn check_paid(&self) -> Result<(), RefundError> {
        let products: BTreeSet<_> = self.lines.iter().map(|line| line.product_id).collect();
        let lines_fit = self.lines.iter().all(|line| line.bought.quantity > 0 && line.bought.amount >= 0);
        let sum: i128 = self.lines.iter().map(|line| line.bought.amount).sum();
        let tenders_fit = self.points.paid >= 0 && self.card.paid >= 0;
        let fits = products.len() == self.lines.len()
            && !self.lines.is_empty()
            && lines_fit
            && tenders_fit
            && sum == self.points.paid + self.card.paid;
        if fits { Ok(()) } else { Err(RefundError::Inconsistent) }
    }

    /// Takes an earlier refund off what is left.
    fn take(&mut self, refund: &Refund) -> Result<(), RefundError> {
        if refund.payment_id != self.payment_id {
            return Err(RefundError::Inconsistent);
        }
        if refund.is_reversal() {
            for line in &mut self.lines {
                line.refunded = line.bought;
            }
            self.points.refunded = self.points.paid;
            self.card.refunded = self.card.paid;
            return Ok(());
        }
        for item in &refund.items {
            let line = self.lines.iter_mut().find(|line| line.product_id == item.product_id);
            let line = line.ok_or(RefundError::Inconsistent)?;
            let pieces = line.refunded.quantity.checked_add(item.quantity);
            line.refunded.quantity = pieces.ok_or(RefundError::Inconsistent)?;
            line.refunded.amount += i128::from(item.amount.minor());
            let all = line.refunded.quantity == line.bought.quantity;
            if line.refunded.quantity > line.bought.quantity
                || line.refunded.amount > line.bought.amount
                || (all && line.refunded.amount != line.bought.amount)
            {
                return Err(RefundError::Inconsistent);
            }
        }
        self.points.refunded += i128::from(refund.point_amount.minor());
        self.card.refunded += i128::from(refund.card_amount.minor());
        if self.points.left() < 0 || self.card.left() < 0 {
            return Err(RefundError::Inconsistent);
        }
        Ok(())
    }
}

/// Returns an amount of hundredths, which is a part of an amount and so in range.
fn money(hundredths: i128) -> Result<Money, RefundError> {
    let hundredths = i64::try_from(hundredths).map_err(|_| RefundError::Inconsistent)?;
    Money::from_minor(hundredths).map_err(|_| RefundError::Inconsistent)
}
