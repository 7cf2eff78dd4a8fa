//! Scenario files in folders: all of them, or those that a pattern matches.

use std::path::{Path, PathBuf};
use std::{fs, io};

use globset::{GlobBuilder, GlobMatcher};

/// Whether an argument is a pattern.
pub(crate) fn is_pattern(argument: &str) -> bool {
    argument.contains(['*', '?', '[', '{'])
}

/// A pattern as in shells: `*`, `?` and `[a-z]` match within a folder, `**` matches across folders, `{a,b}` matches
/// either.
pub(crate) fn pattern(text: &str) -> Result<GlobMatcher, String> {
    let glob = GlobBuilder::new(text).literal_separator(true).build();
    Ok(glob.map_err(|error| format!("`{text}` is not a valid pattern: {}", error.kind()))?.compile_matcher())
}

/// The scenario files in a folder and its subfolders, sorted.
pub(crate) fn scenarios(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    walk(folder, usize::MAX, &mut |path, is_folder| {
        if !is_folder && is_scenario(path) {
            files.push(path.to_owned());
        }
        true
    })?;
    if files.is_empty() {
        return Err(format!(
            "no scenarios in the directory `{}`: no file name ends in .yaml",
            folder.display()
        ));
    }
    files.sort();
    Ok(files)
}

/// The scenario files that a pattern matches, and those in the folders that it matches, sorted. Hidden ones only if
/// the pattern has a dot there.
pub(crate) fn matching(text: &str) -> Result<Vec<PathBuf>, String> {
    let matcher = pattern(text)?;
    let (base, rest) = split(text);
    let deepest = if rest.contains("**") { usize::MAX } else { rest.split(is_separator).count() };
    let hidden = text.split(is_separator).any(|part| part.starts_with('.') && !matches!(part, "." | ".."));
    // A pattern that says how names end may also say .json.
    let named = |path: &Path| is_scenario(path) || (text.ends_with(".json") && extension(path) == "json");
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    if !Path::new(or_here(&base)).is_dir() {
        return Ok(files);
    }
    walk(&base, deepest, &mut |path, is_folder| {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        if name.starts_with(b".") && !hidden {
            return false;
        }
        match matcher.is_match(path) {
            true if is_folder => folders.push(path.to_owned()),
            true if named(path) => files.push(path.to_owned()),
            true | false => {}
        }
        true
    })?;
    for folder in folders {
        // A folder that a pattern happens to match may have no scenarios.
        files.extend(scenarios(&folder).unwrap_or_default());
    }
    files.sort();
    files.dedup();
    Ok(files)
}

/// The folder in which a pattern begins, and the rest of the pattern.
pub(crate) fn split(text: &str) -> (PathBuf, &str) {
    let plain = text.find(['*', '?', '[', '{']).unwrap_or(text.len());
    match text[..plain].rfind(is_separator) {
        Some(end) => (PathBuf::from(&text[..=end]), &text[end + 1..]),
        None => (PathBuf::new(), text),
    }
}

fn is_separator(character: char) -> bool {
    std::path::is_separator(character)
}

/// Passes everything in a folder and its subfolders to `see`, down to a number of levels. A subfolder is entered if
/// `see` returns true.
fn walk(folder: &Path, levels: usize, see: &mut impl FnMut(&Path, bool) -> bool) -> Result<(), String> {
    let failed = |error: io::Error| format!("cannot read the directory `{}`: {error}", folder.display());
    let mut folders = vec![(folder.to_owned(), levels)];
    while let Some((folder, levels)) = folders.pop() {
        for entry in fs::read_dir(or_here(&folder)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let path = folder.join(entry.file_name());
            // Links to folders are not followed: they may lead back.
            let is_folder = entry.file_type().map_err(failed)?.is_dir();
            let is_seen = (is_folder || path.is_file()) && see(&path, is_folder);
            if is_seen && is_folder && levels > 1 {
                folders.push((path, levels - 1));
            }
        }
    }
    Ok(())
}

/// The path, or `.` if it is empty.
pub(crate) fn or_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

fn is_scenario(path: &Path) -> bool {
    matches!(extension(path), "yaml" | "yml")
}

fn extension(path: &Path) -> &str {
    path.extension().and_then(|extension| extension.to_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_find_scenarios_as_a_shell_would() {
        let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().join("scenarios");
        let found = |pattern: &str| {
            let all = matching(&bundled.join(pattern).display().to_string()).unwrap();
            let names = all.iter().map(|path| path.strip_prefix(&bundled).unwrap().display().to_string());
            names.collect::<Vec<_>>()
        };
        let fins = found("**/*fin*.yaml");
        assert!(fins.contains(&"close/dropped-fin.yaml".to_owned()) && fins.len() > 1, "{fins:?}");
        assert!(fins.is_sorted(), "{fins:?}");
        assert_eq!(found("close/dropped-fi?.y*ml"), ["close/dropped-fin.yaml"]);
        assert_eq!(found("{loss,close}/dropped-fin*"), ["close/dropped-fin.yaml"]);
        assert_eq!(found("*fin*.yaml"), [""; 0], "a star stays in its folder");
        assert_eq!(found("clos*"), found("close/*"), "a folder is what is in it");
        assert_eq!(found("*"), found("**"), "each file once");
        assert_eq!(found("*.json"), ["scenario.schema.json"]);
        assert_eq!(found("no/such/*.yaml"), [""; 0]);
    }

    #[test]
    fn a_pattern_begins_where_the_first_special_character_is() {
        for (text, base, rest) in [
            ("a/b/*.yaml", "a/b/", "*.yaml"),
            ("*.yaml", "", "*.yaml"),
            ("/*", "/", "*"),
            ("a/b{c,d}/**", "a/", "b{c,d}/**"),
        ] {
            assert_eq!(split(text), (PathBuf::from(base), rest), "{text}");
        }
        assert!(pattern("a[").unwrap_err().contains("`a[` is not a valid pattern"));
    }
}
