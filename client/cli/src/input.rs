//! One scenario that the arguments name, and its text.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use halfopen_client::Source;

use crate::failure::Failure;

/// The maximum size of a scenario file, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// A scenario that an argument names, or one of its variants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    place: Place,
    /// The requested variant; `None`: all.
    pub(crate) variant: Option<String>,
}

/// Where a scenario is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
    /// A bundled scenario.
    Bundled {
        /// How the user named it, or its place in the library: `keepalive/dead-client`.
        called: String,
        /// Its unique name: `dead-client`.
        name: String,
    },
}

impl Input {
    /// Standard input.
    pub(crate) fn stdin() -> Input {
        Input { place: Place::Stdin, variant: None }
    }

    /// A file, or a variant of what is in it.
    pub(crate) fn file(path: PathBuf, variant: Option<&str>) -> Input {
        Input { place: Place::File(path), variant: variant.map(str::to_owned) }
    }

    /// The bundled scenario of that name, or a variant of it, under the name that the user gave it.
    pub(crate) fn bundled(called: &str, name: &str, variant: Option<&str>) -> Input {
        let place = Place::Bundled { called: called.to_owned(), name: name.to_owned() };
        Input { place, variant: variant.map(str::to_owned) }
    }

    /// The unique name of a bundled scenario.
    pub(crate) fn bundled_name(&self) -> Option<&str> {
        match &self.place {
            Place::Bundled { name, .. } => Some(name),
            Place::Stdin | Place::File(_) => None,
        }
    }

    /// The name of the scenario in results.
    pub(crate) fn name(&self) -> String {
        match &self.place {
            Place::Stdin => "standard input".to_owned(),
            Place::File(path) => path.display().to_string(),
            Place::Bundled { called, .. } => called.clone(),
        }
    }

    /// Equal for two inputs that are the same scenario, whatever their names.
    fn identity(&self) -> String {
        match &self.place {
            Place::Stdin => "-".to_owned(),
            Place::File(path) => {
                let path = path.canonicalize().unwrap_or_else(|_| path.clone());
                format!("file {}", path.display())
            }
            Place::Bundled { name, .. } => format!("bundled {name}"),
        }
    }

    /// Selects one variant. Fails if the input names one already.
    pub(crate) fn set_variant(&mut self, variant: &str) -> Result<(), Failure> {
        match &self.variant {
            None => self.variant = Some(variant.to_owned()),
            Some(other) => {
                let text = format!("`{}/{other}` already names a variant: leave out --variant", self.name());
                return Err(Failure::Usage(text));
            }
        }
        Ok(())
    }

    /// The argument that names the scenario, if it can be read again.
    fn argument(&self) -> Option<String> {
        match &self.place {
            Place::Stdin => None,
            Place::File(_) | Place::Bundled { .. } => Some(self.name()),
        }
    }

    /// Reads the scenario, unless it is bundled.
    pub(crate) fn read(&self) -> Result<Source, String> {
        let text = match &self.place {
            Place::Bundled { name, .. } => return Ok(Source::Bundled(name.clone())),
            Place::Stdin => text(io::stdin().lock()),
            Place::File(path) => File::open(path).map_err(|error| error.to_string()).and_then(text),
        };
        Ok(Source::Text { file: self.name(), text: text? })
    }
}

/// Reads the scenarios of inputs, each once: standard input cannot be read again.
pub(crate) fn read(inputs: &[Input]) -> Vec<halfopen_client::Input> {
    let mut sources = BTreeMap::new();
    let read = |input: &Input| {
        let identity = input.identity();
        let source = sources.entry(identity.clone()).or_insert_with(|| input.read().map(Arc::new));
        halfopen_client::Input {
            name: input.name(),
            argument: input.argument(),
            identity,
            variant: input.variant.clone(),
            source: source.clone(),
        }
    };
    inputs.iter().map(read).collect()
}

/// The whole text. Fails if it is too large or not text.
fn text(reader: impl Read) -> Result<String, String> {
    let mut octets = Vec::new();
    reader.take(MAX_FILE + 1).read_to_end(&mut octets).map_err(|error| error.to_string())?;
    if octets.len() as u64 > MAX_FILE {
        return Err(format!("larger than {} MiB, the maximum for a scenario", MAX_FILE >> 20));
    }
    let binary = |at: usize| format!("not a text file: byte {at} is not UTF-8");
    if let Some(at) = octets.iter().position(|octet| *octet == 0) {
        return Err(binary(at + 1));
    }
    String::from_utf8(octets).map_err(|error| binary(error.utf8_error().valid_up_to() + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_scenario_has_one_identity() {
        let file = |path: &str| Input::file(path.into(), None).identity();
        assert_eq!(file("src/exit.rs"), file("./src/../src/exit.rs"));
        assert_ne!(file("src/exit.rs"), file("src/main.rs"));
        let called = |called| Input::bundled(called, "dead-client", None).identity();
        assert_eq!(called("dead-client"), called("keepalive/dead-client"));
    }

    #[test]
    fn text_has_a_limit_and_is_text() {
        assert_eq!(text(&b"scenario: x"[..]), Ok("scenario: x".to_owned()));
        assert_eq!(text(&b""[..]), Ok(String::new()));
        assert_eq!(text(io::repeat(b'#').take(MAX_FILE)).map(|text| text.len() as u64), Ok(MAX_FILE));
        assert!(text(io::repeat(b'#')).unwrap_err().contains("1 MiB"));
        assert!(text(&b"ab\0"[..]).unwrap_err().contains("byte 3"));
        assert!(text(&b"a\xff"[..]).unwrap_err().contains("byte 2"));
    }
}
