//! How far an attempt has come.

/// How far an attempt has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PaymentStatus {
    /// Recorded, and the gateway asked; its points are held.
    Pending,
    /// The money has been taken, and the order is paid by it.
    Success,
    /// No money has been taken; held points are back.
    Failed,
    /// The gateway took the money when the order could no longer be paid by it; it goes back.
    Reversed,
}

impl PaymentStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Success, Self::Failed, Self::Reversed];

    /// Returns the status as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Success => "SUCCESS",
            Self::Failed => "FAILED",
            Self::Reversed => "REVERSED",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// Why an attempt did not settle its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureReason {
    /// The gateway declined the card.
    Declined,
    /// The gateway could not be asked at all.
    Unreachable,
    /// The gateway has never heard of the attempt.
    Unheard,
    /// The money came when the order could no longer be paid by it.
    TooLate,
}

impl FailureReason {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Declined, Self::Unreachable, Self::Unheard, Self::TooLate];

    /// Returns the reason as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Declined => "DECLINED",
            Self::Unreachable => "GATEWAY_UNREACHABLE",
            Self::Unheard => "UNKNOWN_TO_GATEWAY",
            Self::TooLate => "ORDER_NOT_PAYABLE",
        }
    }

    /// Reads what [`Self::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}
