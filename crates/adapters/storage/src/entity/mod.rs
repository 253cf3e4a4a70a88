//! The rows of the tables. They are private to this crate: outside there are aggregates only.

pub(crate) mod cart;
pub(crate) mod cart_item;
pub(crate) mod coupon;
pub(crate) mod daily_sale;
pub(crate) mod gateway_notice;
pub(crate) mod idempotency_key;
pub(crate) mod login_attempt;
pub(crate) mod order;
pub(crate) mod order_item;
pub(crate) mod order_status_history;
pub(crate) mod outbox;
pub(crate) mod payment;
pub(crate) mod point_ledger;
pub(crate) mod popular_product;
pub(crate) mod product;
pub(crate) mod product_view;
pub(crate) mod ranking_run;
pub(crate) mod refresh_token;
pub(crate) mod refund;
pub(crate) mod refund_item;
pub(crate) mod session;
pub(crate) mod stock_ledger;
pub(crate) mod user;
pub(crate) mod user_coupon;
pub(crate) mod view_batch;
pub(crate) mod wallet;
