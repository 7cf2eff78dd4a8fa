//! The commands, one file each: its arguments, and what it does.

mod doctor;
mod explain;
mod list;
mod run;
mod schema;
mod serve;
mod show;
mod validate;

use clap::Subcommand;

use crate::args::GlobalArgs;
use crate::failure::Failure;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run scenarios
    Run(run::Args),
    /// Say in sentences what happened in a run, and why
    Explain(explain::Args),
    /// List the bundled scenarios
    List(list::Args),
    /// Print a bundled scenario
    Show(show::Args),
    /// Say what is wrong with scenarios, without running them
    Validate(validate::Args),
    /// Print the JSON Schema of scenarios, for editors
    Schema,
    /// Serve runs to other programs over gRPC
    Serve(serve::Args),
    /// Say what this program and its server are, and whether they get on
    Doctor(doctor::Args),
}

impl Command {
    /// Does it, and gives the exit code.
    pub(crate) async fn execute(self, global: &GlobalArgs) -> Result<u8, Failure> {
        match self {
            Command::Run(args) => run::execute(global, &args).await,
            Command::Explain(args) => explain::execute(global, &args).await,
            Command::List(args) => list::execute(global, &args).await,
            Command::Show(args) => show::execute(global, &args).await,
            Command::Validate(args) => validate::execute(global, &args).await,
            Command::Schema => schema::execute(),
            Command::Serve(args) => serve::execute(&args).await,
            Command::Doctor(args) => doctor::execute(global, &args).await,
        }
    }
}
