//! The command line: reads arguments, does what they say, and ends with an exit code of [`exit`].

mod args;
mod bundled;
mod command;
mod config;
mod exit;
mod failure;
mod folder;
mod gather;
mod input;
mod interrupt;
mod output;
mod picture_args;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::config::Surroundings;
use crate::failure::Failure;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = match config::read(&arguments, &Surroundings::of_process()) {
        Ok(cli) => cli,
        Err(refusal) => return refusal.end(),
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
