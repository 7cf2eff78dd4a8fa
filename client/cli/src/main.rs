//! The command line: reads the arguments, executes the command, and ends with an exit code of [`exit`].

mod args;
mod bundled;
mod cli;
mod command;
mod config;
mod exit;
mod failure;
mod find;
mod folder;
mod help;
mod input;
mod interrupt;
mod output;
mod picture_args;
mod recording;
mod report;
mod unread;
mod wall_time;
mod without;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::cli::Cli;
use crate::config::Surroundings;
use crate::failure::Failure;
use crate::interrupt::Interrupt;

/// Gives memory back to the system after a peak, also while all threads are idle.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = match config::read(&arguments, &Surroundings::of_process()) {
        Ok(cli) => cli,
        Err(refusal) => return refusal.report().into(),
    };
    cli.global.color.write_global();
    let settings = cli.global.settings.clone();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::Start(error).report().into(),
    };
    let ended = runtime.block_on(execute(cli));
    // A run that was stopped may still be winding down; nobody waits for it.
    runtime.shutdown_background();
    match ended {
        Ok(exit::INTERRUPTED) => interrupt::code().into(),
        Ok(code) => code.into(),
        Err(failure) => {
            let code = failure.report();
            if matches!(failure, Failure::Usage(_)) {
                config::also_set(&settings).iter().for_each(|hint| output::help(hint));
            }
            code.into()
        }
    }
}

/// Executes the command, until Ctrl-C.
async fn execute(cli: Cli) -> Result<u8, Failure> {
    if cli.command.handles_interrupt() {
        return cli.command.execute(&cli.global, cli::command).await;
    }
    let mut interrupt = Interrupt::listen().await;
    tokio::select! {
        ended = cli.command.execute(&cli.global, cli::command) => ended,
        () = interrupt.pressed() => Ok(exit::INTERRUPTED),
    }
}
