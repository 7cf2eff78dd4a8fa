//! Writes down every scenario of the folder `scenarios`, so that no list of them is kept by hand.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> Result<(), Box<dyn Error>> {
    let root = fs::canonicalize(Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../scenarios"))?;
    println!("cargo:rerun-if-changed={}", root.display());
    // A map, because a directory is read in any order.
    let mut found = BTreeMap::new();
    for entry in entries(&root)? {
        if is_scenario(&entry) {
            return Err(format!("{} belongs in a folder of its subject", entry.display()).into());
        }
        if entry.is_dir() {
            for file in entries(&entry)?.into_iter().filter(|file| is_scenario(file)) {
                found.insert((name(&entry), name(&file)), file);
            }
        }
    }
    let mut code = String::from("&[\n");
    for ((subject, name), file) in found {
        writeln!(code, "Bundled {{ subject: {subject:?}, name: {name:?}, text: include_str!({file:?}) }},")?;
    }
    code.push_str("]\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("library.rs"), code)?;
    Ok(())
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

fn is_scenario(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "yaml")
}

/// The last part of a path, without its extension.
fn name(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
