//! How a call of the gateway can fail.

use payment::GatewayError;
use thiserror::Error;

/// Why a call decided nothing. Neither the address nor a word of the answer is in the texts, only what was
/// sanitised.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// So many calls have failed that none is made for a while.
    #[error("the circuit is open, since the gateway has not answered for a while")]
    CircuitOpen,
    /// No connection stood, so nothing was sent.
    #[error("no connection stands")]
    NotConnected(#[source] reqwest::Error),
    /// The gateway, or something before it, did not let the request in.
    #[error("the request was not let in, with the status {0}")]
    NotLetIn(u16),
    /// No whole answer came back in time.
    #[error("no answer came back")]
    NoAnswer(#[source] reqwest::Error),
    /// The answer is longer than any that is documented.
    #[error("the answer is too long")]
    TooLong,
    /// The answer has a status that decides nothing.
    #[error("the answer has the status {0}")]
    Status(u16),
    /// The answer has the right status and not the documented form.
    #[error("the answer is not as documented: {0}")]
    Garbled(&'static str),
    /// The gateway looked at the request and refuses it.
    #[error("the gateway refuses: {code}")]
    Refused {
        /// Why, sanitised.
        code: String,
    },
}

impl Failure {
    /// Sorts the error of a request that brought no answer.
    pub(crate) fn of_request(error: reqwest::Error) -> Self {
        // A request that could not even be built has not been sent either.
        let unsent = error.is_connect() || error.is_builder();
        let error = error.without_url();
        if unsent { Self::NotConnected(error) } else { Self::NoAnswer(error) }
    }

    /// Sorts the error of an answer that did not come to its end.
    pub(crate) fn of_answer(error: reqwest::Error) -> Self {
        Self::NoAnswer(error.without_url())
    }

    /// Returns whether the gateway is in trouble, rather than the request.
    pub(crate) const fn is_trouble(&self) -> bool {
        !matches!(self, Self::Refused { .. } | Self::NotLetIn(_) | Self::CircuitOpen)
    }

    /// Returns what the failure is counted as.
    pub(crate) const fn outcome(&self) -> &'static str {
        match self {
            Self::CircuitOpen => "circuit_open",
            Self::NotConnected(_) | Self::NotLetIn(_) => "not_sent",
            Self::NoAnswer(_) | Self::TooLong | Self::Status(_) | Self::Garbled(_) => "unknown",
            Self::Refused { .. } => "refused",
        }
    }
}

impl From<Failure> for GatewayError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused { code } => Self::Refused { code },
            unsent @ (Failure::CircuitOpen | Failure::NotConnected(_) | Failure::NotLetIn(_)) => {
                Self::NotSent(unsent.into())
            }
            unknown => Self::Unknown(unknown.into()),
        }
    }
}
