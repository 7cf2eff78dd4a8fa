//! `halfopen.toml`: an option is a key, a command is a table.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Command;
use halfopen_settings::{Document, Mistake, did_you_mean, text};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

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
    let document = Document::read(path).map_err(unreadable)?;
    let tables = document.parse()?;
    let mut reader = Reader { document: &document, root, settings: Vec::new(), mistakes: Vec::new() };
    reader.read(&tables);
    if reader.mistakes.is_empty() { Ok(reader.settings) } else { Err(reader.mistakes) }
}

struct Reader<'a> {
    document: &'a Document,
    root: &'a Command,
    settings: Vec<Setting>,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn read(&mut self, tables: &DeTable<'_>) {
        for (key, value) in tables {
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
        let place = self.document.place(&value.span());
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
        let folder = self.document.folder().to_owned();
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
        let text = format!("{}: there is no command `{name}`", self.document.place(&key.span()));
        self.mistakes.push(Mistake { text, help: did_you_mean(name, known) });
    }

    fn no_option(&mut self, command: Option<&Command>, key: &Spanned<Cow<'_, str>>) {
        let name: &str = key.get_ref();
        let place = self.document.place(&key.span());
        let of_command = |command| options(command).map(|(long, _)| long).collect::<Vec<_>>();
        let having = self.root.get_subcommands().filter(|command| of_command(command).contains(&name));
        let having: Vec<String> = having.map(|command| format!("[{}]", command.get_name())).collect();
        let known: BTreeSet<&str> = match command {
            Some(command) => of_command(command).into_iter().collect(),
            None => self.root.get_subcommands().flat_map(of_command).collect(),
        };
        let of = command.map_or_else(String::new, |command| format!(" of `{}`", command.get_name()));
        let help = match having.is_empty() {
            true => did_you_mean(name, known),
            false => Some(format!("it belongs to {}", having.join(", "))),
        };
        self.mistakes.push(Mistake { text: format!("{place}: there is no option `{name}`{of}"), help });
    }
}
