//! Users of goose: each does its next thing once the last one is done, and keeps its connections.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use goose::client::GooseClientBuilder;
use goose::config::GooseConfiguration;
use goose::prelude::*;

use super::Source;
use super::random::Random;
use super::request::{Method, Request};
use super::sample::{NO_ANSWER, Sample, since};

/// How many users there are and how long they stay.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crowd {
    /// How many.
    pub(crate) users: usize,
    /// Over how many seconds they arrive; all at once if 0.
    pub(crate) arrive: u32,
    /// When they leave.
    pub(crate) stay: Stay,
}

/// When users leave.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stay {
    /// After so many requests each.
    Requests(usize),
    /// So many seconds after the last one arrived.
    Seconds(u64),
}

/// Loads a server with a crowd.
///
/// Latencies are taken here and not from goose, which counts in whole milliseconds.
pub(crate) async fn run(base_url: &str, crowd: Crowd, source: Source) -> Result<Vec<Sample>, GooseError> {
    let samples = Arc::new(Mutex::new(Vec::new()));
    let start = Instant::now();
    let taken = samples.clone();
    let function: TransactionFunction = Arc::new(move |user| {
        let (source, taken) = (source.clone(), taken.clone());
        Box::pin(async move {
            // A seed that no other user and no other request has.
            let seed = (user.weighted_users_index as u64) << 32 | user.get_iterations() as u64;
            let request = source(&mut Random::new(seed));
            let begun = Instant::now();
            let status = send(user, &request).await?;
            let micros = u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX);
            let sample = Sample { at: since(start), micros, status };
            taken.lock().unwrap_or_else(PoisonError::into_inner).push(sample);
            Ok(())
        })
    });
    let scenario = Scenario::new("scenario").register_transaction(Transaction::new(function));
    let client = GooseClientBuilder::new().without_cookies().timeout(Duration::from_secs(30));
    let attack = GooseAttack::initialize_with_config(configuration(base_url, crowd))?
        .set_client_builder_without_cookies(client)?
        .register_scenario(scenario);
    // Its future is larger than all of ours.
    Box::pin(attack.execute()).await?;
    Ok(std::mem::take(&mut *samples.lock().unwrap_or_else(PoisonError::into_inner)))
}

fn configuration(base_url: &str, crowd: Crowd) -> GooseConfiguration {
    let (iterations, run_time) = match crowd.stay {
        Stay::Requests(count) => (Some(count), None),
        Stay::Seconds(seconds) => (None, Some(format!("{seconds}s"))),
    };
    let (increase_time, increase_rate) = if crowd.arrive > 0 {
        (Some(format!("{}s", crowd.arrive)), None)
    } else {
        (None, Some(crowd.users.to_string()))
    };
    let mut configuration = GooseConfiguration::default();
    configuration.host = Some(base_url.to_owned());
    configuration.users = Some(crowd.users);
    configuration.increase_time = increase_time;
    configuration.increase_rate = increase_rate;
    configuration.iterations = iterations;
    configuration.run_time = run_time;
    configuration.no_metrics = true;
    configuration.no_print_metrics = true;
    configuration.no_error_summary = true;
    configuration.no_telnet = true;
    configuration.no_gzip = true;
    configuration.quiet = 3;
    configuration
}

async fn send(user: &mut GooseUser, request: &Request) -> Result<u16, Box<TransactionError>> {
    let method = match request.method {
        Method::Get => GooseMethod::Get,
        Method::Post => GooseMethod::Post,
        Method::Put => GooseMethod::Put,
    };
    let mut builder = user.get_request_builder(&method, &request.path)?;
    if let Some(caller) = request.user {
        builder = builder.header("X-User-Id", caller.to_string());
    }
    if let Some(body) = &request.body {
        builder = builder.header("Content-Type", "application/json").body(body.clone());
    }
    let request = GooseRequest::builder().method(method).path(&*request.path).set_request_builder(builder);
    let answer = user.request(request.build()).await?;
    let Ok(response) = answer.response else { return Ok(NO_ANSWER) };
    let status = response.status().as_u16();
    // The connection can be used again once the body has been read.
    Ok(if response.bytes().await.is_ok() { status } else { NO_ANSWER })
}
