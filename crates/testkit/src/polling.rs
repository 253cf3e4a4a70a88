//! Waiting for what must come about.

use std::time::{Duration, Instant};

/// Asks again and again until the answer is there, and returns it.
///
/// # Panics
/// When it is not there after 10 s.
pub async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}: not after {:?}", begun.elapsed());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
