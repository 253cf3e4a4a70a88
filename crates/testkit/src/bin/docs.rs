//! Writes the generated pages of the documentation, and the source of the book that is made of all.
//!
//! `docs erd`, `docs dependencies` and `docs guards` write their page under `docs/`; `docs site FOLDER` writes what mdBook
//! reads into `FOLDER/src`, which is emptied before.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use cargo_metadata::MetadataCommand;
use testkit::docs::{ROOT, Schema, dependencies, erd, repository, stage};
use testkit::{Backend, TestDatabase, guards};

#[expect(clippy::print_stderr, reason = "a command for people and CI logs")]
#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = match words[..] {
        ["erd"] => write_erd().await,
        ["dependencies"] => write_dependencies(),
        ["guards"] => write_guards(),
        ["site", folder] => write_site(Path::new(folder)),
        _ => Err("usage: docs erd | dependencies | guards | site FOLDER".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn write_erd() -> Result<(), Box<dyn Error>> {
    let database = TestDatabase::create(Backend::Sqlite).await;
    let connection = database.connect().await?;
    let schema = Schema::read(&connection).await?;
    connection.close().await?;
    database.remove().await?;
    let page = erd(&schema).map_err(|found| found.join("\n"))?;
    Ok(fs::write(Path::new(ROOT).join("docs/erd.md"), page)?)
}

fn write_dependencies() -> Result<(), Box<dyn Error>> {
    let metadata = MetadataCommand::new().no_deps().exec()?;
    let page = dependencies(&metadata).map_err(|found| found.join("\n"))?;
    Ok(fs::write(Path::new(ROOT).join("docs/dependencies.md"), page)?)
}

fn write_guards() -> Result<(), Box<dyn Error>> {
    Ok(fs::write(Path::new(ROOT).join("docs/guards.md"), guards::page())?)
}

fn write_site(folder: &Path) -> Result<(), Box<dyn Error>> {
    let source = folder.join("src");
    if source.exists() {
        fs::remove_dir_all(&source)?;
    }
    for (path, text) in stage(&repository()).0 {
        let path = source.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&source))?;
        fs::write(path, text)?;
    }
    Ok(())
}
