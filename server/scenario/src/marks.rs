//! Where everything stands in a YAML text, and whether it stays within the limits. Runs before anything is built.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScanError, StrInput};

use crate::node::Span;
use crate::{Limits, Problem};

/// A part of the document, aliases replaced by what they stand for.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub(crate) span: Span,
    pub(crate) shape: Shape,
}

/// What it is made of.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Scalar(String),
    Sequence(Vec<Mark>),
    Mapping(Vec<(Mark, Mark)>),
}

/// The marks of the one document in the text; `None` if there is none.
pub(crate) fn read(text: &str) -> Result<Option<Mark>, Problem> {
    let mut reader = Reader { parser: Parser::new_from_str(text), nodes: 0, anchors: BTreeMap::new() };
    let mut document = None;
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamEnd => return Ok(document),
            Event::DocumentStart(_) if document.is_some() => {
                return Err(Problem::new(span, "a second document begins here")
                    .help("a file has one scenario; put the other into a file of its own"));
            }
            Event::DocumentStart(_) => {
                let (event, span) = reader.next()?;
                document = Some(reader.node(event, span, 0)?);
            }
            _ => {}
        }
    }
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    /// How many parts there are so far.
    nodes: usize,
    /// What each anchor refers to, with the number of its parts.
    anchors: BTreeMap<usize, (usize, Mark)>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, Span), Problem> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, convert(span.start, span.end))),
            Some(Err(error)) => Err(syntax(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// The part that begins with this event.
    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Mark, Problem> {
        let before = self.nodes;
        self.count(span, 1)?;
        let (anchor, tagged, mark) = match event {
            Event::Alias(anchor) => return self.alias(anchor, span),
            Event::Scalar(text, _, anchor, tag) => {
                (anchor, tag.is_some(), Mark { span, shape: Shape::Scalar(text.into_owned()) })
            }
            Event::SequenceStart(anchor, tag) => (anchor, tag.is_some(), self.sequence(span, depth + 1)?),
            Event::MappingStart(anchor, tag) => (anchor, tag.is_some(), self.mapping(span, depth + 1)?),
            _ => (0, false, Mark { span, shape: Shape::Scalar(String::new()) }),
        };
        if tagged {
            return Err(
                Problem::new(span, "scenarios have no YAML tags").help("leave out the word with the `!`")
            );
        }
        if anchor != 0 {
            self.anchors.insert(anchor, (self.nodes - before, mark.clone()));
        }
        Ok(mark)
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<Mark, Problem> {
        let Some((nodes, mark)) = self.anchors.get(&anchor) else {
            return Err(Problem::new(span, "this alias refers to something that contains it")
                .help("write out what it should refer to"));
        };
        let mark = Mark {
            span,
            shape: if self.nodes + nodes <= Limits::MAX_NODES {
                mark.shape.clone()
            } else {
                Shape::Scalar(String::new())
            },
        };
        self.count(span, *nodes)?;
        Ok(mark)
    }

    fn sequence(&mut self, start: Span, depth: usize) -> Result<Mark, Problem> {
        check_depth(start, depth)?;
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                let span = whole(start, span, items.first(), items.last());
                // From its bracket or first dash: a list of one thing is not that thing.
                let span = Span { end: span.end, ..start };
                return Ok(Mark { span, shape: Shape::Sequence(items) });
            }
            items.push(self.node(event, span, depth)?);
        }
    }

    fn mapping(&mut self, start: Span, depth: usize) -> Result<Mark, Problem> {
        check_depth(start, depth)?;
        let mut entries: Vec<(Mark, Mark)> = Vec::new();
        let mut keys: BTreeMap<String, u32> = BTreeMap::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                let (first, last) = (entries.first(), entries.last());
                let span = whole(start, span, first.map(|entry| &entry.0), last.map(|entry| &entry.1));
                return Ok(Mark { span, shape: Shape::Mapping(entries) });
            }
            let key = self.node(event, span, depth)?;
            let Shape::Scalar(name) = &key.shape else {
                return Err(Problem::new(key.span, "a key is one word")
                    .help("put quotes around text with [ ] or { }"));
            };
            if let Some(line) = keys.insert(name.clone(), key.span.line) {
                return Err(Problem::new(key.span, format!("the key `{name}` occurs twice"))
                    .help(format!("the first is in line {line}; keep one of them")));
            }
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth)?;
            entries.push((key, value));
        }
    }

    fn count(&mut self, span: Span, nodes: usize) -> Result<(), Problem> {
        self.nodes += nodes;
        if self.nodes <= Limits::MAX_NODES {
            return Ok(());
        }
        Err(Problem::new(span, format!("the scenario has more than {} parts", Limits::MAX_NODES))
            .help("each alias counts as everything that it refers to; write less, or split the scenario"))
    }
}

fn check_depth(span: Span, depth: usize) -> Result<(), Problem> {
    if depth <= Limits::MAX_DEPTH {
        return Ok(());
    }
    Err(too_deep(span))
}

fn too_deep(span: Span) -> Problem {
    Problem::new(span, format!("lists and maps are nested more than {} deep", Limits::MAX_DEPTH))
        .help("no scenario needs that; is a bracket left open?")
}

/// From the first to the last of a list or map. Only in brackets does its end have a place of its own.
fn whole(start: Span, end: Span, first: Option<&Mark>, last: Option<&Mark>) -> Span {
    let (Some(first), Some(last)) = (first, last) else {
        return Span { end: end.end.max(start.end), ..start };
    };
    if start.end > start.start {
        return Span { end: end.end, ..start };
    }
    Span { end: last.span.end.max(first.span.end), ..first.span }
}

fn convert(start: Marker, end: Marker) -> Span {
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    Span {
        start: number(start.index()),
        end: number(end.index()),
        line: number(start.line()),
        column: number(start.col()).saturating_add(1),
    }
}

fn syntax(error: &ScanError) -> Problem {
    let span = convert(*error.marker(), *error.marker());
    let message = error.info();
    if message.contains("recursion limit") {
        return too_deep(span);
    }
    let help = if message.contains("tab") {
        "YAML is indented with spaces"
    } else if message.contains("mapping values") || message.contains("simple key") {
        "a key needs `: ` after it (`- close:` if `on: …` follows), and text with `: ` inside needs quotes"
    } else if message.contains("anchor") {
        "an alias `*name` needs an anchor `&name` before it; text that begins with `*` needs quotes"
    } else if message.contains("quoted scalar") {
        "is a quote left open?"
    } else if message.contains("flow") {
        "is a `{` or a `[` left open, or a comma missing?"
    } else {
        "look at the indentation, the quotes and the brackets here and in the line before"
    };
    Problem::new(span, format!("not YAML: {message}")).help(help)
}
