//! `halfopen.toml`: an option is a key, a command is a table.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use clap::Command;
use halfopen_view::words;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::Mistake;
use super::options;
use super::setting::{Setting, Value};

/// What the file is called.
const NAME: &str = "halfopen.toml";

/// The file in the folder or the nearest folder above it that has one.
pub(super) fn nearest(folder: &Path) -> Option<PathBuf> {
    let here = Some(PathBuf::from(NAME)).filter(|_| folder.join(NAME).is_file());
    here.or_else(|| folder.ancestors().skip(1).map(|folder| folder.join(NAME)).find(|path| path.is_file()))
}

/// Everything that the file sets; or every mistake in it.
pub(super) fn read(path: &Path, root: &Command) -> Result<Vec<Setting>, Vec<Mistake>> {
    let unreadable = |error| {
        let text = format!("cannot read the configuration {}: {error}", path.display());
        let help = "--config and HALFOPEN_CONFIG name another file, --no-config uses none".to_owned();
        vec![Mistake { text, help: Some(help) }]
    };
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let mut reader = Reader { path, text: &text, root, settings: Vec::new(), mistakes: Vec::new() };
    reader.document();
    if reader.mistakes.is_empty() { Ok(reader.settings) } else { Err(reader.mistakes) }
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
    root: &'a Command,
    settings: Vec<Setting>,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn document(&mut self) {
        let (document, wrong) = DeTable::parse_recoverable(self.text);
        for error in &wrong {
            let place = self.place(&error.span().unwrap_or_default());
            self.mistakes
                .push(Mistake { text: format!("{place}: not TOML: {}", error.message()), help: None });
        }
        if !wrong.is_empty() {
            return;
        }
        for (key, value) in document.get_ref() {
            match (value.get_ref(), self.root.find_subcommand(key.get_ref().as_ref())) {
                (DeValue::Table(table), Some(command)) => {
                    for (key, value) in table {
                        self.setting(Some(command), key, value);
                    }
                }
                (DeValue::Table(_), None) => self.no_command(key),
                (_, _) => self.setting(None, key, value),
            }
        }
    }

    fn setting(
        &mut self,
        command: Option<&Command>,
        key: &Spanned<Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) {
        let name: &str = key.get_ref();
        let has = |command: &Command| options(command).any(|(long, _)| long == name);
        let known = command.map_or_else(|| self.root.get_subcommands().any(has), has);
        if !known {
            return self.no_option(command, key);
        }
        let place = self.place(&value.span());
        match self.value(value.get_ref()) {
            Some(value) => self.settings.push(Setting {
                name: name.to_owned(),
                place,
                table: command.map(|command| command.get_name().to_owned()),
                value,
            }),
            None => {
                let text = format!("{place}: `{name}` takes no {}", value.get_ref().type_str());
                self.mistakes.push(Mistake { text, help: None });
            }
        }
    }

    fn value(&self, value: &DeValue<'_>) -> Option<Value> {
        let folder = self.path.parent().unwrap_or(Path::new("")).to_owned();
        match value {
            DeValue::Boolean(switch) => Some(Value::Switch(*switch)),
            DeValue::Array(values) => {
                let texts = values.iter().map(|value| text(value.get_ref())).collect::<Option<_>>()?;
                Some(Value::Texts(texts, folder))
            }
            value => Some(Value::Texts(vec![text(value)?], folder)),
        }
    }

    fn no_command(&mut self, key: &Spanned<Cow<'_, str>>) {
        let name: &str = key.get_ref();
        let known: BTreeSet<&str> = self.root.get_subcommands().map(Command::get_name).collect();
        let text = format!("{}: there is no command `{name}`", self.place(&key.span()));
        self.mistakes.push(Mistake { text, help: did_you_mean(name, &known) });
    }

    fn no_option(&mut self, command: Option<&Command>, key: &Spanned<Cow<'_, str>>) {
        let name: &str = key.get_ref();
        let place = self.place(&key.span());
        let of_command = |command| options(command).map(|(long, _)| long).collect::<Vec<_>>();
        let having = self.root.get_subcommands().filter(|command| of_command(command).contains(&name));
        let having: Vec<String> = having.map(|command| format!("[{}]", command.get_name())).collect();
        let known: BTreeSet<&str> = match command {
            Some(command) => of_command(command).into_iter().collect(),
            None => self.root.get_subcommands().flat_map(of_command).collect(),
        };
        let of = command.map_or_else(String::new, |command| format!(" of `{}`", command.get_name()));
        let help = match having.is_empty() {
            true => did_you_mean(name, &known),
            false => Some(format!("it belongs to {}", having.join(", "))),
        };
        self.mistakes.push(Mistake { text: format!("{place}: there is no option `{name}`{of}"), help });
    }

    /// `halfopen.toml:3:8`, both counted from 1.
    fn place(&self, span: &Range<usize>) -> String {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        format!("{}:{line}:{column}", self.path.display())
    }
}

/// What may be the value of an option.
fn text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        // As they are written, but for the signs that only TOML knows.
        DeValue::Integer(number) => {
            i128::from_str_radix(number.as_str(), number.radix()).ok().map(|n| n.to_string())
        }
        DeValue::Float(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(switch) => Some(switch.to_string()),
        DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

/// The most similar name that exists.
fn did_you_mean(name: &str, known: &BTreeSet<&str>) -> Option<String> {
    words::nearest(name, known.iter().copied()).map(|nearest| format!("did you mean `{nearest}`?"))
}
