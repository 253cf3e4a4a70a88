//! The error codes: those that the code can answer with, and those that the guide lists.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::markdown::{self, Document, code_spans};

/// Returns the codes in the guide's table with the statuses beside them.
pub(crate) fn listed(guide: &Document) -> BTreeMap<String, BTreeSet<u16>> {
    let mut listed = BTreeMap::new();
    for row in guide.rows() {
        let [code, statuses, ..] = row[..] else { continue };
        let Some(code) = code_spans(code).next().filter(|code| is_code(code)) else { continue };
        let statuses = statuses.split(", ").map(|status| status.parse().unwrap()).collect();
        assert!(listed.insert(code.to_owned(), statuses).is_none(), "{code} is listed twice");
    }
    listed
}

/// Returns the codes that the OpenAPI document promises, with their statuses.
pub(crate) fn promised() -> BTreeMap<String, BTreeSet<u16>> {
    let document: Value = serde_json::from_str(&markdown::read("docs/api/openapi.json")).unwrap();
    let mut promised: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    let items = document["paths"].as_object().unwrap().values();
    for operation in items.flat_map(|item| item.as_object().unwrap().values()) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let codes = response["description"].as_str().unwrap().split(", ").filter(|code| is_code(code));
            for code in codes {
                promised.entry(code.to_owned()).or_default().insert(status.parse().unwrap());
            }
        }
    }
    promised
}

/// Returns the codes in the source: those of every domain error, and those of `http/problem.rs`.
pub(crate) fn in_code() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut codes = BTreeSet::new();
    each_source(&root.join("crates"), &mut |source| {
        for body in source.split("fn code(&self) -> &'static str {").skip(1) {
            codes.extend(literals(body.split("\n    }\n").next().unwrap()));
        }
    });
    codes.extend(literals(&markdown::read("apps/jumun/src/http/problem.rs")));
    codes
}

/// Shows each Rust file below a folder.
fn each_source(folder: &Path, show: &mut impl FnMut(&str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            each_source(&path, show);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            show(&fs::read_to_string(&path).unwrap());
        }
    }
}

/// Returns the string literals that are codes.
fn literals(source: &str) -> impl Iterator<Item = String> {
    source.split('"').filter(|text| is_code(text)).map(str::to_owned)
}

fn is_code(text: &str) -> bool {
    text.len() > 4 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}
