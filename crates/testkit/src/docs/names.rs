//! Names that pages use and that somebody may change: metrics, settings, targets of make, alerts.

use std::collections::BTreeSet;

use super::links::{has_extension, is_page};
use super::markdown::Markdown;
use crate::adr::Tree;

const ALERTS: &str = "deploy/prometheus/alerts.yml";
const SETTINGS: &str = "apps/jumun/src/settings/mod.rs";
/// Variables that are no settings: they are read before the settings are, or by tests.
const VARIABLES: &[&str] =
    &["JUMUN_PROFILE", "JUMUN_CONFIG_DIR", "JUMUN_TEST_MYSQL_URL", "JUMUN_TEST_REDIS_URL"];

/// Returns each metric, setting and target of make that a page under `docs/` names and that is not there.
#[must_use]
pub fn check_names(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    let settings = tree.0.get(SETTINGS).map_or("", String::as_str);
    let makefile = tree.0.get("Makefile").map_or("", String::as_str);
    let pages = tree.0.iter().filter(|(path, _)| path.starts_with("docs/") && is_page(path));
    for (page, text) in pages {
        for metric in words(text, "jumun_").filter(|metric| !is_emitted(tree, metric)) {
            found.push(format!("{page}: nothing emits {metric}"));
        }
        for variable in words(text, "JUMUN_").filter(|name| !VARIABLES.contains(&name.as_str())) {
            let key = variable.trim_start_matches("JUMUN_").to_lowercase();
            if !settings.contains(&format!(" {key}: ")) {
                found.push(format!("{page}: {variable} is no setting"));
            }
        }
        for code in Markdown::read(text).code {
            for (at, _) in code.match_indices("make ").filter(|(at, _)| is_command(&code[..*at])) {
                let rest = &code[at + "make ".len()..];
                let target = rest.split(|c: char| !c.is_ascii_lowercase() && c != '-').next().unwrap_or("");
                if !target.is_empty() && !makefile.contains(&format!("\n{target}:")) {
                    found.push(format!("{page}: make has no target {target}"));
                }
            }
        }
    }
    found
}

/// Returns whether a command can stand after this text: at the start of a line, or after variables.
fn is_command(before: &str) -> bool {
    let line = before.rsplit('\n').next().unwrap_or_default();
    line.split_whitespace().all(|word| word.contains('='))
}

/// Returns where the headings of a page and the alerts of Prometheus differ: each alert has a heading of its
/// name, of the third level under `## Alerts`, and each such heading is an alert.
#[must_use]
pub fn check_alerts(tree: &Tree, page: &str) -> Vec<String> {
    let rules = tree.0.get(ALERTS).map_or("", String::as_str);
    let rules = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    let alerts: BTreeSet<String> = rules.map(str::to_owned).collect();
    let headings = Markdown::read(tree.0.get(page).map_or("", String::as_str)).headings;
    let below = headings.into_iter().skip_while(|(level, text)| (*level, text.as_str()) != (2, "Alerts"));
    let explained: BTreeSet<String> =
        below.skip(1).take_while(|(level, _)| *level > 2).map(|(_, text)| text).collect();
    let missing = alerts.difference(&explained).map(|alert| format!("{page} does not explain {alert}"));
    let extra = explained.difference(&alerts).map(|heading| format!("{page}: there is no alert {heading}"));
    missing.chain(extra).collect()
}

/// Returns the words that begin with `prefix`.
fn words(text: &str, prefix: &str) -> impl Iterator<Item = String> {
    let belongs = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let starts = text.match_indices(prefix).filter(|(at, _)| !text[..*at].ends_with(|c| belongs(&c)));
    let found = starts.map(|(at, _)| text[at..].chars().take_while(belongs).collect());
    found.filter(|word: &String| word.len() > prefix.len()).collect::<BTreeSet<_>>().into_iter()
}

/// Returns whether a source names the metric; a histogram is shown as three.
fn is_emitted(tree: &Tree, metric: &str) -> bool {
    let base = ["_bucket", "_sum", "_count"].iter().find_map(|part| metric.strip_suffix(part));
    let quoted = [Some(metric), base].map(|name| name.map(|name| format!("\"{name}\"")));
    let sources = tree.0.iter().filter(|(path, _)| path.contains("/src/") && has_extension(path, "rs"));
    let mut sources = sources.filter(|(path, _)| !path.starts_with("crates/testkit/"));
    sources.any(|(_, text)| quoted.iter().flatten().any(|name| text.contains(name.as_str())))
}
