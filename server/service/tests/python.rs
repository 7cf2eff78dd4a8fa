//! The service as another language sees it: a Python program with grpcio and stubs generated from `proto/`.
//!
//! What it needs is installed once, into the target directory.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Runs a command and fails with all that it said unless it went well.
fn run(program: impl AsRef<OsStr>, arguments: &[&OsStr], otherwise: &str) -> String {
    let program = program.as_ref();
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{otherwise}\n{}: {error}", program.display()));
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success(),
        "{otherwise}\n{}: {}\n{said}{complained}",
        program.display(),
        output.status
    );
    said.into_owned()
}

/// A Python that has what `requirements.txt` says.
fn python(requirements: &Path) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    let python = directory.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
    let installed = directory.join("installed-requirements.txt");
    let wanted = fs::read_to_string(requirements).expect("it is in the repository");
    if fs::read_to_string(&installed).is_ok_and(|installed| installed == wanted) {
        return python;
    }
    let system = env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    run(
        system,
        &["-m".as_ref(), "venv".as_ref(), "--clear".as_ref(), directory.as_ref()],
        "this test needs Python 3.9 or later with venv: install python3 and python3-venv, or name it in PYTHON",
    );
    run(
        &python,
        &["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", "-r"]
            .map(OsStr::new)
            .into_iter()
            .chain([requirements.as_os_str()])
            .collect::<Vec<_>>(),
        "this test installs grpcio and grpcio-tools from PyPI, once",
    );
    fs::write(installed, wanted).expect("the directory was just made");
    python
}

#[test]
fn a_python_program_runs_dead_client_and_sees_why_it_passed() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = python(&here.join("tests/python/requirements.txt"));
    let script = here.join("tests/python/dead_client.py");
    let proto = here.join("../../proto");
    let arguments = [script.as_ref(), OsStr::new(env!("CARGO_BIN_EXE_halfopend")), proto.as_ref()];
    let said = run(python, &arguments, "the Python program failed");
    assert!(said.ends_with("passed\n"), "{said}");
}
