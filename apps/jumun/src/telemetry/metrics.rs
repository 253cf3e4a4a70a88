//! Metrics for Prometheus.

use std::sync::OnceLock;

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

/// Upper bounds in seconds: fine where an API answers, coarse up to where it has failed.
const SECONDS: [f64; 14] =
    [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// Upper bounds of sets of orders.
const SET_SIZES: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];

static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();

/// Returns the handle that renders this process's metrics, and installs the recorder at the first call.
///
/// Whoever holds it has to call [`PrometheusHandle::run_upkeep`] every few seconds: between two scrapes
/// the samples of histograms pile up otherwise.
pub fn metrics_recorder() -> PrometheusHandle {
    RECORDER.get_or_init(install).clone()
}

fn install() -> PrometheusHandle {
    let recorder = recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_err() {
        tracing::warn!("metrics are recorded by somebody else already, so there are none to render");
    }
    handle
}

fn recorder() -> PrometheusRecorder {
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &SECONDS)
        .and_then(|builder| {
            builder.set_buckets_for_metric(Matcher::Full("jumun_order_set_size".into()), &SET_SIZES)
        })
        // It fails for no buckets at all, and there are some.
        .unwrap_or_default()
        .build_recorder();
    metrics::with_local_recorder(&recorder, describe);
    recorder
}

/// Explains each metric.
fn describe() {
    let count = Unit::Count;
    describe_counter!("jumun_http_requests_total", count, "Requests answered, by method, route and status.");
    describe_histogram!(
        "jumun_http_request_duration_seconds",
        Unit::Seconds,
        "Time from a request's head to its answer's, by method and route."
    );
    describe_counter!(
        "jumun_rejections_total",
        count,
        "Requests answered with an error, by the code of the error."
    );
    describe_counter!(
        "jumun_orders_total",
        count,
        "Orders placed, by their first status, and orders that were cancelled or expired."
    );
    describe_gauge!("jumun_orders_waiting", count, "Orders that wait for a transaction.");
    describe_counter!(
        "jumun_orders_turned_away_total",
        count,
        "Orders that were answered 503 because too many waited."
    );
    describe_histogram!(
        "jumun_order_wait_seconds",
        Unit::Seconds,
        "Time that an order waited for its transaction."
    );
    describe_histogram!("jumun_order_set_size", count, "Orders that shared a transaction.");
    describe_counter!("jumun_payments_total", count, "Payments settled, by what became of them.");
    describe_counter!("jumun_refunds_total", count, "Refunds settled, by what became of them.");
    describe_counter!(
        "jumun_transactions_total",
        count,
        "Transactions run to their end, by name and outcome (committed, rejected, failed)."
    );
    describe_histogram!(
        "jumun_transaction_duration_seconds",
        Unit::Seconds,
        "Time of a transaction with all its attempts, by name."
    );
    describe_counter!(
        "jumun_transaction_retries_total",
        count,
        "Attempts of transactions that had to be repeated since others were in the way, by name."
    );
    describe_counter!(
        "jumun_lock_conflicts_total",
        count,
        "Transactions that met others in their way, by reason (deadlock, lock_wait, locked, duplicate, stale, overtaken)."
    );
    describe_counter!("jumun_outbox_deliveries_total", count, "Attempts to deliver an event, by outcome.");
    describe_gauge!("jumun_outbox_waiting", count, "Events that wait for their delivery.");
    describe_gauge!(
        "jumun_outbox_dead",
        count,
        "Events given up after the last attempt; each needs a person."
    );
    describe_gauge!("jumun_outbox_lag_seconds", Unit::Seconds, "Age of the oldest event that waits.");
    describe_counter!("jumun_coupon_gate_total", count, "Claims of coupons, by what the gate said.");
    describe_counter!("jumun_cache_lookups_total", count, "Questions to the cache, by group and outcome.");
    describe_counter!("jumun_cache_drops_total", count, "Groups of the cache dropped, by group and outcome.");
    describe_counter!(
        "jumun_shared_reads_total",
        count,
        "Reads that answered everybody who waited for them, by what was read."
    );
    describe_counter!("jumun_shared_read_callers_total", count, "Who was answered by them.");
    describe_counter!("jumun_redis_calls_total", count, "Calls of Redis, by call and outcome.");
    describe_counter!(
        "jumun_gateway_requests_total",
        count,
        "Calls of the payment gateway, by operation and outcome."
    );
    describe_histogram!(
        "jumun_gateway_request_duration_seconds",
        Unit::Seconds,
        "Time of a call of the payment gateway with its repetition, by operation."
    );
    describe_gauge!(
        "jumun_gateway_circuit_open",
        count,
        "Whether the payment gateway is left alone since it did not answer (1) or not (0)."
    );
    describe_counter!("jumun_views_total", count, "Looks at products, by outcome (counted, lost).");
    describe_counter!(
        "jumun_ranking_runs_total",
        count,
        "Attempts to publish a ranking, by period and outcome (done, failed, skipped)."
    );
    describe_gauge!(
        "jumun_ranking_last_success_timestamp_seconds",
        Unit::Seconds,
        "When a ranking was published last, in seconds since 1970, by period."
    );
    describe_gauge!(
        "jumun_database_connections",
        count,
        "Connections to the database, by state (busy, idle, max)."
    );
}

#[cfg(test)]
mod tests {
    use metrics::{counter, gauge, histogram};

    use super::*;

    #[test]
    fn every_metric_is_explained() {
        let recorder = recorder();
        metrics::with_local_recorder(&recorder, || {
            counter!("jumun_http_requests_total", "method" => "GET", "route" => "/", "status" => "200")
                .increment(1);
            histogram!("jumun_http_request_duration_seconds", "method" => "GET", "route" => "/")
                .record(0.003);
            counter!("jumun_rejections_total", "code" => "OUT_OF_STOCK").increment(1);
            counter!("jumun_orders_total", "status" => "PAID").increment(1);
            counter!("jumun_payments_total", "status" => "SUCCESS").increment(1);
            counter!("jumun_refunds_total", "status" => "SUCCESS").increment(1);
            counter!("jumun_lock_conflicts_total", "reason" => "deadlock").increment(1);
            counter!("jumun_transactions_total", "name" => "t", "outcome" => "committed").increment(1);
            histogram!("jumun_transaction_duration_seconds", "name" => "t").record(0.003);
            counter!("jumun_transaction_retries_total", "name" => "t").increment(1);
            counter!("jumun_outbox_deliveries_total", "outcome" => "sent").increment(1);
            gauge!("jumun_outbox_waiting").set(3.0);
            gauge!("jumun_outbox_dead").set(0.0);
            gauge!("jumun_outbox_lag_seconds").set(1.5);
            counter!("jumun_views_total", "outcome" => "counted").increment(1);
            counter!("jumun_ranking_runs_total", "period" => "daily", "outcome" => "done").increment(1);
            gauge!("jumun_ranking_last_success_timestamp_seconds", "period" => "daily").set(1.0);
            gauge!("jumun_database_connections", "state" => "idle").set(4.0);
            counter!("jumun_coupon_gate_total", "outcome" => "admitted").increment(1);
            counter!("jumun_cache_lookups_total", "group" => "products", "outcome" => "fresh").increment(1);
            counter!("jumun_cache_drops_total", "group" => "products", "outcome" => "dropped").increment(1);
            counter!("jumun_redis_calls_total", "call" => "admit", "outcome" => "ok").increment(1);
            counter!("jumun_gateway_requests_total", "operation" => "charge", "outcome" => "captured")
                .increment(1);
            histogram!("jumun_gateway_request_duration_seconds", "operation" => "charge").record(0.3);
            gauge!("jumun_gateway_circuit_open").set(0.0);
        });
        let text = recorder.handle().render();
        let kinds = text.lines().filter(|line| line.starts_with("# TYPE ")).count();
        let explained = text.lines().filter(|line| line.starts_with("# HELP ")).count();
        assert_eq!((kinds, explained), (25, 25), "{text}");
        assert!(
            text.contains("jumun_http_requests_total{method=\"GET\",route=\"/\",status=\"200\"} 1\n"),
            "{text}"
        );
        assert!(
            text.contains("# TYPE jumun_outbox_lag_seconds gauge\njumun_outbox_lag_seconds 1.5\n"),
            "{text}"
        );
    }

    #[test]
    fn durations_are_counted_in_buckets() {
        let recorder = recorder();
        metrics::with_local_recorder(&recorder, || {
            histogram!("jumun_transaction_duration_seconds", "name" => "t").record(0.003);
        });
        let text = recorder.handle().render();
        for (bound, count) in [("0.0025", 0), ("0.005", 1), ("30", 1), ("+Inf", 1)] {
            let line =
                format!("jumun_transaction_duration_seconds_bucket{{name=\"t\",le=\"{bound}\"}} {count}\n");
            assert!(text.contains(&line), "{line} in {text}");
        }
    }

    #[test]
    fn several_applications_share_one_recorder() {
        let [first, second] = [metrics_recorder(), metrics_recorder()];
        counter!("jumun_test_total").increment(2);
        assert!(first.render().contains("jumun_test_total 2\n"));
        assert!(second.render().contains("jumun_test_total 2\n"));
    }
}
