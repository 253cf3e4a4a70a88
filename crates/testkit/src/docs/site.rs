//! The book: which pages it has, in which order, and what is done to them so that mdBook can read them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::links::is_page;
use super::markdown::{Link, Markdown, is_elsewhere, resolve};
use crate::adr::{Page, Tree};

const START: &str = "README.md";
const DOCS: &str = "docs/README.md";
const DECISIONS: &str = "adr/README.md";

/// The files of the book's source, by path.
#[derive(Clone, Debug, Default)]
pub struct Staged(pub BTreeMap<String, String>);

/// Makes the book's source: all pages, the files that they link to, and `SUMMARY.md`, which orders them.
#[must_use]
pub fn stage(tree: &Tree) -> Staged {
    let mut staged = Staged::default();
    for (path, text) in tree.0.iter().filter(|(path, _)| is_page(path)) {
        let page = Page::read(path.strip_prefix("adr/").unwrap_or_default(), text);
        let is_decision = path.starts_with("adr/") && path != DECISIONS;
        let text = if is_decision { decision(&page, text) } else { text.clone() };
        let (text, files) = relink(tree, path, &text);
        for file in files {
            // As plain text every browser shows it, also from a disk.
            staged.0.insert(format!("{file}.txt"), tree.0[&file].clone());
        }
        staged.0.insert(path.clone(), text);
    }
    staged.0.insert("SUMMARY.md".to_owned(), summary(tree));
    staged
}

/// Turns the front matter into a line under the title and a list at the end.
fn decision(page: &Page, text: &str) -> String {
    let body = text.split_once("\n---\n").map_or(text, |(_, body)| body);
    let (title, rest) = body.split_once('\n').unwrap_or((body, ""));
    let mut staged = format!("{title}\n\n*{}, {}*\n{rest}\n## Code and tests\n\n", page.status, page.date);
    for path in &page.code {
        let _ = writeln!(staged, "- `{path}`");
    }
    for test in &page.enforced_by {
        let _ = writeln!(staged, "- `{test}`");
    }
    staged
}

/// Leads links to files that are no pages to copies of them, links to a folder's first page to where mdBook
/// puts that, and shows links to folders as text. Returns the files to copy.
fn relink(tree: &Tree, page: &str, text: &str) -> (String, BTreeSet<String>) {
    let mut files = BTreeSet::new();
    let mut staged = String::new();
    let mut done = 0;
    for Link { to, range, .. } in Markdown::read(text).links {
        let Some((path, _)) = resolve(page, &to).filter(|_| !is_elsewhere(&to)) else { continue };
        let source = &text[range.clone()];
        let leads_to = |other: &str| source.replacen(&format!("]({to}"), &format!("]({other}"), 1);
        let relinked = if is_page(&path) {
            leads_to(&to.replace(START, "index.md"))
        } else if tree.0.contains_key(&path) {
            files.insert(path);
            leads_to(&format!("{to}.txt"))
        } else {
            let shown = source.rsplit_once("](").map_or(source, |(shown, _)| shown);
            shown.trim_start_matches('[').to_owned()
        };
        staged.push_str(&text[done..range.start]);
        staged.push_str(&relinked);
        done = range.end;
    }
    staged.push_str(&text[done..]);
    (staged, files)
}

/// Lists the pages: the repository's own, then those under `docs/` as their first page names them, then the
/// rest of them, then those of other folders, then the decisions.
fn summary(tree: &Tree) -> String {
    let pages = || tree.0.keys().map(String::as_str).filter(|path| is_page(path));
    let mut order = vec![(0, START)];
    order.extend(pages().filter(|path| !path.contains('/') && *path != START).map(|path| (0, path)));
    order.push((0, DOCS));
    let named = Markdown::read(tree.0.get(DOCS).map_or("", String::as_str)).links;
    let named: Vec<_> =
        named.iter().filter_map(|link| resolve(DOCS, &link.to)).map(|(path, _)| path).collect();
    let mut docs: Vec<_> = pages().filter(|path| path.starts_with("docs/") && *path != DOCS).collect();
    docs.sort_by_key(|path| named.iter().position(|it| it == path).unwrap_or(usize::MAX));
    order.extend(docs.into_iter().map(|path| (1, path)));
    let elsewhere =
        |path: &&str| path.contains('/') && !path.starts_with("docs/") && !path.starts_with("adr/");
    order.extend(pages().filter(elsewhere).map(|path| (0, path)));
    order.push((0, DECISIONS));
    order.extend(pages().filter(|path| path.starts_with("adr/") && *path != DECISIONS).map(|path| (1, path)));
    let mut summary = "# Summary\n\n".to_owned();
    for (depth, path) in order {
        let text = tree.0.get(path).map_or("", String::as_str);
        let page = Markdown::read(text);
        let title = page.title().unwrap_or(path).trim_start_matches("ADR-");
        let indent = if depth == 0 { "" } else { "  " };
        let _ = writeln!(summary, "{indent}- [{}]({path})", title.replace(['[', ']'], ""));
    }
    summary
}
