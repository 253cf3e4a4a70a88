//! Decisions stay tied to the code and to the tests that enforce them; and the check itself can fail.

use testkit::adr::{Page, Tree, check_index, check_pages, check_pointers, table};
use testkit::docs;

/// Returns what git knows or would add, so that neither `target/` nor ignored files are read.
fn repository() -> Tree {
    let mut tree = docs::repository();
    // The made-up pages below point to decisions that do not exist.
    tree.0.retain(|path, _| {
        !["adr", "docs"].map(|test| format!("crates/testkit/tests/{test}.rs")).contains(path)
    });
    tree
}

fn pages(tree: &Tree) -> Vec<Page> {
    let pages = tree.0.iter().filter_map(|(path, text)| Some((path.strip_prefix("adr/")?, text)));
    let mut pages: Vec<_> =
        pages.filter(|(file, _)| *file != "README.md").map(|(file, text)| Page::read(file, text)).collect();
    check_pages(&mut pages, tree);
    pages
}

#[test]
fn every_decision_is_tied_to_its_code_and_tests() {
    let tree = repository();
    let pages = pages(&tree);
    assert!(!pages.is_empty(), "no pages were read");
    let found = found_in_all(&pages, &tree);
    assert!(found.is_empty(), "{found:#?}");
}

fn found_in_all(pages: &[Page], tree: &Tree) -> Vec<String> {
    let mut found: Vec<_> =
        pages.iter().flat_map(|page| page.violations.iter().map(|v| format!("{}: {v}", page.file))).collect();
    found.extend(check_pointers(pages, tree));
    found.extend(check_index(pages, &tree.0["adr/README.md"]));
    found
}

#[test]
#[ignore = "prints what `make adr` shows"]
fn print_the_table() {
    let tree = repository();
    let pages = pages(&tree);
    println!("\n{}", table(&pages, &tree));
    let found = found_in_all(&pages, &tree);
    assert!(found.is_empty(), "{found:#?}");
}

/// A test that is renamed, commented out or ignored enforces nothing.
#[test]
fn a_test_that_does_not_run_is_found() {
    let mut tree = made_up_tree();
    for text in
        ["// fn it_holds() {}", "fn it_holds_no_more() {}", "#[test]\n#[ignore = \"slow\"]\nfn it_holds() {}"]
    {
        tree.0.insert("tests/a.rs".to_owned(), text.to_owned());
        assert_eq!(found_in("901-made-up.md", &good(), &tree), "tests/a.rs has no test it_holds that runs");
    }
}

const INDEX: &str = "| [901](901-made-up.md) | It is made up | accepted | 2026-11-21 |\n";

fn good() -> String {
    let front = "---\nstatus: accepted\ndate: 2026-11-21\ncode:\n  - src/a.rs\nenforced-by:\n  - tests/a.rs::it_holds\n---\n";
    let body =
        "# ADR-901: It is made up\n\n## Context\n\n## Decision\n\n## Alternatives\n\n## Consequences\n";
    format!("{front}{body}{}", "Words.\n".repeat(30))
}

fn made_up_tree() -> Tree {
    let files = [("src/a.rs", "// ADR-901"), ("tests/a.rs", "fn it_holds() {}")];
    Tree(files.map(|(path, text)| (path.to_owned(), text.to_owned())).into())
}

/// Returns what is found in the made-up page with a text of it replaced.
fn found(from: &str, to: &str) -> String {
    assert!(good().contains(from), "the made-up page has {from}");
    found_in("901-made-up.md", &good().replace(from, to), &made_up_tree())
}

fn found_in(file: &str, text: &str, tree: &Tree) -> String {
    let mut pages = [Page::read(file, text)];
    check_pages(&mut pages, tree);
    pages[0].violations.join("\n")
}

#[test]
fn a_good_page_passes() {
    let tree = made_up_tree();
    assert_eq!(found_in("901-made-up.md", &good(), &tree), "");
    let pages = [Page::read("901-made-up.md", &good())];
    assert!(check_pointers(&pages, &tree).is_empty());
    assert!(check_index(&pages, INDEX).is_empty());
    assert!(table(&pages, &tree).ends_with("| `src/a.rs` | `tests/a.rs::it_holds` | ok |\n"));
}

#[test]
fn front_matter_is_complete_and_in_order() {
    assert!(found("date: 2026-11-21\n", "").contains("front matter has"));
    let swapped = found("status: accepted\ndate: 2026-11-21\n", "date: 2026-11-21\nstatus: accepted\n");
    assert!(swapped.contains("front matter has"));
    assert!(found("---\nstatus", "status").contains("front matter has"));
    assert!(found("  - src/a.rs\n", "").contains("names no code"));
    assert!(found("  - tests/a.rs::it_holds\n", "").contains("nothing enforces it"));
}

#[test]
fn statuses_and_dates_are_known_ones() {
    assert!(found("status: accepted", "status: agreed").contains("unknown status"));
    assert!(found("status: accepted", "status: superseded by 9").contains("unknown status"));
    assert!(found("status: accepted", "status: superseded by 902").contains("is not an accepted page"));
    assert!(found("2026-11-21", "2026-02-30").contains("is no date"));
}

#[test]
fn what_a_page_names_exists() {
    assert!(found("src/a.rs", "src/b.rs").contains("src/b.rs does not exist"));
    assert!(found("tests/a.rs::", "tests/b.rs::").contains("tests/b.rs does not exist"));
    assert!(found("::it_holds", "::it_held").contains("does not contain \"it_held\""));
    assert!(found("::it_holds", "::").contains("does not contain \"\""));
    assert!(found("::it_holds", "").contains("is not path::needle"));
}

#[test]
fn a_page_is_named_back() {
    let mut tree = made_up_tree();
    tree.0.insert("src/a.rs".to_owned(), String::new());
    assert!(found_in("901-made-up.md", &good(), &tree).contains("names ADR-901"));
}

#[test]
fn sections_title_and_size_are_as_agreed() {
    assert!(found("## Alternatives\n", "").contains("sections are"));
    assert!(found("# ADR-901: ", "# ADR-902: ").contains("the title does not begin"));
    assert!(found(&"Words.\n".repeat(30), "").contains("lines rather than 40 to 90"));
    assert!(found("Words.\n", "Words.\nWords.\nWords.\n").contains("lines rather than 40 to 90"));
    assert!(found("## Context\n", &format!("## Context\n{}\n", "x".repeat(111))).contains("111 characters"));
}

#[test]
fn numbers_are_unique_and_in_the_name() {
    assert!(found_in("made-up.md", &good(), &made_up_tree()).contains("the file's name is not"));
    let mut pages = [Page::read("901-made-up.md", &good()), Page::read("901-again.md", &good())];
    check_pages(&mut pages, &made_up_tree());
    assert_eq!(pages[1].violations, ["another page has this number"]);
}

#[test]
fn pointers_lead_to_accepted_pages() {
    let mut tree = made_up_tree();
    tree.0.insert("docs/a.md".to_owned(), "\nsee ADR-901 and ADR-902".to_owned());
    let pages = [Page::read("901-made-up.md", &good())];
    assert_eq!(check_pointers(&pages, &tree), ["docs/a.md:2: ADR-902 is not an accepted page"]);
    let proposed = [Page::read("901-made-up.md", &good().replace("accepted", "proposed"))];
    assert_eq!(check_pointers(&proposed, &tree).len(), 3);
}

#[test]
fn the_index_lists_exactly_the_pages() {
    let pages = [Page::read("901-made-up.md", &good())];
    assert!(check_index(&pages, "").concat().contains("lacks"));
    assert!(check_index(&pages, &INDEX.replace("made up", "true")).concat().contains("lacks"));
    assert!(check_index(&pages, &INDEX.replace("accepted", "proposed")).concat().contains("lacks"));
    assert!(check_index(&pages, &INDEX.replace("901", "902")).concat().contains("the index has"));
    assert!(check_index(&pages, &INDEX.repeat(2)).concat().contains("twice"));
}
