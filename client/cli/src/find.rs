//! Which scenarios the arguments name.

use std::path::{Path, PathBuf};

use halfopen_client::Client;

use crate::failure::Failure;
use crate::input::Input;
use crate::{bundled, folder, recording};

/// The scenarios that the arguments name, in their order: a file, a folder, a pattern of files, a bundled scenario, a
/// subject of them, or a pattern of their names. What one argument matches is sorted by name. An argument that
/// matches nothing is an error that says what to do.
pub(crate) async fn scenarios(client: &mut Client, arguments: &[String]) -> Result<Vec<Input>, Failure> {
    let mut library = bundled::Library::new(client);
    let mut inputs = Vec::new();
    for argument in arguments {
        match here(argument).map_err(Failure::Usage)? {
            Some(found) => inputs.extend(found),
            None => inputs.extend(library.find(argument).await?),
        }
    }
    Ok(inputs)
}

/// Every bundled scenario.
pub(crate) async fn library(client: &mut Client) -> Result<Vec<Input>, Failure> {
    bundled::Library::new(client).all().await
}

/// What an argument names on this machine. `None`: nothing, so it may name a bundled scenario.
fn here(argument: &str) -> Result<Option<Vec<Input>>, String> {
    let path = Path::new(argument);
    let files = |files: Vec<PathBuf>| files.into_iter().map(|file| Input::file(file, None)).collect();
    if argument == "-" {
        return Ok(Some(vec![Input::stdin()]));
    }
    if path.is_dir() {
        return Ok(Some(files(folder::scenarios(path)?)));
    }
    if path.exists() && recording::is_recording(path) {
        return Err(format!(
            "`{argument}` is a recording of runs: use `halfopen run`, `halfopen explain` or `halfopen diff`"
        ));
    }
    if path.exists() {
        return Ok(Some(vec![Input::file(path.to_owned(), None)]));
    }
    if folder::is_pattern(argument) {
        let found = folder::matching(argument)?;
        return Ok((!found.is_empty()).then(|| files(found)));
    }
    match argument.rsplit_once('/') {
        Some((file, variant)) if Path::new(file).is_file() && !variant.is_empty() => {
            Ok(Some(vec![Input::file(file.into(), Some(variant))]))
        }
        _ if looks_like_a_path(argument) => Err(format!("there is no file `{argument}`")),
        _ => Ok(None),
    }
}

/// Whether an argument can only be a path. No bundled scenario has such a name; `keepalive/dead-client` is one.
fn looks_like_a_path(argument: &str) -> bool {
    argument.contains(['\\', '.']) || argument.starts_with('/') || argument.ends_with('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_and_looks_like_none_is_a_name() {
        let file = |variant| Ok(Some(vec![Input::file("src/exit.rs".into(), variant)]));
        assert_eq!(here("dead-client"), Ok(None));
        assert_eq!(here("pool/busy+both"), Ok(None));
        assert_eq!(here("keepalive/*"), Ok(None));
        assert_eq!(here("-"), Ok(Some(vec![Input::stdin()])));
        assert_eq!(here("src/exit.rs"), file(None));
        assert_eq!(here("src/exit.rs/busy"), file(Some("busy")));
        for wrong in ["dead-client.yaml", "/no/such", "no/", "src/exit.rs/", "dead-client.yaml/busy", "a[b"] {
            assert!(here(wrong).is_err(), "{wrong}");
        }
        assert!(here("src").is_err(), "no scenarios there");
    }
}
