//! What every response says to browsers and caches (ADR-045). Whatever a page of another origin asks for, nothing
//! permits it: there is no word of CORS in any answer.

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, HeaderMap, HeaderValue, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};

/// Data is shown by nobody and framed by nobody.
const DATA: &str = "default-src 'none'; frame-ancestors 'none'";
/// Swagger UI is made of its own files, and of styles and pictures that stand in them; it asks nobody else.
const PAGE: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Adds what protects the response to a path.
pub(crate) fn protect(path: &str, headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if path == "/docs" || path.starts_with("/docs/") {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE));
        // For browsers that do not know `frame-ancestors`.
        headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        return;
    }
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(DATA));
    if !headers.contains_key(CACHE_CONTROL) {
        // What has a tag its caller may keep, and asks for anew each time; the rest nobody keeps.
        let keep = if headers.contains_key(ETAG) { "private, no-cache" } else { "no-store" };
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(keep));
    }
}
