//! `halfopen explain`: explains in sentences what happened in a run, and why.

use std::io::Write;

use halfopen_view::explain::{self, ExplainOptions};
use halfopen_view::record::RunRecord;

use super::subject;
use crate::args::{Form, GlobalArgs};
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::{exit, output, recording};

/// What to explain.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A scenario file, the name of a bundled scenario, - for standard input, or a recording: a file written by
    /// `halfopen run -o ndjson` whose name ends in .ndjson or .jsonl
    #[arg(value_name = "FILE|NAME|RECORDING")]
    subject: String,

    /// Explain only this variant of a scenario that has variants; can also be written NAME/VARIANT
    #[arg(long, value_name = "VARIANT")]
    variant: Option<String>,

    /// The seed of everything random in a run [default: 1]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Explain only this connection, instead of the most interesting ones
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    connection: Option<u32>,

    /// Output format
    #[arg(long, short, value_enum, default_value_t)]
    output: Form,
}

pub(super) async fn execute(global: &GlobalArgs, args: &Args) -> Result<u8, Failure> {
    let mut interrupt = Interrupt::listen().await;
    let mut writer = Writer { args, out: output::stdout(), any: false };
    if let Some(records) = recording::runs(&args.subject)? {
        args.check_recording()?;
        for record in &records {
            writer.write(record)?;
        }
        return Ok(exit::PASSED);
    }
    let planned = async {
        let mut client = global.connect().await?;
        let planned = subject::plan(&mut client, &args.subject, args.variant.as_deref()).await?;
        Ok::<_, Failure>((client, planned))
    };
    let (mut client, planned) = tokio::select! {
        planned = planned => planned?,
        () = interrupt.pressed() => return Ok(exit::INTERRUPTED),
    };
    let mut code = exit::PASSED;
    for mut run in planned {
        run.record.options.seed = args.seed;
        let record = run.execute(&mut client, interrupt.pressed()).await;
        output::print_stopped(&record);
        writer.write(&record)?;
        match exit::of_incomplete(&record) {
            Some(exit::INTERRUPTED) => return Ok(exit::INTERRUPTED),
            incomplete => code = code.max(incomplete.unwrap_or(exit::PASSED)),
        }
    }
    Ok(code)
}

impl Args {
    /// Fails if an option has no meaning for a recording.
    fn check_recording(&self) -> Result<(), Failure> {
        let option = if self.seed.is_some() { "--seed" } else { "--variant" };
        if self.seed.is_none() && self.variant.is_none() {
            return Ok(());
        }
        Err(Failure::Usage(format!("{option} has no effect on a recording: leave it out")))
    }
}

struct Writer<'a, W> {
    args: &'a Args,
    out: W,
    /// Whether an explanation was written before.
    any: bool,
}

impl<W: Write> Writer<'_, W> {
    /// Explains a run, if there was one.
    fn write(&mut self, record: &RunRecord) -> Result<(), Failure> {
        if record.started().is_none() {
            return Ok(());
        }
        let options = ExplainOptions { connection: self.args.connection, ..ExplainOptions::default() };
        let explanation = explain::explain(record, options);
        match self.args.output {
            Form::Text => {
                let gap = if self.any { "\n" } else { "" };
                write!(self.out, "{gap}{}", explain::text::write(&explanation, output::width()))?;
            }
            Form::Json => output::json_line(&mut self.out, &explanation)?,
        }
        self.any = true;
        Ok(self.out.flush()?)
    }
}
