//! Who is told of the runs.

use std::io::Write;

use halfopen::report::{
    self, DrawingForm, DrawingReporter, JsonReporter, NdjsonReporter, Reporter, Reporters, TextOptions,
    TextReporter,
};

use super::plan::Planned;
use super::{Args, RunOutput};
use crate::failure::Failure;
use crate::output;

/// All that write the runs down, as the arguments say. Fails if one of them cannot.
pub(super) fn reporters(args: &Args, runs: &[Planned]) -> Result<Reporters, Failure> {
    let mut all = Reporters::new();
    let on_standard_output = args.reports.iter().find(|report| report.is_standard_output());
    match (args.output, on_standard_output) {
        (Some(_), Some(report)) => {
            return Err(Failure::Usage(format!(
                "the report {} and --output both go to standard output: leave out one, or give the report a file",
                report.name()
            )));
        }
        (None, Some(_)) => {}
        (form, None) => all.add("standard output", results(form.unwrap_or_default(), args, runs)?),
    }
    let opened = report::open(&args.reports).map_err(|error| Failure::Usage(error.to_string()))?;
    for (report, reporter) in args.reports.iter().zip(opened) {
        all.add(report.name(), reporter);
    }
    Ok(all)
}

fn results(form: RunOutput, args: &Args, runs: &[Planned]) -> Result<Box<dyn Reporter>, Failure> {
    let out = output::stdout();
    Ok(match form {
        RunOutput::Text => {
            let (picture, paper) = (args.picture.options(), args.picture.paper());
            let names = runs.iter().map(|run| run.record.name.chars().count()).max().unwrap_or(0);
            Box::new(TextReporter::new(out, TextOptions { several: runs.len() > 1, names, picture, paper }))
        }
        RunOutput::Json => Box::new(JsonReporter::new(out)),
        RunOutput::Ndjson => Box::new(NdjsonReporter::new(out)),
        RunOutput::Svg => drawing(out, DrawingForm::Svg, args, runs)?,
        RunOutput::Mermaid => drawing(out, DrawingForm::Mermaid, args, runs)?,
    })
}

/// A drawing is of one run.
fn drawing(
    out: impl Write + 'static,
    form: DrawingForm,
    args: &Args,
    runs: &[Planned],
) -> Result<Box<dyn Reporter>, Failure> {
    if let [first, _, ..] = runs {
        let (number, name) = (runs.len(), &first.record.name);
        return Err(Failure::Usage(format!(
            "a drawing is of one run, and these are {number}: name one, as in `halfopen run {name}`"
        )));
    }
    Ok(Box::new(DrawingReporter::new(out, form, args.picture.options())))
}
