//! `--report KIND=PATH`: the kinds of reports, and how one is opened.

use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::SystemTime;

use halfopen_view::report::{HtmlReporter, JsonDocumentReporter, JunitReporter, Reporter, TapReporter};
use halfopen_view::words;

use super::captures::CapturesReporter;
use super::file::{self, Out};

/// How a report of some kind is made.
#[derive(Clone, Copy)]
enum Make {
    /// A file.
    File(fn(Out) -> Box<dyn Reporter>),
    /// A folder of files.
    Folder(fn(&Path) -> io::Result<Box<dyn Reporter>>),
}

/// The kinds, by their names on the command line.
const KINDS: [(&str, Make); 5] = [
    ("junit", Make::File(|out| Box::new(JunitReporter::new(out)))),
    ("tap", Make::File(|out| Box::new(TapReporter::new(out)))),
    ("json", Make::File(|out| Box::new(JsonDocumentReporter::new(out)))),
    ("html", Make::File(|out| Box::new(HtmlReporter::new(out).dated(now())))),
    ("pcapng", Make::Folder(|path| Ok(Box::new(CapturesReporter::new(path)?)))),
];

/// The present date and time: `Sat, 28 Nov 2026 03:20:00 GMT`.
#[allow(clippy::disallowed_methods, reason = "a report says when its runs were executed")]
fn now() -> String {
    httpdate::fmt_http_date(SystemTime::now())
}

/// A requested report: `junit=target/report.xml`. The path `-` is standard output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// A position in [`KINDS`].
    kind: usize,
    path: PathBuf,
}

/// Why a report cannot be written as requested.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    /// The kind or the path is missing.
    #[error("write KIND=PATH, as in `{kind}=FILE`")]
    NotBoth {
        /// A kind for the example.
        kind: &'static str,
    },
    /// No such kind.
    #[error("there is no report kind `{kind}`; {hint}")]
    UnknownKind {
        /// The requested kind.
        kind: String,
        /// A similar kind, and the list of kinds.
        hint: String,
    },
    /// The path names a folder, and the report is a file.
    #[error("`{path}` is a directory: name a file in it", path = .0.display())]
    IsFolder(PathBuf),
    /// The path names a file, and the report is a folder of them.
    #[error("`{path}` is a file: name a folder", path = .0.display())]
    IsFile(PathBuf),
    /// The report is many files, and standard output is one.
    #[error("a {0} report is a folder of files, and cannot go to standard output")]
    NotOne(&'static str),
    /// Two reports would be the same file.
    #[error("two reports go to `{path}`: give each a file of its own", path = .0.display())]
    SamePath(PathBuf),
    /// The file or folder cannot be created.
    #[error("cannot write the report `{path}`: {error}", path = .path.display())]
    CannotOpen {
        /// The requested path.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
}

impl FromStr for Report {
    type Err = ReportError;

    fn from_str(text: &str) -> Result<Report, ReportError> {
        let (name, path) = text.split_once('=').unwrap_or((text, ""));
        let known = KINDS.iter().position(|(known, _)| *known == name);
        let kind = known.ok_or_else(|| unknown(name))?;
        if path.is_empty() {
            return Err(ReportError::NotBoth { kind: KINDS[kind].0 });
        }
        let report = Report { kind, path: path.into() };
        match KINDS[kind].1 {
            Make::File(_) if path.ends_with(std::path::is_separator) || report.path.is_dir() => {
                Err(ReportError::IsFolder(report.path))
            }
            Make::Folder(_) if report.is_standard_output() => Err(ReportError::NotOne(KINDS[kind].0)),
            Make::Folder(_) if report.path.is_file() => Err(ReportError::IsFile(report.path)),
            Make::File(_) | Make::Folder(_) => Ok(report),
        }
    }
}

fn unknown(name: &str) -> ReportError {
    let names: Vec<&str> = Report::kinds().collect();
    let near = words::nearest(name, names.iter().copied());
    let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
    let hint = format!("{near}the kinds are {}", names.join(", "));
    ReportError::UnknownKind { kind: name.to_owned(), hint }
}

impl Report {
    /// Whether the report goes to standard output.
    pub(crate) fn is_standard_output(&self) -> bool {
        self.path == Path::new("-")
    }

    /// The names of all kinds.
    pub(crate) fn kinds() -> impl Iterator<Item = &'static str> {
        KINDS.iter().map(|(name, _)| *name)
    }

    /// The report as it was requested: `junit=target/report.xml`.
    pub(crate) fn name(&self) -> String {
        format!("{}={}", KINDS[self.kind].0, self.path.display())
    }

    fn open(&self, standard_output: &mut Option<Out>) -> io::Result<Box<dyn Reporter>> {
        match KINDS[self.kind].1 {
            Make::File(make) if self.is_standard_output() => {
                let taken = || io::Error::other("standard output is taken");
                Ok(make(standard_output.take().ok_or_else(taken)?))
            }
            Make::File(make) => file::open(&self.path, make),
            Make::Folder(make) => make(&self.path),
        }
    }
}

/// Opens every report, so that errors are found before anything runs. Missing folders are created.
///
/// `standard_output` is for the report that goes there, if one does.
pub(crate) fn open(reports: &[Report], standard_output: Out) -> Result<Vec<Box<dyn Reporter>>, ReportError> {
    let failed = |report: &Report, error| ReportError::CannotOpen { path: report.path.clone(), error };
    let mut paths = Vec::new();
    for report in reports {
        let path = if report.is_standard_output() {
            report.path.clone()
        } else {
            file::resolved(&report.path).map_err(|error| failed(report, error))?
        };
        if paths.contains(&path) {
            return Err(ReportError::SamePath(report.path.clone()));
        }
        paths.push(path);
    }
    let mut standard_output = Some(standard_output);
    let mut open = |report: &Report| report.open(&mut standard_output);
    reports.iter().map(|report| open(report).map_err(|error| failed(report, error))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_a_kind_and_a_path() {
        let report: Report = "json=a=b.json".parse().unwrap();
        assert_eq!((report.name().as_str(), report.is_standard_output()), ("json=a=b.json", false));
        assert!("json=-".parse::<Report>().unwrap().is_standard_output());
        for (wrong, part) in [
            ("json", "write KIND=PATH, as in `json=FILE`"),
            ("json=", "write KIND=PATH"),
            ("jsno=x", "did you mean `json`?"),
            (
                "report.xml",
                "there is no report kind `report.xml`; the kinds are junit, tap, json, html, pcapng",
            ),
            ("", "there is no report kind ``"),
            ("pcapng=-", "cannot go to standard output"),
            ("json=src", "`src` is a directory"),
            ("pcapng=Cargo.toml", "`Cargo.toml` is a file: name a folder"),
            ("json=no-such-folder/", "`no-such-folder/` is a directory"),
        ] {
            let error = wrong.parse::<Report>().unwrap_err().to_string();
            assert!(error.contains(part), "{wrong}: {error}");
        }
    }
}
