//! Where the gateway is asked for what.

use kernel::PaymentId;
use url::Url;

use crate::SetupError;

/// The endpoints below an address, which may have a path of its own.
pub(crate) struct Endpoints {
    payments: Url,
}

impl Endpoints {
    /// Appends the path to an address that hides nothing.
    pub(crate) fn below(mut base: Url) -> Result<Self, SetupError> {
        let plain = matches!(base.scheme(), "http" | "https")
            && base.username().is_empty()
            && base.password().is_none()
            && base.query().is_none()
            && base.fragment().is_none();
        if !plain {
            return Err(SetupError::InvalidAddress);
        }
        base.path_segments_mut()
            .map_err(|()| SetupError::InvalidAddress)?
            .pop_if_empty()
            .extend(["v1", "payments"]);
        Ok(Self { payments: base })
    }

    /// Returns where charges are made.
    pub(crate) const fn payments(&self) -> &Url {
        &self.payments
    }

    /// Returns where a charge is looked up by its key.
    pub(crate) fn by_key(&self, key: PaymentId) -> Url {
        let mut url = self.payments.clone();
        url.query_pairs_mut().append_pair("key", &key.to_string());
        url
    }

    /// Returns where a charge is refunded. Whatever its id holds stays one segment of the path.
    pub(crate) fn refunds(&self, charge_id: &str) -> Url {
        let mut url = self.payments.clone();
        // An address of this scheme always has a path.
        if let Ok(mut path) = url.path_segments_mut() {
            path.extend([charge_id, "refunds"]);
        }
        url
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn below(base: &str) -> Result<Endpoints, SetupError> {
        Endpoints::below(base.parse().unwrap())
    }

    #[test]
    fn endpoints_lie_under_the_address() {
        for (base, expected) in [
            ("http://127.0.0.1:8081", "http://127.0.0.1:8081/v1/payments"),
            ("https://pay.example.com/", "https://pay.example.com/v1/payments"),
            ("https://example.com/pay/", "https://example.com/pay/v1/payments"),
        ] {
            let endpoints = below(base).unwrap();
            assert_eq!(endpoints.payments().as_str(), expected);
            let key = PaymentId::from_uuid(Uuid::from_u128(1));
            assert_eq!(
                endpoints.by_key(key).as_str(),
                format!("{expected}?key=00000000-0000-0000-0000-000000000001")
            );
            assert_eq!(endpoints.refunds("pay_1").as_str(), format!("{expected}/pay_1/refunds"));
        }
    }

    #[test]
    fn an_id_leads_nowhere_else() {
        let refunds = below("http://gateway").unwrap().refunds("../a?b=c#d/");
        assert_eq!(refunds.as_str(), "http://gateway/v1/payments/..%2Fa%3Fb=c%23d%2F/refunds");
    }

    #[test]
    fn addresses_that_would_hide_something_are_refused() {
        for base in
            ["ftp://x.com", "data:text/plain,x", "https://u@x.com", "https://x.com?a=1", "https://x.com#a"]
        {
            assert!(matches!(below(base), Err(SetupError::InvalidAddress)), "{base}");
        }
    }
}
