//! The examples of the OpenAPI document.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::problem::InvalidMember;
use super::schema::Instant;

const USER: &str = "00000000-0000-7000-8000-000000000002";
const PRODUCT: &str = "00000000-0000-7000-8000-000000000101";
const COUPON: &str = "0199a2f4-7c1e-7b6a-9d3f-5e8c1b2a4d61";
const ORDER: &str = "0199a2f4-7c1e-7b6a-9d3f-5e8c1b2a4d60";
const PAYMENT: &str = "0199a2f4-7c1f-7d02-b5aa-0c9e7f6d1b83";
const REFUND: &str = "0199a2f4-7c21-7a94-8f0b-6b1d5e3c2a97";
const EVENT: &str = "0199a2f4-7c20-7e4b-8a11-3f6d2c9b7e05";
const TIME: &str = "2026-03-01T03:00:00Z";

/// An error (RFC 9457). Some codes bring members of their own.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Problem {
    r#type: String,
    title: String,
    status: u16,
    detail: String,
    instance: String,
    #[schema(value_type = Instant)]
    timestamp: String,
    path: String,
    /// The stable code by which errors are told apart.
    error: String,
    /// The detail in the language that `Accept-Language` asks for, `en` or `ko`.
    message: String,
    trace_id: String,
    /// The members that are not valid, with `VALIDATION_ERROR`.
    #[schema(value_type = Option<Vec<Object>>)]
    errors: Option<Vec<InvalidMember>>,
}

/// Returns an example of an error.
pub(super) fn problem(path: &str, status: u16, code: &str) -> Value {
    let title =
        actix_web::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let (detail, more) = match code {
        "VALIDATION_ERROR" => (
            "items/0/qty: must be between 1 and 1000",
            json!({"errors": [{"pointer": "/items/0/qty", "message": "must be between 1 and 1000"}]}),
        ),
        "OUT_OF_STOCK" => (
            "only 3 of product 00000000-0000-7000-8000-000000000101 left, 5 requested",
            json!({"productId": PRODUCT, "requested": 5, "available": 3}),
        ),
        "UNAUTHORIZED" if path.ends_with("/auth/login") => {
            ("the e-mail address or the password is wrong", json!({}))
        }
        "UNAUTHORIZED" if path.ends_with("/auth/refresh") => ("the token is not valid", json!({})),
        "UNAUTHORIZED" => ("an access token is missing", json!({})),
        "FORBIDDEN" => ("this is for administrators", json!({})),
        "DUPLICATE_EMAIL" => ("the e-mail address is taken", json!({})),
        "PRECONDITION_FAILED" => ("the resource has changed since it was read", json!({})),
        "TOO_MANY_REQUESTS" => ("too many requests, slow down", json!({})),
        "INTERNAL_ERROR" => ("something went wrong on our side", json!({})),
        "SERVICE_UNAVAILABLE" => ("a service that is needed is down", json!({})),
        "PAYLOAD_TOO_LARGE" => ("the body must not exceed 1048576 bytes", json!({})),
        "UNSUPPORTED_MEDIA_TYPE" => ("the body must be application/json", json!({})),
        "PAYMENT_DECLINED" => (
            "the card was declined: insufficient_funds",
            json!({"declineCode": "insufficient_funds", "paymentId": PAYMENT}),
        ),
        "REFUND_WINDOW_CLOSED" => (
            "the time to refund the payment was over after 2026-03-08T03:00:00Z",
            json!({"refundableUntil": "2026-03-08T03:00:00Z"}),
        ),
        "ALREADY_PAID" => ("the order has been paid", json!({})),
        "ALREADY_REFUNDED" => ("the payment has been refunded", json!({})),
        "COUPON_INVALID" => ("there is no coupon of this code", json!({})),
        "COUPON_SOLD_OUT" => ("all pieces of the coupon are gone", json!({})),
        "CONFLICT" => ("the idempotency key was used for another request", json!({})),
        _ => ("there is nothing here", json!({})),
    };
    let mut problem = json!({
        "type": format!("urn:jumun:problem:{}", code.to_ascii_lowercase().replace('_', "-")),
        "title": title,
        "status": status,
        "detail": detail,
        "instance": path,
        "timestamp": TIME,
        "path": path,
        "error": code,
        "message": detail,
        "traceId": "0af7651916cd43dd8448eb211c80319c",
    });
    if let (Value::Object(problem), Value::Object(more)) = (&mut problem, more) {
        problem.extend(more);
    }
    problem
}

/// Returns an example of a response by the name of its schema.
pub(super) fn of_schema(name: &str) -> Option<Value> {
    let product = json!({"id": PRODUCT, "name": "Oolong tea, 100 g", "price": 19900.00, "stock": 42, "soldOut": false,
        "status": "ACTIVE", "createdAt": TIME});
    let line = json!({"productId": PRODUCT, "name": "Oolong tea, 100 g", "unitPrice": 19900.00, "qty": 2,
        "subtotal": 39800.00});
    let order = json!({"orderId": ORDER, "status": "PAID", "totalAmount": 39800.00, "discountAmount": 3980.00,
        "paidAmount": 35820.00, "appliedCoupon": {"code": "WELCOME10"}, "items": [line], "userPointBalance": 964_180.00, "createdAt": TIME});
    let coupon = json!({"couponId": COUPON, "code": "WELCOME10", "name": "Welcome", "type": "PERCENT", "value": 10.00,
        "quantity": 1000, "remaining": 988, "startsAt": TIME, "endsAt": "2027-03-01T03:00:00Z",
        "maxDiscountAmount": 10000.00, "createdAt": TIME});
    let event = json!({"id": EVENT, "type": "OrderPaid", "aggregateType": "order", "aggregateId": ORDER, "sequence": 2,
        "status": "SENT", "attempts": 1, "occurredAt": TIME, "sentAt": TIME,
        "data": {"orderId": ORDER, "userId": USER, "paidAmount": 39800.00}});
    let payment = json!({"paymentId": PAYMENT, "orderId": ORDER, "userId": USER, "status": "SUCCESS", "method": "CARD",
        "amount": 35820.00, "pointAmount": 5000.00, "cardAmount": 30820.00, "createdAt": TIME, "settledAt": TIME});
    let refund = json!({"refundId": REFUND, "paymentId": PAYMENT, "orderId": ORDER, "status": "SUCCESS",
        "reason": "too small", "items": [{"productId": PRODUCT, "qty": 1, "amount": 17910.00}], "amount": 17910.00,
        "pointAmount": 2500.00, "cardAmount": 15410.00, "requestedBy": USER, "createdAt": TIME, "settledAt": TIME});
    let example = match name {
        "ProductResponse" => product,
        "ProductPage" => {
            json!({"content": [product], "page": 0, "size": 20, "totalElements": 1, "totalPages": 1})
        }
        "TopProductsResponse" => json!({"rangeDays": 3, "limit": 5, "products": [{"productId": PRODUCT,
            "name": "Oolong tea, 100 g", "price": 19900.00, "soldQty": 128}], "generatedAt": TIME}),
        "PopularProductsResponse" => json!({"rangeDays": 3, "products": [{"rank": 1, "productId": PRODUCT,
            "name": "Oolong tea, 100 g", "price": 19900.00, "soldQty": 128, "views": 1_204, "score": 450.8}],
            "generatedAt": TIME}),
        "BulkResponse" => json!({"created": 1, "rejected": 1, "results": [
            {"index": 0, "status": "CREATED", "product": product},
            {"index": 1, "status": "REJECTED", "error": "VALIDATION_ERROR", "message": "a price must not be negative"}]}),
        "WalletResponse" => json!({"userId": USER, "balance": 1_000_000.00}),
        "LedgerPage" => {
            json!({"content": [{"kind": "PAYMENT", "delta": -39800.00, "balanceBefore": 1_000_000.00,
            "balanceAfter": 960_200.00, "orderId": ORDER, "createdAt": TIME}], "nextCursor": null})
        }
        "CartResponse" => {
            json!({"items": [{"productId": PRODUCT, "name": "Oolong tea, 100 g", "unitPrice": 19900.00,
            "qty": 2, "subtotal": 39800.00, "stock": 42, "soldOut": false, "available": true, "priceChanged": true,
            "previousPrice": 18900.00}], "itemCount": 1, "totalQty": 2, "totalAmount": 39800.00, "orderable": true})
        }
        "OrderResponse" => order,
        "PaymentResponse" => payment,
        "PaymentPage" => json!({"content": [payment], "nextCursor": null}),
        "RefundResponse" => refund,
        "RefundPage" => json!({"content": [refund], "nextCursor": null}),
        "PreviewResponse" => {
            json!({"paymentId": PAYMENT, "items": [{"productId": PRODUCT, "qty": 1, "amount": 17910.00}],
            "amount": 17910.00, "pointAmount": 2500.00, "cardAmount": 15410.00, "full": false})
        }
        "CouponResponse" => coupon,
        "CouponPage" => json!({"content": [coupon], "nextCursor": null}),
        "ClaimResponse" => json!({"couponId": COUPON, "code": "WELCOME10", "type": "PERCENT", "value": 10.00,
            "claimedAt": TIME, "status": "CLAIMED"}),
        "UserCouponsResponse" => json!({"userId": USER, "coupons": [
            {"couponId": COUPON, "code": "WELCOME10", "status": "USED", "claimedAt": TIME, "usedAt": TIME}]}),
        "OrderPage" => json!({"content": [order], "nextCursor": null}),
        "HistoryResponse" => json!({"orderId": ORDER, "history": [
            {"status": "PENDING", "changedBy": USER, "changedAt": TIME},
            {"from": "PENDING", "status": "PAID", "changedBy": USER, "changedAt": TIME}],
            "payments": [payment], "refunds": []}),
        "UserResponse" => {
            json!({"userId": USER, "email": "user2@example.com", "name": "User 2", "role": "USER",
            "createdAt": TIME})
        }
        "TokenResponse" => {
            json!({"accessToken": "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.…", "expiresIn": 3600,
            "refreshToken": "Zm9yIGV4YW1wbGUgb25seSwgZXhjaGFuZ2VkIG9uY2U", "refreshExpiresIn": 604_800,
            "tokenType": "Bearer"})
        }
        "EventPage" => json!({"content": [event], "nextCursor": null}),
        "ReplayResponse" => json!({"matched": 12, "replayed": 0, "dryRun": true}),
        "AuditResponse" => json!({"clean": true, "checks": [{"name": "stock-equals-ledger",
            "rule": "the stock of a product is the sum of its ledger", "violations": 0, "offenders": []}]}),
        "Health" => {
            json!({"status": "UP", "dependencies": [{"name": "database", "status": "UP", "latencyMs": 1}]})
        }
        "Metrics" => json!("jumun_outbox_waiting 0\n"),
        _ => return None,
    };
    Some(example)
}
