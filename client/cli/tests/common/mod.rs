//! The program, started as a user would where nothing is set, and how it ended.
#![allow(dead_code, reason = "each test file uses some of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_halfopen");

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// The program in the root of the repository.
pub(crate) fn halfopen(arguments: &[&str]) -> Command {
    in_folder(&root(), PROGRAM, arguments)
}

/// A program in a folder, without standard input.
pub(crate) fn in_folder(folder: &Path, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    unset(&mut command);
    command
}

/// Takes away what the environment of the tests says to the program.
pub(crate) fn unset(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("HALFOPEN_")
            || ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS"].contains(&name.as_ref())
        {
            command.env_remove(name.as_ref());
        }
    }
}

/// What a command printed and how it ended.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn of(output: Output) -> Ended {
        let text = |octets| String::from_utf8(octets).unwrap();
        Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// It was refused as a wrong use of `arguments`, in words that have this part, and printed nothing else.
    pub(crate) fn assert_refused(&self, arguments: &[&str], part: &str) {
        assert_eq!(self.code, Some(2), "{arguments:?}: {}", self.err);
        assert!(self.err.contains(part), "{arguments:?}: no {part:?} in:\n{}", self.err);
        assert_eq!(self.out, "", "{arguments:?}");
    }

    /// The names of the runs that have a line, in order.
    pub(crate) fn names(&self) -> Vec<&str> {
        let lines = self.out.lines().take_while(|line| !line.is_empty());
        lines
            .map(|line| line.get(11..).and_then(|line| line.split("  ").next()).map_or(line, str::trim))
            .collect()
    }

    /// The last line.
    pub(crate) fn last(&self) -> &str {
        self.out.lines().last().unwrap_or_default()
    }
}
