//! `jumun audit`.

use std::process::ExitCode;

use checkout::{AuditReport, Auditor};
use serde_json::json;

use super::{CommandError, connect_migrated, print};
use crate::settings::Settings;

/// Audits the database and says what it found; the exit code is 1 if anything is broken.
pub(super) async fn run(settings: &Settings, as_json: bool) -> Result<ExitCode, CommandError> {
    let wiring = connect_migrated(settings).await?;
    let report = wiring.database.audit().await;
    let report = report.map_err(|error| CommandError::because("the audit did not run", &error))?;
    print(&if as_json { to_json(&report) } else { to_text(&report) });
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn to_json(report: &AuditReport) -> String {
    let checks: Vec<_> = report
        .checks
        .iter()
        .map(|check| {
            json!({"name": check.name, "rule": check.rule, "violations": check.violations, "offenders": check.offenders})
        })
        .collect();
    json!({"clean": report.is_clean(), "checks": checks}).to_string()
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
