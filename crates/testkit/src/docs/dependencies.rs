//! `docs/dependencies.md`: which crate knows which, from `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use cargo_metadata::{DependencyKind, Metadata, Package};

/// The layers from the top, each with the folders whose crates belong to it. The first that fits counts.
const LAYERS: &[(&str, &str, &[&str])] = &[
    ("app", "The programs", &["apps/"]),
    ("test", "Test support", &["crates/testkit"]),
    ("adapters", "Adapters", &["crates/adapters/", "migrations"]),
    ("application", "Use cases", &["crates/checkout"]),
    ("shared", "What instances share, and signatures", &["crates/coordination", "crates/webhooks"]),
    ("kernel", "Kernel", &["crates/kernel"]),
    ("domain", "Domains", &["crates/"]),
];

/// The order in which layers are drawn.
const DRAWN: &[&str] = &["app", "test", "adapters", "application", "domain", "shared", "kernel"];

const HEAD: &str = "\
# Crates and what they know

Generated from `cargo metadata` by `make dependencies`; a test fails when it is stale, and another one
([architecture.rs](../crates/testkit/tests/architecture.rs)) when there is an edge that was not decided on.

An arrow says: depends on. Arrows that follow from others are left out of the picture and are in the table, so
are dependencies of tests alone.
";

type Edges<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Writes the page.
///
/// # Errors
/// The crates that belong to no layer.
pub fn dependencies(metadata: &Metadata) -> Result<String, Vec<String>> {
    let names: BTreeSet<&str> = metadata.packages.iter().map(|package| package.name.as_str()).collect();
    let mut layers: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut found = Vec::new();
    for package in &metadata.packages {
        match layer(metadata, package) {
            Some(layer) => {
                layers.entry(layer).or_default().insert(package.name.as_str());
            }
            None => found.push(format!("{} belongs to no layer", package.name)),
        }
    }
    if !found.is_empty() {
        return Err(found);
    }
    let edges: Edges<'_> = metadata
        .packages
        .iter()
        .map(|package| {
            let normal = package.dependencies.iter().filter(|it| it.kind == DependencyKind::Normal);
            let ours = normal.map(|it| it.name.as_str()).filter(|name| names.contains(name));
            (package.name.as_str(), ours.collect())
        })
        .collect();
    let mut page = format!("{HEAD}\n```mermaid\nflowchart TB\n");
    for drawn in DRAWN {
        let title = LAYERS.iter().find(|(layer, ..)| layer == drawn).map_or("", |(_, title, _)| title);
        let _ = writeln!(page, "    subgraph {drawn}_layer [\"{title}\"]");
        for name in layers.get(drawn).into_iter().flatten() {
            let _ = writeln!(page, "        {name}");
        }
        page.push_str("    end\n");
    }
    for (from, direct) in &edges {
        for to in direct.iter().filter(|to| !direct.iter().any(|via| via != *to && reaches(&edges, via, to)))
        {
            let _ = writeln!(page, "    {from} --> {to}");
        }
    }
    page.push_str("```\n\n| crate | what it is | knows |\n|---|---|---|\n");
    for name in DRAWN.iter().filter_map(|drawn| layers.get(drawn)).flatten() {
        let package = metadata.packages.iter().find(|package| package.name.as_str() == *name);
        let description = package.and_then(|package| package.description.as_deref()).unwrap_or_default();
        let known = edges[name].iter().copied().collect::<Vec<_>>().join(", ");
        let _ = writeln!(page, "| `{name}` | {description} | {known} |");
    }
    Ok(page)
}

fn layer(metadata: &Metadata, package: &Package) -> Option<&'static str> {
    let folder = package.manifest_path.parent()?.strip_prefix(&metadata.workspace_root).ok()?.as_str();
    let fits = |start: &str| if start.ends_with('/') { folder.starts_with(start) } else { folder == start };
    LAYERS.iter().find(|(_, _, starts)| starts.iter().any(|start| fits(start))).map(|(layer, ..)| *layer)
}

fn reaches(edges: &Edges<'_>, from: &str, to: &str) -> bool {
    edges
        .get(from)
        .is_some_and(|direct| direct.contains(to) || direct.iter().any(|via| reaches(edges, via, to)))
}
