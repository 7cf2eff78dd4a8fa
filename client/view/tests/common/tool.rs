//! Other programs, which read what is written.
//!
//! Without such a program a test says so and passes, so that the project can be tested on any machine; with
//! `HALFOPEN_TOOLS=required`, as in `.ci/run`, it fails.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::path::Path;
use std::process::Command;

/// Whether a program of this package is installed. Says what to do if it is not.
pub(crate) fn is_there(program: &str, package: &str) -> bool {
    if Command::new(program).arg("--version").output().is_ok() {
        return true;
    }
    let missing = format!("there is no {program}, which this test needs (apt-get install {package})");
    assert_ne!(std::env::var("HALFOPEN_TOOLS").as_deref(), Ok("required"), "{missing}");
    eprintln!("SKIPPED: {missing}");
    false
}

/// What a program prints about a file, which is its last argument.
pub(crate) fn run<'a>(program: &str, arguments: impl IntoIterator<Item = &'a str>, file: &Path) -> String {
    let output = Command::new(program).args(arguments).arg(file).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
