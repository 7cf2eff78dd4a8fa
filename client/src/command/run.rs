//! `halfopen run`: runs scenarios one after another and tells a reporter.

use std::io;

use halfopen::client::{Client, ClientError, RunOptions, Source};
use halfopen::record::{Outcome, RunRecord};
use halfopen::report::{JsonReporter, NdjsonReporter, Reporter, TextOptions, TextReporter};

use crate::args::{GlobalArgs, Output, PictureArgs};
use crate::failure::Failure;
use crate::input::{self, Input};
use crate::interrupt::Interrupt;
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

    /// How to write the results
    #[arg(long, short, value_enum, default_value_t)]
    output: Output,

    #[command(flatten)]
    picture: PictureArgs,
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
            let runs = plan(&mut client, &inputs).await;
            Ok::<_, Failure>((client, runs))
        } => ready?,
        () = interrupt.pressed() => return Ok(exit::INTERRUPTED),
    };
    let mut reporter = reporter(args, &runs);
    let mut code = exit::PASSED;
    for run in runs {
        let record = play(&mut client, run, args, reporter.as_mut(), &mut interrupt).await?;
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

/// A run that was asked for.
struct Planned {
    record: RunRecord,
    source: Result<Source, ClientError>,
    variant: Option<String>,
}

/// Every run that the inputs mean: one each, or one for each of its variants. What is wrong is left for the run to say.
async fn plan(client: &mut Client, inputs: &[Input]) -> Vec<Planned> {
    let mut runs = Vec::new();
    for input in inputs {
        let input = &bundled::resolve(client, input).await;
        let source = input.read();
        let variants = match (&input.variant, &source) {
            (Some(variant), _) => vec![variant.clone()],
            (None, Ok(source)) => client.variants(source).await.unwrap_or_default(),
            (None, Err(_)) => Vec::new(),
        };
        match source {
            Ok(source) if !variants.is_empty() => runs.extend(variants.into_iter().map(|variant| Planned {
                record: record(input, Some(&variant)),
                source: Ok(source.clone()),
                variant: Some(variant),
            })),
            source => runs.push(Planned { record: record(input, None), source, variant: None }),
        }
    }
    runs
}

/// The record of a run that has not begun.
fn record(input: &Input, variant: Option<&str>) -> RunRecord {
    let of_variant = |name: String| match variant {
        Some(variant) => format!("{name}/{variant}"),
        None => name,
    };
    RunRecord {
        argument: input.argument().map(of_variant),
        file: input.name(),
        ..RunRecord::new(of_variant(input.name()))
    }
}

fn reporter(args: &Args, runs: &[Planned]) -> Box<dyn Reporter> {
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

/// One run, as far as it gets. Fails only if the reporter does, which stops the run.
async fn play(
    client: &mut Client,
    run: Planned,
    args: &Args,
    reporter: &mut dyn Reporter,
    interrupt: &mut Interrupt,
) -> io::Result<RunRecord> {
    let Planned { mut record, source, variant } = run;
    record.profile.clone_from(&args.profile);
    let options =
        RunOptions { variant, seed: args.seed, profile: args.profile.clone(), ..RunOptions::default() };
    let started = match source {
        Ok(source) => tokio::select! {
            started = client.run(&source, &options) => started,
            () = interrupt.pressed() => Err(ClientError::Interrupted),
        },
        Err(error) => Err(error),
    };
    let mut stream = match started {
        Ok(stream) => stream,
        Err(error) => {
            record.stopped = Some(error);
            return Ok(record);
        }
    };
    loop {
        let next = tokio::select! {
            next = stream.next() => next,
            () = interrupt.pressed() => Err(ClientError::Interrupted),
        };
        match next {
            Ok(Some(events)) => {
                reporter.events(&events)?;
                if !reporter.wants_every_event() {
                    record.events.clear();
                }
                record.events.extend(events);
            }
            Ok(None) => return Ok(record),
            Err(error) => {
                record.stopped = Some(error);
                return Ok(record);
            }
        }
    }
}
