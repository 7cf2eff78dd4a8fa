//! Recordings of runs: files written by `halfopen run -o ndjson`.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use halfopen_view::record::RunRecord;
use halfopen_view::recording::{self, Recording, RecordingError};

use crate::failure::Failure;
use crate::output;

/// Whether a file name is that of a recording: it ends in `.ndjson` or `.jsonl`.
pub(crate) fn is_recording(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("ndjson" | "jsonl"))
}

/// The runs in a recording; `None` if the argument does not name one. Warns about what it leaves out.
pub(crate) fn runs(argument: &str) -> Result<Option<Vec<RunRecord>>, Failure> {
    let path = Path::new(argument);
    if !is_recording(path) {
        return Ok(None);
    }
    let failed = |error| Failure::Usage(format!("cannot read the recording `{argument}`: {error}"));
    let recording = open(path).map_err(failed)?;
    if !recording.unknown.is_empty() {
        let names: Vec<&str> = recording.unknown.iter().map(String::as_str).collect();
        let names = names.join(", ");
        output::warning(&format!(
            "`{argument}` was written by another version; ignoring what this one does not know: {names}"
        ));
    }
    if recording.cut_off {
        output::warning(&format!("the last line of `{argument}` is cut off and is left out"));
    }
    Ok(Some(recording.runs))
}

fn open(path: &Path) -> Result<Recording, RecordingError> {
    recording::read(BufReader::with_capacity(1 << 18, File::open(path)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_what_is_a_recording() {
        for (name, expected) in
            [("a.ndjson", true), ("b/c.jsonl", true), ("d.json", false), ("ndjson", false), ("e.yaml", false)]
        {
            assert_eq!(is_recording(Path::new(name)), expected, "{name}");
        }
    }
}
