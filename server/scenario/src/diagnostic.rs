//! What is wrong with a scenario, and where.

use std::fmt;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

use crate::wording;

/// One mistake in a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where it is, as a path through the document: `faults[0].drop.from`. Empty: the whole document.
    pub path: String,
    /// Line, counted from 1. 0: no place in particular.
    pub line: u32,
    /// Column in characters, counted from 1.
    pub column: u32,
    /// How many characters are marked, on that line.
    pub length: u32,
    /// What is wrong.
    pub message: String,
    /// What to do about it; may be empty.
    pub help: String,
    /// The variants that have the mistake; empty if all have it, or if the text has none.
    pub variants: Vec<String>,
}

impl Diagnostic {
    /// The mistake drawn with the line of `text` and a mark under the place; `file` is what the text is called. In a text of a
    /// single line, as programs write JSON, the place is a path.
    pub fn render(&self, file: &str, text: &str, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Ascii);
        let title = Level::ERROR.primary_title(self.message.as_str());
        let by_path = !self.path.is_empty() && text.trim_end().lines().count() == 1;
        let number = (self.line as usize).checked_sub(1).filter(|_| !by_path);
        let line = number.and_then(|index| text.lines().nth(index));
        let mut group = match line {
            Some(line) => {
                let offset = |characters: u32| {
                    line.char_indices().nth(characters as usize).map_or(line.len(), |(offset, _)| offset)
                };
                let start = self.column.saturating_sub(1);
                let span = offset(start)..offset(start.saturating_add(self.length.max(1)));
                let mark = AnnotationKind::Primary.span(span);
                let snippet =
                    Snippet::source(line).line_start(self.line as usize).path(file).annotation(mark);
                title.element(snippet)
            }
            None if self.path.is_empty() => title.element(Origin::path(file)),
            None => title.element(Origin::path(format!("{file}: {}", self.path))),
        };
        let variants = self.in_variants();
        if !variants.is_empty() {
            group = group.element(Level::NOTE.message(variants.as_str()));
        }
        if !self.help.is_empty() {
            group = group.element(Level::HELP.message(self.help.as_str()));
        }
        renderer.render(&[group])
    }

    /// Which variants have the mistake, in words: "in variant `busy`". Empty if it is in all, or if there are none.
    pub fn in_variants(&self) -> String {
        match self.variants.as_slice() {
            [] => String::new(),
            [only] => format!("in variant `{only}`"),
            some => format!("in variants {}", wording::some_of(some.iter().map(String::as_str))),
        }
    }
}

/// All that is wrong with a scenario: at least one mistake, in the order of their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// These, if there are any; puts them in order.
    pub(crate) fn from_list(mut list: Vec<Diagnostic>) -> Option<Diagnostics> {
        list.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        list.dedup();
        (!list.is_empty()).then_some(Diagnostics(list))
    }

    /// The mistakes.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// The mistakes.
    pub fn as_slice(&self) -> &[Diagnostic] {
        &self.0
    }

    /// Each [drawn](Diagnostic::render), with an empty line between two.
    pub fn render(&self, file: &str, text: &str, color: bool) -> String {
        let drawn: Vec<String> =
            self.0.iter().map(|diagnostic| diagnostic.render(file, text, color)).collect();
        drawn.join("\n\n")
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Diagnostics {
        Diagnostics(vec![diagnostic])
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// A line for each mistake: `12:7: no host is called sever; did you mean server?`
impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "\n" };
            write!(f, "{separator}{}:{}: {}", diagnostic.line, diagnostic.column, diagnostic.message)?;
            if !diagnostic.variants.is_empty() {
                write!(f, ", {}", diagnostic.in_variants())?;
            }
            if !diagnostic.help.is_empty() {
                write!(f, "; {}", diagnostic.help)?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
