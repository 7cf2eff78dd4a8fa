//! `halfopen diff`: where two runs differ.

use std::io::Write;

use halfopen_client::{Client, Planned};
use halfopen_view::diff::{self, DiffOptions};
use halfopen_view::record::RunRecord;

use super::subject;
use crate::args::{Form, GlobalArgs};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::{exit, output, recording};

/// What to compare.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A scenario file, the name of a bundled scenario, - for standard input, or a recording: a file written by
    /// `halfopen run -o ndjson` whose name ends in .ndjson or .jsonl
    #[arg(value_name = "FILE|NAME|RECORDING")]
    a: String,

    /// What to compare it with; not needed if FILE is a recording of two runs or a scenario with two variants, nor with
    /// --seeds or --profiles
    #[arg(value_name = "FILE|NAME|RECORDING")]
    b: Option<String>,

    /// The variant of scenarios that have variants; can also be written NAME/VARIANT
    #[arg(long, value_name = "VARIANT")]
    variant: Option<String>,

    /// The seed of everything random in the runs [default: 1]
    #[arg(long, value_name = "N", conflicts_with = "seeds")]
    seed: Option<u64>,

    /// Compare two runs of one scenario with these seeds
    #[arg(long, value_name = "N,M", value_delimiter = ',', conflicts_with_all = ["b", "profiles"])]
    seeds: Vec<u64>,

    /// Compare two runs of one scenario whose hosts have these TCP profiles
    #[arg(long, value_name = "P,Q", value_delimiter = ',', conflicts_with = "b")]
    profiles: Vec<String>,

    /// Also show when timers are set, fire and are cancelled
    #[arg(long)]
    timers: bool,

    /// The number of rows side by side; further ones are left out
    #[arg(long, value_name = "N", default_value_t = DiffOptions::default().rows)]
    rows: usize,

    /// Width of the text in columns [default: that of the terminal]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(50..))]
    width: Option<u16>,

    /// Output format
    #[arg(long, short, value_enum, default_value_t)]
    output: Form,
}

/// A run, or how to execute it.
enum Subject {
    Recorded(RunRecord),
    Planned(Planned),
}

pub(super) async fn execute(global: &GlobalArgs, args: &Args) -> Result<u8, Failure> {
    let mut interrupt = Interrupt::listen().await;
    args.check()?;
    let mut service = Service { global, client: None };
    let subjects = tokio::select! {
        subjects = args.subjects(&mut service) => subjects?,
        () = interrupt.pressed() => return Ok(exit::INTERRUPTED),
    };
    let mut records = Vec::new();
    for subject in subjects {
        let record = match subject {
            Subject::Recorded(record) => record,
            Subject::Planned(planned) => planned.execute(service.client().await?, interrupt.pressed()).await,
        };
        if let Some(code) = not_comparable(&record) {
            return Ok(code);
        }
        records.push(record);
    }
    let [a, b] = records.as_slice() else { return Ok(exit::USAGE) };
    let options = DiffOptions { timers: args.timers, rows: args.rows };
    let difference = diff::diff(a, b, options);
    let mut out = output::stdout();
    match args.output {
        Form::Text => {
            let width = args.width.map_or_else(output::width, usize::from);
            out.write_all(diff::text::write(&difference, width).as_bytes())?;
        }
        Form::Json => output::json_line(&mut out, &difference)?,
    }
    out.flush()?;
    Ok(if difference.same { exit::PASSED } else { exit::FAILED })
}

/// The exit code if the run cannot be compared; prints why.
fn not_comparable(record: &RunRecord) -> Option<u8> {
    output::print_stopped(record);
    exit::of_incomplete(record)
}

/// The service. It is connected to when it is needed: two recordings need none.
struct Service<'a> {
    global: &'a GlobalArgs,
    client: Option<Client>,
}

impl Service<'_> {
    async fn client(&mut self) -> Result<&mut Client, Failure> {
        let client = match self.client.take() {
            Some(client) => client,
            None => self.global.connect().await?,
        };
        Ok(self.client.insert(client))
    }
}

impl Args {
    /// Fails if the options do not name a pair.
    fn check(&self) -> Result<(), Failure> {
        for (option, count) in [("--seeds", self.seeds.len()), ("--profiles", self.profiles.len())] {
            if count != 0 && count != 2 {
                return Err(Failure::Usage(format!(
                    "{option} takes two values, as in {option} X,Y; {count} given"
                )));
            }
        }
        Ok(())
    }

    /// The two runs to compare.
    async fn subjects(&self, service: &mut Service<'_>) -> Result<Vec<Subject>, Failure> {
        let mut subjects = self.of(&self.a, service).await?;
        if let Some(b) = &self.b {
            let b = one(b, self.of(b, service).await?)?;
            return Ok(vec![one(&self.a, subjects)?, b]);
        }
        if let ([Subject::Recorded(_), Subject::Recorded(_)], true) =
            (subjects.as_slice(), self.seeds.is_empty() && self.profiles.is_empty())
        {
            return Ok(subjects);
        }
        if let Some(Subject::Recorded(_)) = subjects.first() {
            let what = if subjects.len() == 2 {
                "leave out --seeds and --profiles"
            } else {
                "name another scenario or recording"
            };
            let count = halfopen_view::words::count(subjects.len() as u64, "run");
            return Err(Failure::Usage(format!("`{}` is a recording of {count}: {what}", self.a)));
        }
        if self.seeds.is_empty() && self.profiles.is_empty() {
            // A scenario with two variants is a pair.
            match subjects.len() {
                2 => return Ok(subjects),
                3.. => {
                    return Err(several(&self.a, &subjects, "; name two of them, as in `halfopen diff A B`"));
                }
                0 | 1 => {}
            }
            let only = one(&self.a, subjects)?;
            let text = format!(
                "`{}` is one run: name another one, or add --seeds N,M or --profiles P,Q",
                only.name()
            );
            return Err(Failure::Usage(text));
        }
        subjects = vec![one(&self.a, subjects)?];
        let Some(Subject::Planned(run)) = subjects.pop() else { return Ok(Vec::new()) };
        let seeds = self.seeds.iter().map(|seed| with(run.clone(), Some(*seed), None));
        let profiles =
            self.profiles.iter().map(|profile| with(run.clone(), self.seed, Some(profile.clone())));
        Ok(seeds.chain(profiles).map(Subject::Planned).collect())
    }

    /// The runs that an argument names.
    async fn of(&self, argument: &str, service: &mut Service<'_>) -> Result<Vec<Subject>, Failure> {
        if let Some(records) = recording::runs(argument)? {
            return Ok(records.into_iter().map(Subject::Recorded).collect());
        }
        let planned = subject::plan(service.client().await?, argument, self.variant.as_deref()).await?;
        Ok(planned.into_iter().map(|run| Subject::Planned(with(run, self.seed, None))).collect())
    }
}

/// The same run with a seed and a profile.
fn with(mut run: Planned, seed: Option<u64>, profile: Option<String>) -> Planned {
    run.record.options.seed = seed;
    run.record.options.profile = profile;
    run
}

/// How many runs an error names.
const SHOWN: usize = 5;

impl Subject {
    /// The name of the run.
    fn name(&self) -> &str {
        match self {
            Subject::Recorded(record) => &record.name,
            Subject::Planned(planned) => &planned.record.name,
        }
    }
}

/// The only run of them.
fn one(argument: &str, subjects: Vec<Subject>) -> Result<Subject, Failure> {
    match <[Subject; 1]>::try_from(subjects) {
        Ok([only]) => Ok(only),
        Err(subjects) => Err(several(argument, &subjects, ", but only one can be compared")),
    }
}

/// That an argument does not name one run.
fn several(argument: &str, subjects: &[Subject], but: &str) -> Failure {
    let names: Vec<&str> = subjects.iter().take(SHOWN).map(Subject::name).collect();
    let more = if subjects.len() > SHOWN { ", …" } else { "" };
    let (count, names) = (subjects.len(), names.join(", "));
    Failure::Usage(format!("`{argument}` names {count} runs{but}: {names}{more}"))
}
