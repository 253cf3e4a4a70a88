//! The report: one page of HTML that needs nothing else, the same as JSON, and a table for the terminal.

pub(crate) mod chart;
pub(crate) mod html;
mod page;

use std::path::Path;

use crate::Failure;
use crate::bench::{Outcome, say};

/// Writes `report.html` and `report.json` into a folder and prints the targets.
pub(crate) fn write(outcome: &Outcome, folder: &Path) -> Result<(), Failure> {
    std::fs::write(folder.join("report.json"), serde_json::to_vec_pretty(outcome)?)?;
    std::fs::write(folder.join("report.html"), page::of(outcome))?;
    say("");
    for target in &outcome.targets {
        let verdict = if target.met { "met" } else { "MISSED" };
        say(&format!("{verdict:<6}  {:<64} {:<10} {}", target.what, target.hoped, target.measured));
    }
    let audits = outcome.measured.iter().filter(|measured| measured.audit.is_some()).count();
    let verdict = if outcome.is_sound() { "nothing is broken" } else { "SOMETHING IS BROKEN" };
    say(&format!("{audits} audits: {verdict}"));
    say(&format!("{}", folder.join("report.html").display()));
    Ok(())
}
