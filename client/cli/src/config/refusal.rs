//! Why no command is executed, and what to do about it.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use halfopen_settings::{Mistake, how_to_write};

use crate::failure::Failure;
use crate::{exit, help, output};

/// Why no command is executed.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The arguments are wrong, or ask for help; with hints.
    Arguments(clap::Error, Vec<String>),
    /// The environment or the file is wrong, or an argument would have no effect.
    Mistakes(Vec<Mistake>),
}

impl From<clap::Error> for Refusal {
    fn from(error: clap::Error) -> Refusal {
        Refusal::Arguments(error, Vec::new())
    }
}

impl Refusal {
    /// Prints what is wrong, or the help that was requested, and returns the exit code.
    pub(crate) fn report(&self) -> u8 {
        match self {
            Refusal::Arguments(error, _) if !error.use_stderr() => match error.print() {
                Ok(()) => exit::PASSED,
                Err(error) => Failure::Output(error).report(),
            },
            Refusal::Arguments(error, hints) => {
                // If it cannot be written, nobody wants to read it.
                let _ = error.print();
                hints.iter().for_each(|hint| output::help(hint));
                exit::USAGE
            }
            Refusal::Mistakes(mistakes) => {
                for Mistake { text, help } in mistakes {
                    output::error(text);
                    help.iter().for_each(|help| output::help(help));
                }
                exit::USAGE
            }
        }
    }
}

/// What to do about wrong arguments, where clap does not say so. `settings` are those from the environment and the
/// file.
pub(super) fn hints(
    error: &clap::Error,
    arguments: &[OsString],
    name: &str,
    settings: &[String],
) -> Vec<String> {
    let mut hints = Vec::new();
    match (error.kind(), error.get(ContextKind::InvalidSubcommand)) {
        (ErrorKind::InvalidSubcommand, Some(ContextValue::String(unknown)))
            if error.get(ContextKind::SuggestedSubcommand).is_none()
                && arguments.get(1).is_some_and(|first| first != "help") =>
        {
            hints.push(format!("if that is a scenario: halfopen run {unknown}"));
        }
        (ErrorKind::MissingRequiredArgument, _) => {
            hints.extend(help::examples(name).first().map(|(line, _)| format!("for example: {line}")));
            hints.extend(also_set(settings));
        }
        (ErrorKind::ArgumentConflict, _) => hints.extend(also_set(settings)),
        (ErrorKind::ValueValidation, _) => {
            if let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) {
                hints.extend(how_to_write(option).map(str::to_owned));
            }
        }
        _ => {}
    }
    hints
}

/// The settings that may have to do with the error.
pub(crate) fn also_set(settings: &[String]) -> Option<String> {
    (!settings.is_empty()).then(|| format!("also set: {}", settings.join(", ")))
}
