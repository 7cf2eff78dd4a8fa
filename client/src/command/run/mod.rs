//! `halfopen run`: runs scenarios one after another and tells a reporter.

mod plan;
mod play;
mod reporters;

use halfopen::client::ClientError;
use halfopen::record::Outcome;
use halfopen::report::{Report, Reporter as _};

use crate::args::GlobalArgs;
use crate::failure::Failure;
use crate::input;
use crate::interrupt::Interrupt;
use crate::picture_args::PictureArgs;
use crate::{bundled, exit, output};

/// What to run, and how to write it.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Scenario files, directories of them, names of bundled scenarios, or - for standard input
    #[arg(required = true, value_name = "FILE|DIRECTORY|NAME")]
    inputs: Vec<String>,

    /// Run this variant of a scenario that has several, instead of all; also written NAME/VARIANT
    #[arg(long, value_name = "VARIANT")]
    variant: Option<String>,

    /// Everything random in a run follows from it [default: 1]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// The TCP profile of every host instead of what the scenario says: linux, freebsd, windows, ...
    ///
    /// Settings that the scenario writes beside a profile stay on top of it. What a scenario expects of its own profile may
    /// not hold then.
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,

    /// How to write the results [default: text]
    #[arg(long, short, value_enum)]
    output: Option<RunOutput>,

    /// Write a report too, as in json=results.json; - is standard output, in place of --output. Repeatable
    ///
    /// A file is replaced when the last run is over; missing folders are made.
    #[arg(long = "report", value_name = "KIND=PATH")]
    reports: Vec<Report>,

    #[command(flatten)]
    picture: PictureArgs,
}

/// A form of runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum RunOutput {
    /// For people
    #[default]
    Text,
    /// One JSON object a line: for each run its verdict and what led to it
    Json,
    /// Every event as proto3 JSON, one a line
    Ndjson,
    /// The picture of one run as SVG
    Svg,
    /// The picture of one run as a Mermaid sequence diagram
    Mermaid,
}

pub(super) async fn execute(global: &GlobalArgs, args: &Args) -> Result<u8, Failure> {
    let mut interrupt = Interrupt::listen().await;
    let mut inputs = input::find(&args.inputs).map_err(Failure::Usage)?;
    if let Some(variant) = &args.variant {
        for input in &mut inputs {
            let name = input.name();
            if let Some(other) = input.variant.replace(variant.clone()) {
                return Err(Failure::Usage(format!(
                    "`{name}/{other}` names a variant already: leave out --variant"
                )));
            }
        }
    }
    let (mut client, runs) = tokio::select! {
        ready = async {
            let mut client = global.connect().await?;
            let runs = plan::plan(&mut client, &inputs, args).await;
            Ok::<_, Failure>((client, runs))
        } => ready?,
        () = interrupt.pressed() => return Ok(exit::INTERRUPTED),
    };
    let mut reporter = reporters::reporters(args, &runs)?;
    let mut code = exit::PASSED;
    for run in runs {
        let record = play::play(&mut client, run, &mut reporter, &mut interrupt).await?;
        output::explain(&record);
        if let Some(ClientError::NotFound(name)) = &record.stopped {
            bundled::suggest(&mut client, name).await;
        }
        let outcome = record.outcome();
        let interrupted = matches!(record.stopped, Some(ClientError::Interrupted));
        code = code.max(if interrupted { exit::INTERRUPTED } else { exit::of_outcome(outcome) });
        reporter.run(&record)?;
        if interrupted || outcome == Outcome::NoServer {
            break;
        }
    }
    reporter.end()?;
    Ok(code)
}
