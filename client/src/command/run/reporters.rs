//! Who is told of the runs.

use halfopen::report::{self, JsonReporter, NdjsonReporter, Reporter, Reporters, TextOptions, TextReporter};

use super::Args;
use super::plan::Planned;
use crate::args::Output;
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
        (form, None) => all.add("standard output", results(form.unwrap_or_default(), args, runs)),
    }
    let opened = report::open(&args.reports).map_err(|error| Failure::Usage(error.to_string()))?;
    for (report, reporter) in args.reports.iter().zip(opened) {
        all.add(report.name(), reporter);
    }
    Ok(all)
}

fn results(form: Output, args: &Args, runs: &[Planned]) -> Box<dyn Reporter> {
    let out = output::stdout();
    match form {
        Output::Text => {
            let (picture, paper) = (args.picture.options(), args.picture.paper());
            let names = runs.iter().map(|run| run.record.name.chars().count()).max().unwrap_or(0);
            Box::new(TextReporter::new(out, TextOptions { several: runs.len() > 1, names, picture, paper }))
        }
        Output::Json => Box::new(JsonReporter::new(out)),
        Output::Ndjson => Box::new(NdjsonReporter::new(out)),
    }
}
