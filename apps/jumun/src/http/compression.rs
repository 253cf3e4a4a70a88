//! Lists are compressed for callers who ask for it: gzip (RFC 1952), and only where it is worth the time.
//!
//! Nothing else is: what is short gains nothing, and the stored answer to an idempotency key goes out as it
//! was stored.

use std::future::{Ready, ready};
use std::io::Write;

use actix_web::dev::Payload;
use actix_web::http::header::{
    ACCEPT_ENCODING, AcceptEncoding, CONTENT_ENCODING, ContentType, Encoding, Header, HeaderValue, VARY,
};
use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpMessage, HttpRequest, HttpResponse};
use flate2::Compression;
use flate2::write::GzEncoder;
use kernel::StoreError;
use serde::Serialize;

use super::problem::Problem;

/// Shorter bodies are sent as they are, in bytes.
const WORTH_IT: usize = 1024;

/// How a body is coded on its way (RFC 9110, section 8.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Coding {
    /// As it is.
    Identity,
    /// Compressed.
    Gzip,
}

impl Coding {
    /// Returns what the caller of a request likes best of what there is; as it is where it does not say.
    pub(crate) fn of(request: &impl HttpMessage) -> Self {
        if !request.headers().contains_key(ACCEPT_ENCODING) {
            return Self::Identity;
        }
        // What cannot be understood asks for nothing.
        let accepted = AcceptEncoding::parse(request).ok();
        let coding = accepted.and_then(|it| it.negotiate([Encoding::gzip(), Encoding::identity()].iter()));
        if coding == Some(Encoding::gzip()) { Self::Gzip } else { Self::Identity }
    }

    /// Answers with a list.
    pub(crate) fn list(self, list: &impl Serialize) -> Result<HttpResponse, Problem> {
        Ok(self.write(list)?.respond())
    }

    /// Writes a list.
    ///
    /// # Errors
    /// When it has no JSON form.
    pub(crate) fn write(self, list: &impl Serialize) -> Result<ListBody, StoreError> {
        let json = serde_json::to_vec(list).map_err(|error| StoreError::Internal(Box::new(error)))?;
        Ok(self.encode(json))
    }

    /// Codes a JSON body, unless it is too short to gain by it.
    fn encode(self, json: Vec<u8>) -> ListBody {
        let compressed = match self {
            Self::Gzip if json.len() >= WORTH_IT => gzip(&json).ok(),
            Self::Gzip | Self::Identity => None,
        };
        match compressed {
            Some(bytes) => ListBody { bytes: bytes.into(), coding: Self::Gzip },
            None => ListBody { bytes: json.into(), coding: Self::Identity },
        }
    }
}

/// Handlers take what their caller likes best.
impl FromRequest for Coding {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

fn gzip(json: &[u8]) -> std::io::Result<Vec<u8>> {
    // The fastest level: lists of ids and amounts shrink to a third even so.
    let mut encoder = GzEncoder::new(Vec::with_capacity(json.len() / 2), Compression::fast());
    encoder.write_all(json)?;
    encoder.finish()
}

/// The body of a list, ready to be sent.
#[derive(Clone, Debug)]
pub(crate) struct ListBody {
    bytes: Bytes,
    coding: Coding,
}

impl ListBody {
    /// Answers with it.
    pub(crate) fn respond(self) -> HttpResponse {
        let mut response = HttpResponse::Ok();
        response.insert_header(ContentType::json());
        response.insert_header((VARY, HeaderValue::from_static("accept-encoding")));
        if self.coding == Coding::Gzip {
            response.insert_header((CONTENT_ENCODING, HeaderValue::from_static("gzip")));
        }
        response.body(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use actix_web::test::TestRequest;
    use flate2::read::GzDecoder;

    use super::*;

    #[test]
    fn a_caller_gets_the_coding_that_it_likes_best() {
        let cases = [
            (None, Coding::Identity),
            (Some("gzip"), Coding::Gzip),
            (Some("gzip, deflate, br, zstd"), Coding::Gzip),
            (Some("br;q=1.0, gzip;q=0.5"), Coding::Gzip),
            (Some("*"), Coding::Identity),
            (Some(""), Coding::Identity),
            (Some("br"), Coding::Identity),
            (Some("gzip;q=0"), Coding::Identity),
            (Some("identity, gzip;q=0.1"), Coding::Identity),
            (Some("nonsense,,;q=oops"), Coding::Identity),
        ];
        for (accepted, expected) in cases {
            let mut request = TestRequest::default();
            if let Some(accepted) = accepted {
                request = request.insert_header((ACCEPT_ENCODING, accepted));
            }
            assert_eq!(Coding::of(&request.to_srv_request()), expected, "{accepted:?}");
        }
    }

    #[test]
    fn what_is_long_is_compressed_to_the_same_bytes() {
        let long = vec![b'x'; WORTH_IT];
        let body = Coding::Gzip.encode(long.clone());
        assert_eq!(body.coding, Coding::Gzip);
        let mut decoded = Vec::new();
        GzDecoder::new(&*body.bytes).read_to_end(&mut decoded).unwrap();
        assert_eq!(decoded, long);
        assert!(body.bytes.len() < long.len() / 2);

        let short = vec![b'x'; WORTH_IT - 1];
        for (coding, json) in [(Coding::Gzip, short), (Coding::Identity, long)] {
            let body = coding.encode(json.clone());
            assert_eq!((&*body.bytes, body.coding), (&*json, Coding::Identity));
        }
    }
}
