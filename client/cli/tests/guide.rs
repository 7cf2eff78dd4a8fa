//! The pages of the guide and the README do what they say: every command in a `console` block is run, in the order of the
//! page, and prints what stands below it (`...` is any lines, `[..]` any text). `SNAPSHOTS=overwrite` writes what was printed.
//!
//! A block of another language with `title=NAME` is a file that the page lets its reader save; `needs=PROGRAM` beside
//! `console` skips a block where that program is not installed. Where a language has a page and a project of its own, which
//! CI runs, such a block is a part of that file of the project.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use common::{PROGRAM, root, unset};
use snapbox::assert::Action;
use snapbox::{Assert, Data};

/// The ports that pages use; free ones take their places.
const PORTS: [&str; 3] = ["7950", "7951", "7952"];
/// Ends the output of a command. Its exit code follows.
const END: char = '\u{1}';

#[test]
fn the_readme_says_what_happens() {
    check("README.md");
}

#[test]
fn a_first_run_goes_as_the_guide_says() {
    check("docs/guide/first-run.md");
}

#[test]
fn a_scenario_is_written_as_the_guide_says() {
    check("docs/guide/write-your-own.md");
}

#[test]
fn a_session_goes_as_the_guide_says() {
    check("docs/guide/play-a-session.md");
}

#[test]
fn results_read_as_the_guide_says() {
    check("docs/guide/read-the-results.md");
}

#[test]
fn own_code_is_tested_as_the_guide_says() {
    check("docs/guide/test-your-own-code.md");
}

#[test]
fn a_test_suite_works_as_the_guide_says() {
    check("docs/guide/from-your-test-suite.md");
}

#[test]
fn a_server_is_shared_as_the_guide_says() {
    check("docs/guide/share-a-server.md");
}

#[test]
fn the_pages_of_other_languages_show_the_code_of_their_projects() {
    for language in ["java", "typescript"] {
        let project = root().join("docs/guide").join(language);
        let pieces = pieces(&fs::read_to_string(project.with_extension("md")).unwrap());
        let shown: Vec<(&str, &str)> = pieces.iter().filter_map(file).collect();
        assert!(shown.len() > 5, "{language}.md shows {} blocks of its project", shown.len());
        for (name, block) in shown {
            let code = fs::read_to_string(project.join(name)).unwrap();
            let (code, block) = (unindented(&code), unindented(block));
            let found = code.windows(block.len()).any(|lines| lines == block);
            assert!(found, "{language}.md: {name} does not contain this:\n{}", block.join("\n"));
        }
    }
}

/// A piece of a page.
enum Piece {
    /// Text, and blocks that nobody runs.
    Text(String),
    /// A file to save: its name, and the block with its fences.
    File { name: String, text: String },
    /// A command with what it prints.
    Command { command: String, output: String },
}

fn check(page: &str) {
    let path = root().join(page);
    let before = fs::read_to_string(&path).unwrap();
    let pieces = pieces(&before);
    let outputs = play(page, &pieces);
    let mut outputs = outputs.into_iter();
    let mut after = String::new();
    let assert = Assert::new().action_env("SNAPSHOTS");
    let mut wrong = Vec::new();
    for piece in &pieces {
        match piece {
            Piece::Text(text) | Piece::File { text, .. } => after.push_str(text),
            Piece::Command { command, output } => {
                let (printed, code) = outputs.next().unwrap();
                let prompt = command.replace('\n', "\n> ");
                after.push_str(&format!("$ {prompt}\n"));
                let printed_right = assert
                    .try_eq(Some(&command), Data::text(printed.clone()), Data::text(output.clone()))
                    .map_err(|error| wrong.push(format!("{page}: $ {command}\n{error}")))
                    .is_ok();
                if code != "0" {
                    wrong.push(format!("{page}: $ {command}\nended with {code}:\n{printed}"));
                }
                after.push_str(if printed_right { output } else { &printed });
            }
        }
    }
    if assert.selected_action() == Action::Overwrite {
        return fs::write(&path, after).unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs the commands of a page in one shell and gives what each printed, with its exit code.
fn play(page: &str, pieces: &[Piece]) -> Vec<(String, String)> {
    let ports = PORTS.map(|port| (port, free_port()));
    let with_free_ports =
        |text: &str| ports.iter().fold(text.to_owned(), |text, (port, free)| text.replace(port, free));
    let folder = sandbox(page);
    let mut script = "exec 2>&1\n".to_owned();
    let mut commands = 0;
    for piece in pieces {
        match piece {
            Piece::Text(_) => {}
            Piece::File { .. } => {
                let (name, text) = file(piece).unwrap();
                let path = folder.join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, with_free_ports(text)).unwrap();
            }
            Piece::Command { command, .. } => {
                commands += 1;
                script.push_str(&format!("{command}\nprintf '{END}%s{END}' $?\n"));
                let port = PORTS.iter().find(|port| command.contains(**port));
                if let (true, Some(port)) = (command.ends_with('&'), port) {
                    script.push_str(&format!(
                        "for _ in $(seq 200); do (: < /dev/tcp/127.0.0.1/{port}) 2>/dev/null && break; sleep 0.05; done\n"
                    ));
                }
            }
        }
    }
    script.push_str("kill $(jobs -p) 2>/dev/null\nwait\n");
    let bin = Path::new(PROGRAM).parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap();
    let paths = [bin, root().join("target/ci/bin")].into_iter().chain(std::env::split_paths(&path));
    let mut shell = Command::new("bash");
    shell.args(["-c", &with_free_ports(&script)]).current_dir(&folder).stdin(Stdio::null());
    unset(&mut shell);
    shell.env("PATH", std::env::join_paths(paths).unwrap()).env("COLUMNS", "100");
    let output = shell.stderr(Stdio::inherit()).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let printed = ports.iter().fold(printed, |text, (port, free)| text.replace(free, port));
    let parts: Vec<&str> = printed.split(END).collect();
    let outputs: Vec<(String, String)> =
        parts.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect();
    assert_eq!(outputs.len(), commands, "{page}: the shell ended early: {printed}");
    outputs
}

/// The name of a file and what is in it.
fn file(piece: &Piece) -> Option<(&str, &str)> {
    let Piece::File { name, text } = piece else {
        return None;
    };
    let (_, text) = text.split_once('\n')?;
    Some((name, text.strip_suffix("```\n")?))
}

fn unindented(text: &str) -> Vec<&str> {
    text.lines().map(str::trim_start).collect()
}

fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

/// An empty folder for the commands of a page, with what a clone of the repository has.
fn sandbox(page: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guide").join(page.replace('/', "-"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    for shared in ["client", "scenarios", "proto"] {
        symlink(root().join(shared), folder.join(shared)).unwrap();
    }
    folder
}

/// Takes a page apart, so that its pieces in a row are the page.
fn pieces(page: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    let mut lines = page.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        text.push_str(line);
        let Some(fence) = line.strip_prefix("```").map(str::trim).filter(|fence| !fence.is_empty()) else {
            continue;
        };
        let mut words = fence.split_whitespace();
        let language = words.next().unwrap();
        let argument = words.next().and_then(|word| word.split_once('='));
        let mut block = String::new();
        for line in lines.by_ref().take_while(|line| line.trim_end() != "```") {
            block.push_str(line);
        }
        match (language, argument) {
            ("console", Some(("needs", program))) if !installed(program) => text.push_str(&block),
            ("console", _) => {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
                pieces.extend(commands(&block));
            }
            (_, Some(("title", name))) => {
                let opening = format!("{line}{block}```\n");
                text.truncate(text.len() - line.len());
                pieces.push(Piece::Text(std::mem::take(&mut text)));
                pieces.push(Piece::File { name: name.to_owned(), text: opening });
                continue;
            }
            _ => text.push_str(&block),
        }
        text.push_str("```\n");
    }
    pieces.push(Piece::Text(text));
    pieces
}

/// The commands of a block, each with what it prints.
fn commands(block: &str) -> Vec<Piece> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in block.lines() {
        if let Some(command) = line.strip_prefix("$ ") {
            commands.push((command.to_owned(), String::new()));
            continue;
        }
        let (command, output) = commands.last_mut().expect("a console block begins with a command: `$ …`");
        match line.strip_prefix("> ") {
            Some(more) if output.is_empty() => command.push_str(&format!("\n{more}")),
            _ => output.push_str(&format!("{line}\n")),
        }
    }
    commands.into_iter().map(|(command, output)| Piece::Command { command, output }).collect()
}

fn installed(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output();
    let places = [Path::new(PROGRAM).with_file_name(program), root().join("target/ci/bin").join(program)];
    places.iter().any(|place| place.exists()) || found.is_ok_and(|found| found.status.success())
}
