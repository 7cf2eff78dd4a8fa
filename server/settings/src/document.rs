//! A TOML file, and places in it.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::{fs, io};

use halfopen_view::words;
use toml::de::{DeTable, DeValue};

use crate::mistake::Mistake;

/// A TOML file, as it is written.
#[derive(Clone, Debug)]
pub struct Document {
    path: PathBuf,
    text: String,
}

impl Document {
    /// Reads a file. Fails if it cannot be read, or is not UTF-8.
    pub fn read(path: &Path) -> io::Result<Document> {
        Ok(Document { path: path.to_owned(), text: fs::read_to_string(path)? })
    }

    /// Everything in it, with places; or everything that is not TOML.
    pub fn parse(&self) -> Result<DeTable<'_>, Vec<Mistake>> {
        let (document, wrong) = DeTable::parse_recoverable(&self.text);
        if wrong.is_empty() {
            return Ok(document.into_inner());
        }
        let mistake = |error: &toml::de::Error| {
            let place = self.place(&error.span().unwrap_or_default());
            Mistake { text: format!("{place}: not TOML: {}", error.message()), help: None }
        };
        Err(wrong.iter().map(mistake).collect())
    }

    /// Where something is: `halfopen.toml:3:8`, line and column counted from 1.
    pub fn place(&self, span: &Range<usize>) -> String {
        let before = self.text.get(..span.start).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
        format!("{}:{line}:{column}", self.path.display())
    }

    /// The folder of the file, to which paths in it are relative.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }
}

/// What may be the value of an option, as the command line takes it.
pub fn text(value: &DeValue<'_>) -> Option<String> {
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

/// A question that names the most similar of the names that exist.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    words::nearest(name, known).map(|nearest| format!("did you mean `{nearest}`?"))
}
