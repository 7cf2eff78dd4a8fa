//! `halfopen watch`: runs scenarios, and runs them again whenever one is saved.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{env, fs};

use notify_debouncer_mini::new_debouncer;
use notify_debouncer_mini::notify::RecursiveMode;
use tokio::sync::mpsc;

use super::run;
use crate::args::GlobalArgs;
use crate::failure::Failure;
use crate::interrupt::{self, Interrupt};
use crate::{exit, folder, output};

/// An editor may do several things to a file when it saves; all within this time count as one save.
const ONE_SAVE: Duration = Duration::from_millis(100);
/// How often files are checked: not every file system reports changes.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Clears a terminal and its scrollback.
const CLEAR: &[u8] = b"\x1b[2J\x1b[3J\x1b[H";

pub(super) async fn execute(global: &GlobalArgs, args: &run::Args) -> Result<u8, Failure> {
    interrupt::is_the_end();
    let mut interrupt = Interrupt::listen().await;
    let places = places(&args.inputs).map_err(Failure::Usage)?;
    let (send, mut changes) = mpsc::unbounded_channel();
    // The files themselves show what changed; they are also checked regularly, for file systems that report nothing.
    let mut watcher = new_debouncer(ONE_SAVE, move |_| {
        let _ = send.send(());
    })
    .ok();
    loop {
        let before = state(&places);
        if io::stdout().is_terminal() && env::var_os("TERM").is_none_or(|name| name != "dumb") {
            clear(&mut io::stdout())?;
        }
        match run::execute(global, args).await {
            Ok(exit::INTERRUPTED) => return Ok(exit::INTERRUPTED),
            Ok(_) => {}
            Err(failure @ Failure::Output(_)) => return Err(failure),
            Err(failure) => {
                failure.report();
            }
        }
        output::print(&format!("\nwatching {}; Ctrl-C ends", args.inputs.join(", ")));
        for (folder, how) in places.iter().map(Place::folder) {
            // Again each time: a folder may have been removed and created again.
            let _ = watcher.as_mut().map(|watcher| watcher.watcher().watch(&folder, how));
        }
        while state(&places) == before {
            tokio::select! {
                Some(()) = changes.recv() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = interrupt.pressed() => return Ok(exit::INTERRUPTED),
            }
        }
    }
}

/// Clears a terminal at once: what is not flushed would clear it after the next errors, which go to standard error.
fn clear(terminal: &mut impl Write) -> io::Result<()> {
    terminal.write_all(CLEAR)?;
    terminal.flush()
}

/// Where scenarios may be saved.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// A file.
    File(PathBuf),
    /// All scenarios in a folder and its subfolders.
    Folder(PathBuf),
    /// All that a pattern matches.
    Pattern(String),
}

impl Place {
    /// The folder that contains all of them, and whether to watch its subfolders.
    fn folder(&self) -> (PathBuf, RecursiveMode) {
        match self {
            Place::File(file) => {
                let folder = file.parent().unwrap_or(file);
                (folder::or_here(folder).to_owned(), RecursiveMode::NonRecursive)
            }
            Place::Folder(folder) => (folder.clone(), RecursiveMode::Recursive),
            Place::Pattern(text) => {
                (folder::or_here(&folder::split(text).0).to_owned(), RecursiveMode::Recursive)
            }
        }
    }

    /// The files that exist at the moment.
    fn files(&self) -> Vec<PathBuf> {
        match self {
            Place::File(file) => vec![file.clone()],
            Place::Folder(folder) => folder::scenarios(folder).unwrap_or_default(),
            Place::Pattern(text) => folder::matching(text).unwrap_or_default(),
        }
    }
}

/// The places that the arguments of `run` name. Bundled scenarios are not among them: nobody saves them.
fn places(arguments: &[String]) -> Result<Vec<Place>, String> {
    let mut places = Vec::new();
    for argument in arguments {
        let path = Path::new(argument);
        places.extend(match path.parent().filter(|file| file.is_file()) {
            _ if argument == "-" => return Err("standard input cannot be watched: name a file".to_owned()),
            _ if path.is_dir() => Some(Place::Folder(path.to_owned())),
            _ if path.is_file() => Some(Place::File(path.to_owned())),
            Some(of_variant) => Some(Place::File(of_variant.to_owned())),
            None if folder::is_pattern(argument) => Some(Place::Pattern(argument.clone())),
            None => None,
        });
    }
    if places.is_empty() {
        let of_bundled = "`halfopen show NAME > FILE` copies a bundled scenario";
        return Err(format!("there is no file to watch in `{}`; {of_bundled}", arguments.join(" ")));
    }
    Ok(places)
}

/// When each file was saved, and its length.
type State = BTreeMap<PathBuf, (Option<SystemTime>, u64)>;

/// The state of the files, which every save changes. A missing file is not in it.
fn state(places: &[Place]) -> State {
    let files = places.iter().flat_map(Place::files);
    files
        .filter_map(|file| fs::metadata(&file).ok().map(|found| (file, (found.modified().ok(), found.len()))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_cleared_before_errors_are_printed_there() {
        let mut terminal = io::LineWriter::new(Vec::new());
        clear(&mut terminal).unwrap();
        assert_eq!(terminal.get_ref(), CLEAR, "nothing waits for the end of a line");
    }

    #[test]
    fn files_folders_patterns_and_variants_are_somewhere() {
        let file = |path: &str| Place::File(path.into());
        let pattern = |text: &str| Place::Pattern(text.to_owned());
        let cases = [
            ("src", Place::Folder("src".into()), "src"),
            ("src/exit.rs", file("src/exit.rs"), "src"),
            ("src/exit.rs/busy", file("src/exit.rs"), "src"),
            ("Cargo.toml", file("Cargo.toml"), "."),
            ("src/**/x*.yaml", pattern("src/**/x*.yaml"), "src"),
            ("*.yaml", pattern("*.yaml"), "."),
        ];
        for (argument, expected, folder) in cases {
            assert_eq!(expected.folder().0, PathBuf::from(folder), "{argument}");
            assert_eq!(places(&[argument.to_owned()]), Ok(vec![expected]), "{argument}");
        }
        for argument in ["-", "dead-client", "keepalive/dead-client"] {
            assert!(places(&[argument.to_owned()]).is_err(), "{argument}");
        }
    }
}
