//! Which scenarios the arguments name, and their text.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use halfopen::client::{ClientError, Source};

/// Octets of a scenario file.
const MAX_FILE: u64 = 1 << 20;

/// A scenario that an argument names, or one of its variants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    place: Place,
    /// The variant that is meant; `None`: each that it has.
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
    Bundled(String),
}

/// The scenarios that the arguments name, in their order, those of a directory and the folders in it by name. The error
/// says what is not there.
pub(crate) fn find(arguments: &[String]) -> Result<Vec<Input>, String> {
    let mut inputs = Vec::new();
    for argument in arguments {
        let path = Path::new(argument);
        if path.is_dir() {
            inputs.extend(directory(path)?);
            continue;
        }
        let (place, variant) = match argument.rsplit_once('/') {
            _ if argument == "-" => (Place::Stdin, None),
            _ if path.exists() => (Place::File(path.to_owned()), None),
            Some((file, variant)) if Path::new(file).is_file() && !variant.is_empty() => {
                (Place::File(file.into()), Some(variant.to_owned()))
            }
            _ if looks_like_a_path(argument) => return Err(format!("there is no file `{argument}`")),
            _ => (Place::Bundled(argument.clone()), None),
        };
        inputs.push(Input { place, variant });
    }
    Ok(inputs)
}

fn directory(path: &Path) -> Result<Vec<Input>, String> {
    let failed = |error: io::Error| format!("cannot read the directory `{}`: {error}", path.display());
    let mut files = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = entry.path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            // Not through links to folders: they may lead back.
            if entry.file_type().map_err(failed)?.is_dir() {
                folders.push(path);
            } else if matches!(extension, Some("yaml" | "yml")) && path.is_file() {
                files.push(path);
            }
        }
    }
    if files.is_empty() {
        return Err(format!("the directory `{}` has no scenarios: no file ends in .yaml", path.display()));
    }
    files.sort();
    Ok(files.into_iter().map(|file| Input { place: Place::File(file), variant: None }).collect())
}

/// No bundled scenario can be called so; `keepalive/dead-client` can.
fn looks_like_a_path(argument: &str) -> bool {
    argument.contains(['\\', '.']) || argument.starts_with('/') || argument.ends_with('/')
}

impl Input {
    /// The bundled scenario and the variant that this would be if its name were that of both, `pool/busy`.
    pub(crate) fn as_variant(&self) -> Option<Input> {
        let Place::Bundled(name) = &self.place else { return None };
        let (scenario, variant) = name.rsplit_once('/')?;
        Some(Input { place: Place::Bundled(scenario.to_owned()), variant: Some(variant.to_owned()) })
    }

    /// What the scenario is called in results.
    pub(crate) fn name(&self) -> String {
        match &self.place {
            Place::Stdin => "standard input".to_owned(),
            Place::File(path) => path.display().to_string(),
            Place::Bundled(name) => name.clone(),
        }
    }

    /// What names the scenario on the command line, if it can be read again.
    pub(crate) fn argument(&self) -> Option<String> {
        match &self.place {
            Place::Stdin => None,
            Place::File(_) | Place::Bundled(_) => Some(self.name()),
        }
    }

    /// Reads the scenario, as far as it is here.
    pub(crate) fn read(&self) -> Result<Source, ClientError> {
        let text = match &self.place {
            Place::Bundled(name) => return Ok(Source::Bundled(name.clone())),
            Place::Stdin => text(io::stdin().lock()),
            Place::File(path) => File::open(path).map_err(|error| error.to_string()).and_then(text),
        };
        let invalid = |message| ClientError::Invalid { message, diagnostics: Vec::new() };
        Ok(Source::Text { file: self.name(), text: text.map_err(invalid)? })
    }
}

/// All of it, if it is text and not too much.
fn text(reader: impl Read) -> Result<String, String> {
    let mut octets = Vec::new();
    reader.take(MAX_FILE + 1).read_to_end(&mut octets).map_err(|error| error.to_string())?;
    if octets.len() as u64 > MAX_FILE {
        return Err(format!("larger than {} MiB, which no scenario is", MAX_FILE >> 20));
    }
    let binary = |at: usize| format!("not a text file: octet {at} is none of UTF-8 text");
    if let Some(at) = octets.iter().position(|octet| *octet == 0) {
        return Err(binary(at + 1));
    }
    String::from_utf8(octets).map_err(|error| binary(error.utf8_error().valid_up_to() + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_and_looks_like_none_is_a_name() {
        let find = |argument: &str| find(&[argument.to_owned()]);
        let one =
            |place, variant: Option<&str>| Ok(vec![Input { place, variant: variant.map(str::to_owned) }]);
        let bundled = |name: &str| Place::Bundled(name.to_owned());
        let file = || Place::File("src/exit.rs".into());
        assert_eq!(find("dead-client"), one(bundled("dead-client"), None));
        assert_eq!(find("pool/busy+both"), one(bundled("pool/busy+both"), None));
        assert_eq!(find("-"), one(Place::Stdin, None));
        assert_eq!(find("src/exit.rs"), one(file(), None));
        assert_eq!(find("src/exit.rs/busy"), one(file(), Some("busy")));
        for wrong in ["dead-client.yaml", "/no/such", "no/", "src/exit.rs/", "dead-client.yaml/busy"] {
            assert!(find(wrong).is_err(), "{wrong}");
        }
        assert!(find("src").is_err(), "no scenarios there");
    }

    #[test]
    fn text_has_a_limit_and_is_text() {
        assert_eq!(text(&b"scenario: x"[..]), Ok("scenario: x".to_owned()));
        assert_eq!(text(&b""[..]), Ok(String::new()));
        assert_eq!(text(io::repeat(b'#').take(MAX_FILE)).map(|text| text.len() as u64), Ok(MAX_FILE));
        assert!(text(io::repeat(b'#')).unwrap_err().contains("1 MiB"));
        assert!(text(&b"ab\0"[..]).unwrap_err().contains("octet 3"));
        assert!(text(&b"a\xff"[..]).unwrap_err().contains("octet 2"));
    }
}
