//! The committed OpenAPI document is what the code says.

use std::path::Path;

#[test]
fn the_committed_document_is_up_to_date() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/api/openapi.json");
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    let current =
        serde_json::to_string_pretty(&jumun::http::openapi()).expect("the document serialises") + "\n";
    assert!(committed == current, "docs/api/openapi.json is out of date: run `make openapi`");
}
