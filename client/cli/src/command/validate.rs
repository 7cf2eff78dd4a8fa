//! `halfopen validate`: checks scenarios without running them.

use std::io::Write;

use anstyle::{AnsiColor, Style};
use halfopen_client::{Client, ClientError, Source};
use halfopen_proto::v1::{Diagnostic, ValidateScenarioResponse};
use halfopen_view::Stopped;
use halfopen_view::record::RunRecord;
use halfopen_view::words::plain;
use serde::Serialize;

use crate::args::{GlobalArgs, Output};
use crate::failure::Failure;
use crate::{exit, find, output};

const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// What to check.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Scenario files, directories, quoted patterns, names or subjects of bundled scenarios, or - for standard input
    #[arg(required = true, value_name = "FILE|DIRECTORY|PATTERN|NAME|SUBJECT")]
    files: Vec<String>,

    /// Output format
    #[arg(long, short, value_enum, default_value_t)]
    output: Output,
}

pub(super) async fn execute(global: &GlobalArgs, args: &Args) -> Result<u8, Failure> {
    let mut client = global.connect().await?;
    let inputs = find::scenarios(&mut client, &args.files).await?;
    let mut out = output::stdout();
    let mut code = exit::PASSED;
    for input in &inputs {
        let mut record = RunRecord::new(input.name());
        let mut variants = Vec::new();
        match input.read() {
            Ok(source) => match check(&mut client, source, input.variant.as_deref()).await? {
                Ok(found) => variants = found,
                Err(error) => record.stopped = Some(error),
            },
            Err(message) => record.stopped = Some(Stopped::Invalid { message, diagnostics: Vec::new() }),
        }
        let result = Validation::new(&record, &variants);
        let name = plain(&record.name);
        match args.output {
            Output::Text if !variants.is_empty() => {
                let names = plain(&variants.join(", "));
                writeln!(out, "{GOOD}valid{GOOD:#}    {}  {DIM}{names}{DIM:#}", name)?;
            }
            Output::Text if result.valid => writeln!(out, "{GOOD}valid{GOOD:#}    {}", name)?,
            Output::Text => writeln!(out, "{BAD}invalid{BAD:#}  {}", name)?,
            Output::Json | Output::Ndjson => output::json_line(&mut out, &result)?,
        }
        out.flush()?;
        output::print_stopped(&record);
        code = code.max(record.stopped.as_ref().map_or(exit::PASSED, |_| exit::of_outcome(record.outcome())));
    }
    Ok(code)
}

/// The variants of a scenario, or what is wrong with it. All variants are checked, whichever is meant.
async fn check(
    client: &mut Client,
    source: Source,
    meant: Option<&str>,
) -> Result<Result<Vec<String>, Stopped>, ClientError> {
    let (file, text) = match source {
        Source::Text { file, text } => (file, text),
        Source::Bundled(name) => {
            let text = client.text(&name).await?;
            (name, text)
        }
    };
    let ValidateScenarioResponse { diagnostics, variants } = client.validate(&file, &text).await?;
    Ok(match (diagnostics.first(), meant) {
        (Some(first), _) => Err(Stopped::Invalid { message: first.message.clone(), diagnostics }),
        (None, Some(meant)) if !variants.iter().any(|variant| variant == meant) => {
            Err(Stopped::NoVariant(format!("{file} has no variant named `{meant}`")))
        }
        (None, _) => Ok(variants),
    })
}

/// A scenario, and what is wrong with it.
#[derive(Serialize)]
struct Validation<'a> {
    run: &'a str,
    valid: bool,
    /// What is wrong with the file as a whole: not text, too large.
    error: Option<String>,
    diagnostics: &'a [Diagnostic],
    /// The names of its variants; empty if it has none, or is invalid.
    variants: &'a [String],
}

impl<'a> Validation<'a> {
    fn new(record: &'a RunRecord, variants: &'a [String]) -> Validation<'a> {
        let diagnostics = match &record.stopped {
            Some(Stopped::Invalid { diagnostics, .. }) => diagnostics.as_slice(),
            _ => &[],
        };
        let error = record.stopped.as_ref().map(ToString::to_string);
        Validation { run: &record.name, valid: error.is_none(), error, diagnostics, variants }
    }
}
