//! `--report pcapng=FOLDER`: captures of every run.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use halfopen_proto::v1::RunStarted;
use halfopen_view::record::RunRecord;
use halfopen_view::report::Reporter;
use halfopen_view::report::pcapng::{Captures, SNAPSHOT_LENGTH};
use tempfile::NamedTempFile;

use super::file;

/// The default seed.
const USUAL_SEED: u64 = 1;
const EXTENSION: &str = ".pcapng";

/// Writes the captures of every run into a directory: `RUN/HOST.pcapng` as each host sees the run, and `RUN.pcapng`,
/// which merges them. `RUN` is `SCENARIO[-VARIANT][-seed-N]`, without the default seed. If a name was used before by
/// the same reporter, a number is added: `dead-client-2`. Files of earlier reporters are replaced.
#[derive(Debug)]
pub(crate) struct CapturesReporter {
    directory: PathBuf,
    runs: Names,
}

impl CapturesReporter {
    /// Writes into this directory, which is created if it does not exist. Fails if it cannot be created.
    pub(crate) fn new(directory: impl Into<PathBuf>) -> io::Result<CapturesReporter> {
        let directory = directory.into();
        fs::create_dir_all(&directory)?;
        Ok(CapturesReporter { directory, runs: Names::default() })
    }
}

impl Reporter for CapturesReporter {
    fn snapshot_length(&self) -> u32 {
        SNAPSHOT_LENGTH
    }

    fn run(&mut self, record: &RunRecord) -> io::Result<()> {
        let (Some(started), Some(captures)) = (record.started(), Captures::of(record)) else { return Ok(()) };
        let run = self.directory.join(self.runs.unused(&run_name(started)));
        save(&file_of(&run), |file| captures.write_merged(file))?;
        let mut names = Names::default();
        for (index, host) in captures.hosts().enumerate() {
            save(&file_of(&run.join(names.unused(host))), |file| captures.write_host(index, file))?;
        }
        Ok(())
    }
}

/// The path with the extension of captures. What looks like an extension is part of the name.
fn file_of(path: &Path) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(EXTENSION);
    path.into()
}

fn save(path: &Path, write: impl FnOnce(BufWriter<&fs::File>) -> io::Result<()>) -> io::Result<()> {
    let save = || {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        let temporary: NamedTempFile = file::temporary(path)?;
        write(BufWriter::new(temporary.as_file()))?;
        file::replace(path, temporary)
    };
    save().map_err(|error| io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display())))
}

/// The names that are in use in a folder, in lower case: some file systems ignore case.
#[derive(Debug, Default)]
struct Names(BTreeSet<String>);

impl Names {
    /// A name that is not in use yet, of letters, digits and marks that are safe in every file system and shell.
    fn unused(&mut self, name: &str) -> String {
        let name = safe(name);
        let mut unused = name.clone();
        let mut number = 1;
        while !self.insert(&unused) {
            number += 1;
            unused = format!("{name}-{number}");
        }
        unused
    }

    /// Whether neither the name nor the name with the extension was in use: a run is a folder and a file.
    fn insert(&mut self, name: &str) -> bool {
        let name = name.to_lowercase();
        let with_extension = format!("{name}{EXTENSION}");
        let is_new = !self.0.contains(&name) && !self.0.contains(&with_extension);
        is_new && self.0.insert(name) && self.0.insert(with_extension)
    }
}

fn safe(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_+.".contains(letter);
    let name: String = name.chars().map(|letter| if plain(letter) { letter } else { '-' }).collect();
    let name = name.trim_start_matches(['-', '.']);
    if name.is_empty() { "run".to_owned() } else { name.chars().take(MOST_LETTERS).collect() }
}

fn run_name(started: &RunStarted) -> String {
    let mut name = started.scenario.clone();
    if !started.variant.is_empty() {
        name.push_str(&format!("-{}", started.variant));
    }
    if started.seed != USUAL_SEED {
        name.push_str(&format!("-seed-{}", started.seed));
    }
    name
}

/// The maximum length of a name, so that with its number and extension it is shorter than 255 bytes.
const MOST_LETTERS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_has_a_safe_name_of_its_own() {
        let mut names = Names::default();
        for (scenario, variant, seed, expected) in [
            ("dead-client", "", 1, "dead-client"),
            ("dead-client", "", 1, "dead-client-2"),
            ("Dead-Client", "", 1, "Dead-Client-3"),
            ("dead-client", "", 7, "dead-client-seed-7"),
            ("dead-client.pcapng", "", 1, "dead-client.pcapng-2"),
            ("pool", "busy+both", 1, "pool-busy+both"),
            ("../../etc/passwd", "", 1, "etc-passwd"),
            ("..", "", 1, "run"),
            ("", "a b", 1, "a-b"),
            ("größe", "", 1, "gr--e"),
            (&"x".repeat(300), "", 1, &"x".repeat(200)),
        ] {
            let [scenario, variant] = [scenario, variant].map(str::to_owned);
            let started = RunStarted { scenario, variant, seed, ..RunStarted::default() };
            assert_eq!(names.unused(&run_name(&started)), expected);
        }
    }
}
