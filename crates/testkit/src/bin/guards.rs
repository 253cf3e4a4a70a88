//! Takes out each guard, one at a time, and sees whether the test fails that is there for it.
//!
//! `with-services guards` in a workspace whose tests build. The exit code is 1 if a test did not notice.

use std::collections::HashMap;
use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use cargo_metadata::Message;
use testkit::guards::{CAUGHT, Caught};

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a command for people and CI logs")]
fn main() -> ExitCode {
    let programs = match programs() {
        Ok(programs) => programs,
        Err(error) => {
            eprintln!("the tests cannot be built: {error}");
            return ExitCode::from(2);
        }
    };
    let mut unnoticed = 0;
    for caught in &CAUGHT {
        let seen = try_without(caught, &programs);
        println!(
            "{:24} {}: {}",
            caught.guard.name(),
            caught.test,
            seen.as_ref().map_or("noticed", String::as_str)
        );
        unnoticed += usize::from(seen.is_some());
    }
    println!("{} guards, {unnoticed} of them not missed", CAUGHT.len());
    if unnoticed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A test program, and the folder that it runs in.
struct Program {
    file: PathBuf,
    folder: PathBuf,
}

/// Builds all tests as `cargo test --workspace` does, so that nothing is built twice; returns the programs by
/// package and target.
fn programs() -> Result<HashMap<(String, String), Program>, Box<dyn Error>> {
    let mut cargo = Command::new("cargo")
        .args(["test", "--workspace", "--no-run", "--message-format=json-render-diagnostics"])
        .stdout(Stdio::piped())
        .spawn()?;
    let output = cargo.stdout.take().ok_or("cargo says nothing")?;
    let mut programs = HashMap::new();
    for message in Message::parse_stream(std::io::BufReader::new(output)) {
        if let Message::CompilerArtifact(artifact) = message?
            && artifact.profile.test
            && let Some(file) = artifact.executable
            && let Some(folder) = artifact.manifest_path.parent()
        {
            let package = folder.file_name().unwrap_or_default().to_owned();
            let program = Program { file: file.into(), folder: folder.into() };
            programs.insert((package, artifact.target.name), program);
        }
    }
    if !cargo.wait()?.success() {
        return Err("see above".into());
    }
    Ok(programs)
}

/// Runs a test without its guard; returns what is wrong with that, if it did not fail.
fn try_without(caught: &Caught, programs: &HashMap<(String, String), Program>) -> Option<String> {
    let Caught { guard, package, target, test, on_mysql, .. } = caught;
    let Some(program) = programs.get(&((*package).to_owned(), (*target).to_owned())) else {
        return Some(format!("{package} has no tests {target}"));
    };
    if *on_mysql && std::env::var("JUMUN_TEST_MYSQL_URL").is_err() {
        return Some("not tried, there is no MySQL".to_owned());
    }
    let run = |without: &str| {
        let mut command = Command::new(&program.file);
        command.arg(test).current_dir(&program.folder).env("JUMUN_WITHOUT_GUARD", without);
        command
            .output()
            .map(|output| (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned()))
    };
    match (run("none"), run(guard.name())) {
        (Ok((true, with)), Ok((false, without))) if with.contains(test) && without.contains("FAILED") => None,
        (Ok((_, with)), Ok((_, without))) => {
            Some(format!("NOT noticed\n--- with it:\n{with}\n--- without it:\n{without}"))
        }
        (Err(error), _) | (_, Err(error)) => Some(error.to_string()),
    }
}
