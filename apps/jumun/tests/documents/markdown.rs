//! Reading what matters of a Markdown document: its fenced blocks and its tables.

use std::collections::BTreeSet;
use std::path::Path;

/// A document of the repository.
pub(crate) struct Document {
    pub(crate) name: String,
    text: String,
}

/// A fenced block of code.
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) text: String,
    /// The line of the document that its first line is, from 1.
    pub(crate) line: usize,
}

/// Reads a file of the repository.
pub(crate) fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Document {
    pub(crate) fn read(name: &str) -> Self {
        Self { name: name.to_owned(), text: read(name) }
    }

    /// Returns the fenced blocks.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut open = false;
        for (index, line) in self.text.lines().enumerate() {
            match line.strip_prefix("```") {
                Some(_) if open => open = false,
                Some(language) => {
                    open = true;
                    blocks.push(Block {
                        language: language.to_owned(),
                        text: String::new(),
                        line: index + 2,
                    });
                }
                None if open => blocks.last_mut().unwrap().text.extend([line, "\n"]),
                None => {}
            }
        }
        assert!(!open, "{}: a block does not end", self.name);
        blocks
    }

    /// Returns the targets of `make` that the text names in passing.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &str> {
        let spans = self.text.lines().flat_map(code_spans);
        spans.filter_map(|span| {
            let (settings, target) = span.split_once("make ")?;
            settings.split_whitespace().all(|word| word.contains('=')).then_some(target)
        })
    }

    /// Returns the rows of the tables, each as its cells.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Vec<&str>> {
        let rows = self.text.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|'));
        rows.map(|row| row.split('|').map(str::trim).collect())
    }

    /// Returns the operations that the tables name: `GET /products` and the like.
    pub(crate) fn operations(&self) -> BTreeSet<String> {
        let spans = self.rows().flatten().flat_map(code_spans);
        let is_operation = |span: &&str| {
            let method = span.split_once(" /").map(|(method, _)| method);
            method.is_some_and(|method| ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(&method))
        };
        // What stands at the stand-ins is none of ours.
        spans.filter(is_operation).filter(|span| !span.contains(" /v1/")).map(str::to_owned).collect()
    }
}

/// Returns what stands between backticks.
pub(crate) fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}
