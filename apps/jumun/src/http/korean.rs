//! Error messages in Korean.

use kernel::Details;

/// Returns the message of an error code in Korean, with the facts that belong to it.
pub(super) fn message(code: &str, facts: &Details) -> Option<String> {
    let fact = |name: &str| facts.get(name).unwrap_or_default();
    let text = match code {
        "VALIDATION_ERROR" => "요청 값이 올바르지 않습니다.".to_owned(),
        "COUPON_INVALID" => "사용할 수 없는 쿠폰입니다.".to_owned(),
        "COUPON_SOLD_OUT" => "쿠폰이 모두 소진되었습니다.".to_owned(),
        "COUPON_ALREADY_CLAIMED" => "이미 발급받은 쿠폰입니다.".to_owned(),
        "AMOUNT_BELOW_MINIMUM" => format!("최소 주문 금액은 {}원입니다.", fact("minimum")),
        "UNAUTHORIZED" => "인증이 필요합니다.".to_owned(),
        "FORBIDDEN" => "관리자만 사용할 수 있습니다.".to_owned(),
        "NOT_FOUND" => "요청한 대상을 찾을 수 없습니다.".to_owned(),
        "METHOD_NOT_ALLOWED" => "지원하지 않는 메서드입니다.".to_owned(),
        "CONFLICT" => "현재 상태에서는 처리할 수 없는 요청입니다.".to_owned(),
        "REQUEST_IN_PROGRESS" => "같은 멱등성 키의 요청이 처리 중입니다.".to_owned(),
        "DUPLICATE_EMAIL" => "이미 등록된 이메일입니다.".to_owned(),
        "OUT_OF_STOCK" => {
            format!("재고가 부족합니다. 요청 {}개, 재고 {}개", fact("requested"), fact("available"))
        }
        "INSUFFICIENT_BALANCE" => {
            format!("포인트 잔액이 부족합니다. 필요 {}원, 잔액 {}원", fact("required"), fact("balance"))
        }
        "PAYMENT_DECLINED" => "카드 결제가 거절되었습니다.".to_owned(),
        "ALREADY_PAID" => "이미 결제된 주문입니다.".to_owned(),
        "ALREADY_REFUNDED" => "이미 환불되었습니다.".to_owned(),
        "REFUND_WINDOW_CLOSED" => "환불 가능 기간(결제 후 7일)이 지났습니다.".to_owned(),
        "PRECONDITION_FAILED" => "조회한 뒤에 내용이 변경되었습니다.".to_owned(),
        "UNSUPPORTED_MEDIA_TYPE" => "본문은 application/json이어야 합니다.".to_owned(),
        "PAYLOAD_TOO_LARGE" => "본문이 너무 큽니다.".to_owned(),
        "REQUEST_TIMEOUT" => "본문이 제시간에 도착하지 않았습니다.".to_owned(),
        "TOO_MANY_REQUESTS" => "요청이 너무 많습니다. 잠시 후 다시 시도해 주세요.".to_owned(),
        "INTERNAL_ERROR" => "서버에서 오류가 발생했습니다.".to_owned(),
        "SERVICE_UNAVAILABLE" => "지금은 처리할 수 없습니다. 잠시 후 다시 시도해 주세요.".to_owned(),
        _ => return None,
    };
    Some(text)
}
