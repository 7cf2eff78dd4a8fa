//! `halfopen list`, `show` and `validate`: what there is to run, and whether it can be.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use halfopen::client::{Client, ClientError, Source};
use halfopen::record::RunRecord;
use halfopen_proto::v1::{Diagnostic, ScenarioSummary, ValidateScenarioResponse};
use serde::Serialize;

use crate::args::Output;
use crate::input::Input;
use crate::{Failure, connect, exit, input, output};

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const UNDERLINED: Style = Style::new().underline();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();

pub(crate) async fn list(server: Option<&str>, form: Output) -> Result<u8, Failure> {
    let scenarios = connect(server).await?.list().await?;
    let mut out = output::stdout();
    let widest = scenarios.iter().map(|scenario| scenario.name.len()).max().unwrap_or(0);
    let mut subject = None;
    for scenario in &scenarios {
        let ScenarioSummary { name, title, .. } = scenario;
        match form {
            Output::Text => {
                let before = subject.replace(&scenario.subject);
                if before != subject {
                    let gap = if before.is_some() { "\n" } else { "" };
                    writeln!(
                        out,
                        "{gap}{UNDERLINED}{}{UNDERLINED:#} ({})",
                        scenario.subject_title, scenario.subject
                    )?;
                }
                writeln!(out, "  {BOLD}{name:<widest$}{BOLD:#}  {title}")?;
                if !scenario.variants.is_empty() {
                    let variants = scenario.variants.join(", ");
                    writeln!(out, "  {:widest$}  {DIM}variants: {variants}{DIM:#}", "")?;
                }
            }
            Output::Json | Output::Ndjson => json_line(&mut out, scenario)?,
        }
    }
    out.flush()?;
    Ok(exit::PASSED)
}

/// The schema is that of the loader in this process: it needs no service.
pub(crate) fn schema() -> Result<u8, Failure> {
    let mut out = output::stdout();
    out.write_all(halfopend::schema().as_bytes())?;
    out.flush()?;
    Ok(exit::PASSED)
}

pub(crate) async fn show(server: Option<&str>, name: &str) -> Result<u8, Failure> {
    let mut client = connect(server).await?;
    match client.text(name).await {
        Ok(text) => {
            let mut out = output::stdout();
            out.write_all(text.as_bytes())?;
            out.flush()?;
            Ok(exit::PASSED)
        }
        Err(error) => {
            output::error(&error.to_string());
            if matches!(error, ClientError::NotFound(_)) {
                suggest(&mut client, name).await;
            }
            Ok(exit::of_error(&error))
        }
    }
}

pub(crate) async fn validate(server: Option<&str>, files: &[String], form: Output) -> Result<u8, Failure> {
    let inputs = input::find(files).map_err(Failure::Usage)?;
    let mut client = connect(server).await?;
    let mut out = output::stdout();
    let mut code = exit::PASSED;
    for input in &inputs {
        let input = resolve(&mut client, input).await;
        let mut record = RunRecord::new(input.name());
        let mut variants = Vec::new();
        match input.read() {
            Ok(source) => match check(&mut client, source, input.variant.as_deref()).await? {
                Ok(found) => variants = found,
                Err(error) => record.stopped = Some(error),
            },
            Err(error) => record.stopped = Some(error),
        }
        let result = Validation::new(&record, &variants);
        match form {
            Output::Text if !variants.is_empty() => {
                let names = variants.join(", ");
                writeln!(out, "{GOOD}valid{GOOD:#}    {}  {DIM}{names}{DIM:#}", record.name)?;
            }
            Output::Text if result.valid => writeln!(out, "{GOOD}valid{GOOD:#}    {}", record.name)?,
            Output::Text => writeln!(out, "{BAD}invalid{BAD:#}  {}", record.name)?,
            Output::Json | Output::Ndjson => json_line(&mut out, &result)?,
        }
        out.flush()?;
        output::explain(&record);
        code = code.max(record.stopped.as_ref().map_or(exit::PASSED, exit::of_error));
    }
    Ok(code)
}

/// What an input means: where no bundled scenario has its name, the last part may be that of a variant.
pub(crate) async fn resolve(client: &mut Client, input: &Input) -> Input {
    if let Some(variant) = input.as_variant()
        && matches!(client.text(&input.name()).await, Err(ClientError::NotFound(_)))
        && client.text(&variant.name()).await.is_ok()
    {
        return variant;
    }
    input.clone()
}

/// The variants of a scenario, or what is wrong with it. All are checked, whichever is meant.
async fn check(
    client: &mut Client,
    source: Source,
    meant: Option<&str>,
) -> Result<Result<Vec<String>, ClientError>, ClientError> {
    let (file, text) = match source {
        Source::Text { file, text } => (file, text),
        Source::Bundled(name) => {
            let text = client.text(&name).await?;
            (name, text)
        }
    };
    let ValidateScenarioResponse { diagnostics, variants } = client.validate(&file, &text).await?;
    Ok(match (diagnostics.first(), meant) {
        (Some(first), _) => Err(ClientError::Invalid { message: first.message.clone(), diagnostics }),
        (None, Some(meant)) if !variants.iter().any(|variant| variant == meant) => {
            Err(ClientError::NoVariant(format!("{file} has no variant called `{meant}`")))
        }
        (None, _) => Ok(variants),
    })
}

/// A scenario and what is wrong with it.
#[derive(Serialize)]
struct Validation<'a> {
    run: &'a str,
    valid: bool,
    /// What is wrong as a whole: not text, too large.
    error: Option<String>,
    diagnostics: &'a [Diagnostic],
    /// The names of its variants; empty if it has none, or is wrong.
    variants: &'a [String],
}

impl<'a> Validation<'a> {
    fn new(record: &'a RunRecord, variants: &'a [String]) -> Validation<'a> {
        let diagnostics = match &record.stopped {
            Some(ClientError::Invalid { diagnostics, .. }) => diagnostics.as_slice(),
            _ => &[],
        };
        let error = record.stopped.as_ref().map(ToString::to_string);
        Validation { run: &record.name, valid: error.is_none(), error, diagnostics, variants }
    }
}

fn json_line(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    out.write_all(b"\n")
}

/// Says which bundled scenario has a name like this one, if one has.
pub(crate) async fn suggest(client: &mut Client, name: &str) {
    let Ok(scenarios) = client.list().await else { return };
    let name = name.rsplit('/').next().unwrap_or(name);
    let distance = |scenario: &ScenarioSummary| strsim::damerau_levenshtein(&scenario.name, name);
    let nearest = scenarios.iter().min_by_key(|scenario| distance(scenario));
    if let Some(nearest) = nearest.filter(|nearest| distance(nearest) <= 1 + name.chars().count() / 3) {
        output::help(&format!("there is one named `{}`", nearest.name));
    }
}
