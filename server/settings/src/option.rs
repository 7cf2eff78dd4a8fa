//! What an option of the command line says about a value that is written elsewhere.

use std::error::Error as _;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

/// Why an option does not take a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong: "cannot be `x`: invalid digit found in string".
    pub reason: String,
    /// What to do.
    pub help: Option<String>,
}

/// Has an option check its values. `arguments` are those that would be typed: `--option=value`. Combinations with other options
/// are not checked.
pub fn check(command: &Command, option: &Arg, arguments: &[OsString]) -> Result<(), Refusal> {
    let tried = [OsString::from(command.get_name())].into_iter().chain(arguments.iter().cloned());
    match command.clone().try_get_matches_from(tried) {
        Err(error) if error.use_stderr() && !depends_on_others(error.kind()) => Err(refusal(option, &error)),
        _ => Ok(()),
    }
}

/// Whether an error is about a combination of options.
fn depends_on_others(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::ArgumentConflict
            | ErrorKind::MissingRequiredArgument
            | ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    )
}

/// The error of the option about the value.
fn refusal(option: &Arg, error: &clap::Error) -> Refusal {
    let strings = |kind| match error.get(kind) {
        Some(ContextValue::String(one)) => vec![format!("`{one}`")],
        Some(ContextValue::Strings(several)) => several.iter().map(|one| format!("`{one}`")).collect(),
        _ => Vec::new(),
    };
    let value = strings(ContextKind::InvalidValue).join(" ");
    let shown = if option.is_hide_env_values_set() || value.is_empty() { "that".to_owned() } else { value };
    let reason = match error.source() {
        Some(reason) => format!("cannot be {shown}: {reason}"),
        None => format!("cannot be {shown}"),
    };
    let help = match (strings(ContextKind::SuggestedValue).first(), strings(ContextKind::ValidValue)) {
        (Some(meant), _) => Some(format!("did you mean {meant}?")),
        (None, valid) if !valid.is_empty() => Some(format!("it is one of {}", valid.join(", "))),
        (None, _) => how_to_write(&option.to_string()).map(str::to_owned),
    };
    Refusal { reason, help }
}

/// How to write the value of an option, `--rows <N>`, for errors that do not say so.
pub fn how_to_write(option: &str) -> Option<&'static str> {
    let (_, value) = option.split_once('<')?;
    match value.trim_end_matches('>') {
        "N" => Some("N is a whole number"),
        "TIME" => Some("TIME is a number with a unit: 500ms, 5s, 2m"),
        "ADDRESS" => Some("ADDRESS is an IP address with a port: 127.0.0.1:7950, [::1]:7950"),
        _ => None,
    }
}
