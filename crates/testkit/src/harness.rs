//! One test of each scenario and each kind of database, or of each place that shared ports live in (ADR-030).

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::{Backend, SharedAdapters, TestDatabase};

/// What a scenario does, as a future that stays on its thread.
pub type ScenarioFuture = Pin<Box<dyn Future<Output = ()>>>;

/// A named test that needs something of its own, a database unless something else is said.
pub struct Scenario<Given: ?Sized = TestDatabase> {
    name: &'static str,
    body: fn(Arc<Given>) -> ScenarioFuture,
    missing: fn() -> Option<&'static str>,
}

// By hand: what is given need not be `Clone` for its scenario to be.
impl<Given: ?Sized> Clone for Scenario<Given> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Given: ?Sized> Copy for Scenario<Given> {}

impl<Given: ?Sized> Scenario<Given> {
    /// Makes a scenario; [`scenarios!`](crate::scenarios) does it for a list of functions.
    pub const fn new(name: &'static str, body: fn(Arc<Given>) -> ScenarioFuture) -> Self {
        Self { name, body, missing: || None }
    }

    /// Says that the scenario needs another service, which `missing` names if it is not there.
    #[must_use]
    pub const fn needing(self, missing: fn() -> Option<&'static str>) -> Self {
        Self { missing, ..self }
    }

    /// Names the test of this scenario in a place.
    fn name_in(&self, place: &str) -> String {
        let name = self.name.split_once("::").map_or(self.name, |(_, rest)| rest);
        format!("{place}::{name}")
    }
}

/// Makes a suite of async functions that take an `Arc` of what the scenarios are given.
#[macro_export]
macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        vec![$($crate::Scenario::new(
            concat!(module_path!(), "::", stringify!($name)),
            |given| Box::pin($name(given)),
        )),*]
    };
}

/// The adapters that a scenario is given, as a future that stays on its thread.
pub type OpeningFuture = Pin<Box<dyn Future<Output = Arc<dyn SharedAdapters>>>>;

/// Something that the ports of a suite live in.
#[derive(Clone, Copy)]
pub struct Place {
    /// The name in the list of tests.
    pub name: &'static str,
    /// The service without which there is no such place, if it is missing here.
    pub missing: Option<&'static str>,
    /// Makes the adapters for one test.
    pub open: fn() -> OpeningFuture,
}

/// Runs suites on every kind of database and ends the process with the result.
pub fn run(suites: impl IntoIterator<Item = Vec<Scenario>>) -> ! {
    let mut trials = Vec::new();
    for scenario in suites.into_iter().flatten() {
        for backend in Backend::ALL {
            let missing = (!backend.is_available()).then_some("MySQL").or_else(scenario.missing);
            let test = trial(scenario.name_in(backend.name()), missing, move || async move {
                let database = Arc::new(TestDatabase::create(backend).await);
                (scenario.body)(database.clone()).await;
                if let Some(database) = Arc::into_inner(database) {
                    database.remove().await?;
                }
                Ok(())
            });
            trials.push(test);
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit()
}

/// Runs suites of shared ports in a place and ends the process with the result.
pub fn run_on(place: Place, suites: impl IntoIterator<Item = Vec<Scenario<dyn SharedAdapters>>>) -> ! {
    let trials = suites.into_iter().flatten().map(|scenario| {
        trial(scenario.name_in(place.name), place.missing.or_else(scenario.missing), move || async move {
            let adapters = (place.open)().await;
            (scenario.body)(adapters.clone()).await;
            adapters.wipe().await;
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit()
}

/// Makes a test that is ignored, or fails, where a service is missing.
fn trial<F, Fut>(name: String, missing: Option<&'static str>, body: F) -> Trial
where
    F: FnOnce() -> Fut + Send + 'static,
    Fut: Future<Output = Result<(), Failed>>,
{
    Trial::ignorable_test(name, move || {
        if let Some(service) = missing {
            if std::env::var("REQUIRE_SERVICES").is_ok_and(|value| value == "1") {
                return Err(
                    format!("REQUIRE_SERVICES=1, and no {service}: run it under with-services").into()
                );
            }
            return Ok(Completion::ignored_with(format!("no {service} here")));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(body())?;
        Ok(Completion::Completed)
    })
}
