//! `halfopend.toml`: the options of the server, its tenants, and whose JWTs it trusts.

mod section;
mod tenants;

use std::any::TypeId;
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, Id};
use halfopen_settings::{Document, Mistake, Refusal, check, did_you_mean, text};
use time::OffsetDateTime;
use toml::de::{DeTable, DeValue};

use self::section::{File, Section};
use crate::tenants::{Roster, Tenants};

/// The keys of a file that are no options.
const TABLES: [&str; 2] = ["tenants", "issuers"];
/// Options that a file cannot set.
const NOT_SETTABLE: [&str; 3] = ["config", "help", "version"];

/// What a file says. Its tenants can be read again while the server runs.
#[derive(Clone, Debug)]
pub struct Setup {
    path: PathBuf,
    /// The command line, which says which options there are. It reads no environment.
    command: Command,
    arguments: Vec<(Id, Vec<OsString>)>,
    tenants: Option<Tenants>,
}

/// Everything that is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct SetupError(Vec<Mistake>);

impl fmt::Display for SetupError {
    /// One mistake a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(Mistake::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl SetupError {
    fn new(text: String) -> SetupError {
        SetupError(vec![Mistake { text, help: None }])
    }
}

impl Setup {
    /// Reads a file for a program with these options.
    pub fn read(path: &Path, command: &Command) -> Result<Setup, SetupError> {
        let mut command = command.clone().mut_args(|arg| arg.env(None::<&str>));
        command.build();
        let (arguments, roster) = read(path, &command)?;
        let tenants = (!roster.tenants.is_empty()).then(|| Tenants::new(roster));
        Ok(Setup { path: path.to_owned(), command, arguments, tenants })
    }

    /// The arguments that say the same, of the options that neither the command line nor the environment sets.
    pub fn arguments(&self, typed: &ArgMatches) -> impl Iterator<Item = OsString> {
        let is_set = |id: &Id| {
            let known = typed.ids().any(|known| known == id);
            let source = if known { typed.value_source(id.as_str()) } else { None };
            matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
        };
        let unset = self.arguments.iter().filter(move |(id, _)| !is_set(id));
        unset.flat_map(|(_, arguments)| arguments.iter().cloned())
    }

    /// The tenants, if there are any. Clones see what is read later.
    pub fn tenants(&self) -> Option<Tenants> {
        self.tenants.clone()
    }

    /// Reads the tenants again, for calls from now on; returns what they are. If anything is wrong with the file, everything stays
    /// as it is.
    pub(crate) fn reload(&self) -> Result<String, SetupError> {
        let (_, roster) = read(&self.path, &self.command)?;
        let Some(tenants) = self.tenants.as_ref().filter(|_| !roster.tenants.is_empty()) else {
            // Whether calls need a credential is decided at the start.
            return match (&self.tenants, roster.tenants.is_empty()) {
                (None, true) => Ok(summary(&roster)),
                _ => Err(SetupError::new(format!(
                    "{}: the first tenant comes, and the last one goes, with a restart",
                    self.path.display()
                ))),
            };
        };
        let old = tenants.roster();
        for (new, old) in roster.issuers.iter().flat_map(|new| old.issuers.iter().map(move |old| (new, old)))
        {
            new.keys.adopt(&old.keys);
        }
        let summary = summary(&roster);
        tenants.replace(roster);
        Ok(summary)
    }

    /// What the file says about tenants: `2 tenants, 3 tokens, 1 issuer`.
    pub(crate) fn summary(&self) -> String {
        self.tenants.as_ref().map_or_else(|| "no tenants".to_owned(), |tenants| summary(&tenants.roster()))
    }

    /// The tokens, by tenant and name, with what each is.
    pub(crate) fn tokens(&self, now: OffsetDateTime) -> Vec<[String; 4]> {
        let roster = self.tenants.as_ref().map(Tenants::roster);
        let issued = roster.iter().flat_map(|roster| roster.tokens.values());
        let row = |issued: &crate::tenants::Issued| {
            let expires = match issued.expires {
                None => "never".to_owned(),
                Some(expires) if issued.has_expired(now) => format!("expired {}", expires.date()),
                Some(expires) => expires.date().to_string(),
            };
            let principal = &issued.principal;
            [principal.tenant.to_string(), issued.name.clone(), principal.role.to_string(), expires]
        };
        let mut rows: Vec<[String; 4]> = issued.map(row).collect();
        rows.sort();
        rows
    }
}

fn summary(roster: &Roster) -> String {
    let count = |number: usize, what: &str| match number {
        1 => format!("1 {what}"),
        _ => format!("{number} {what}s"),
    };
    let Roster { tenants, tokens, certificates, issuers } = roster;
    let certificates = count(certificates.len(), "certificate");
    let issuers = count(issuers.len(), "issuer");
    format!("{}, {}, {certificates}, {issuers}", count(tenants.len(), "tenant"), count(tokens.len(), "token"))
}

type Contents = (Vec<(Id, Vec<OsString>)>, Roster);

fn read(path: &Path, command: &Command) -> Result<Contents, SetupError> {
    let document = Document::read(path)
        .map_err(|error| SetupError::new(format!("cannot read `{}`: {error}", path.display())))?;
    let tables = document.parse().map_err(SetupError)?;
    let file = File::new(&document);
    let arguments = options(&file, &tables, command);
    let roster = tenants::roster(&Section::new(&file, String::new(), 0..0, &tables));
    match file.into_mistakes() {
        mistakes if mistakes.is_empty() => Ok((arguments, roster)),
        mistakes => Err(SetupError(mistakes)),
    }
}

/// The options that the top of a file sets.
fn options(file: &File<'_>, tables: &DeTable<'_>, command: &Command) -> Vec<(Id, Vec<OsString>)> {
    let settable = || {
        let named = command.get_arguments().filter_map(|option| Some((option.get_long()?, option)));
        named.filter(|(long, _)| !NOT_SETTABLE.contains(long))
    };
    let mut options = Vec::new();
    for (key, value) in tables {
        let name = key.get_ref().as_ref();
        if TABLES.contains(&name) {
            continue;
        }
        let Some((_, option)) = settable().find(|(long, _)| *long == name) else {
            let help = did_you_mean(name, settable().map(|(long, _)| long).chain(TABLES));
            file.wrong(&key.span(), format!("there is no option `{name}`"), help);
            continue;
        };
        match arguments(option, value.get_ref(), file.document.folder()) {
            None => {
                let kind = value.get_ref().type_str();
                file.wrong(&value.span(), format!("`{name}` takes no {kind}"), None);
            }
            Some(arguments) => match check(command, option, &arguments) {
                Ok(()) => options.push((option.get_id().clone(), arguments)),
                Err(Refusal { reason, help }) => {
                    file.wrong(&value.span(), format!("`{name}` {reason}"), help);
                }
            },
        }
    }
    options
}

/// The arguments that give an option a value.
fn arguments(option: &Arg, value: &DeValue<'_>, folder: &Path) -> Option<Vec<OsString>> {
    let long = format!("--{}", option.get_long()?);
    let is_flag = matches!(option.get_action(), ArgAction::SetTrue);
    let is_path = option.get_value_parser().type_id() == TypeId::of::<PathBuf>();
    let argument = |value: &DeValue<'_>| {
        let value = text(value)?;
        let mut argument = OsString::from(format!("{long}="));
        argument.push(if is_path { folder.join(value).into_os_string() } else { value.into() });
        Some(argument)
    };
    match value {
        DeValue::Boolean(switch) if is_flag => Some(if *switch { vec![long.into()] } else { Vec::new() }),
        _ if is_flag => None,
        DeValue::Array(values) if matches!(option.get_action(), ArgAction::Append) => {
            values.iter().map(|value| argument(value.get_ref())).collect()
        }
        value => Some(vec![argument(value)?]),
    }
}

#[cfg(test)]
mod tests;
