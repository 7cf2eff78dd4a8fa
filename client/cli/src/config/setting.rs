//! What a variable or a key says about an option.

use std::any::TypeId;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, Command};
use halfopen_settings::{Mistake, Refusal, check};

use super::{is_flag, options};
use crate::report::Report;

/// Where a setting comes from, in order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Layer {
    Arguments,
    Environment,
    /// The command's table of the file.
    Table,
    /// The top of the file: for every command that has the option.
    Top,
}

/// What a variable or a key says about an option.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// The option's long name.
    pub(super) name: String,
    /// Where it is written: `HALFOPEN_SEED`, `halfopen.toml:3:8`.
    pub(super) place: String,
    /// The only command that it is for.
    pub(super) table: Option<String>,
    pub(super) value: Value,
}

/// A value as it is written.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Of an environment variable.
    Variable(OsString),
    /// `true` and `false` in a file.
    Switch(bool),
    /// Any other value in a file, single or in a list. Paths are relative to the folder of the file.
    Texts(Vec<String>, PathBuf),
}

impl Setting {
    /// A setting by an environment variable.
    pub(super) fn of_variable(name: &str, variable: String, value: OsString) -> Setting {
        Setting { name: name.to_owned(), place: variable, table: None, value: Value::Variable(value) }
    }

    pub(super) fn layer(&self) -> Layer {
        match (&self.value, &self.table) {
            (Value::Variable(_), _) => Layer::Environment,
            (_, Some(_)) => Layer::Table,
            (_, None) => Layer::Top,
        }
    }

    /// What is wrong with it. A setting for all commands may have a value that only some of them know.
    pub(super) fn mistake(&self, root: &Command, name: &str) -> Option<Mistake> {
        let meant = root.get_subcommands().filter(|command| match &self.table {
            Some(table) => command.get_name() == table,
            None => true,
        });
        let mut mistake = None;
        for command in meant {
            let Some((_, option)) = options(command).find(|(long, _)| *long == self.name) else { continue };
            match self.arguments(command, option) {
                Ok(_) => return None,
                Err(wrong) if mistake.is_none() || command.get_name() == name => mistake = Some(wrong),
                Err(_) => {}
            }
        }
        mistake
    }

    /// The equivalent arguments; none if it only says that a flag is not set.
    pub(super) fn arguments(&self, command: &Command, option: &Arg) -> Result<Vec<OsString>, Mistake> {
        let long = format!("--{}", self.name);
        if is_flag(option) {
            return Ok(if self.switch()? { vec![long.into()] } else { Vec::new() });
        }
        let values = self.values(option)?;
        let argument = |value: OsString| {
            let mut argument = OsString::from(format!("{long}="));
            argument.push(value);
            argument
        };
        let arguments: Vec<OsString> = values.into_iter().map(argument).collect();
        // The option itself checks the value; combinations with other options are not checked here.
        match check(command, option, &arguments) {
            Ok(()) => Ok(arguments),
            Err(Refusal { reason, help }) => Err(self.wrong(&reason, help)),
        }
    }

    fn switch(&self) -> Result<bool, Mistake> {
        let word = match &self.value {
            Value::Switch(switch) => return Ok(*switch),
            Value::Variable(value) => value.to_string_lossy().to_lowercase(),
            Value::Texts(..) => return Err(self.wrong("is either true or false", None)),
        };
        match word.as_str() {
            "1" | "true" | "yes" | "on" => Ok(true),
            "0" | "false" | "no" | "off" => Ok(false),
            _ => Err(self.wrong(&format!("is either true or false, not `{word}`"), None)),
        }
    }

    fn values(&self, option: &Arg) -> Result<Vec<OsString>, Mistake> {
        let several = matches!(option.get_action(), ArgAction::Append);
        let (texts, folder) = match &self.value {
            Value::Variable(value) => match value.to_str().filter(|_| several) {
                // A file name may have any other character in it.
                Some(lines) => {
                    return Ok(lines.lines().filter(|line| !line.is_empty()).map(OsString::from).collect());
                }
                None => return Ok(vec![value.clone()]),
            },
            Value::Switch(switch) => return Ok(vec![switch.to_string().into()]),
            Value::Texts(texts, folder) => (texts, folder),
        };
        if texts.len() != 1 && !several {
            return Err(self.wrong(&format!("takes one value, not {}", texts.len()), None));
        }
        let kind = option.get_value_parser().type_id();
        let value = |text: &String| match text.split_once('=') {
            _ if kind == TypeId::of::<PathBuf>() => folder.join(text).into(),
            Some((report, path)) if kind == TypeId::of::<Report>() && path != "-" => {
                let mut value = OsString::from(format!("{report}="));
                value.push(folder.join(path));
                value
            }
            _ => OsString::from(text),
        };
        Ok(texts.iter().map(value).collect())
    }

    fn wrong(&self, what: &str, help: Option<String>) -> Mistake {
        let Setting { name, place, value, .. } = self;
        let text = match value {
            Value::Variable(_) => format!("{place} {what}"),
            Value::Switch(_) | Value::Texts(..) => format!("{place}: `{name}` {what}"),
        };
        Mistake { text, help }
    }
}
