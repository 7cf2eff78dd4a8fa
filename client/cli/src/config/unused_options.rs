//! Options on the command line that would have no effect: whoever types one expects something of it.

use std::path::Path;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use crate::command::WHAT_TO_RUN;
use crate::without::WITHOUT_SERVER;
use crate::{picture_args, recording};

/// Whether an option stands on the command line.
pub(super) fn is_typed(typed: &ArgMatches, id: &str) -> bool {
    typed.ids().any(|known| known == id) && typed.value_source(id) == Some(ValueSource::CommandLine)
}

/// The error if an option on the command line has no effect together with the command and the other options. The
/// environment and the file may set options for all commands.
pub(super) fn unused(command: &Command, typed: &ArgMatches, all: &ArgMatches) -> Option<String> {
    for_no_server(command.get_name(), typed, all)
        .or_else(|| for_server(typed, all))
        .or_else(|| for_no_picture(command, typed, all))
        .or_else(|| for_recording(command, typed))
}

fn for_no_server(name: &str, typed: &ArgMatches, all: &ArgMatches) -> Option<String> {
    if WITHOUT_SERVER.contains(&name) {
        // The token of `serve` is the one that clients send.
        let mut ids = ["server", "ca", "token"].into_iter().filter(|id| (name, *id) != ("serve", "token"));
        return ids.find(|id| is_typed(typed, id)).map(|id| format!("--{id} has no effect with `{name}`"));
    }
    let alone = ["ca", "token"].into_iter().find(|id| is_typed(typed, id))?;
    (!is_set(all, "server")).then(|| format!("--{alone} has no effect without --server"))
}

/// A server has its own budget for runs.
fn for_server(typed: &ArgMatches, all: &ArgMatches) -> Option<String> {
    let server = typed.try_contains_id("server").is_ok() && is_set(all, "server");
    let id =
        typed.ids().map(clap::Id::as_str).find(|id| id.starts_with("max_run_") && is_typed(typed, id))?;
    server
        .then(|| format!("--{} has no effect with --server, which has its own limits", id.replace('_', "-")))
}

fn for_no_picture(command: &Command, typed: &ArgMatches, all: &ArgMatches) -> Option<String> {
    let form = if is_set(all, "output") { all.get_raw("output")?.next()?.to_str()? } else { return None };
    if !matches!(form, "json" | "ndjson") || is_set(all, "reports") {
        return None;
    }
    let of_picture = |option: &&Arg| option.get_help_heading() == Some(picture_args::HEADING);
    let mut options = command.get_arguments().filter(of_picture);
    let option = options.find(|option| is_typed(typed, option.get_id().as_str()))?.get_long()?;
    Some(format!("--{option} has no effect with --output {form}, which has no picture"))
}

/// A recording is drawn; nothing is run.
fn for_recording(command: &Command, typed: &ArgMatches) -> Option<String> {
    let inputs = typed.try_get_many::<String>("inputs").ok()??;
    if !inputs.into_iter().any(|input| recording::is_recording(Path::new(input))) {
        return None;
    }
    let of_runs =
        |option: &&Arg| option.get_help_heading() == Some(WHAT_TO_RUN) && option.get_id() != "filter";
    let options = command.get_arguments().filter(of_runs).map(|option| option.get_id().as_str());
    let option = options.chain(["server", "ca", "token"]).find(|id| is_typed(typed, id))?;
    let long = command.get_arguments().find(|known| known.get_id() == option)?.get_long()?;
    Some(format!("--{long} has no effect on a recording: leave it out"))
}

fn is_set(all: &ArgMatches, id: &str) -> bool {
    all.ids().any(|known| known == id)
}
