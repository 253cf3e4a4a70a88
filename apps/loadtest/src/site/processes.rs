//! What processes use, as Linux tells in `/proc`.

use std::fs;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::Serialize;

/// How many units of CPU time Linux counts a second, towards programs: always 100.
const TICKS: u64 = 100;

/// What the process is called that makes the load.
pub(crate) const GENERATOR: &str = "generator";

/// A process that is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    /// What it is called in the report.
    pub(crate) name: String,
    /// Its number.
    pub(crate) id: u32,
}

impl Process {
    /// Names a process.
    pub(crate) fn new(name: &str, id: u32) -> Self {
        Self { name: name.to_owned(), id }
    }

    /// Names the process that makes the load.
    pub(crate) fn generator() -> Self {
        Self::new(GENERATOR, std::process::id())
    }

    /// Finds the server whose command line has both words, such as `mysqld` and its port.
    pub(crate) fn find(name: &str, words: [&str; 2]) -> Option<Self> {
        let ids = fs::read_dir("/proc")
            .ok()?
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let mut matching = ids.filter(|id| {
            let line = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).into_owned();
            let program = line.split('\0').next().unwrap_or_default();
            // A server, not the shell that starts it nor a client that is told the same port.
            program.contains(words[0]) && line.contains(words[1])
        });
        matching.next().map(|id| Self::new(name, id))
    }

    /// Returns the CPU time that it has used, in ticks.
    fn ticks(&self) -> Option<u64> {
        ticks(&fs::read_to_string(format!("/proc/{}/stat", self.id)).ok()?)
    }

    /// Returns the most memory that it ever had, in MiB.
    pub(crate) fn peak_memory(&self) -> Option<f64> {
        peak_memory(&fs::read_to_string(format!("/proc/{}/status", self.id)).ok()?)
    }
}

/// Reads user and system time out of a line of `/proc/…/stat`.
fn ticks(line: &str) -> Option<u64> {
    // The second field is the name in parentheses, which may have blanks and parentheses of its own.
    let mut fields = line.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn peak_memory(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib / 1_024.0)
}

/// What a process used while it was watched.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Usage {
    /// What it is called in the report.
    pub(crate) name: String,
    /// CPU time in seconds.
    pub(crate) seconds: f64,
    /// Cores in use, each second.
    pub(crate) timeline: Vec<f64>,
}

/// A thread that looks at processes each second.
pub(crate) struct Watch {
    stop: mpsc::Sender<()>,
    thread: JoinHandle<Vec<Usage>>,
}

impl Watch {
    /// Begins to watch.
    pub(crate) fn start(processes: Vec<Process>) -> Self {
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::spawn(move || watch(&processes, &stopped));
        Self { stop, thread }
    }

    /// Returns what was used until now.
    pub(crate) fn stop(self) -> Vec<Usage> {
        drop(self.stop);
        self.thread.join().unwrap_or_default()
    }
}

#[expect(clippy::cast_precision_loss, reason = "ticks stay far below 2^52")]
fn watch(processes: &[Process], stopped: &mpsc::Receiver<()>) -> Vec<Usage> {
    let look = || processes.iter().map(|process| process.ticks().unwrap_or_default()).collect::<Vec<_>>();
    let first = look();
    let mut last = (Instant::now(), first.clone());
    let mut usages: Vec<Usage> =
        processes.iter().map(|process| Usage { name: process.name.clone(), ..Usage::default() }).collect();
    loop {
        let ended = !matches!(stopped.recv_timeout(Duration::from_secs(1)), Err(RecvTimeoutError::Timeout));
        let now = (Instant::now(), look());
        let passed = (now.0 - last.0).as_secs_f64();
        for (index, usage) in usages.iter_mut().enumerate() {
            let ticks = |from: u64| now.1[index].saturating_sub(from) as f64 / TICKS as f64;
            usage.seconds = ticks(first[index]);
            // A fraction of a second has too few ticks to say much.
            if passed > 0.5 {
                usage.timeline.push(ticks(last.1[index]) / passed);
            }
        }
        last = now;
        if ended {
            return usages;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_cpu_time_and_memory() {
        let line = "42 (a (b) c) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 3 0 100 1000 10";
        assert_eq!(ticks(line), Some(300));
        assert_eq!(ticks("42"), None);
        assert_eq!(peak_memory("Name:\tx\nVmHWM:\t  51200 kB\nVmRSS:\t 1 kB\n"), Some(50.0));
        assert_eq!(peak_memory("Name:\tx\n"), None);
    }

    #[test]
    fn this_process_uses_memory_and_can_be_watched() {
        let watch = Watch::start(vec![Process::generator()]);
        let usages = watch.stop();
        assert_eq!(usages.len(), 1);
        assert!(Process::generator().peak_memory() > Some(1.0));
    }
}
