//! A report in a file, which appears whole or not at all.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use halfopen_proto::v1::Event;
use halfopen_view::record::RunRecord;
use halfopen_view::report::Reporter;
use tempfile::NamedTempFile;

use crate::unread;

/// What a report is written to.
pub(super) type Out = Box<dyn Write>;

/// The temporary files that are being written.
static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Removes the temporary files of unfinished reports, for a program that ends early.
pub(crate) fn discard_unfinished() {
    if let Ok(mut unfinished) = UNFINISHED.try_lock() {
        for path in std::mem::take(&mut *unfinished) {
            // There is nobody left to report an error to.
            let _ = fs::remove_file(path);
        }
    }
}

/// Passes runs to a reporter that writes to a temporary file beside the target, which it replaces at the end.
///
/// Until then, and forever after an error, the old file stays.
pub(super) struct FileReporter {
    /// `None` after the end.
    writing: Option<(Box<dyn Reporter>, NamedTempFile)>,
    path: PathBuf,
}

/// A reporter that writes to a file. What is not a regular file (a pipe, a device) is written to directly.
///
/// Fails if the file cannot be written; missing folders are created.
pub(super) fn open(path: &Path, make: fn(Out) -> Box<dyn Reporter>) -> io::Result<Box<dyn Reporter>> {
    let path = resolved(path)?;
    let old = match fs::metadata(&path) {
        Ok(old) if old.is_dir() => return Err(io::Error::other("it is a directory: name a file in it")),
        Ok(old) if !old.is_file() => {
            let pipe = Pipe(OpenOptions::new().write(true).open(&path)?);
            return Ok(make(Box::new(BufWriter::new(pipe))));
        }
        Ok(old) => Some(old.permissions()),
        Err(_) => None,
    };
    let temporary = temporary(&path)?;
    if let Some(permissions) = old {
        OpenOptions::new().append(true).open(&path)?;
        fs::set_permissions(temporary.path(), permissions)?;
    }
    let reporter = make(Box::new(BufWriter::new(temporary.as_file().try_clone()?)));
    Ok(Box::new(FileReporter { writing: Some((reporter, temporary)), path }))
}

/// What is not a regular file, and may have no reader.
struct Pipe(File);

impl Write for Pipe {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        unread::write_to_reader(&mut self.0, octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A temporary file beside a path, in the same folder.
pub(super) fn temporary(path: &Path) -> io::Result<NamedTempFile> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.parent().unwrap_or(Path::new("."));
    let temporary = tempfile::Builder::new()
        .prefix(&format!(".{name}."))
        .suffix(".tmp")
        // The default mode is for the owner only; a report is for others, too.
        .make_in(folder, |path| File::create_new(path))?;
    if let Ok(mut unfinished) = UNFINISHED.lock() {
        unfinished.insert(temporary.path().to_owned());
    }
    Ok(temporary)
}

/// Puts a temporary file in the place of a file.
pub(super) fn replace(path: &Path, temporary: NamedTempFile) -> io::Result<()> {
    let name = temporary.path().to_owned();
    temporary.persist(path).map_err(|error| error.error)?;
    if let Ok(mut unfinished) = UNFINISHED.lock() {
        unfinished.remove(&name);
    }
    Ok(())
}

/// The canonical path of the file, or of the folder it will be in, so that two names of one file are recognized.
/// Missing folders are created.
pub(super) fn resolved(path: &Path) -> io::Result<PathBuf> {
    if let Ok(path) = fs::canonicalize(path) {
        return Ok(path);
    }
    let Some(name) = path.file_name() else { return Err(io::Error::other("it does not name a file")) };
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|error| {
        io::Error::new(error.kind(), format!("the folder `{}` cannot be created: {error}", folder.display()))
    })?;
    Ok(fs::canonicalize(folder)?.join(name))
}

impl FileReporter {
    fn reporter(&mut self) -> io::Result<&mut Box<dyn Reporter>> {
        let over = || io::Error::other("the report is over");
        self.writing.as_mut().map(|(reporter, _)| reporter).ok_or_else(over)
    }
}

impl Reporter for FileReporter {
    fn wants_every_event(&self) -> bool {
        self.writing.as_ref().is_some_and(|(reporter, _)| reporter.wants_every_event())
    }

    fn wants_source(&self) -> bool {
        self.writing.as_ref().is_some_and(|(reporter, _)| reporter.wants_source())
    }

    fn snapshot_length(&self) -> u32 {
        self.writing.as_ref().map_or(0, |(reporter, _)| reporter.snapshot_length())
    }

    fn events(&mut self, events: &[Event]) -> io::Result<()> {
        self.reporter()?.events(events)
    }

    fn run(&mut self, record: &RunRecord) -> io::Result<()> {
        self.reporter()?.run(record)
    }

    fn skipped(&mut self, record: &RunRecord, why: &str) -> io::Result<()> {
        self.reporter()?.skipped(record, why)
    }

    fn end(&mut self) -> io::Result<()> {
        self.reporter()?.end()?;
        let Some((reporter, temporary)) = self.writing.take() else { return Ok(()) };
        // Closes the file: Windows renames no open one.
        drop(reporter);
        replace(&self.path, temporary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes the names of runs, and fails at the end if one of them is `bad`.
    struct Names {
        out: Out,
        bad: bool,
    }

    impl Reporter for Names {
        fn run(&mut self, record: &RunRecord) -> io::Result<()> {
            self.bad |= record.name == "bad";
            writeln!(self.out, "{}", record.name)
        }

        fn end(&mut self) -> io::Result<()> {
            if self.bad { Err(io::ErrorKind::StorageFull.into()) } else { self.out.flush() }
        }
    }

    fn names(path: &Path) -> Box<dyn Reporter> {
        open(path, |out| Box::new(Names { out, bad: false })).unwrap()
    }

    fn files(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect()
    }

    #[test]
    fn the_old_file_stays_until_the_new_one_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/folder/report.txt");
        let run = |name: &str| RunRecord::new(name.to_owned());
        let text = || fs::read_to_string(&path).unwrap();

        let mut first = names(&path);
        first.run(&run("one")).unwrap();
        assert!(!path.exists());
        first.end().unwrap();
        assert_eq!(text(), "one\n");

        let mut failing = names(&path);
        failing.run(&run("bad")).unwrap();
        assert!(failing.end().is_err());
        drop(failing);
        assert_eq!(text(), "one\n");

        let mut left = names(&path);
        left.run(&run("two")).unwrap();
        drop(left);
        assert_eq!(
            (text().as_str(), files(path.parent().unwrap())),
            ("one\n", vec!["report.txt".to_owned()])
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link_and_what_others_may_do_stays_so() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        let mut reporter = names(&link);
        reporter.run(&RunRecord::new("new".to_owned())).unwrap();
        reporter.end().unwrap();
        assert!(link.is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new\n");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
