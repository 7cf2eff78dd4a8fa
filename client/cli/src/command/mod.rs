//! The commands, a file each: its arguments, and what it does.

mod completions;
mod diff;
mod doc;
mod doctor;
mod explain;
mod list;
mod man;
mod new;
mod run;
mod schema;
mod serve;
mod session;
mod show;
mod subject;
mod validate;
mod watch;

use clap::Subcommand;

pub(crate) use run::WHAT as WHAT_TO_RUN;

use crate::args::GlobalArgs;
use crate::failure::Failure;

/// A command.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run scenarios
    Run(run::Args),
    /// Explain in sentences what happened in a run, and why
    ///
    /// Numbers in brackets are sequence numbers of events; `halfopen run -o ndjson` shows these. The exit code is 0
    /// if there was a run to explain, whatever its verdict.
    Explain(explain::Args),
    /// Write a new scenario to start from
    New(new::Args),
    /// Explain the keys of scenarios
    ///
    /// Without KEY it lists those at the top. The same texts are in the JSON Schema (`halfopen schema`), where editors find
    /// them.
    Doc(doc::Args),
    /// Show where two runs differ
    ///
    /// All events are compared. Sequence numbers, timestamps and ephemeral ports start at different values in every
    /// run, so relative ones are compared. The exit code is 0 if the runs do not differ, and 1 if they do.
    Diff(diff::Args),
    /// Play a scenario step by step, from a prompt or a script
    ///
    /// You are the application on the hosts for which the scenario has no programs: listen, connect, send, let time pass,
    /// add faults. Each command shows the new rows of the ladder; `help` lists the commands. Ctrl-C stops a command, and
    /// Ctrl-D finishes: the rest is played, and the exit code is that of `run`. Without a terminal, the commands are read
    /// from standard input, one per line, and shown with their results; the end of the input finishes. The first mistake
    /// ends a script with 2, and an `advance until` that waits for what does not happen with 1.
    Session(session::Args),
    /// Run scenarios, and run them again whenever one of them is saved
    ///
    /// Does what `run` does with the same options, until Ctrl-C. A scenario that is invalid or missing is reported,
    /// and watched all the same. A terminal is cleared before each run.
    Watch(run::Args),
    /// List the bundled scenarios, or some of them
    List(list::Args),
    /// Print a bundled scenario
    Show(show::Args),
    /// Check scenarios without running them
    Validate(validate::Args),
    /// Print the JSON Schema of scenarios, for editors
    Schema,
    /// Serve runs to other programs over gRPC
    ///
    /// When it is ready it prints one line of JSON, {"listening":"127.0.0.1:7950"}. On Ctrl-C or SIGTERM it lets open
    /// runs finish; a second signal ends it at once. If others can reach it over the network, give it a certificate
    /// (--tls-cert, --tls-key) and a token: HALFOPEN_TOKEN=$(openssl rand -hex 32). It logs to standard error;
    /// HALFOPEN_LOG sets how much.
    Serve(serve::Args),
    /// Check the client, the server and whether they are compatible
    ///
    /// Prints a line for each finding: ok, warning (everything works nevertheless) or problem, and what to do about
    /// it. The exit code is 0 if there is no problem, 1 if a run does not come out as it should, 2 if the options for
    /// the server are wrong, 4 if no server answers, or if it refuses the connection (TLS, token) or is shutting
    /// down.
    Doctor(doctor::Args),
    /// Print a shell completion script for commands, options and names
    ///
    /// zsh reads it from a folder of `fpath`: put `fpath+=~/.zfunc` before `compinit` in ~/.zshrc.
    Completions(completions::Args),
    /// Print the manual page, or write a page for each command
    Man(man::Args),
}

impl Command {
    /// Whether it handles Ctrl-C itself, and writes what is finished. Other commands are dropped.
    pub(crate) const fn handles_interrupt(&self) -> bool {
        matches!(
            self,
            Command::Run(_)
                | Command::Explain(_)
                | Command::Diff(_)
                | Command::Session(_)
                | Command::Watch(_)
                | Command::Serve(_)
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
            Command::Session(args) => session::execute(global, &args).await,
            Command::Watch(args) => watch::execute(global, &args).await,
            Command::List(args) => list::execute(global, &args).await,
            Command::Show(args) => show::execute(global, &args).await,
            Command::Validate(args) => validate::execute(global, &args).await,
            Command::New(args) => new::execute(global, &args).await,
            Command::Doc(args) => doc::execute(&args),
            Command::Schema => schema::execute(),
            Command::Serve(args) => serve::execute(&args).await,
            Command::Doctor(args) => doctor::execute(global, &args).await,
            Command::Completions(args) => completions::execute(global, &args, whole()).await,
            Command::Man(args) => man::execute(&args, whole()),
        }
    }
}
