//! Honest clients: short runs, and now and then a look around. All they ask is answered soon, and the same every time.

use std::time::Instant;

use halfopen_proto::v1::scenario_service_client::ScenarioServiceClient;
use halfopen_proto::v1::server_service_client::ServerServiceClient;
use halfopen_proto::v1::{
    ExecuteRunRequest, GetServerRequest, ListScenariosRequest, ValidateScenarioRequest,
};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::client::{Client, Trouble};
use crate::run::{Ending, named, run, runs, yaml};

/// Short ones among the bundled scenarios.
const SHORT: [&str; 8] = [
    "dropped-fin",
    "dead-client",
    "four-way-close",
    "three-way-handshake",
    "simultaneous-open",
    "connection-refused",
    "half-close",
    "blind-reset",
];
/// The number of seeds that runs have.
const SEEDS: u64 = 50;
/// A text without mistakes.
const RIGHT: &str = include_str!("../../benches/session.yaml");

pub(crate) async fn act(client: &mut Client) -> Result<String, Trouble> {
    match client.dice.below(20) {
        0 => validation(client).await,
        1 => look_around(client).await,
        _ => short_run(client).await,
    }
}

async fn short_run(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "short run";
    let seed = client.dice.below(SEEDS);
    let (name, request) = match client.dice.below(1 + SHORT.len() as u64) {
        // More texts than the service keeps.
        0 => ("session", yaml(format!("{RIGHT}# {}\n", client.dice.below(SEEDS)))),
        _ => {
            let name = *client.dice.pick(&SHORT);
            (name, named(name))
        }
    };
    let mut runs = runs(client.channel().await?, &client.world.door.bearer);
    let asked = Instant::now();
    let ending = run(&mut runs, ExecuteRunRequest { seed: Some(seed), ..request }).await?;
    if let Ending::Finished(_, digest) = ending {
        client.world.tally.took(asked.elapsed());
        let before = *client.world.runs.lock().unwrap().entry((name, seed)).or_insert(digest);
        if before != digest {
            return Err(format!("{name} with seed {seed} has other events than the first time").into());
        }
    }
    Ok(ending.outcome())
}

async fn validation(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "validation";
    let bearer = client.world.door.bearer.clone();
    let mut scenarios = ScenarioServiceClient::with_interceptor(client.channel().await?, bearer);
    let request = ValidateScenarioRequest { yaml: RIGHT.to_owned(), ..Default::default() };
    let found = scenarios.validate_scenario(request).await?.into_inner();
    match found.diagnostics.as_slice() {
        [] => Ok("answered".to_owned()),
        [first, ..] => Err(format!("a mistake where there is none: {}", first.message).into()),
    }
}

async fn look_around(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "look around";
    let (channel, bearer) = (client.channel().await?, client.world.door.bearer.clone());
    let mut scenarios = ScenarioServiceClient::with_interceptor(channel.clone(), bearer.clone());
    scenarios.list_scenarios(ListScenariosRequest::default()).await?;
    let mut server = ServerServiceClient::with_interceptor(channel.clone(), bearer);
    server.get_server(GetServerRequest {}).await?;
    HealthClient::new(channel).check(HealthCheckRequest::default()).await?;
    Ok("answered".to_owned())
}
