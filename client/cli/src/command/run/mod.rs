//! `halfopen run`: executes runs and reports them.

mod progress;
mod reporters;
mod scope;

use std::num::NonZeroUsize;
use std::path::Path;

use halfopen_client::{Client, Executor, Filter, Plan, PlanOptions, Seeds, SeedsError};
use halfopen_view::picture::text::Pace;
use halfopen_view::record::RunRecord;
use halfopen_view::report::Reporter as _;
use halfopend::{BudgetOptions, Config};

use crate::args::GlobalArgs;
use crate::exit;
use crate::failure::Failure;
use crate::interrupt::{self, Interrupt, WritesResults};
use crate::picture_args::{self, PictureArgs};
use crate::report::Report;
use crate::{find, input, output, recording};
use progress::ProgressBar;
use scope::Scope;

/// The heading of the options that select runs.
pub(crate) const WHAT: &str = "Runs";
/// The heading of the options for results.
const RESULTS: &str = "Results";

/// What to run, and how to write it.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Scenario files, directories, quoted patterns ('scenarios/**/*fin*.yaml'), bundled scenarios by NAME or SUBJECT, - for
    /// standard input, or recordings
    ///
    /// A recording, which is what `-o ndjson` writes into a file whose name ends in .ndjson or .jsonl, is shown without
    /// another run.
    ///
    /// A pattern that matches no file is matched against the names of bundled scenarios: 'keepalive/*'. A scenario
    /// that is named twice runs once.
    #[arg(required_unless_present = "bundled", value_name = "FILE|DIRECTORY|PATTERN|NAME|SUBJECT|RECORDING")]
    pub(super) inputs: Vec<String>,

    /// Run every bundled scenario
    #[arg(long, help_heading = WHAT)]
    bundled: bool,

    /// Run only this variant of a scenario that has variants; can also be written NAME/VARIANT
    #[arg(long, value_name = "VARIANT", help_heading = WHAT)]
    variant: Option<String>,

    /// The seed of everything random in a run [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = WHAT)]
    seed: Option<u64>,

    /// Run each scenario with each of these seeds: a range with both ends included, 1..100, or a list, 1,5,9..12
    #[arg(long, value_name = "SEEDS", value_parser = seeds, conflicts_with = "seed", help_heading = WHAT)]
    seeds: Option<Seeds>,

    /// Run each scenario N times with the same seed; a run whose events differ in any byte from those of the first
    /// fails
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..), help_heading = WHAT)]
    repeat: Option<u32>,

    /// Run only runs whose name, as shown in results, contains this; with * ? or [ it is a pattern for the whole
    /// name. Repeatable: one match is enough
    #[arg(long, value_name = "PATTERN", value_parser = Filter::parse, help_heading = WHAT)]
    filter: Vec<Filter>,

    /// How many runs are executed at once. The order of results does not change [default: number of cores]
    #[arg(long, short, value_name = "N", allow_negative_numbers = true, help_heading = WHAT)]
    jobs: Option<NonZeroUsize>,

    /// Start no more runs after one that did not pass
    #[arg(long, help_heading = WHAT)]
    fail_fast: bool,

    /// Use this TCP profile on every host, instead of what the scenario says: linux, freebsd, windows, ...
    ///
    /// Settings that the scenario adds to a profile still apply. Expectations written for the profile of the scenario
    /// may not hold.
    #[arg(long, value_name = "PROFILE", help_heading = WHAT)]
    profile: Option<String>,

    /// Output format [default: text]
    #[arg(long, short, value_enum, help_heading = RESULTS)]
    output: Option<RunOutput>,

    /// Also write a report, as in junit=report.xml: junit, tap, json, html, or pcapng into a folder. Repeatable
    ///
    /// junit is XML for GitLab, Jenkins and others; tap is version 13 of the Test Anything Protocol; json is one
    /// document with what `--output json` writes in lines; html is one page with every picture; pcapng is packet
    /// captures of each run: RUN/HOST.pcapng is what a host sent and received, RUN.pcapng merges all hosts. The path -
    /// is standard output, instead of --output. An existing file is replaced after the last run, also after Ctrl-C;
    /// missing folders are created.
    #[arg(long = "report", value_name = "KIND=PATH", help_heading = RESULTS)]
    reports: Vec<Report>,

    /// Play one run at N times real time: each row appears when its virtual time comes
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = picture_args::HEADING)]
    pace: Option<Pace>,

    /// Show no progress bar on the terminal, and no times unless --slowest asks for them
    #[arg(long, help_heading = RESULTS)]
    no_progress: bool,

    /// Print on standard error how long the runs took, and the N slowest [default: 3 on a terminal]
    #[arg(long, value_name = "N", help_heading = RESULTS)]
    slowest: Option<usize>,

    #[command(flatten, next_help_heading = WHAT)]
    budget: BudgetOptions,

    #[command(flatten)]
    picture: PictureArgs,
}

/// An output format of runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum RunOutput {
    /// For people
    #[default]
    Text,
    /// One JSON object per line: the verdict of each run and what led to it
    Json,
    /// Every event as proto3 JSON, one per line
    Ndjson,
    /// The picture of one run as SVG
    Svg,
    /// The picture of one run as a Mermaid sequence diagram
    Mermaid,
}

pub(super) async fn execute(global: &GlobalArgs, args: &Args) -> Result<u8, Failure> {
    let mut interrupt = Interrupt::listen().await;
    if let Some(records) = recorded(args)? {
        return show(args, &records);
    }
    let (mut client, mut plan) = tokio::select! {
        ready = async {
            let mut client = global.connect_or(&args.budget.apply(&Config::own())).await?;
            let plan = plan(&mut client, args).await?;
            Ok::<_, Failure>((client, plan))
        } => ready?,
        () = interrupt.pressed() => return Ok(exit::INTERRUPTED),
    };
    let mut progress = ProgressBar::new(plan.runs(), !args.no_progress, args.slowest);
    let mut reporters = reporters::reporters(args, &Scope::of_plan(&plan), &progress)?;
    if reporters.wants_source() {
        plan.read_texts(&mut client).await;
    }
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let _results = WritesResults::begin();
    let executor = Executor::new(&client, args.jobs.unwrap_or_else(cores), args.fail_fast);
    let summary = executor.execute(&plan, &mut reporters, &mut progress, interrupt.pressed()).await?;
    progress.clear();
    reporters.end()?;
    progress.print_times();
    // A run that is played is over before it is shown.
    Ok(if interrupt::was_pressed() { exit::INTERRUPTED } else { exit::of_summary(&summary) })
}

/// The runs of the recordings, if the arguments name any.
fn recorded(args: &Args) -> Result<Option<Vec<RunRecord>>, Failure> {
    let is_recording = |input: &&String| recording::is_recording(Path::new(input));
    let recordings = args.inputs.iter().filter(is_recording).count();
    if recordings == 0 {
        return Ok(None);
    }
    if recordings < args.inputs.len() || args.bundled {
        let text = "recordings are shown, and scenarios are run: name only recordings, or only scenarios";
        return Err(Failure::Usage(text.to_owned()));
    }
    let mut records = Vec::new();
    for input in &args.inputs {
        records.extend(recording::runs(input)?.unwrap_or_default());
    }
    let filters = &args.filter;
    records.retain(|record| filters.is_empty() || filters.iter().any(|filter| filter.matches(&record.name)));
    match records.is_empty() {
        true => Err(Failure::Usage("the filter matches no run of the recordings".to_owned())),
        false => Ok(Some(records)),
    }
}

/// Reports runs that are over.
fn show(args: &Args, records: &[RunRecord]) -> Result<u8, Failure> {
    let progress = ProgressBar::new(records.len() as u64, false, None);
    let mut reporters = reporters::reporters(args, &Scope::of_records(records), &progress)?;
    if reporters.snapshot_length() > 0 {
        let text = "a recording has no packets: ask for the pcapng report when the scenario runs";
        return Err(Failure::Usage(text.to_owned()));
    }
    let mut code = exit::PASSED;
    for record in records {
        output::print_stopped(record);
        reporters.events(&record.events)?;
        reporters.run(record)?;
        code = code.max(exit::of_outcome(record.outcome()));
    }
    reporters.end()?;
    Ok(if interrupt::was_pressed() { exit::INTERRUPTED } else { code })
}

/// Reads seeds; who wants one of them twice wants another option.
fn seeds(text: &str) -> Result<Seeds, String> {
    text.parse().map_err(|error: SeedsError| match error {
        SeedsError::Twice(_) => format!("{error}; --repeat runs a seed again"),
        SeedsError::NoSeed(_) | SeedsError::Backwards { .. } => error.to_string(),
    })
}

/// The runs that the arguments select.
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
