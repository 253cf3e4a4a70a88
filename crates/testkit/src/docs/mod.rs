//! The documentation under `docs/`: the pages that are generated, the links of all, and the book made of them.
//!
//! Like [`crate::adr`], nothing here but [`repository`] reads a disk, so that each rule can be seen to fail on
//! pages made up for it.

mod dependencies;
mod erd;
mod links;
mod markdown;
mod names;
mod schema;
mod site;

use std::path::Path;
use std::process::Command;

use crate::adr::Tree;

pub use dependencies::dependencies;
pub use erd::erd;
pub use links::check_links;
pub use names::{check_alerts, check_names};
pub use schema::{Column, ForeignKey, Schema, Table, UniqueKey};
pub use site::{Staged, stage};

/// The folder of the repository.
pub const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// Returns the text files that git knows or would add, so that neither `target/` nor ignored files are read.
///
/// # Panics
/// When git cannot list them.
pub fn repository() -> Tree {
    let listing = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").current_dir(ROOT).args(listing).output().expect("git lists the files");
    assert!(output.status.success(), "git cannot list the files");
    let paths = String::from_utf8(output.stdout).expect("paths are UTF-8");
    let read =
        |path: &str| Some((path.to_owned(), std::fs::read_to_string(Path::new(ROOT).join(path)).ok()?));
    Tree(paths.lines().filter_map(read).collect())
}
