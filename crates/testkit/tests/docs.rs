//! The documentation says what is: generated pages are fresh, links lead somewhere, names exist; and each
//! check can fail.

#![expect(clippy::expect_used, reason = "test code: a broken expectation is a failed test")]

use std::path::Path;

use ::guards::Guard;
use cargo_metadata::MetadataCommand;
use testkit::adr::Tree;
use testkit::docs::{
    Column, ForeignKey, ROOT, Schema, Table, check_alerts, check_links, check_names, dependencies, erd,
    repository, stage,
};
use testkit::{Backend, TestDatabase, guards};

const OPERATIONS: &str = "docs/operations.md";

async fn migrated() -> Schema {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let connection = database.connect().await.expect("the database answers");
    let schema = Schema::read(&connection).await.expect("the schema is read");
    connection.close().await.expect("the connection closes");
    database.remove().await.expect("the database goes");
    schema
}

#[tokio::test]
async fn the_picture_of_the_tables_is_up_to_date() {
    let current = erd(&migrated().await).expect("every table and every id is known");
    assert!(repository().0["docs/erd.md"] == current, "docs/erd.md is out of date: run `make erd`");
}

#[test]
fn the_picture_of_the_crates_is_up_to_date() {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo describes the workspace");
    let current = dependencies(&metadata).expect("every crate belongs to a layer");
    let committed = &repository().0["docs/dependencies.md"];
    assert!(*committed == current, "docs/dependencies.md is out of date: run `make dependencies`");
}

#[test]
fn the_page_of_guards_is_up_to_date_and_names_tests_that_exist() {
    let tree = repository();
    assert!(
        tree.0["docs/guards.md"] == guards::page(),
        "docs/guards.md is out of date: run `make guards-page`"
    );
    for caught in &guards::CAUGHT {
        let file = std::fs::read_to_string(Path::new(ROOT).join(caught.file)).expect(caught.file);
        assert!(file.contains(&format!("fn {}(", caught.test)), "{} has no {}", caught.file, caught.test);
    }
    for guard in Guard::ALL {
        assert!(guards::CAUGHT.iter().any(|caught| caught.guard == guard), "nothing misses {}", guard.name());
    }
}

#[test]
fn every_link_leads_somewhere() {
    let found = check_links(&repository());
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_metric_setting_and_target_exists() {
    let found = check_names(&repository());
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_alert_is_explained() {
    let found = check_alerts(&repository(), OPERATIONS);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_book_has_every_page() {
    let tree = repository();
    let summary = &stage(&tree).0["SUMMARY.md"];
    for page in tree.0.keys().filter(|path| Path::new(path).extension().is_some_and(|it| it == "md")) {
        assert_eq!(summary.matches(&format!("]({page})\n")).count(), 1, "{page}");
    }
}

#[tokio::test]
async fn a_table_or_an_id_that_nobody_placed_is_found() {
    let mut schema = migrated().await;
    let column = |name: &str| Column {
        name: name.to_owned(),
        declared: "uuid_text".to_owned(),
        optional: false,
        primary: false,
    };
    schema.tables[0].columns.push(column("gift_id"));
    schema.tables.push(Table { name: "gifts".to_owned(), ..Table::default() });
    assert_eq!(erd(&schema).expect_err("a table is new"), ["gifts is in no group"]);
    schema.tables.pop();
    let wrong = format!("{}.gift_id refers to nothing known", schema.tables[0].name);
    assert_eq!(erd(&schema).expect_err("an id is new"), [wrong]);
    schema.tables[0].columns.pop();
    schema.tables.pop();
    let gone = erd(&schema).expect_err("a table is gone");
    assert_eq!(gone, ["there is no table wallets", "point_ledger.user_id refers to nothing known"]);
}

#[tokio::test]
async fn keys_are_solid_and_references_dashed() {
    let schema = migrated().await;
    let items = schema.tables.iter().find(|table| table.name == "order_items").expect("lines of orders");
    let key = ForeignKey { table: "orders".to_owned(), columns: vec!["order_id".to_owned()] };
    assert_eq!(items.foreign_keys, [key]);
    let page = erd(&schema).expect("every table and every id is known");
    for line in [
        "    orders ||--o{ order_items : \"order_id\"\n",
        "    products ||..o{ order_items : \"product_id\"\n",
        "    users ||..o| wallets : \"user_id\"\n",
        "    user_coupons |o..o{ orders : \"user_coupon_id\"\n",
        "        id order_id PK, FK\n",
        "        bytes(32) email_hash UK\n",
    ] {
        assert!(page.contains(line), "{line}");
    }
}

fn tree(files: &[(&str, &str)]) -> Tree {
    Tree(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
}

/// Returns what is wrong with a link of a page that stands beside a source, a page and a folder.
fn broken(link: &str) -> Vec<String> {
    let source = ("src/a.rs", "fn held() {}");
    check_links(&tree(&[("docs/a.md", link), ("docs/b.md", "# One\n## Two *words*\n## One"), source]))
}

#[test]
fn links_that_lead_somewhere_are_left_alone() {
    for link in [
        "[x](b.md)",
        "[x](b.md#two-words)",
        "[x](b.md#one-1)",
        "[x](../src/a.rs)",
        "[x](../src)",
        "[x](../src/)",
        "# Here\n[x](#here)",
        "[`held`](../src/a.rs)",
        "[x](https://example.com/none)",
        "`[x](none.md)`",
        "```sh\n[x](none.md)\n```",
    ] {
        assert!(broken(link).is_empty(), "{link}");
    }
}

#[test]
fn links_that_lead_nowhere_are_found() {
    for (link, wrong) in [
        ("[x](c.md)", "does not exist"),
        ("[x](b.md#three)", "is no heading"),
        ("[x](b.md#one-2)", "is no heading"),
        ("[x](#here)", "is no heading"),
        ("[x](../src/a.rs#L1)", "is no heading"),
        ("[x](../../etc/passwd)", "leads out of the repository"),
        ("[`Till::held`](../src/a.rs)", "does not contain Till"),
        ("[`hel`](../src/a.rs)", "does not contain hel"),
        ("| a |\n|---|\n| [x](c.md) |", "does not exist"),
    ] {
        let found = broken(link);
        assert!(found.len() == 1 && found[0].ends_with(wrong), "{link}: {found:?}");
    }
}

#[test]
fn names_that_are_gone_are_found() {
    let source = ("crates/a/src/a.rs", "counter!(\"jumun_orders_total\"); histogram!(\"jumun_seconds\")");
    let settings = ("apps/jumun/src/settings/mod.rs", "    http_addr: SocketAddr");
    let makefile = ("Makefile", "\nrun: ## run\n");
    let found = |page: &str| check_names(&tree(&[("docs/a.md", page), source, settings, makefile]));
    let fine = "`jumun_orders_total` jumun_seconds_bucket JUMUN_HTTP_ADDR JUMUN_PROFILE `JUMUN_HTTP_ADDR=x make run`";
    assert_eq!(found(fine), [""; 0]);
    assert_eq!(found("`jumun_sales_total`"), ["docs/a.md: nothing emits jumun_sales_total"]);
    assert_eq!(found("JUMUN_HTTP"), ["docs/a.md: JUMUN_HTTP is no setting"]);
    assert_eq!(found("`make walk`"), ["docs/a.md: make has no target walk"]);
    assert_eq!(found("```sh\nmake run\nA=1 make walk\n```"), ["docs/a.md: make has no target walk"]);
}

#[test]
fn alerts_and_their_explanations_differ_in_both_directions() {
    let rules = ("deploy/prometheus/alerts.yml", "rules:\n  - alert: Down\n  - alert: Slow\n");
    let found = |page: &str| check_alerts(&tree(&[(OPERATIONS, page), rules]), OPERATIONS);
    assert_eq!(found("## Alerts\n### Down\n### Slow\n## Else\n### More"), [""; 0]);
    assert_eq!(found("## Alerts\n### Down\n"), ["docs/operations.md does not explain Slow"]);
    let gone = found("## Alerts\n### Down\n### Slow\n### Full\n");
    assert_eq!(gone, ["docs/operations.md: there is no alert Full"]);
}

#[test]
fn the_book_is_in_order_and_stands_alone() {
    let decision = "---\nstatus: accepted\ndate: 2026-11-21\ncode:\n  - src/a.rs\nenforced-by:\n  - src/a.rs::held\n---\n# ADR-901: Made up\n\n## Context\n";
    let staged = stage(&tree(&[
        ("README.md", "# Shop"),
        ("docs/README.md", "# Docs\n[b](b.md#b) [code](../src/a.rs) [folder](../src) [d](../adr/README.md)"),
        ("docs/a.md", "# A"),
        ("docs/b.md", "# B"),
        ("adr/README.md", "# Decisions"),
        ("adr/901-made-up.md", decision),
        ("src/a.rs", "fn held() {}"),
    ]));
    let summary = "# Summary\n\n- [Shop](README.md)\n- [Docs](docs/README.md)\n  - [B](docs/b.md)\n  - [A](docs/a.md)\n\
                   - [Decisions](adr/README.md)\n  - [901: Made up](adr/901-made-up.md)\n";
    assert_eq!(staged.0["SUMMARY.md"], summary);
    assert_eq!(
        staged.0["docs/README.md"],
        "# Docs\n[b](b.md#b) [code](../src/a.rs.txt) folder [d](../adr/index.md)"
    );
    assert_eq!(staged.0["src/a.rs.txt"], "fn held() {}");
    assert!(staged.0["adr/901-made-up.md"].starts_with("# ADR-901: Made up\n\n*accepted, 2026-11-21*\n"));
    assert!(staged.0["adr/901-made-up.md"].ends_with("- `src/a.rs`\n- `src/a.rs::held`\n"));
}
