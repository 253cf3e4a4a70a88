//! Around every request: its trace, its measurements, and one form for every error.

use std::panic::AssertUnwindSafe;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, ResponseError, web};
use futures_util::FutureExt;
use tracing::Instrument;

use super::context::RequestContext;
use super::measure::measure;
use super::problem::Problem;
use super::protection::protect;
use super::routes::Routes;
use super::services::Services;

/// Runs a request in its trace and gives every failure, a panic included, the form of a problem.
pub(crate) async fn envelope(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(services) = request.app_data::<web::Data<Services>>().cloned() else {
        return Err(Problem::internal("the services are not there").into());
    };
    let context = RequestContext::of(&request, services.ids.as_ref(), services.clock.as_ref());
    let method = request.method().clone();
    if method == Method::HEAD {
        // Answered as GET (RFC 9110, section 9.3.2); the server leaves the body out.
        request.head_mut().method = Method::GET;
    }
    let routes = request.app_data::<web::Data<Routes>>().map(|routes| routes.clone().into_inner());
    request.extensions_mut().insert(context.clone());
    let span = tracing::info_span!(
        "request",
        trace_id = context.trace.trace_id(),
        request_id = context.request_id,
        %method,
        path = context.path,
    );
    let begun = Instant::now();
    async move {
        let outcome = AssertUnwindSafe(next.call(request)).catch_unwind().await;
        let (route, served) = match outcome {
            Ok(Ok(response)) => {
                let route = response.request().match_pattern();
                (route, Ok(finish(response, &context, routes.as_deref())))
            }
            Ok(Err(error)) => (None, Err(render_error(&error, &context))),
            Err(_) => (None, Err(render(&Problem::internal("a handler panicked"), &context))),
        };
        let status = match &served {
            Ok(response) => response.status(),
            Err(response) => response.status(),
        };
        measure(method.as_str(), route.as_deref(), status.as_u16(), begun);
        served.map_err(|response| Rendered::error(response, &context))
    }
    .instrument(span)
    .await
}

/// Puts a handler's response into its final form.
fn finish(
    response: ServiceResponse<impl MessageBody + 'static>,
    context: &RequestContext,
    routes: Option<&Routes>,
) -> ServiceResponse<BoxBody> {
    let (request, response) = response.into_parts();
    let status = response.status();
    let nobodys = response.headers().get(CONTENT_TYPE).is_none()
        && (status.is_client_error() || status.is_server_error());
    let mut response = if let Some(error) = response.error() {
        render_error(error, context)
    } else if nobodys {
        // No handler made this answer: the path or its method is not known.
        let allowed = routes.and_then(|routes| routes.allowed(request.path()));
        let problem = allowed.filter(|_| status == StatusCode::NOT_FOUND);
        let problem = problem
            .map_or_else(|| Problem::of_status(status), |allowed| Problem::method_not_allowed(&allowed));
        render(&problem, context)
    } else {
        response.map_into_boxed_body()
    };
    stamp(&mut response, context);
    ServiceResponse::new(request, response)
}

fn render_error(error: &Error, context: &RequestContext) -> HttpResponse {
    if let Some(rendered) = error.as_error::<Problem>() {
        return render(rendered, context);
    }
    let status = error.as_response_error().status_code();
    if status.is_server_error() {
        return render(&Problem::internal(error.to_string()), context);
    }
    render(&Problem::of_status(status), context)
}

fn render(problem: &Problem, context: &RequestContext) -> HttpResponse {
    problem.log();
    metrics::counter!("jumun_rejections_total", "code" => problem.code()).increment(1);
    problem.render(context)
}

/// Adds what every response carries.
fn stamp(response: &mut HttpResponse, context: &RequestContext) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(&context.request_id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    protect(&context.path, headers);
}

/// A response that stands in for one that never came to be.
#[derive(Debug)]
struct Rendered {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: web::Bytes,
}

impl Rendered {
    fn error(mut response: HttpResponse, context: &RequestContext) -> Error {
        stamp(&mut response, context);
        let status = response.status();
        let headers = response.headers().iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let body = response.into_body().try_into_bytes().unwrap_or_default();
        Self { status, headers, body }.into()
    }
}

impl std::fmt::Display for Rendered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.status)
    }
}

impl ResponseError for Rendered {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for (name, value) in &self.headers {
            response.insert_header((name.clone(), value.clone()));
        }
        response.body(self.body.clone())
    }
}
