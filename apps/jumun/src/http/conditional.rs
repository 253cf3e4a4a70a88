//! Conditional requests: `ETag`, `If-None-Match` and `If-Match` (RFC 9110, section 13).

use actix_web::http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse};
use order::Order;
use product::Product;
use serde::Serialize;

use super::header::single;
use super::problem::Problem;

/// The strong validator of a representation.
pub(crate) trait Tagged {
    fn etag(&self) -> String;
}

impl Tagged for Product {
    fn etag(&self) -> String {
        format!("\"{}-{}\"", self.version, self.stock_version)
    }
}

impl Tagged for Order {
    fn etag(&self) -> String {
        format!("\"{}\"", self.version)
    }
}

/// Answers with a representation, or with 304 where the caller has it already.
pub(crate) fn representation(
    request: &HttpRequest,
    etag: &str,
    body: &impl Serialize,
) -> Result<HttpResponse, Problem> {
    let known = single(request, IF_NONE_MATCH.as_str())?;
    if known.is_some_and(|list| weakly(list).any(|tag| tag == "*" || tag == etag)) {
        return Ok(HttpResponse::NotModified().insert_header((ETAG, etag)).finish());
    }
    Ok(HttpResponse::Ok().insert_header((ETAG, etag)).json(body))
}

/// Returns what `If-Match` asks of a resource: a test of its tag. Without the header every tag will do.
pub(crate) fn precondition(
    request: &HttpRequest,
) -> Result<impl Fn(&str) -> bool + Send + Sync + 'static, Problem> {
    let wanted = single(request, IF_MATCH.as_str())?.map(str::to_owned);
    // A weak tag does not tell whether anything has changed.
    Ok(move |etag: &str| wanted.as_deref().is_none_or(|list| tags(list).any(|tag| tag == "*" || tag == etag)))
}

/// Returns what `If-Match` asks of a resource whose tags are its version, a hyphen and a digest of what is
/// shown beside it and is not its own: only the version must fit (ADR-037).
pub(crate) fn version_precondition(
    request: &HttpRequest,
) -> Result<impl Fn(u32) -> bool + Send + Sync + 'static, Problem> {
    let wanted = single(request, IF_MATCH.as_str())?.map(str::to_owned);
    Ok(move |version: u32| {
        let version = version.to_string();
        wanted
            .as_deref()
            .is_none_or(|list| tags(list).any(|tag| tag == "*" || version_in(tag) == Some(&*version)))
    })
}

/// Returns the version in a strong tag; a weak one does not tell whether anything has changed.
fn version_in(tag: &str) -> Option<&str> {
    let (version, _) = tag.strip_prefix('"')?.strip_suffix('"')?.split_once('-')?;
    Some(version)
}

fn tags(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim)
}

/// Returns the tags of a list as if all of them were strong.
fn weakly(list: &str) -> impl Iterator<Item = &str> {
    tags(list).map(|tag| tag.strip_prefix("W/").unwrap_or(tag))
}
