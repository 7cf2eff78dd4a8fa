//! The commands, one file each: its arguments, and what it does.

mod completions;
mod diff;
mod doctor;
mod explain;
mod list;
mod man;
mod run;
mod schema;
mod serve;
mod show;
mod subject;
mod validate;
mod watch;

use clap::Subcommand;

use crate::args::GlobalArgs;
use crate::failure::Failure;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run scenarios
    Run(run::Args),
    /// Say in sentences what happened in a run, and why
    ///
    /// Numbers in brackets are those of events, which `halfopen run -o ndjson` shows. Ends with 0 if there was a run to explain,
    /// whatever its verdict.
    Explain(explain::Args),
    /// Show where two runs differ
    ///
    /// Compared is everything that happens. Sequence numbers, timestamps and ports that the system chooses begin elsewhere in
    /// every run, so relative ones are compared. Ends with 0 if the same happened and the same came out, with 1 if not.
    Diff(diff::Args),
    /// Run scenarios, and run them again whenever one is saved
    ///
    /// Does what `run` does with the same options, until Ctrl-C. A scenario that is wrong or gone for the moment is told, and
    /// watched all the same. A terminal is cleared before each run.
    Watch(run::Args),
    /// List the bundled scenarios
    List(list::Args),
    /// Print a bundled scenario
    Show(show::Args),
    /// Say what is wrong with scenarios, without running them
    Validate(validate::Args),
    /// Print the JSON Schema of scenarios, for editors
    Schema,
    /// Serve runs to other programs over gRPC
    ///
    /// Once it listens it prints one line of JSON, {"listening":"127.0.0.1:7950"}. Ctrl-C or SIGTERM lets open runs finish, a second one
    /// does not. Beyond this machine, give it a certificate (--tls-cert, --tls-key) and a token: HALFOPEN_TOKEN=$(openssl rand -hex
    /// 32). The log is on standard error; HALFOPEN_LOG says how much of it.
    Serve(serve::Args),
    /// Say what this program and its server are, and whether they get on
    ///
    /// A line for each finding: ok; warning, which keeps nothing from working; or problem. Where there is something to do, it says
    /// what. Ends with 0 without a problem, 1 if a run does not come out as it should, 2 if the options for the server are wrong, 4
    /// if no server answers, if it refuses (TLS, token), or if it shuts down.
    Doctor(doctor::Args),
    /// Print what a shell needs to complete commands, options and names
    ///
    /// zsh looks for it in the folders of `fpath`: `fpath+=~/.zfunc` before `compinit` in ~/.zshrc.
    Completions(completions::Args),
    /// Print the manual page, or write a page for each command
    Man(man::Args),
}

impl Command {
    /// Whether it ends by itself on Ctrl-C, with what is finished.
    pub(crate) const fn hears_interrupts(&self) -> bool {
        matches!(
            self,
            Command::Run(_) | Command::Explain(_) | Command::Diff(_) | Command::Watch(_) | Command::Serve(_)
        )
    }

    /// Executes it and returns the exit code. `whole` makes the whole command line, for the commands that describe it.
    pub(crate) async fn execute(
        self,
        global: &GlobalArgs,
        whole: fn() -> clap::Command,
    ) -> Result<u8, Failure> {
        match self {
            Command::Run(args) => run::execute(global, &args).await,
            Command::Diff(args) => diff::execute(global, &args).await,
            Command::Explain(args) => explain::execute(global, &args).await,
            Command::Watch(args) => watch::execute(global, &args).await,
            Command::List(args) => list::execute(global, &args).await,
            Command::Show(args) => show::execute(global, &args).await,
            Command::Validate(args) => validate::execute(global, &args).await,
            Command::Schema => schema::execute(),
            Command::Serve(args) => serve::execute(&args).await,
            Command::Doctor(args) => doctor::execute(global, &args).await,
            Command::Completions(args) => completions::execute(global, &args, whole()).await,
            Command::Man(args) => man::execute(&args, whole()),
        }
    }
}
