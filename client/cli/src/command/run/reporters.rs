//! The reporters of the runs.

use std::io::{self, IsTerminal as _, Write};

use halfopen_view::picture::text::AsciiWriter;
use halfopen_view::report::{
    DrawingForm, DrawingReporter, JsonReporter, NdjsonReporter, Reporter, Reporters, TextOptions,
    TextReporter,
};

use super::progress::ProgressBar;
use super::scope::Scope;
use super::{Args, RunOutput};
use crate::failure::Failure;
use crate::{interrupt, report};

/// With more lines than these, a terminal lists only what did not pass, and counts the others. The library has fewer.
const MOST_LINES: u64 = 200;

/// With more runs of a scenario than these, their results are summed up.
const MANY_SEEDS: u64 = 10;

/// All reporters that the arguments ask for. Fails if one of them cannot be opened.
pub(super) fn reporters(args: &Args, scope: &Scope, progress: &ProgressBar) -> Result<Reporters, Failure> {
    let mut all = Reporters::new();
    let on_standard_output = args.reports.iter().find(|report| report.is_standard_output());
    match (args.output, on_standard_output) {
        (Some(_), Some(report)) => {
            return Err(Failure::Usage(format!(
                "the report {} and --output both write to standard output: leave one out, or give the report a file",
                report.name()
            )));
        }
        (None, Some(_)) => {}
        (form, None) => all.add("standard output", results(form.unwrap_or_default(), args, scope, progress)?),
    }
    let opened = report::open(&args.reports, Box::new(progress.stdout()));
    let opened = opened.map_err(|error| Failure::Usage(error.to_string()))?;
    for (report, reporter) in args.reports.iter().zip(opened) {
        all.add(report.name(), reporter);
    }
    Ok(all)
}

fn results(
    form: RunOutput,
    args: &Args,
    scope: &Scope,
    progress: &ProgressBar,
) -> Result<Box<dyn Reporter>, Failure> {
    if args.pace.is_some() && (form != RunOutput::Text || scope.runs > 1) {
        let (number, name) = (scope.runs, &scope.first);
        return Err(Failure::Usage(match scope.runs {
            0 | 1 => "--pace needs the text output: leave out --pace or --output".to_owned(),
            _ => {
                format!("--pace plays one run, but there are {number}: name one, as in `halfopen run {name}`")
            }
        }));
    }
    let out = progress.stdout();
    Ok(match form {
        RunOutput::Text => {
            let (picture, paper) = (args.picture.options(), args.picture.paper());
            let (several, names) = (scope.runs > 1, scope.longest_name);
            let by_scenario = scope.runs_per_scenario > MANY_SEEDS;
            let lines = if by_scenario { scope.runs / scope.runs_per_scenario } else { scope.runs };
            let quiet = lines > MOST_LINES && io::stdout().is_terminal();
            let (columns, pace) = (args.picture.columns(), args.pace);
            let options = TextOptions { several, names, quiet, by_scenario, picture, paper, columns, pace };
            match paper.ascii {
                true => Box::new(TextReporter::new(AsciiWriter::new(out), options, interrupt::sleep)),
                false => Box::new(TextReporter::new(out, options, interrupt::sleep)),
            }
        }
        RunOutput::Json => Box::new(JsonReporter::new(out)),
        RunOutput::Ndjson => Box::new(NdjsonReporter::new(out)),
        RunOutput::Svg => drawing(out, DrawingForm::Svg, args, scope)?,
        RunOutput::Mermaid => drawing(out, DrawingForm::Mermaid, args, scope)?,
    })
}

/// A drawing shows one run.
fn drawing(
    out: impl Write + 'static,
    form: DrawingForm,
    args: &Args,
    scope: &Scope,
) -> Result<Box<dyn Reporter>, Failure> {
    if scope.runs > 1 {
        let (number, name) = (scope.runs, &scope.first);
        return Err(Failure::Usage(format!(
            "a drawing shows one run, but there are {number}: name one, as in `halfopen run {name}`"
        )));
    }
    Ok(Box::new(DrawingReporter::new(out, form, args.picture.options())))
}
