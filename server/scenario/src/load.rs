//! From text to scenario, by way of the tree and the shape.

use halfopen_tcp::Profile;
use serde::Deserialize;

use crate::de::{Part, Spanned};
use crate::node::{Node, Span, Value};
use crate::options::LoadOptions;
use crate::parse::{Mistake, Parse};
use crate::{
    Diagnostic, Diagnostics, Limits, Problem, Scenario, document, resolve, schema, shape, variants, wording,
};

/// How many mistakes are reported at once; the rest are reported once these are fixed.
pub(crate) const MOST_MISTAKES: usize = 50;

/// Why a text gave no scenario.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// It is wrong.
    #[error(transparent)]
    Wrong(#[from] Diagnostics),
    /// It has variants and none was asked for, or none of the name that was.
    #[error("{}", no_variant(.asked.as_deref(), .names))]
    Variant {
        /// What was asked for.
        asked: Option<String>,
        /// Every variant there is, in the order of the text.
        names: Vec<String>,
    },
}

/// No profile has the name that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}; {help}", message = .0.message, help = .0.help)]
pub struct UnknownProfile(Mistake);

/// The profile of that name.
///
/// # Errors
/// If there is none. The error lists the profiles, or suggests one.
pub fn profile(name: &str) -> Result<Profile, UnknownProfile> {
    Profile::parse(name).map_err(UnknownProfile)
}

fn no_variant(asked: Option<&str>, names: &[String]) -> String {
    let all = || wording::some_of(names.iter().map(String::as_str));
    match asked {
        None => format!("the scenario has {} variants; say which: {}", names.len(), all()),
        Some(asked) if names.is_empty() => {
            format!("the scenario has no variants, so none is called `{}`", wording::short(asked))
        }
        Some(asked) => {
            let help = wording::suggest(asked, names.iter().map(String::as_str))
                .unwrap_or_else(|| format!("there are {}", all()));
            format!("no variant is called `{}`; {help}", wording::short(asked))
        }
    }
}

/// Reads a scenario without variants and checks it.
///
/// # Errors
/// All mistakes that can be found at once, in the order of their places, but no more than the first 50. Variants are
/// one too: a text that has them is more than one scenario.
pub fn load(text: &str) -> Result<Scenario, Diagnostics> {
    load_variant(text, None).map_err(|error| match error {
        LoadError::Wrong(diagnostics) => diagnostics,
        LoadError::Variant { .. } => Diagnostics::from(Text::of(text).here_are_variants(&error.to_string())),
    })
}

/// Reads every variant of a scenario and checks it: one scenario each in the order of the text, or the one of a text
/// that has no variants.
///
/// # Errors
/// As [`load`]. A mistake that all variants have is reported once; any other names the variants that have it.
pub fn load_all(text: &str) -> Result<Vec<Scenario>, Diagnostics> {
    load_every(text, LoadOptions::default())
}

fn load_every(text: &str, options: LoadOptions<'_>) -> Result<Vec<Scenario>, Diagnostics> {
    load_all_while(text, options, || true).expect("nothing ends it")
}

/// As [`load_all`], with options, whose variant is ignored; unless `wanted` says before a variant that the result is not wanted any
/// longer, then `None`.
pub fn load_all_while(
    text: &str,
    options: LoadOptions<'_>,
    wanted: impl Fn() -> bool,
) -> Option<Result<Vec<Scenario>, Diagnostics>> {
    let text = Text::of(text);
    let root = match text.read() {
        Ok(root) => root,
        Err(mistakes) => return Some(Err(mistakes)),
    };
    let (variants, problems) = variants::of(&root);
    let (mut base, several) = (variants::base(&root), variants::place(&root).is_some());
    let mut mistakes: Vec<(Problem, Vec<String>)> =
        problems.into_iter().map(|problem| (problem, Vec::new())).collect();
    if variants.is_empty() {
        // Without its variants, which are wrong, it need not be complete.
        base.pruned = several;
        let (scenario, problems) = text.scenario(&base, options);
        mistakes.extend(problems.into_iter().map(|problem| (problem, Vec::new())));
        return Some(text.result(&root, scenario.into_iter().collect(), mistakes));
    }
    let (mut scenarios, mut read) = (Vec::new(), 0);
    for variant in &variants {
        if !wanted() {
            return None;
        }
        read += 1;
        let (scenario, problems) = text.scenario(&variant.over(&base), options);
        scenarios
            .extend(scenario.map(|scenario| Scenario { variant: Some(variant.name.clone()), ..scenario }));
        for problem in problems {
            match mistakes.iter_mut().find(|(known, _)| *known == problem) {
                Some((_, names)) if names.last() == Some(&variant.name) => {}
                Some((_, names)) => names.push(variant.name.clone()),
                None => mistakes.push((problem, vec![variant.name.clone()])),
            }
        }
        if mistakes.len() >= MOST_MISTAKES {
            break;
        }
    }
    for (_, names) in mistakes.iter_mut().filter(|(_, names)| names.len() == read) {
        names.clear();
    }
    Some(text.result(&root, scenarios, mistakes))
}

/// Reads one variant of a scenario and checks it, or with `None` the scenario of a text that has no variants. What is
/// wrong with other variants is not looked for, unless the variant is not there.
///
/// # Errors
/// What is wrong with it; or which variants there are.
pub fn load_variant(text: &str, asked: Option<&str>) -> Result<Scenario, LoadError> {
    load_with(text, LoadOptions { variant: asked, ..LoadOptions::default() })
}

/// Reads one scenario of a text as the options say, and checks it: as [`load_variant`], perhaps with another profile.
///
/// # Errors
/// As [`load_variant`]. A setting that makes no sense over the profile that was asked for is a mistake too.
pub fn load_with(text: &str, options: LoadOptions<'_>) -> Result<Scenario, LoadError> {
    let asked = options.variant;
    let read = Text::of(text);
    let root = read.read()?;
    let (variants, problems) = variants::of(&root);
    let found = variants.iter().find(|variant| Some(variant.name.as_str()) == asked);
    let whole = match found {
        Some(variant) => variant.over(&variants::base(&root)),
        None if asked.is_none() && variants::place(&root).is_none() => root.clone(),
        None => {
            load_every(text, options)?;
            let names = variants.into_iter().map(|variant| variant.name).collect();
            return Err(LoadError::Variant { asked: asked.map(str::to_owned), names });
        }
    };
    let (scenario, more) = read.scenario(&whole, options);
    let mistakes = problems.into_iter().chain(more).map(|problem| (problem, Vec::new())).collect();
    let scenario = scenario.map(|scenario| Scenario { variant: asked.map(str::to_owned), ..scenario });
    let mut scenarios = read.result(&root, scenario.into_iter().collect(), mistakes)?;
    Ok(scenarios.remove(0))
}

/// Reads a scenario that should be UTF-8 and checks it.
///
/// # Errors
/// As [`load`]; also if the bytes are not text.
pub fn load_bytes(octets: &[u8]) -> Result<Scenario, Diagnostics> {
    match std::str::from_utf8(octets) {
        Ok(text) => load(text),
        Err(error) => {
            let before = String::from_utf8_lossy(&octets[..error.valid_up_to()]);
            let span = end_of(&before);
            let problem = Problem::new(span, "this is not UTF-8 text")
                .help("is it a scenario at all? save it as UTF-8");
            Err(Diagnostics::from(diagnostic(&before, None, problem)))
        }
    }
}

/// A text to be read.
#[derive(Clone, Copy)]
struct Text<'a>(&'a str);

impl Text<'_> {
    /// Without a byte order mark.
    fn of(text: &str) -> Text<'_> {
        Text(text.strip_prefix('\u{feff}').unwrap_or(text))
    }

    fn read(self) -> Result<Node, Diagnostics> {
        tree(self.0).map_err(|problem| Diagnostics::from(diagnostic(self.0, None, problem)))
    }

    /// What a whole document says, loaded as the options say, and what is wrong with it.
    fn scenario(self, root: &Node, options: LoadOptions<'_>) -> (Option<Scenario>, Vec<Problem>) {
        let (document, mut problems) = typed(root);
        let resolve = |document| resolve::scenario(&document, root, self.0, options, &mut problems);
        let scenario = document.map(resolve);
        (scenario, problems)
    }

    /// The scenarios, at least one, or what is wrong with them.
    fn result(
        self,
        root: &Node,
        scenarios: Vec<Scenario>,
        mut mistakes: Vec<(Problem, Vec<String>)>,
    ) -> Result<Vec<Scenario>, Diagnostics> {
        mistakes.sort_by_key(|(problem, _)| problem.span.start);
        mistakes.truncate(MOST_MISTAKES);
        let drawn = mistakes.into_iter().map(|(problem, variants)| {
            let diagnostic = diagnostic(self.0, Some(root), problem);
            Diagnostic { variants, ..diagnostic }
        });
        match Diagnostics::from_list(drawn.collect()) {
            Some(diagnostics) => Err(diagnostics),
            None if scenarios.is_empty() => {
                let problem = Problem::new(root.span, "this is not a scenario");
                Err(Diagnostics::from(diagnostic(self.0, Some(root), problem)))
            }
            None => Ok(scenarios),
        }
    }

    /// The mistake that a text is more than one scenario.
    fn here_are_variants(self, message: &str) -> Diagnostic {
        let root = tree(self.0).ok();
        let span = root.as_ref().and_then(variants::place).unwrap_or_default();
        let problem = Problem::new(span, message).help("load one variant, or all of them");
        diagnostic(self.0, root.as_ref(), problem)
    }
}

/// The tree of a whole document.
fn tree(text: &str) -> Result<Node, Problem> {
    let example = "begin with `scenario: name-of-the-file`; `halfopen show dead-client` is an example";
    part(text)?.ok_or_else(|| Problem::new(Span::default(), "the scenario is empty").help(example))
}

/// The tree of a text that is within the limits; `None` if there is nothing.
pub(crate) fn part(text: &str) -> Result<Option<Node>, Problem> {
    if text.len() > Limits::MAX_TEXT {
        let message = format!("the scenario has {} bytes, more than {}", text.len(), Limits::MAX_TEXT);
        return Err(Problem::new(Span::default(), message)
            .help("a scenario is a page or two; is this the right file?"));
    }
    let control = |c: &char| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{85}');
    if let Some(offset) = text.find(|c| control(&c)) {
        let found = text[offset..].chars().next().map_or(0, u32::from);
        let message = format!("the control character U+{found:04X} does not belong in a scenario");
        return Err(Problem::new(end_of(&text[..offset]), message).help("is it a scenario at all?"));
    }
    Ok(document::read(text)?.filter(|root| !matches!(root.value, Value::Null)))
}

/// Right after the last character.
fn end_of(text: &str) -> Span {
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    let line = text.matches('\n').count() + 1;
    let column = text.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    let end = number(text.chars().count());
    Span { start: end, end, line: number(line), column: number(column) }
}

/// The document in its types. What is wrong is taken out and the rest tried again, so that one mistake hides no other.
pub(crate) fn typed(root: &Node) -> (Option<Spanned<shape::Document>>, Vec<Problem>) {
    let mut root = root.clone();
    let mut problems = Vec::new();
    loop {
        let error = match Spanned::deserialize(Part::root(&root)) {
            Ok(document) => return (Some(document), problems),
            Err(error) => error,
        };
        let span = error.span.unwrap_or(root.span);
        if !error.quiet {
            let below = error.unknown.and_then(|key| schema::below(&key.known, &key.name));
            let help = below.unwrap_or(error.help);
            problems.push(Problem::new(error.shown.unwrap_or(span), error.message).help(help));
        }
        if problems.len() >= MOST_MISTAKES || !root.prune(span, !error.superfluous) {
            return (None, problems);
        }
    }
}

pub(crate) fn diagnostic(text: &str, root: Option<&Node>, problem: Problem) -> Diagnostic {
    let Span { start, end, line, column } = problem.span;
    let rest = text.lines().nth((line as usize).saturating_sub(1)).unwrap_or_default();
    let left = u32::try_from(rest.trim_end().chars().count())
        .unwrap_or(u32::MAX)
        .saturating_sub(column.saturating_sub(1));
    Diagnostic {
        path: root.and_then(|root| root.path_to(problem.span)).unwrap_or_default(),
        line,
        column,
        length: end.saturating_sub(start).min(left).max(u32::from(line > 0)),
        message: problem.message,
        help: problem.help,
        variants: Vec::new(),
    }
}
