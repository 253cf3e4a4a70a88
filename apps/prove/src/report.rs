//! The report: what was done, what came of it, and whether everything holds. One page.

use std::fmt::{self, Display, Formatter, Write};
use std::path::Path;
use std::time::Duration;

use pulldown_cmark::{Options, Parser, html};

use crate::Failure;
use crate::drill::say;
use crate::faults::Strike;
use crate::history::{GONE, LOST, UNSENT};
use crate::verify::Check;

/// How many complaints of one kind are shown.
const SHOWN: usize = 5;

/// Everything that came of a drill.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// What chance began with.
    pub(crate) seed: u64,
    /// How long it took.
    pub(crate) took: Duration,
    /// The faults.
    pub(crate) strikes: Vec<Strike>,
    /// What was looked at in the end.
    pub(crate) checks: Vec<Check>,
}

impl Report {
    /// Tells whether everything holds.
    pub(crate) fn is_sound(&self) -> bool {
        self.strikes.iter().all(|strike| strike.complaints().is_empty())
            && self.checks.iter().all(|check| check.complaints.is_empty())
    }

    /// Writes it as Markdown.
    fn markdown(&self) -> String {
        let verdict = if self.is_sound() { "everything holds" } else { "NOT everything holds" };
        let mut text = format!(
            "# Faults under load: {verdict}\n\nSeed {}, {:.0?}, three instances and two workers.\n\n\
             | fault | catalogue | what was done | answers meanwhile | slowest | well again after | verdict |\n\
             |---|---|---|---|---|---|---|\n",
            self.seed, self.took
        );
        for strike in &self.strikes {
            let recovered = strike.recovered.map_or("never".to_owned(), |took| format!("{took:.1?}"));
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {:.1?} | {recovered} | {} |",
                strike.fault.name(),
                strike.fault.source(),
                strike.done.what.replace('|', "¦"),
                answers(strike),
                strike.tally.slowest,
                verdict_of(&strike.complaints()),
            );
        }
        text += "\n| what must hold in the end | seen | verdict |\n|---|---|---|\n";
        for check in &self.checks {
            let _ =
                writeln!(text, "| {} | {} | {} |", check.holds, check.seen, verdict_of(&check.complaints));
        }
        text
    }
}

/// Shows how many answers there were of each kind.
fn answers(strike: &Strike) -> String {
    let shown = strike.tally.statuses.iter().map(|(status, count)| match status {
        &LOST => format!("{count} × lost"),
        &UNSENT => format!("{count} × not taken"),
        &GONE => format!("{count} × gone"),
        status => format!("{count} × {status}"),
    });
    shown.collect::<Vec<_>>().join(", ")
}

fn verdict_of(complaints: &[String]) -> String {
    if complaints.is_empty() {
        return "holds".to_owned();
    }
    let more = complaints.len().saturating_sub(SHOWN);
    let mut shown: Vec<_> =
        complaints.iter().take(SHOWN).map(|text| text.replace(['|', '\n'], " ")).collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    format!("**BROKEN**: {}", shown.join("; "))
}

impl Display for Strike {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (name, verdict) = (self.fault.name(), verdict_of(&self.complaints()));
        write!(formatter, "{name}: {}; {}; {verdict}", self.done.what, answers(self))
    }
}

/// Prints the report and writes it into a folder, as Markdown and as a page.
pub(crate) fn write(report: &Report, folder: &Path) -> Result<(), Failure> {
    let text = report.markdown();
    say(&format!("\n{text}"));
    std::fs::write(folder.join("report.md"), &text)?;
    let mut page = String::from(PAGE);
    html::push_html(&mut page, Parser::new_ext(&text, Options::ENABLE_TABLES));
    let path = folder.join("report.html");
    std::fs::write(&path, page)?;
    say(&format!("{}", path.display()));
    Ok(())
}

const PAGE: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Faults under load</title>\
    <style>body{font:15px/1.5 system-ui,sans-serif;max-width:90rem;margin:2rem auto;padding:0 1rem;color:#222}\
    table{border-collapse:collapse;font-size:13px;margin:1.5rem 0}th,td{padding:.25rem .6rem;\
    border-bottom:1px solid #ddd;text-align:left;vertical-align:top}th{background:#f4f4f4}strong{color:#b3261e}\
    </style></head><body>\n";
