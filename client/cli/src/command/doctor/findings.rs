//! Findings, each with a next step where one is needed, and how they are written.

use std::io::{self, BufWriter, Stdout, Write};
use std::time::Duration;

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use halfopen_proto::v1::GetServerResponse;
use halfopen_view::columns;
use halfopen_view::words::plain;
use serde::Serialize;

use crate::args::Form;
use crate::failure::Failure;
use crate::{exit, output};

const GOOD: Style = AnsiColor::Green.on_default().bold();
const DOUBTFUL: Style = AnsiColor::Yellow.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const HELP: Style = AnsiColor::Cyan.on_default().bold();

/// Where texts begin, and how much a label takes there.
const INDENT: usize = 19;
const LABEL: usize = "help: ".len();

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Ok,
    Warning,
    Problem,
}

/// A finding.
#[derive(Debug, Serialize)]
pub(super) struct Finding {
    /// Its subject, in a word.
    about: &'static str,
    status: Status,
    text: String,
    /// What to do.
    help: Option<String>,
    /// The exit code it leads to.
    #[serde(skip)]
    code: u8,
}

impl Finding {
    pub(super) fn ok(about: &'static str, text: impl Into<String>) -> Finding {
        Finding { about, status: Status::Ok, text: text.into(), help: None, code: exit::PASSED }
    }

    pub(super) fn warning(about: &'static str, text: impl Into<String>) -> Finding {
        Finding { status: Status::Warning, ..Finding::ok(about, text) }
    }

    pub(super) fn problem(about: &'static str, text: impl Into<String>, code: u8) -> Finding {
        Finding { status: Status::Problem, code, ..Finding::ok(about, text) }
    }

    /// A problem: why something could not be done.
    pub(super) fn of_failure(about: &'static str, failure: &Failure) -> Finding {
        let found = Finding::problem(about, failure.to_string(), failure.code());
        Finding { help: failure.help().map(str::to_owned), ..found }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Finding {
        Finding { help: Some(help.into()), ..self }
    }
}

/// All findings, and some numbers for programs that read them.
pub(super) struct Findings {
    out: BufWriter<AutoStream<Stdout>>,
    form: Form,
    all: Vec<Finding>,
    /// The address of the server; `None`: it is in this process.
    pub(super) server: Option<String>,
    /// How the server describes itself.
    pub(super) info: Option<GetServerResponse>,
    /// How long a call takes.
    pub(super) call: Option<Duration>,
    /// The digest of the events of the run.
    pub(super) digest: Option<String>,
}

/// As JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    status: Status,
    version: &'a str,
    server: Option<&'a str>,
    server_info: Option<&'a GetServerResponse>,
    call_microseconds: Option<u128>,
    digest: Option<&'a str>,
    findings: &'a [Finding],
}

impl Findings {
    pub(super) fn new(form: Form) -> Findings {
        let (out, all) = (output::stdout(), Vec::new());
        Findings { out, form, all, server: None, info: None, call: None, digest: None }
    }

    /// Adds a finding. Text is written at once, because the next finding may take a while.
    pub(super) fn add(&mut self, finding: Finding) -> io::Result<()> {
        if self.form == Form::Text {
            let Finding { about, status, text, help, .. } = &finding;
            let (word, style) = match status {
                Status::Ok => ("ok", GOOD),
                Status::Warning => ("warning", DOUBTFUL),
                Status::Problem => ("problem", BAD),
            };
            write!(self.out, "{style}{word:<7}{style:#}  {about:<8}  ")?;
            self.on_lines(&plain(text))?;
            if let Some(help) = help {
                write!(self.out, "{:INDENT$}{HELP}help{HELP:#}: ", "")?;
                self.on_lines(&plain(help))?;
            }
            self.out.flush()?;
        }
        self.all.push(finding);
        Ok(())
    }

    /// Writes a text after what stands on the line, wrapped to the terminal; further lines begin at `INDENT`.
    fn on_lines(&mut self, text: &str) -> io::Result<()> {
        let room = output::terminal_width().map_or(usize::MAX, |width| width.saturating_sub(INDENT + LABEL));
        let lines = columns::wrap(columns::words(text), room);
        for (index, line) in lines.iter().enumerate() {
            let blanks = if index > 0 { INDENT } else { 0 };
            writeln!(self.out, "{:blanks$}{line}", "")?;
        }
        Ok(())
    }

    /// Writes the rest, and returns the exit code.
    pub(super) fn end(mut self) -> io::Result<u8> {
        if self.form != Form::Text {
            let document = Document {
                status: self.all.iter().map(|finding| finding.status).max().unwrap_or(Status::Ok),
                version: env!("CARGO_PKG_VERSION"),
                server: self.server.as_deref(),
                server_info: self.info.as_ref(),
                call_microseconds: self.call.map(|call| call.as_micros()),
                digest: self.digest.as_deref(),
                findings: &self.all,
            };
            output::json_line(&mut self.out, &document)?;
            self.out.flush()?;
        }
        Ok(self.all.iter().map(|finding| finding.code).max().unwrap_or(exit::PASSED))
    }
}
