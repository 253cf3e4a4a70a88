//! Load: what is asked for, who asks, and what came of it.

pub(crate) mod client;
pub(crate) mod closed;
pub(crate) mod open;
pub(crate) mod random;
pub(crate) mod request;
pub(crate) mod sample;
pub(crate) mod users;

use std::sync::Arc;

use random::Random;
use request::Request;

/// Makes the next request of a scenario.
pub(crate) type Source = Arc<dyn Fn(&mut Random) -> Request + Send + Sync>;

/// Runs a client that needs one thread and no more on a thread of its own.
///
/// A generator on several threads would take the two cores from what it measures.
pub(crate) async fn on_one_thread<T, F>(load: impl FnOnce() -> F + Send + 'static) -> std::io::Result<T>
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let task = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(runtime.block_on(load()))
    });
    task.await.map_err(std::io::Error::other)?
}
