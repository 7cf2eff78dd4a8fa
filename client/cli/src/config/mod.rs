//! Options from the environment and from `halfopen.toml`.
//!
//! Arguments take precedence over `HALFOPEN_*`, which takes precedence over the file, which takes precedence over the
//! defaults. What the environment and the file say is inserted after the name of the command, as if it had been typed
//! there: an option means the same wherever it is written, and a new one has its variable and its key at once. A
//! setting is ignored if a place of higher precedence sets the same option, or one that excludes it.

mod file;
mod refusal;
mod setting;
mod unused_options;

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use anstream::ColorChoice;
use clap::{Arg, ArgAction, ArgMatches, Args as _, Command, FromArgMatches as _};
use halfopen_settings::Mistake;
use halfopen_view::words;

use self::setting::{Layer, Setting};
use crate::args::GlobalArgs;
use crate::cli::{self, Cli};
use crate::output;
use crate::without::WITHOUT_SETTINGS;

pub(crate) use self::refusal::{Refusal, also_set};

/// Options that neither the environment nor `halfopen.toml` can set.
const NOT_SETTABLE: [&str; 4] = ["config", "help", "no-config", "version"];

/// The prefix of environment variables.
const PREFIX: &str = "HALFOPEN_";

/// The prefix of the id of the opposite of a flag.
const NOT: &str = "not ";

/// Where settings come from, besides the arguments.
pub(crate) struct Surroundings<'a> {
    /// The value of an environment variable.
    pub(crate) variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// The names of all variables that begin with `HALFOPEN_`.
    pub(crate) names: Vec<String>,
    /// The folder in which the search for the file begins; it goes upwards.
    pub(crate) folder: Option<PathBuf>,
}

impl Surroundings<'_> {
    /// Those of this process.
    pub(crate) fn of_process() -> Surroundings<'static> {
        let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        Surroundings {
            variable: &|name| env::var_os(name),
            names: names.filter(|name| name.starts_with(PREFIX)).collect(),
            folder: env::current_dir().ok(),
        }
    }
}

/// Reads the arguments, the environment and the file. [`GlobalArgs`] has the file that was read, and the settings
/// that are in effect.
pub(crate) fn read(arguments: &[OsString], around: &Surroundings<'_>) -> Result<Cli, Refusal> {
    let Read { matches, file, settings, unknown } = matches(arguments, around)?;
    for Mistake { text, help } in unknown {
        output::warning(&text);
        help.iter().for_each(|help| output::help(help));
    }
    let mut cli = Cli::from_arg_matches(&matches)?;
    cli.global.config = file;
    cli.global.settings = settings;
    Ok(cli)
}

struct Read {
    matches: ArgMatches,
    file: Option<PathBuf>,
    settings: Vec<String>,
    /// Variables that set nothing.
    unknown: Vec<Mistake>,
}

fn matches(arguments: &[OsString], around: &Surroundings<'_>) -> Result<Read, Refusal> {
    let command = command();
    // Help is given whatever the settings are; errors are reported once everything is known.
    let typed = command.clone().ignore_errors(true).try_get_matches_from(arguments)?;
    if let Ok(Some(when)) = typed.try_get_one::<ColorChoice>("color") {
        when.write_global();
    }
    let mut all = arguments.to_vec();
    let mut in_effect = Vec::new();
    let mut file = None;
    let mut unknown = Vec::new();
    if let (Some((name, typed)), Some(at)) = (typed.subcommand(), end_of_command_name(arguments))
        && !WITHOUT_SETTINGS.contains(&name)
    {
        unknown = unknown_variables(&command, around);
        file = file_for(typed, around);
        let settings = find(&command, name, around, file.as_ref()).map_err(Refusal::Mistakes)?;
        let strongest = strongest(&command, name, typed, settings);
        in_effect
            .extend(strongest.iter().map(|(setting, _)| format!("`{}` by {}", setting.name, setting.place)));
        all.splice(at..at, strongest.into_iter().flat_map(|(_, arguments)| arguments));
    }
    let name = typed.subcommand_name().unwrap_or_default();
    let read = command.clone().try_get_matches_from(all);
    let matches = read.map_err(|error| {
        let hints = refusal::hints(&error, arguments, name, &in_effect);
        Refusal::Arguments(error, hints)
    })?;
    if let (Some(command), Some((_, typed)), Some((_, all))) =
        (command.find_subcommand(name), typed.subcommand(), matches.subcommand())
        && let Some(text) = unused_options::unused(command, typed, all)
    {
        return Err(Refusal::Mistakes(vec![Mistake { text, help: None }]));
    }
    Ok(Read { matches, file, settings: in_effect, unknown })
}

/// The command line for reading: clap reads no environment variables, and each flag has an opposite that takes it
/// back if the environment or the file sets it: `--no-timers`, `--fold`.
fn command() -> Command {
    let prepare = |command: Command| {
        let command = command.mut_args(|arg| arg.env(None::<&str>));
        let longs: BTreeSet<_> = command.get_arguments().filter_map(Arg::get_long).collect();
        let opposites: Vec<Arg> = command.get_arguments().filter_map(|flag| opposite(flag, &longs)).collect();
        command.args(opposites)
    };
    let mut command = prepare(cli::command()).mut_subcommands(prepare);
    command.build();
    command
}

fn opposite(flag: &Arg, longs: &BTreeSet<&str>) -> Option<Arg> {
    let long = flag.get_long().filter(|_| is_flag(flag) && !flag.is_global_set())?;
    let name = long.strip_prefix("no-").map_or_else(|| format!("no-{long}"), str::to_owned);
    let free = !longs.contains(name.as_str());
    let opposite =
        Arg::new(format!("{NOT}{}", flag.get_id())).long(name).action(ArgAction::SetTrue).hide(true);
    free.then(|| opposite.overrides_with(flag.get_id()))
}

fn is_flag(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::SetTrue)
}

/// The options of a command that the environment and the file can set, with their long names.
fn options(command: &Command) -> impl Iterator<Item = (&str, &Arg)> {
    let named = command.get_arguments().filter_map(|option| Some((option.get_long()?, option)));
    named.filter(|(long, option)| !option.is_hide_set() && !NOT_SETTABLE.contains(long))
}

/// The environment variable that sets an option: `HALFOPEN_TLS_CERT` for `--tls-cert`.
fn variable_name(long: &str) -> String {
    format!("{PREFIX}{}", long.to_uppercase().replace('-', "_"))
}

/// The variables that look like settings and set no option of any command.
fn unknown_variables(command: &Command, around: &Surroundings<'_>) -> Vec<Mistake> {
    let longs = command.get_subcommands().flat_map(options).map(|(long, _)| variable_name(long));
    let known: BTreeSet<String> =
        longs.chain([variable_name("config"), halfopend::LOG_VARIABLE.to_owned()]).collect();
    let unknown = around.names.iter().filter(|name| !known.contains(*name));
    let mistake = |name: &String| Mistake {
        text: format!("{name} sets no option"),
        help: words::nearest(name, known.iter().map(String::as_str))
            .map(|near| format!("did you mean {near}?")),
    };
    unknown.map(mistake).collect()
}

/// The position after the name of the command in the arguments.
fn end_of_command_name(arguments: &[OsString]) -> Option<usize> {
    // To a parser that knows no commands, everything after the name belongs to it.
    let outer = GlobalArgs::augment_args(Command::new("halfopen")).mut_args(|arg| arg.env(None::<&str>));
    let outer = outer.allow_external_subcommands(true).ignore_errors(true);
    let typed = outer.try_get_matches_from(arguments).ok()?;
    let (_, behind) = typed.subcommand()?;
    Some(arguments.len() - behind.get_many::<OsString>("").map_or(0, Iterator::count))
}

/// The file to read: the one that is named, or else the nearest.
fn file_for(typed: &ArgMatches, around: &Surroundings<'_>) -> Option<PathBuf> {
    if typed.get_flag("no_config") {
        return None;
    }
    let variable = || (around.variable)(&variable_name("config")).filter(|value| !value.is_empty());
    let named = typed.get_one::<PathBuf>("config").cloned().or_else(|| variable().map(PathBuf::from));
    named.or_else(|| file::nearest(around.folder.as_deref()?))
}

/// What the environment says about the options of a command, and everything in the file.
fn find(
    command: &Command,
    name: &str,
    around: &Surroundings<'_>,
    file: Option<&PathBuf>,
) -> Result<Vec<Setting>, Vec<Mistake>> {
    let mut settings = Vec::new();
    for (long, _) in command.find_subcommand(name).into_iter().flat_map(options) {
        let variable = variable_name(long);
        if let Some(value) = (around.variable)(&variable).filter(|value| !value.is_empty()) {
            settings.push(Setting::of_variable(long, variable, value));
        }
    }
    let mut mistakes = Vec::new();
    match file.map(|path| file::read(path, command)) {
        None => {}
        Some(Ok(found)) => settings.extend(found),
        Some(Err(found)) => mistakes.extend(found),
    }
    mistakes.extend(settings.iter().filter_map(|setting| setting.mistake(command, name)));
    if mistakes.is_empty() { Ok(settings) } else { Err(mistakes) }
}

/// The settings that are in effect for a command, each with its arguments.
fn strongest(
    command: &Command,
    name: &str,
    typed: &ArgMatches,
    mut settings: Vec<Setting>,
) -> Vec<(Setting, Vec<OsString>)> {
    let Some(command) = command.find_subcommand(name) else { return Vec::new() };
    let ids = typed.ids().map(clap::Id::as_str).filter(|id| unused_options::is_typed(typed, id));
    let typed = ids.map(|id| id.strip_prefix(NOT).unwrap_or(id));
    let typed = typed.filter_map(|id| command.get_arguments().find(|option| option.get_id() == id));
    let mut decided: Vec<(Layer, &Arg, bool)> =
        typed.map(|option| (Layer::Arguments, option, true)).collect();
    let mut strongest = Vec::new();

    settings.retain(|setting| setting.table.as_deref().is_none_or(|table| table == name));
    settings.sort_by_key(Setting::layer);
    for setting in settings {
        let Some((_, option)) = options(command).find(|(long, _)| *long == setting.name) else { continue };
        let Ok(arguments) = setting.arguments(command, option) else { continue };
        let layer = setting.layer();
        let beaten = |(stronger, other, set): &(Layer, &Arg, bool)| {
            option.get_id() == other.get_id()
                || (*set && *stronger < layer && exclude(command, option, other))
        };
        if !decided.iter().any(beaten) {
            decided.push((layer, option, !arguments.is_empty()));
            if !arguments.is_empty() {
                strongest.push((setting, arguments));
            }
        }
    }
    strongest
}

/// Whether two options cannot be used together.
fn exclude(command: &Command, one: &Arg, other: &Arg) -> bool {
    let excludes = |one: &Arg, other: &Arg| {
        command.get_arg_conflicts_with(one).iter().any(|excluded| excluded.get_id() == other.get_id())
    };
    excludes(one, other) || excludes(other, one)
}

#[cfg(test)]
mod tests;
