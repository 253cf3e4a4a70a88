//! The architecture as drawn: which crate may know which, and what the pure ones may use at all
//! (ADR-001, ADR-002).

#![expect(clippy::expect_used, reason = "test code: a broken expectation is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// The crates of the workspace, each with the crates of the workspace that it may depend on. `testkit`
/// serves tests and may know everything. Another edge is a decision that needs an ADR.
const EDGES: &[(&str, &[&str])] = &[
    ("kernel", &[]),
    ("guards", &[]),
    ("cart", &["kernel"]),
    ("coordination", &["guards", "kernel"]),
    ("coupon", &["kernel"]),
    ("order", &["kernel"]),
    ("payment", &["kernel"]),
    ("point", &["kernel"]),
    ("product", &["kernel"]),
    ("ranking", &["kernel"]),
    ("refund", &["kernel"]),
    ("user", &["kernel"]),
    (
        "checkout",
        &[
            "cart",
            "coordination",
            "coupon",
            "guards",
            "kernel",
            "order",
            "payment",
            "point",
            "product",
            "refund",
            "user",
        ],
    ),
    ("webhooks", &["kernel"]),
    ("migrations", &[]),
    (
        "storage",
        &[
            "cart",
            "checkout",
            "coupon",
            "guards",
            "kernel",
            "migrations",
            "order",
            "payment",
            "point",
            "product",
            "ranking",
            "refund",
            "user",
        ],
    ),
    ("local", &["coordination", "coupon", "kernel", "order", "point", "product", "ranking", "user"]),
    ("redis-adapter", &["coordination", "coupon", "kernel", "ranking"]),
    ("data-platform", &["checkout", "kernel", "webhooks"]),
    // It meets the service as its callers do, and the database as a shell does: it knows no crate of ours.
    ("loadtest", &[]),
    // So does the drill; wires that can be cut and servers that can be killed are the tests' own.
    ("prove", &["testkit"]),
    ("payment-gateway", &["coordination", "kernel", "payment", "webhooks"]),
    ("jwt", &["kernel", "user"]),
    (
        "jumun",
        &[
            "cart",
            "checkout",
            "coordination",
            "coupon",
            "data-platform",
            "jwt",
            "kernel",
            "local",
            "order",
            "payment",
            "payment-gateway",
            "point",
            "product",
            "ranking",
            "redis-adapter",
            "refund",
            "storage",
            "user",
            "webhooks",
        ],
    ),
];

/// The crates that decide, and all that they may use from outside: no runtime, no database, no network.
const PURE: &[&str] =
    &["cart", "coupon", "kernel", "order", "payment", "point", "product", "ranking", "refund", "user"];
const ALLOWED_IN_PURE: &[&str] = &[
    "argon2",
    "async-trait",
    "base64",
    "chrono",
    "chrono-tz",
    "mockall",
    "rust_decimal",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "uuid",
];

/// The only crates that may know a technology.
const TECHNOLOGIES: &[(&str, &[&str])] = &[
    ("sea-orm", &["storage", "testkit"]),
    ("sea-orm-migration", &["migrations", "storage"]),
    ("sqlx", &["loadtest", "prove", "storage"]),
    ("redis", &["prove", "redis-adapter", "testkit"]),
    ("deadpool-redis", &["redis-adapter"]),
    ("reqwest", &["data-platform", "jumun", "payment-gateway", "prove"]),
    ("standardwebhooks", &["webhooks"]),
    ("jsonwebtoken", &["jwt"]),
    ("actix-web", &["jumun", "loadtest"]),
    ("goose", &["loadtest"]),
];

fn metadata() -> Metadata {
    MetadataCommand::new().no_deps().exec().expect("cargo describes the workspace")
}

/// Returns what a crate needs to run, by name; tests and build scripts may use more.
fn dependencies(package: &Package) -> BTreeSet<&str> {
    let normal = package.dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
    normal.map(|dependency| dependency.name.as_str()).collect()
}

fn members(metadata: &Metadata) -> BTreeMap<&str, &Package> {
    metadata.packages.iter().map(|package| (package.name.as_str(), package)).collect()
}

#[test]
fn crates_know_only_what_the_picture_draws() {
    let metadata = metadata();
    let members = members(&metadata);
    let drawn: BTreeMap<_, _> = EDGES.iter().copied().collect();
    for (name, package) in members.iter().filter(|(name, _)| **name != "testkit") {
        let allowed = drawn.get(name).unwrap_or_else(|| panic!("{name} is not in the picture"));
        for dependency in dependencies(package).into_iter().filter(|name| members.contains_key(name)) {
            assert!(allowed.contains(&dependency), "{name} must not know {dependency}");
        }
    }
    for name in drawn.keys() {
        assert!(members.contains_key(name), "{name} is in the picture and not in the workspace");
    }
}

#[test]
fn crates_that_decide_use_nothing_that_acts() {
    let metadata = metadata();
    let members = members(&metadata);
    for name in PURE {
        for dependency in dependencies(members[name]) {
            let known = members.contains_key(dependency) || ALLOWED_IN_PURE.contains(&dependency);
            assert!(known, "{name} must not use {dependency}");
        }
    }
}

#[test]
fn a_technology_is_known_to_its_adapter_alone() {
    let metadata = metadata();
    for (technology, knowing) in TECHNOLOGIES {
        for package in &metadata.packages {
            let knows = dependencies(package).contains(technology);
            assert!(
                !knows || knowing.contains(&package.name.as_str()),
                "{} must not know {technology}",
                package.name
            );
        }
    }
}

#[test]
fn every_crate_takes_its_lints_and_versions_from_the_root() {
    for package in metadata().packages {
        let manifest = std::fs::read_to_string(&package.manifest_path).expect("a manifest");
        assert!(manifest.contains("[lints]\nworkspace = true"), "{} has lints of its own", package.name);
        let mut in_dependencies = false;
        for line in manifest.lines() {
            if line.starts_with('[') {
                in_dependencies = line.contains("dependencies]");
            } else if in_dependencies && line.contains('=') {
                let inherited = line.contains(".workspace = true") || line.contains("workspace = true");
                assert!(inherited, "{}: {line} names a version of its own", package.name);
            }
        }
    }
}

#[test]
fn every_dependency_of_the_root_is_used() {
    let metadata = metadata();
    let root =
        std::fs::read_to_string(metadata.workspace_root.join("Cargo.toml")).expect("the root's manifest");
    let declared = root.split("[workspace.dependencies]").nth(1).and_then(|rest| rest.split("\n[").next());
    let used: BTreeSet<_> =
        metadata.packages.iter().flat_map(|package| &package.dependencies).map(|d| d.name.as_str()).collect();
    for line in declared.expect("a table of dependencies").lines() {
        let Some((name, _)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) else { continue };
        assert!(used.contains(name), "{name} is declared and used by no crate");
    }
}

#[test]
fn every_dependency_of_a_crate_is_used() {
    for package in metadata().packages {
        let folder = package.manifest_path.parent().expect("a folder").join("src");
        let mut sources = String::new();
        visit(folder.as_std_path(), &mut |_, text| sources.push_str(text));
        for dependency in dependencies(&package) {
            let name = dependency.replace('-', "_");
            let used = [format!("{name}::"), format!("use {name}"), format!("::{name}")];
            let named = used.iter().any(|form| sources.contains(form.as_str()));
            assert!(named, "{} depends on {dependency} and does not use it", package.name);
        }
    }
}

#[test]
fn files_stay_short_and_lints_are_expected_not_allowed() {
    let metadata = metadata();
    let mut found = Vec::new();
    for package in &metadata.packages {
        let folder = package.manifest_path.parent().expect("a folder").join("src");
        visit(folder.as_std_path(), &mut |path, text| {
            if text.lines().count() > 400 {
                found.push(format!("{}: more than 400 lines", path.display()));
            }
            if text.contains("#[allow(") || text.contains("#![allow(") {
                found.push(format!("{}: allows a lint", path.display()));
            }
        });
    }
    assert!(found.is_empty(), "{found:#?}");
}

fn visit(folder: &Path, check: &mut impl FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            visit(&path, check);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            check(&path, &std::fs::read_to_string(&path).expect("a source"));
        }
    }
}
