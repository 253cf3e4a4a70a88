//! One test of each scenario and each kind of database.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::{Backend, TestDatabase};

/// What a scenario does, as a future.
pub type ScenarioFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A named test that needs a database of its own.
#[derive(Clone, Copy)]
pub struct Scenario {
    name: &'static str,
    body: fn(Arc<TestDatabase>) -> ScenarioFuture,
}

impl Scenario {
    /// Makes a scenario; [`scenarios!`](crate::scenarios) does it for a list of functions.
    pub const fn new(name: &'static str, body: fn(Arc<TestDatabase>) -> ScenarioFuture) -> Self {
        Self { name, body }
    }
}

/// Makes a suite of async functions that take an `Arc<TestDatabase>`.
#[macro_export]
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        vec![$($crate::Scenario::new(
            concat!(module_path!(), "::", stringify!($name)),
            |database| Box::pin($name(database)),
        )),*]
    };
}

/// Runs suites on every kind of database and ends the process with the result.
pub fn run(suites: impl IntoIterator<Item = Vec<Scenario>>) -> ! {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for scenario in suites.into_iter().flatten() {
        for backend in Backend::ALL {
            let name = scenario.name.split_once("::").map_or(scenario.name, |(_, rest)| rest);
            let name = format!("{}::{name}", backend.name());
            trials.push(Trial::ignorable_test(name, move || test(scenario, backend)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit()
}

fn test(scenario: Scenario, backend: Backend) -> Result<Completion, Failed> {
    let required = std::env::var("REQUIRE_SERVICES").is_ok_and(|value| value == "1");
    if !backend.is_available() {
        if required {
            return Err("REQUIRE_SERVICES=1, and no MySQL: run it under with-services".into());
        }
        return Ok(Completion::ignored_with("no MySQL here"));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let database = Arc::new(TestDatabase::create(backend).await);
        (scenario.body)(database.clone()).await;
        if let Some(database) = Arc::into_inner(database) {
            database.remove().await?;
        }
        Ok(Completion::Completed)
    })
}
