//! Who is told of the runs.

use halfopen::report::{JsonReporter, NdjsonReporter, Reporter, TextOptions, TextReporter};

use super::Args;
use super::plan::Planned;
use crate::args::Output;
use crate::output;

/// What writes the runs down, as the arguments say.
pub(super) fn reporter(args: &Args, runs: &[Planned]) -> Box<dyn Reporter> {
    let out = output::stdout();
    match args.output {
        Output::Text => {
            let (picture, paper) = (args.picture.options(), args.picture.paper());
            let names = runs.iter().map(|run| run.record.name.chars().count()).max().unwrap_or(0);
            Box::new(TextReporter::new(out, TextOptions { several: runs.len() > 1, names, picture, paper }))
        }
        Output::Json => Box::new(JsonReporter::new(out)),
        Output::Ndjson => Box::new(NdjsonReporter::new(out)),
    }
}
