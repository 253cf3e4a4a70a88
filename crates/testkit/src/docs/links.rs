//! Links between the pages and into the code: each leads somewhere, and what it names is there.

use std::path::Path;

use super::markdown::{Markdown, is_elsewhere, resolve};
use crate::adr::Tree;

/// Returns each relative link of a page that leads nowhere: to no file or folder, to no heading, or, where it
/// shows code such as `` [`Checkout::place_order`](…/place_orders.rs) ``, to a file without those names.
#[must_use]
pub fn check_links(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    let pages = tree.0.iter().filter(|(path, _)| is_page(path));
    for (page, text) in pages {
        for link in Markdown::read(text).links.iter().filter(|link| !is_elsewhere(&link.to)) {
            let wrong = match resolve(page, &link.to) {
                None => Some("leads out of the repository".to_owned()),
                Some((path, _)) if !tree.has(&path) => Some("does not exist".to_owned()),
                Some((path, Some(anchor))) => {
                    let target = tree.0.get(&path).filter(|_| is_page(&path));
                    let is_there =
                        target.is_some_and(|text| Markdown::read(text).anchors().contains(&anchor));
                    (!is_there).then(|| "is no heading".to_owned())
                }
                Some((path, None)) if link.is_code && has_extension(&path, "rs") => {
                    let mut names = link.text.split(|c: char| !c.is_alphanumeric() && c != '_');
                    let text = tree.0.get(&path).map_or("", String::as_str);
                    names.find(|name| !has_word(text, name)).map(|name| format!("does not contain {name}"))
                }
                Some(_) => None,
            };
            found.extend(wrong.map(|wrong| format!("{page}: {} {wrong}", link.to)));
        }
    }
    found
}

/// Returns whether a file is a page of the documentation.
pub(super) fn is_page(path: &str) -> bool {
    has_extension(path, "md")
}

/// Returns whether the name of a file ends so.
pub(super) fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|it| it == extension)
}

fn has_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part))
}
