//! `--report pcapng=FOLDER`: a capture of every run, each in a file.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use halfopen_proto::v1::RunStarted;
use halfopen_view::record::RunRecord;
use halfopen_view::report::Reporter;
use halfopen_view::report::pcapng::{SNAPSHOT_LENGTH, write};

use super::file;

/// The default seed.
const USUAL_SEED: u64 = 1;

/// Writes a capture of every run into a directory: `SCENARIO[-VARIANT][-seed-N].pcapng`, without the default seed. If
/// a name was used before by the same reporter, a number is added: `dead-client-2.pcapng`. Files of earlier reporters
/// are replaced.
#[derive(Debug)]
pub(crate) struct CapturesReporter {
    directory: PathBuf,
    /// The names used so far, in lower case: some file systems ignore case.
    names: BTreeSet<String>,
}

impl CapturesReporter {
    /// Writes into this directory, which is created if it does not exist. Fails if it cannot be created.
    pub(crate) fn new(directory: impl Into<PathBuf>) -> io::Result<CapturesReporter> {
        let directory = directory.into();
        fs::create_dir_all(&directory)?;
        Ok(CapturesReporter { directory, names: BTreeSet::new() })
    }

    /// The file of the next run.
    fn file(&mut self, started: &RunStarted) -> PathBuf {
        let name = name(started);
        let mut free = name.clone();
        let mut number = 1;
        while !self.names.insert(free.to_lowercase()) {
            number += 1;
            free = format!("{name}-{number}");
        }
        self.directory.join(format!("{free}.pcapng"))
    }
}

impl Reporter for CapturesReporter {
    fn snapshot_length(&self) -> u32 {
        SNAPSHOT_LENGTH
    }

    fn run(&mut self, record: &RunRecord) -> io::Result<()> {
        let Some(started) = record.started() else { return Ok(()) };
        let path = self.file(started);
        save(record, &path).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot write {}: {error}", path.display()))
        })
    }
}

fn save(record: &RunRecord, path: &Path) -> io::Result<()> {
    let temporary = file::temporary(path)?;
    write(record, BufWriter::new(temporary.as_file()))?;
    file::replace(path, temporary)
}

/// The name of the file of a run, of letters, digits and marks that are safe in every file system and shell.
fn name(started: &RunStarted) -> String {
    let mut name = started.scenario.clone();
    if !started.variant.is_empty() {
        name.push_str(&format!("-{}", started.variant));
    }
    if started.seed != USUAL_SEED {
        name.push_str(&format!("-seed-{}", started.seed));
    }
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_+.".contains(letter);
    let name: String = name.chars().map(|letter| if plain(letter) { letter } else { '-' }).collect();
    let name = name.trim_start_matches(['-', '.']);
    if name.is_empty() { "run".to_owned() } else { name.chars().take(MOST_LETTERS).collect() }
}

/// The maximum length of a name, so that with its number and extension it is shorter than 255 bytes.
const MOST_LETTERS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_run_has_a_file_of_its_own_with_a_safe_name() {
        let directory = std::env::temp_dir().join(format!("halfopen-pcapng-names-{}", std::process::id()));
        let mut reporter = CapturesReporter::new(&directory).expect("a directory");
        for (scenario, variant, seed, expected) in [
            ("dead-client", "", 1, "dead-client"),
            ("dead-client", "", 1, "dead-client-2"),
            ("Dead-Client", "", 1, "Dead-Client-3"),
            ("dead-client", "", 7, "dead-client-seed-7"),
            ("pool", "busy+both", 1, "pool-busy+both"),
            ("../../etc/passwd", "", 1, "etc-passwd"),
            ("..", "", 1, "run"),
            ("", "a b", 1, "a-b"),
            ("größe", "", 1, "gr--e"),
            (&"x".repeat(300), "", 1, &"x".repeat(200)),
        ] {
            let [scenario, variant] = [scenario, variant].map(str::to_owned);
            let started = RunStarted { scenario, variant, seed, ..RunStarted::default() };
            assert_eq!(reporter.file(&started), directory.join(format!("{expected}.pcapng")));
        }
        fs::remove_dir(&directory).expect("it is empty");
    }
}
