//! The arguments.

use anstream::ColorChoice;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser as _;
use clap::{Args, Parser, Subcommand, ValueEnum};
use halfopen::ladder::LadderOptions;
use halfopend::ServeOptions;

const EXIT_CODES: &str = "\
Exit codes:
  0    every expectation held
  1    an expectation is broken, or something in the scenario did not happen
  2    the arguments are wrong
  3    the scenario is wrong
  4    no server answers
  5    not finished: a limit, a deadline, or the server ended it
  130  interrupted
Several runs end with the largest of theirs.";

/// Runs TCP scenarios in virtual time and says what happened.
///
/// A scenario names hosts, what their applications do, the network between them, what breaks, and what is expected.
#[derive(Debug, Parser)]
#[command(name = "halfopen", version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    /// The service to use, as http://host:port; without it, one inside this process
    #[arg(long, global = true, value_name = "URL", env = "HALFOPEN_SERVER")]
    pub(crate) server: Option<String>,

    /// When to use colours; NO_COLOR and CLICOLOR_FORCE are heeded by `auto`
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", value_parser = color())]
    pub(crate) color: ColorChoice,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run scenarios
    Run(RunArgs),
    /// List the bundled scenarios
    List {
        /// How to write the list
        #[arg(long, short, value_enum, default_value_t)]
        output: Output,
    },
    /// Print a bundled scenario
    Show {
        /// Its name, or subject/name
        name: String,
    },
    /// Say what is wrong with scenarios, without running them
    Validate {
        /// Scenario files, directories of them, names of bundled scenarios, or - for standard input
        #[arg(required = true, value_name = "FILE|DIRECTORY|NAME")]
        files: Vec<String>,
        /// How to write the result
        #[arg(long, short, value_enum, default_value_t)]
        output: Output,
    },
    /// Print the JSON Schema of scenarios, for editors
    Schema,
    /// Serve runs to other programs over gRPC
    Serve(ServeOptions),
}

/// What to run, and how to write it.
#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// Scenario files, directories of them, names of bundled scenarios, or - for standard input
    #[arg(required = true, value_name = "FILE|DIRECTORY|NAME")]
    pub(crate) inputs: Vec<String>,

    /// Run this variant of a scenario that has several, instead of all; also written NAME/VARIANT
    #[arg(long, value_name = "VARIANT")]
    pub(crate) variant: Option<String>,

    /// Everything random in a run follows from it [default: 1]
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,

    /// How to write the results
    #[arg(long, short, value_enum, default_value_t)]
    pub(crate) output: Output,

    /// Show in the ladder when timers are set, fire and are cancelled
    #[arg(long)]
    pub(crate) timers: bool,

    /// Rows of a ladder; of more, those in the middle are left out
    #[arg(long, value_name = "N", default_value_t = LadderOptions::default().rows)]
    pub(crate) rows: usize,
}

/// A form of results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people
    #[default]
    Text,
    /// One JSON object a line: for each run its verdict and what led to it
    Json,
    /// Every event as proto3 JSON, one a line; elsewhere the same as json
    Ndjson,
}

fn color() -> impl clap::builder::TypedValueParser<Value = ColorChoice> {
    PossibleValuesParser::new(["auto", "always", "never"]).map(|when| match when.as_str() {
        "always" => ColorChoice::Always,
        "never" => ColorChoice::Never,
        _ => ColorChoice::Auto,
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_arguments_fit_together() {
        Cli::command().debug_assert();
    }
}
