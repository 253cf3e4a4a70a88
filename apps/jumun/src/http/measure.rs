//! Counting requests and their times.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Instant;

use metrics::{Counter, Histogram};

/// What is counted of a route: times by method, requests by method and status.
#[derive(Default)]
struct Measured {
    times: Vec<(&'static str, Histogram)>,
    requests: Vec<(&'static str, u16, Counter)>,
}

thread_local! {
    /// What this thread has looked up already, by route. To find a metric by its labels takes longer than to
    /// count, and there are as many as there are routes, methods and statuses.
    static MEASURED: RefCell<HashMap<String, Measured>> = RefCell::default();
}

/// Counts a request that was answered.
pub(crate) fn measure(method: &str, route: Option<&str>, status: u16, begun: Instant) {
    // A path that no route knows is not a label: callers would choose how many there are.
    let route = route.unwrap_or("unmatched");
    let known = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    let method = known.into_iter().find(|known| *known == method).unwrap_or("other");
    MEASURED.with_borrow_mut(|measured| {
        if !measured.contains_key(route) {
            measured.insert(route.to_owned(), Measured::default());
        }
        if let Some(measured) = measured.get_mut(route) {
            measured.record(route, method, status, begun);
        }
    });
}

impl Measured {
    fn record(&mut self, route: &str, method: &'static str, status: u16, begun: Instant) {
        let is_time = |(of, _): &(&str, _)| *of == method;
        let time = self.times.iter().position(is_time).unwrap_or_else(|| {
            let times = metrics::histogram!("jumun_http_request_duration_seconds", "method" => method, "route" => route.to_owned());
            self.times.push((method, times));
            self.times.len() - 1
        });
        self.times[time].1.record(begun.elapsed());
        let is_request = |(of, with, _): &(&str, u16, _)| *of == method && *with == status;
        let request = self.requests.iter().position(is_request).unwrap_or_else(|| {
            let requests = metrics::counter!("jumun_http_requests_total", "method" => method, "route" => route.to_owned(), "status" => status.to_string());
            self.requests.push((method, status, requests));
            self.requests.len() - 1
        });
        self.requests[request].2.increment(1);
    }
}
