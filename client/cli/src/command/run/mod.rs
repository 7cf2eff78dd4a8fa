//! `halfopen run`: runs scenarios and tells reporters.

mod progress;
mod reporters;

use std::num::NonZeroUsize;

use halfopen_client::{Client, Executor, Filter, Plan, PlanOptions, Seeds};
use halfopen_view::picture::text::Pace;
use halfopen_view::report::Reporter as _;

use crate::args::GlobalArgs;
use crate::exit;
use crate::failure::Failure;
use crate::interrupt::{self, Interrupt};
use crate::picture_args::{self, PictureArgs};
use crate::report::Report;
use crate::{find, input};
use progress::ProgressBar;

/// What the help calls the options of which runs there are.
const WHAT: &str = "Runs";
/// What it calls those of what is written of them.
const RESULTS: &str = "Results";

/// What to run, and how to write it.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Scenario files, directories, quoted patterns ('scenarios/**/*fin*.yaml'), bundled scenarios by NAME or SUBJECT, or -
    /// for standard input
    ///
    /// A pattern that matches no file is one of bundled names: 'keepalive/*'. What is named twice runs once.
    #[arg(required_unless_present = "bundled", value_name = "FILE|DIRECTORY|PATTERN|NAME|SUBJECT")]
    pub(super) inputs: Vec<String>,

    /// Run every bundled scenario
    #[arg(long, help_heading = WHAT)]
    bundled: bool,

    /// Run this variant of a scenario that has several, instead of all; also written NAME/VARIANT
    #[arg(long, value_name = "VARIANT", help_heading = WHAT)]
    variant: Option<String>,

    /// Everything random in a run follows from it [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = WHAT)]
    seed: Option<u64>,

    /// Run each scenario with each of these seeds: 1..100 (both ends included), or a list, 1,5,9..12
    #[arg(long, value_name = "SEEDS", conflicts_with = "seed", help_heading = WHAT)]
    seeds: Option<Seeds>,

    /// Run each so many times with the same seed: a run whose events are not those of the first, octet for octet, failed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..), help_heading = WHAT)]
    repeat: Option<u32>,

    /// Run only what has this in its name, as results tell it; with * ? or [ a pattern of the whole name. Repeatable: any
    #[arg(long, value_name = "PATTERN", value_parser = Filter::parse, help_heading = WHAT)]
    filter: Vec<Filter>,

    /// How many runs go on at once; 1 is one after another. Results come in the same order [default: one a core]
    #[arg(long, short, value_name = "N", allow_negative_numbers = true, help_heading = WHAT)]
    jobs: Option<NonZeroUsize>,

    /// Begin no other run after one that did not pass
    #[arg(long, help_heading = WHAT)]
    fail_fast: bool,

    /// The TCP profile of every host instead of what the scenario says: linux, freebsd, windows, ...
    ///
    /// Settings that the scenario writes beside a profile stay on top of it. What a scenario expects of its own profile may
    /// not hold then.
    #[arg(long, value_name = "PROFILE", help_heading = WHAT)]
    profile: Option<String>,

    /// How to write the results [default: text]
    #[arg(long, short, value_enum, help_heading = RESULTS)]
    output: Option<RunOutput>,

    /// Write a report too, as in junit=report.xml: junit, tap, json or html, or pcapng to a folder. Repeatable
    ///
    /// JUnit's XML is what GitLab and Jenkins read; TAP is of version 14; json is one document with what `--output json` writes a
    /// line each; html is one page with every picture; pcapng is a capture of each run. The path - is standard output, in place
    /// of --output. A file is replaced when the last run is over, also after Ctrl-C; missing folders are made.
    #[arg(long = "report", value_name = "KIND=PATH", help_heading = RESULTS)]
    reports: Vec<Report>,

    /// Play one run in time: each row comes when its virtual time has come, so many times as fast as in life
    #[arg(long, value_name = "TIMES", allow_negative_numbers = true, help_heading = picture_args::HEADING)]
    pace: Option<Pace>,

    /// Show no progress on the terminal, and no times but those that --slowest asks for
    #[arg(long, help_heading = RESULTS)]
    no_progress: bool,

    /// Say on standard error how long it took, and which runs took longest [default: 3 on a terminal]
    #[arg(long, value_name = "N", help_heading = RESULTS)]
    slowest: Option<usize>,

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
    let (mut client, mut plan) = tokio::select! {
        ready = async {
            let mut client = global.connect().await?;
            let plan = plan(&mut client, args).await?;
            Ok::<_, Failure>((client, plan))
        } => ready?,
        () = interrupt.pressed() => return Ok(exit::INTERRUPTED),
    };
    let mut progress = ProgressBar::new(&plan, !args.no_progress, args.slowest);
    let mut reporters = reporters::reporters(args, &plan, &progress)?;
    if reporters.wants_source() {
        plan.read_texts(&mut client).await;
    }
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let executor = Executor::new(&client, args.jobs.unwrap_or_else(cores), args.fail_fast);
    let summary = executor.execute(&plan, &mut reporters, &mut progress, interrupt.pressed()).await?;
    progress.clear();
    reporters.end()?;
    progress.tell();
    // A run that is played is over before it is shown.
    Ok(if interrupt::was_pressed() { exit::INTERRUPTED } else { exit::of_summary(&summary) })
}

/// The runs that the arguments mean.
async fn plan(client: &mut Client, args: &Args) -> Result<Plan, Failure> {
    let mut inputs = find::scenarios(client, &args.inputs).await?;
    if args.bundled {
        inputs.extend(find::library(client).await?);
    }
    if let Some(variant) = &args.variant {
        inputs.iter_mut().try_for_each(|input| input.set_variant(variant))?;
    }
    let options = PlanOptions {
        seeds: args.seeds.clone().or(args.seed.map(Seeds::from)),
        repeat: args.repeat,
        profile: args.profile.clone(),
        filters: args.filter.clone(),
    };
    Ok(Plan::new(client, &input::read(&inputs), options).await?)
}
