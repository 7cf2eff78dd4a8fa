//! The command line as a whole.

use clap::{CommandFactory as _, Parser};

use crate::args::GlobalArgs;
use crate::command::Command;
use crate::help;

/// Runs TCP scenarios in virtual time and shows what happens
///
/// A scenario names hosts, what their applications do, the network between them, faults, and expectations.
#[derive(Debug, Parser)]
#[command(name = "halfopen", version)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The command line, with the examples and notes of its help.
pub(crate) fn command() -> clap::Command {
    help::complete(Cli::command())
}

#[cfg(test)]
mod tests {
    use super::command;
    use crate::help::examples;

    #[test]
    fn the_arguments_fit_together() {
        command().debug_assert();
    }

    #[test]
    fn every_command_has_examples_of_itself() {
        for command in command().get_subcommands() {
            let (name, examples) = (command.get_name(), examples(command.get_name()));
            assert!(!examples.is_empty(), "halfopen {name} has no examples");
            let width = examples.iter().map(|(line, _)| line.len()).max().unwrap_or(0);
            for (line, meaning) in examples {
                assert!(line.contains(&format!("halfopen {name}")), "{name}: {line}");
                assert!(width + meaning.len() <= 94, "{name}: fits into a line: {line}");
            }
        }
    }
}
