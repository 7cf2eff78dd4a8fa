//! Summaries of bundled scenarios, and diagnostics.

use halfopen_proto::v1;
use halfopen_scenario::library::Bundled;
use halfopen_scenario::{Diagnostic, Scenario};

/// The summary of a bundled scenario.
pub(crate) fn summary(bundled: &Bundled) -> v1::ScenarioSummary {
    let scenarios = bundled.scenarios();
    let variants = variants(&scenarios);
    let (title, source) =
        scenarios.into_iter().next().map_or_else(Default::default, |first| (first.title, first.source));
    let [name, subject, subject_title] =
        [bundled.name, bundled.subject, bundled.subject_title()].map(str::to_owned);
    v1::ScenarioSummary { name, title, source, subject, subject_title, variants }
}

/// The names of a text's variants.
pub(crate) fn variants(scenarios: &[Scenario]) -> Vec<String> {
    scenarios.iter().filter_map(|scenario| scenario.variant.clone()).collect()
}

/// A mistake in the text of a scenario. `file` is the name of the text.
pub(crate) fn diagnostic(diagnostic: &Diagnostic, file: &str, text: &str) -> v1::Diagnostic {
    let rendered = diagnostic.render(file, text, false);
    v1::Diagnostic {
        path: diagnostic.path.clone(),
        line: diagnostic.line,
        column: diagnostic.column,
        length: diagnostic.length,
        message: diagnostic.message.clone(),
        help: diagnostic.help.clone(),
        // Every diagnostic is an error; those who show it mark it in their own way.
        rendered: rendered.strip_prefix("error: ").map(str::to_owned).unwrap_or(rendered),
        variants: diagnostic.variants.clone(),
    }
}
