//! The operations of the OpenAPI document, for tests that go through all of them.

use reqwest::Method;
use serde_json::{Value, json};

use super::NOBODY;

/// An operation of the document.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) method: Method,
    /// The path as the document writes it.
    pub(crate) template: String,
    pub(crate) description: Value,
}

impl Operation {
    /// Returns a path that fits the template and leads to nothing.
    pub(crate) fn path(&self) -> String {
        self.template.replace("{id}", NOBODY)
    }

    /// Tells whether the document promises an answer of this status.
    pub(crate) fn promises(&self, status: &str) -> bool {
        self.description["responses"].get(status).is_some()
    }

    /// Returns `METHOD /path`.
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.method, self.template)
    }
}

/// Returns all operations.
pub(crate) fn operations() -> Vec<Operation> {
    let document = json!(jumun::http::openapi());
    let paths = document["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(template, item)| {
        item.as_object().unwrap().iter().map(|(method, description)| Operation {
            method: method.to_uppercase().parse().unwrap(),
            template: template.clone(),
            description: description.clone(),
        })
    });
    operations.collect()
}
