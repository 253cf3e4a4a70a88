//! `jumun audit`.

use std::process::ExitCode;

use checkout::{AuditReport, Auditor};

use super::{CommandError, connect_migrated, print};
use crate::http::AuditResponse;
use crate::settings::Settings;

/// Audits the database and says what it found; the exit code is 1 if anything is broken.
pub(super) async fn run(settings: &Settings, as_json: bool) -> Result<ExitCode, CommandError> {
    let wiring = connect_migrated(settings).await?;
    let report = wiring.database.audit().await;
    let report = report.map_err(|error| CommandError::because("the audit did not run", &error))?;
    let code = if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    print(&if as_json { to_json(report)? } else { to_text(&report) });
    Ok(code)
}

/// Writes the report as the API does.
fn to_json(report: AuditReport) -> Result<String, CommandError> {
    serde_json::to_string(&AuditResponse::of(report))
        .map_err(|error| CommandError::because("the report cannot be written", &error))
}

fn to_text(report: &AuditReport) -> String {
    let mut lines = Vec::new();
    for check in &report.checks {
        let verdict = if check.violations == 0 { "ok" } else { "BROKEN" };
        lines.push(format!("{verdict:<6} {:>6}  {:<30} {}", check.violations, check.name, check.rule));
        lines.extend(check.offenders.iter().map(|id| format!("                 {id}")));
    }
    let broken = report.checks.iter().filter(|check| check.violations > 0).count();
    lines.push(format!("{} checks, {broken} broken", report.checks.len()));
    lines.join("\n")
}
