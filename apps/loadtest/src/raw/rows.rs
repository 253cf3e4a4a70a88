//! One order, and the values of its rows.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::statement::Value;

/// A line of an order: one piece of a product.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// The product.
    pub(crate) product: Uuid,
    /// Its name.
    pub(crate) name: String,
    /// Its price in hundredths.
    pub(crate) price: i64,
    /// What is left of it.
    pub(crate) stock_after: i64,
    /// The number of the movement of its stock.
    pub(crate) movement: i64,
}

/// An order that is paid with points.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    /// Its id.
    pub(crate) id: Uuid,
    /// Its payment.
    pub(crate) payment: Uuid,
    /// Its two events.
    pub(crate) events: [Uuid; 2],
    /// Who buys.
    pub(crate) user: Uuid,
    /// What.
    pub(crate) lines: Vec<Line>,
    /// For how much, in hundredths.
    pub(crate) total: i64,
    /// What the wallet held before, in hundredths.
    pub(crate) balance_before: i64,
    /// The number of the wallet's entry.
    pub(crate) entry: i64,
    /// When.
    pub(crate) at: DateTime<Utc>,
}

impl Order {
    /// Makes an order of this moment.
    #[expect(
        clippy::disallowed_methods,
        reason = "the load test is a program of its own and has no clock to share"
    )]
    pub(crate) fn new(user: Uuid, lines: Vec<Line>, total: i64, balance_before: i64, entry: i64) -> Self {
        Self {
            id: Uuid::now_v7(),
            payment: Uuid::now_v7(),
            events: [Uuid::now_v7(), Uuid::now_v7()],
            user,
            lines,
            total,
            balance_before,
            entry,
            at: Utc::now(),
        }
    }

    /// Returns the business day, which begins in Seoul.
    pub(crate) fn day(&self) -> Value {
        let seoul = self.at + Duration::hours(9);
        Value::Text(seoul.format("%Y-%m-%d").to_string())
    }

    /// Writes what the two events say, as the service does.
    pub(crate) fn documents(&self) -> [Value; 2] {
        let (id, user, total) = (self.id, self.user, text(self.total));
        let items: Vec<String> = self.lines.iter().map(Line::document).collect();
        let placed = format!(
            r#"{{"orderId":"{id}","userId":"{user}","totalAmount":{total},"discountAmount":0.00,"items":[{}]}}"#,
            items.join(",")
        );
        let paid = format!(
            r#"{{"orderId":"{id}","userId":"{user}","paymentId":"{}","paidAmount":{total}}}"#,
            self.payment
        );
        [Value::Text(placed), Value::Text(paid)]
    }
}

impl Line {
    fn document(&self) -> String {
        let (product, name, price) = (self.product, &self.name, text(self.price));
        format!(
            r#"{{"productId":"{product}","name":"{name}","unitPrice":{price},"qty":1,"subtotal":{price},"discount":0.00}}"#
        )
    }
}

/// Writes hundredths as an amount.
pub(crate) fn text(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    let hundredths = hundredths.unsigned_abs();
    format!("{sign}{}.{:02}", hundredths / 100, hundredths % 100)
}

/// An amount as a value of a statement.
pub(crate) fn amount(hundredths: i64) -> Value {
    Value::Text(text(hundredths))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_two_decimals() {
        for (hundredths, expected) in [(0, "0.00"), (5, "0.05"), (19_900, "199.00"), (-1_234, "-12.34")] {
            assert_eq!(text(hundredths), expected);
        }
    }

    #[test]
    fn events_are_json() {
        let line =
            Line { product: Uuid::nil(), name: "Tea".into(), price: 1_000, stock_after: 1, movement: 2 };
        let order = Order::new(Uuid::nil(), vec![line.clone(), line], 2_000, 10_000, 1);
        for document in order.documents() {
            let Value::Text(text) = document else { panic!("{document:?}") };
            assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{text}");
        }
    }
}
