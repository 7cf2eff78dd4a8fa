//! The command line: reads arguments, does what they say, and ends with an exit code of [`exit`].

mod args;
mod bundled;
mod command;
mod exit;
mod failure;
mod input;
mod interrupt;
mod output;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Cli;
use crate::failure::Failure;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Where help cannot be written there is nobody to read why.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::PASSED });
        }
    };
    cli.global.color.write_global();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::Start(error).end(),
    };
    let ended = runtime.block_on(cli.command.execute(&cli.global));
    // A run that was stopped may still be on its way out; nobody waits for it.
    runtime.shutdown_background();
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(failure) => failure.end(),
    }
}
