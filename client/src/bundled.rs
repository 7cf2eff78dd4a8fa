//! Names of bundled scenarios, as users write them.

use halfopen::client::{Client, ClientError};
use halfopen_proto::v1::ScenarioSummary;

use crate::input::Input;
use crate::output;

/// What an input means: where no bundled scenario has its name, the last part may be that of a variant.
pub(crate) async fn resolve(client: &mut Client, input: &Input) -> Input {
    if let Some(variant) = input.as_variant()
        && matches!(client.text(&input.name()).await, Err(ClientError::NotFound(_)))
        && client.text(&variant.name()).await.is_ok()
    {
        return variant;
    }
    input.clone()
}

/// Says which bundled scenario has a name like this one, if one has.
pub(crate) async fn suggest(client: &mut Client, name: &str) {
    let Ok(scenarios) = client.list().await else { return };
    let name = name.rsplit('/').next().unwrap_or(name);
    let distance = |scenario: &ScenarioSummary| strsim::damerau_levenshtein(&scenario.name, name);
    let nearest = scenarios.iter().min_by_key(|scenario| distance(scenario));
    if let Some(nearest) = nearest.filter(|nearest| distance(nearest) <= 1 + name.chars().count() / 3) {
        output::help(&format!("there is one named `{}`", nearest.name));
    }
}
