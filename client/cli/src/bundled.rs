//! Names of bundled scenarios, as users write them.

use std::collections::BTreeSet;

use halfopen_client::Client;
use halfopen_proto::v1::ScenarioSummary;
use halfopen_view::words;

use crate::failure::Failure;
use crate::input::Input;
use crate::{folder, output};

/// The bundled scenarios of the service, fetched when they are needed.
pub(crate) struct Library<'a> {
    client: &'a mut Client,
    known: Option<Vec<ScenarioSummary>>,
}

impl<'a> Library<'a> {
    /// The library of a service.
    pub(crate) fn new(client: &'a mut Client) -> Library<'a> {
        Library { client, known: None }
    }

    /// All scenarios, by subject and name.
    pub(crate) async fn all(&mut self) -> Result<Vec<Input>, Failure> {
        Ok(self.fetch().await?.iter().map(in_place).collect())
    }

    /// The summaries of the scenarios that arguments name, in the order of the library; of all without arguments.
    pub(crate) async fn summaries(&mut self, arguments: &[String]) -> Result<Vec<ScenarioSummary>, Failure> {
        let mut named = BTreeSet::new();
        for argument in arguments {
            let found = self.find(argument).await?;
            named.extend(found.iter().filter_map(Input::bundled_name).map(str::to_owned));
        }
        let is_meant = |scenario: &&ScenarioSummary| arguments.is_empty() || named.contains(&scenario.name);
        Ok(self.fetch().await?.iter().filter(is_meant).cloned().collect())
    }

    /// The text of a scenario; that of a variant as a scenario of its own.
    pub(crate) async fn text(&mut self, argument: &str) -> Result<String, Failure> {
        let found = self.find(argument).await?;
        let [input] = found.as_slice() else {
            return Err(Failure::Usage(format!("`{argument}` names {} scenarios: name one", found.len())));
        };
        let text = self.client.text(input.bundled_name().unwrap_or(argument)).await?;
        match &input.variant {
            None => Ok(text),
            Some(variant) => halfopend::standalone(&text, variant).map_err(Failure::Usage),
        }
    }

    /// What an argument names: a scenario, one of its variants, a subject, or a pattern of names.
    pub(crate) async fn find(&mut self, argument: &str) -> Result<Vec<Input>, Failure> {
        let scenarios = self.fetch().await?;
        if folder::is_pattern(argument) {
            return matching(scenarios, argument).map_err(Failure::Usage);
        }
        let named = |called: &str| scenarios.iter().find(|scenario| is_called(scenario, called));
        if let Some(scenario) = named(argument) {
            return Ok(vec![Input::bundled(argument, &scenario.name, None)]);
        }
        if let Some((called, variant)) = argument.rsplit_once('/')
            && let Some(scenario) = named(called)
        {
            return Ok(vec![Input::bundled(called, &scenario.name, Some(variant))]);
        }
        let subject: Vec<_> = scenarios.iter().filter(|scenario| scenario.subject == argument).collect();
        if !subject.is_empty() {
            return Ok(subject.into_iter().map(in_place).collect());
        }
        let advice = match nearest(scenarios, argument) {
            Some(name) => format!("did you mean `{name}`?"),
            None => output::NAMES.to_owned(),
        };
        Err(Failure::Usage(format!("no bundled scenario is named `{argument}`; {advice}")))
    }

    async fn fetch(&mut self) -> Result<&[ScenarioSummary], Failure> {
        let known = match self.known.take() {
            Some(known) => known,
            None => self.client.list().await?,
        };
        Ok(self.known.insert(known))
    }
}

/// The scenarios that a pattern matches, by name or by subject and name.
fn matching(scenarios: &[ScenarioSummary], text: &str) -> Result<Vec<Input>, String> {
    let pattern = folder::pattern(text)?;
    let matches =
        |scenario: &&ScenarioSummary| pattern.is_match(&scenario.name) || pattern.is_match(path(scenario));
    let found: Vec<_> = scenarios.iter().filter(matches).map(in_place).collect();
    match found.is_empty() {
        true => Err(format!("no scenario file and no bundled scenario matches `{text}`")),
        false => Ok(found),
    }
}

/// A scenario as an input, under its subject and name.
fn in_place(scenario: &ScenarioSummary) -> Input {
    Input::bundled(&path(scenario), &scenario.name, None)
}

fn path(scenario: &ScenarioSummary) -> String {
    format!("{}/{}", scenario.subject, scenario.name)
}

fn is_called(scenario: &ScenarioSummary, called: &str) -> bool {
    scenario.name == called || path(scenario) == called
}

/// The name, or the subject, most similar to this one, if any is similar.
fn nearest<'a>(scenarios: &'a [ScenarioSummary], called: &str) -> Option<&'a str> {
    let names = scenarios.iter().map(|scenario| scenario.name.as_str());
    let subjects = scenarios.iter().map(|scenario| scenario.subject.as_str());
    // What stands beside a slash may be a subject or a variant, which is right already.
    let parts = called.split('/').flat_map(|part| names.clone().map(move |name| (part, name)));
    let pairs = parts.chain(subjects.map(|subject| (called, subject)));
    let near = pairs.filter_map(|(part, name)| Some((words::mistakes(part, name)?, name)));
    near.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_close_is_found_beside_its_subject_or_variant() {
        let scenario = |subject: &str, name: &str| ScenarioSummary {
            subject: subject.to_owned(),
            name: name.to_owned(),
            ..ScenarioSummary::default()
        };
        let library = [scenario("keepalive", "dead-client"), scenario("close", "dropped-fin")];
        for (called, expected) in [
            ("deadclient", Some("dead-client")),
            ("keepalive/dead-clinet", Some("dead-client")),
            ("dead-clinet/deaf", Some("dead-client")),
            ("keepaliv", Some("keepalive")),
            ("elephant", None),
        ] {
            assert_eq!(nearest(&library, called), expected, "{called}");
        }
    }
}
