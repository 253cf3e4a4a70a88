//! What happens to the service's own processes.

use std::path::Path;
use std::time::Duration;

use fastrand::Rng;

use super::{Done, Fault};
use crate::Failure;
use crate::cli::Pace;
use crate::site::{Process, Signal, Site};

/// How soon a process that is told to end has to be gone.
const END: Duration = Duration::from_secs(30);

pub(super) async fn strike(fault: Fault, site: &Site, pace: Pace, rng: &mut Rng) -> Result<Done, Failure> {
    match fault {
        Fault::InstanceKilled => {
            let rounds = if pace == Pace::Short { 2 } else { 8 };
            for _ in 0..rounds {
                let process = &site.instances[rng.usize(..site.instances.len())].process;
                tokio::time::sleep(Duration::from_millis(rng.u64(200..900))).await;
                process.tell(Signal::Kill).await?;
                process.ended().await?;
                process.launch()?;
                process.until_ready().await?;
            }
            Ok(format!("kill -9, {rounds} times").into())
        }
        Fault::InstanceStopped => {
            let time = pace.seconds(12, 40);
            let process = &site.instances[2].process;
            process.tell(Signal::Stop).await?;
            tokio::time::sleep(time).await;
            process.tell(Signal::Continue).await?;
            Ok(format!("SIGSTOP for {time:?}").into())
        }
        Fault::RollingRestart => {
            let rounds = if pace == Pace::Short { 1 } else { 5 };
            let mut slowest = Duration::ZERO;
            for _ in 0..rounds {
                for instance in &site.instances {
                    slowest = slowest.max(restart(&instance.process, Process::launch).await?);
                }
            }
            Ok(format!("SIGTERM to each of three, {rounds} times; the slowest took {slowest:.1?}").into())
        }
        Fault::ClockAhead => {
            let process = &site.instances[1].process;
            let ahead = pace.seconds(60, 300);
            restart(process, |process| process.launch_with(&clock_ahead(ahead)?)).await?;
            tokio::time::sleep(pace.seconds(5, 30)).await;
            restart(process, Process::launch).await?;
            Ok(format!("{ahead:?}, by libfaketime, from its start to its end").into())
        }
        _ => {
            let rounds = if pace == Pace::Short { 1 } else { 5 };
            for _ in 0..rounds {
                for worker in &site.workers {
                    tokio::time::sleep(Duration::from_millis(rng.u64(300..900))).await;
                    worker.process.tell(Signal::Kill).await?;
                    worker.process.ended().await?;
                    worker.process.launch()?;
                    worker.process.until_ready().await?;
                }
            }
            Ok(format!("kill -9 to each of two, {rounds} times").into())
        }
    }
}

/// Ends a process in good order and starts another one in its place; returns how long the end took.
async fn restart(
    process: &Process,
    launch: impl FnOnce(&Process) -> Result<(), Failure>,
) -> Result<Duration, Failure> {
    process.tell(Signal::Terminate).await?;
    let (code, took) = process.ended().await?;
    if code != Some(0) || took > END {
        let said = format!("ended with {code:?} after {took:.1?}");
        return Err(Failure::Process { what: process.name().to_owned(), said });
    }
    launch(process)?;
    process.until_ready().await?;
    Ok(took)
}

/// Returns the variables by which a process sees a clock that is ahead, and timers that are right.
fn clock_ahead(by: Duration) -> Result<[(&'static str, String); 3], Failure> {
    let folders = ["/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime"];
    let mut libraries = folders.iter().map(|folder| format!("{folder}/libfaketimeMT.so.1"));
    let library = libraries.find(|library| Path::new(library).exists()).ok_or_else(|| {
        let said = "libfaketime is not there; Debian has it in the package faketime".to_owned();
        Failure::Process { what: "a clock that is ahead".to_owned(), said }
    })?;
    Ok([
        ("LD_PRELOAD", library),
        ("FAKETIME", format!("+{}s", by.as_secs())),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
    ])
}
