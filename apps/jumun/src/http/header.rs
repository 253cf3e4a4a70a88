//! Reading headers that may be given once.

use actix_web::HttpRequest;

use super::problem::Problem;

/// Returns a header's text; `None` without it.
///
/// # Errors
/// When it is given more than once, or is not visible ASCII.
pub(crate) fn single<'r>(request: &'r HttpRequest, name: &str) -> Result<Option<&'r str>, Problem> {
    let mut values = request.headers().get_all(name);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::invalid_member(name, "must be given once"));
    }
    value.to_str().map(Some).map_err(|_| Problem::invalid_member(name, "must be visible ASCII"))
}
