//! The lines of earlier sessions, which a prompt remembers.

use std::env;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// How many lines are remembered. A session that finds more than twice as many shortens the file.
pub(super) const MAX_LINES: usize = 1000;

/// The lines of sessions, in a file that only its owner reads. Several sessions may add theirs at the same time.
#[derive(Debug)]
pub(super) struct History(PathBuf);

impl History {
    /// That of this user; `None` if there is no folder for it.
    pub(super) fn of_user() -> Option<History> {
        path(env::var_os("XDG_STATE_HOME"), env::home_dir()).map(History)
    }

    /// The latest lines, in order. The oldest are forgotten.
    pub(super) fn lines(&self) -> io::Result<Vec<String>> {
        let text = fs::read(&self.0)?;
        let text = String::from_utf8_lossy(&text);
        let all: Vec<&str> = text.lines().collect();
        let latest = &all[all.len().saturating_sub(MAX_LINES)..];
        if all.len() > 2 * MAX_LINES {
            // A file that stays long is no reason to forget.
            let _ = self.shorten(latest);
        }
        Ok(latest.iter().map(|line| (*line).to_owned()).collect())
    }

    /// Leaves only these lines in the file.
    fn shorten(&self, latest: &[&str]) -> io::Result<()> {
        let mut shorter = NamedTempFile::new_in(self.folder())?;
        latest.iter().try_for_each(|line| writeln!(shorter, "{line}"))?;
        shorter.persist(&self.0)?;
        Ok(())
    }

    /// Adds a line.
    pub(super) fn add(&self, line: &str) -> io::Result<()> {
        let (mut folder, mut file) = (DirBuilder::new(), OpenOptions::new());
        #[cfg(unix)]
        {
            std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
            std::os::unix::fs::OpenOptionsExt::mode(&mut file, 0o600);
        }
        folder.recursive(true).create(self.folder())?;
        // In one piece, so that lines of other sessions are not mixed with it.
        file.append(true).create(true).open(&self.0)?.write_all(format!("{line}\n").as_bytes())
    }

    fn folder(&self) -> &Path {
        self.0.parent().unwrap_or(Path::new("/"))
    }
}

/// The file, as the XDG Base Directory Specification wants it: a folder counts only if its path is absolute.
fn path(state: Option<OsString>, home: Option<PathBuf>) -> Option<PathBuf> {
    let given = state.map(PathBuf::from).filter(|folder| folder.is_absolute());
    let usual = || home.filter(|folder| folder.is_absolute()).map(|home| home.join(".local").join("state"));
    Some(given.or_else(usual)?.join("halfopen").join("session-history"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_in_the_state_folder() {
        let file = "halfopen/session-history";
        for (state, home, expected) in [
            (Some("/state"), Some("/home/ann"), Some(format!("/state/{file}"))),
            (Some("state"), Some("/home/ann"), Some(format!("/home/ann/.local/state/{file}"))),
            (Some(""), Some("/home/ann"), Some(format!("/home/ann/.local/state/{file}"))),
            (None, Some("/home/ann"), Some(format!("/home/ann/.local/state/{file}"))),
            (None, Some(""), None),
            (None, None, None),
        ] {
            let found = path(state.map(OsString::from), home.map(PathBuf::from));
            assert_eq!(found, expected.map(PathBuf::from), "{state:?} {home:?}");
        }
    }

    #[test]
    fn each_session_remembers_the_lines_of_those_before() {
        let folder = tempfile::tempdir().unwrap();
        let history = History(folder.path().join("halfopen").join("session-history"));
        assert_eq!(history.lines().unwrap_err().kind(), io::ErrorKind::NotFound);
        for line in ["advance", r#"send 1 "a\n""#, "finish"] {
            history.add(line).unwrap();
        }
        assert_eq!(history.lines().unwrap(), ["advance", r#"send 1 "a\n""#, "finish"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(history.folder()), mode(&history.0)), (0o700, 0o600));
        }
    }

    #[test]
    fn the_oldest_lines_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let history = History(folder.path().join("session-history"));
        let size = || fs::read_to_string(&history.0).unwrap().lines().count();
        for (lines, kept) in [(2 * MAX_LINES, 2 * MAX_LINES), (2 * MAX_LINES + 1, MAX_LINES)] {
            let text: String = (1..=lines).map(|number| format!("send 1 {number}\n")).collect();
            fs::write(&history.0, text).unwrap();
            let latest = history.lines().unwrap();
            assert_eq!((latest.len(), size()), (MAX_LINES, kept));
            assert_eq!(latest.last(), Some(&format!("send 1 {lines}")));
        }
    }
}
