//! `halfopen run`: runs scenarios one after another and tells a reporter.

use std::io;

use halfopen::client::{Client, ClientError};
use halfopen::ladder::LadderOptions;
use halfopen::record::{Outcome, RunRecord};
use halfopen::report::{JsonReporter, NdjsonReporter, Reporter, TextOptions, TextReporter};

use crate::args::{Output, RunArgs};
use crate::input::{self, Input};
use crate::interrupt::Interrupt;
use crate::{Failure, connect, exit, output, scenarios};

pub(crate) async fn run(server: Option<&str>, args: &RunArgs) -> Result<u8, Failure> {
    let mut interrupt = Interrupt::listen().await;
    let inputs = input::find(&args.inputs).map_err(Failure::Usage)?;
    let mut client = tokio::select! {
        client = connect(server) => client?,
        () = interrupt.pressed() => return Ok(exit::INTERRUPTED),
    };
    let mut reporter = reporter(args, &inputs);
    let mut code = exit::PASSED;
    for input in &inputs {
        let record = execute(&mut client, input, args.seed, reporter.as_mut(), &mut interrupt).await?;
        output::explain(&record);
        if let Some(ClientError::NotFound(name)) = &record.stopped {
            scenarios::suggest(&mut client, name).await;
        }
        let outcome = record.outcome();
        let interrupted = matches!(record.stopped, Some(ClientError::Interrupted));
        code = code.max(if interrupted { exit::INTERRUPTED } else { exit::of_outcome(outcome) });
        reporter.run(record)?;
        if interrupted || outcome == Outcome::NoServer {
            break;
        }
    }
    reporter.end()?;
    Ok(code)
}

fn reporter(args: &RunArgs, inputs: &[Input]) -> Box<dyn Reporter> {
    let out = output::stdout();
    match args.output {
        Output::Text => {
            let ladder = LadderOptions { width: output::width(), timers: args.timers, rows: args.rows };
            let names = inputs.iter().map(|input| input.name().chars().count()).max().unwrap_or(0);
            Box::new(TextReporter::new(out, TextOptions { several: inputs.len() > 1, names, ladder }))
        }
        Output::Json => Box::new(JsonReporter::new(out)),
        Output::Ndjson => Box::new(NdjsonReporter::new(out)),
    }
}

/// One run, as far as it gets. Fails only if the reporter does, which stops the run.
async fn execute(
    client: &mut Client,
    input: &Input,
    seed: Option<u64>,
    reporter: &mut dyn Reporter,
    interrupt: &mut Interrupt,
) -> io::Result<RunRecord> {
    let mut record = RunRecord { argument: input.argument(), ..RunRecord::new(input.name()) };
    let started = match input.read() {
        Ok(source) => tokio::select! {
            started = client.run(&source, seed) => started,
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
