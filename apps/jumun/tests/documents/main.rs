//! What is printed is true: the commands of README and tour run as they stand there and are answered as it
//! says, and the tables of endpoints and error codes are complete.

#![expect(clippy::unwrap_used, reason = "test code: a broken expectation is a failed test")]

mod answer;
mod codes;
mod markdown;
mod server;
mod shell;
mod walk;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::markdown::Document;

/// The operations of the OpenAPI document as tables name them: those of the API without its base path.
fn operations() -> BTreeSet<String> {
    let document: Value = serde_json::from_str(&markdown::read("docs/api/openapi.json")).unwrap();
    let mut operations = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path.strip_prefix("/api/v1").unwrap_or(path);
        let methods = item.as_object().unwrap().keys();
        operations.extend(methods.map(|method| format!("{} {path}", method.to_uppercase())));
    }
    operations
}

#[test]
fn the_commands_of_the_readme_run_as_they_are_printed() {
    walk::run(&Document::read("README.md"));
}

#[test]
fn the_commands_of_the_korean_readme_run_as_they_are_printed() {
    if shell::missing().is_some() {
        return;
    }
    let korean = Document::read("README.ko.md");
    assert_eq!(walk::commands(&korean), walk::commands(&Document::read("README.md")));
    walk::run(&korean);
}

#[test]
fn the_commands_of_the_tour_run_as_they_are_printed() {
    walk::run(&Document::read("docs/api/tour.md"));
}

#[test]
fn the_tables_of_endpoints_are_complete() {
    for name in ["README.md", "README.ko.md", "docs/api/guide.md"] {
        assert_eq!(Document::read(name).operations(), operations(), "{name}");
    }
}

#[test]
fn the_guide_has_every_error_code_with_its_statuses() {
    let listed = codes::listed(&Document::read("docs/api/guide.md"));
    let in_code = codes::in_code();
    assert!(in_code.contains("OUT_OF_STOCK") && in_code.contains("METHOD_NOT_ALLOWED"), "{in_code:?}");
    assert_eq!(listed.keys().cloned().collect::<BTreeSet<_>>(), in_code);
    for (code, statuses) in codes::promised() {
        assert!(
            statuses.is_subset(&listed[&code]),
            "{code}: {statuses:?} in the OpenAPI document, {:?} in the guide",
            listed[&code]
        );
    }
}
