//! The command line: reads arguments, does what they say, and ends with an exit code of [`exit`].

mod args;
mod exit;
mod input;
mod interrupt;
mod output;
mod run;
mod scenarios;

use std::io;
use std::process::ExitCode;

use clap::Parser;
use halfopen::client::{Client, ClientError};
use halfopend::{Config, Service};

use crate::args::{Cli, Command};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Where help cannot be written there is nobody to read why.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { exit::USAGE } else { exit::PASSED });
        }
    };
    cli.color.write_global();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::Start(error).end(),
    };
    let ended = runtime.block_on(execute(cli));
    // A run that was stopped may still be on its way out; nobody waits for it.
    runtime.shutdown_background();
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(failure) => failure.end(),
    }
}

async fn execute(cli: Cli) -> Result<u8, Failure> {
    let server = cli.server.as_deref();
    match cli.command {
        Command::Run(args) => run::run(server, &args).await,
        Command::List { output } => scenarios::list(server, output).await,
        Command::Show { name } => scenarios::show(server, &name).await,
        Command::Validate { files, output } => scenarios::validate(server, &files, output).await,
        Command::Schema => scenarios::schema(),
        Command::Serve(options) => {
            halfopend::log_to_stderr();
            halfopend::run(&options).await.map_err(Failure::Serve)?;
            Ok(exit::PASSED)
        }
    }
}

/// The service that was asked for, or one in this process.
async fn connect(server: Option<&str>) -> Result<Client, Failure> {
    match server {
        Some(address) => Ok(Client::connect(address).await?),
        None => {
            let service = Service::new(&Config::default()).map_err(Failure::Start)?;
            Ok(Client::new(service.connect(), "this process".to_owned()))
        }
    }
}

/// Why a command could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The arguments make no sense together with what is there.
    #[error("{0}")]
    Usage(String),
    /// The service cannot be reached, or refuses.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The results cannot be written.
    #[error("cannot write the results: {0}")]
    Output(#[from] io::Error),
    /// The operating system gives no threads.
    #[error("cannot start: {0}")]
    Start(io::Error),
    /// The service could not serve.
    #[error(transparent)]
    Serve(halfopend::ServeError),
}

impl Failure {
    /// Says what happened on standard error and gives the exit code. A reader that closed the pipe has what it wanted.
    fn end(&self) -> ExitCode {
        let code = match self {
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
            Failure::Usage(_) => exit::USAGE,
            Failure::Client(error) => exit::of_error(error),
            Failure::Output(_) | Failure::Start(_) => exit::UNFINISHED,
            Failure::Serve(_) => exit::NO_SERVER,
        };
        output::error(&self.to_string());
        if code == exit::NO_SERVER && matches!(self, Failure::Client(_)) {
            output::help(output::WITHOUT_SERVER);
        }
        ExitCode::from(code)
    }
}
