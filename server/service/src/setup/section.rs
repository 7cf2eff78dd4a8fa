//! The tables of a file, and what their keys say. Every mistake is noted, and reading goes on.

use std::cell::RefCell;
use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use halfopen_settings::{Document, Mistake, Refusal, did_you_mean};
use halfopen_units::parse_duration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use toml::de::{DeTable, DeValue};

use crate::tenant::Role;

/// What a key says; or why it cannot.
type Reading<T> = Result<T, Refusal>;

/// A file that is being read, and what is wrong with it so far.
pub(super) struct File<'a> {
    pub(super) document: &'a Document,
    /// Each with where it begins.
    mistakes: RefCell<Vec<(usize, Mistake)>>,
}

impl<'a> File<'a> {
    pub(super) fn new(document: &'a Document) -> File<'a> {
        File { document, mistakes: RefCell::default() }
    }

    /// Notes what is wrong at a place.
    pub(super) fn wrong(&self, span: &Range<usize>, what: impl Display, help: Option<String>) {
        let text = format!("{}: {what}", self.document.place(span));
        self.mistakes.borrow_mut().push((span.start, Mistake { text, help }));
    }

    /// All that is wrong, in the order of the file.
    pub(super) fn into_mistakes(self) -> Vec<Mistake> {
        let mut mistakes = self.mistakes.into_inner();
        mistakes.sort_by_key(|(start, _)| *start);
        mistakes.into_iter().map(|(_, mistake)| mistake).collect()
    }
}

/// A table of a file.
pub(super) struct Section<'a> {
    pub(super) file: &'a File<'a>,
    /// What it is called, for people: `[tenants.acme]`.
    name: String,
    pub(super) span: Range<usize>,
    table: &'a DeTable<'a>,
    /// The keys that somebody has asked for.
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    pub(super) fn new(
        file: &'a File<'a>,
        name: String,
        span: Range<usize>,
        table: &'a DeTable<'a>,
    ) -> Section<'a> {
        Section { file, name, span, table, known: RefCell::default() }
    }

    /// What a key says, with its place; `None` if it is not there, or wrong.
    pub(super) fn get<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&DeValue<'_>) -> Reading<T>,
    ) -> Option<(T, Range<usize>)> {
        self.known.borrow_mut().push(key);
        let value = self.table.get(key)?;
        match read(value.get_ref()) {
            Ok(said) => Some((said, value.span())),
            Err(Refusal { reason, help }) => {
                self.file.wrong(&value.span(), format!("`{key}` {reason}"), help);
                None
            }
        }
    }

    /// The same of a key that has to be there.
    pub(super) fn require<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&DeValue<'_>) -> Reading<T>,
    ) -> Option<(T, Range<usize>)> {
        if self.table.get(key).is_none() {
            self.file.wrong(&self.span, format!("{} has no `{key}`", self.name), None);
        }
        self.get(key, read)
    }

    /// The tables of a list: `[[tenants.acme.tokens]]`.
    pub(super) fn list(&self, key: &'static str) -> Vec<Section<'a>> {
        self.known.borrow_mut().push(key);
        let Some(value) = self.table.get(key) else { return Vec::new() };
        let name = format!("[{}]", self.path(key));
        let DeValue::Array(values) = value.get_ref() else {
            self.file.wrong(&value.span(), format!("`{key}` is a list of tables: write [{name}]"), None);
            return Vec::new();
        };
        let section = |value: &'a toml::Spanned<DeValue<'a>>| match value.get_ref() {
            DeValue::Table(table) => Some(Section::new(self.file, format!("[{name}]"), value.span(), table)),
            _ => {
                self.file.wrong(&value.span(), format!("`{key}` is a list of tables: write [{name}]"), None);
                None
            }
        };
        values.iter().filter_map(section).collect()
    }

    /// The tables that have names: `[tenants.acme]`. Each comes with its name and the place of that.
    pub(super) fn named(&self, key: &'static str) -> Vec<(&'a str, Range<usize>, Section<'a>)> {
        self.known.borrow_mut().push(key);
        let Some(value) = self.table.get(key) else { return Vec::new() };
        let DeValue::Table(tables) = value.get_ref() else {
            self.file.wrong(&value.span(), format!("`{key}` consists of tables: write [{key}.NAME]"), None);
            return Vec::new();
        };
        let mut sections = Vec::new();
        for (name, value) in tables {
            let (named, span) = (name.get_ref().as_ref(), name.span());
            match value.get_ref() {
                DeValue::Table(table) => {
                    let path = format!("[{}.{named}]", self.path(key));
                    sections.push((named, span.clone(), Section::new(self.file, path, span, table)));
                }
                _ => self.file.wrong(
                    &value.span(),
                    format!("`{named}` is a table: write [{key}.{named}]"),
                    None,
                ),
            }
        }
        sections
    }

    /// The path of a key: `tenants.acme.tokens`.
    fn path(&self, key: &str) -> String {
        match self.name.trim_matches(['[', ']']) {
            "" => key.to_owned(),
            own => format!("{own}.{key}"),
        }
    }

    /// Notes the keys that nobody has asked for.
    pub(super) fn finish(self) {
        let known = self.known.into_inner();
        for (key, _) in self.table {
            let name = key.get_ref().as_ref();
            if !known.contains(&name) {
                let help = did_you_mean(name, known.iter().copied());
                self.file.wrong(&key.span(), format!("{} has no key `{name}`", self.name), help);
            }
        }
    }
}

fn refused<T>(reason: impl Into<String>) -> Reading<T> {
    Err(Refusal { reason: reason.into(), help: None })
}

/// A text that is not empty.
pub(super) fn text(value: &DeValue<'_>) -> Reading<String> {
    match value {
        DeValue::String(text) if text.is_empty() => refused("is empty"),
        DeValue::String(text) => Ok(text.to_string()),
        other => refused(format!("takes no {}", other.type_str())),
    }
}

/// Something that is written as a text.
pub(super) fn parsed<T: FromStr<Err: Display>>(value: &DeValue<'_>) -> Reading<T> {
    let text = text(value)?;
    text.parse().or_else(|error| refused(format!("cannot be `{}`: {error}", shown(&text))))
}

/// A text as far as it is worth showing.
fn shown(text: &str) -> String {
    crate::text::shortened(&halfopen_view::words::plain(text), 80)
}

/// A text, or a list of them.
pub(super) fn texts(value: &DeValue<'_>) -> Reading<Vec<String>> {
    match value {
        DeValue::Array(values) if values.is_empty() => refused("is empty"),
        DeValue::Array(values) => values.iter().map(|value| text(value.get_ref())).collect(),
        one => Ok(vec![text(one)?]),
    }
}

/// A whole number from 1.
pub(super) fn count(value: &DeValue<'_>) -> Reading<u32> {
    let number = halfopen_settings::text(value).and_then(|text| text.parse().ok());
    match (value, number) {
        (DeValue::Integer(_), Some(number)) if number > 0 => Ok(number),
        _ => refused("takes a whole number from 1"),
    }
}

pub(super) fn role(value: &DeValue<'_>) -> Reading<Role> {
    let text = text(value)?;
    Role::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| {
        let names = Role::ALL.map(Role::name);
        let help = did_you_mean(&text, names).or_else(|| Some(format!("it is one of {}", names.join(", "))));
        Refusal { reason: format!("cannot be `{}`", shown(&text)), help }
    })
}

/// A time with a unit, as a text.
pub(super) fn duration(value: &DeValue<'_>) -> Reading<Duration> {
    let text = text(value)?;
    parse_duration(&text).map_err(|error| Refusal {
        reason: format!("cannot be `{}`: {error}", shown(&text)),
        help: Some(error.help().to_string()),
    })
}

/// A date, or a time with its offset from UTC.
pub(super) fn moment(value: &DeValue<'_>) -> Reading<OffsetDateTime> {
    let DeValue::Datetime(moment) = value else {
        return refused(format!("takes a date (2027-12-31, without quotes), not this {}", value.type_str()));
    };
    let text = match (moment.date, moment.time, moment.offset) {
        (Some(date), None, None) => format!("{date}T00:00:00Z"),
        _ => moment.to_string(),
    };
    OffsetDateTime::parse(&text, &Rfc3339).or_else(|_| {
        refused(format!(
            "cannot be `{moment}`: write a date (2027-12-31), or a time of UTC (2027-12-31T18:00:00Z)"
        ))
    })
}

/// A table of claims, each with the values of which it must have one.
pub(super) fn claims(value: &DeValue<'_>) -> Reading<Vec<(String, Vec<String>)>> {
    match value {
        DeValue::Table(table) if !table.is_empty() => table
            .iter()
            .map(|(name, value)| Ok((name.get_ref().to_string(), texts(value.get_ref())?)))
            .collect(),
        DeValue::Table(_) => refused("is empty, so that every JWT of the issuer would match"),
        other => refused(format!(
            "takes a table such as {{ repository_owner = \"acme\" }}, not this {}",
            other.type_str()
        )),
    }
}
