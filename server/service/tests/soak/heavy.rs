//! Clients that want much: long runs, runs that take more memory or time than a run may, and texts that take long to check. They
//! may have to wait, and what is too much is unfinished.

use std::time::Duration;

use futures_util::future::join_all;
use halfopen_proto::v1::ValidateScenarioRequest;
use halfopen_proto::v1::scenario_service_client::ScenarioServiceClient;
use tonic::Request;

use crate::client::{Client, Trouble};
use crate::run::{refusal, run, runs, yaml};

/// A hundred connections, each with 500 MiB in its send buffer.
const BOMB: &str = include_str!("bomb.yaml");
/// A program that calls and calls, and time stands still.
const SPIN: &str = include_str!("spin.yaml");
/// The number of calls that one has open at once.
const AT_ONCE: u64 = 16;

pub(crate) async fn act(client: &mut Client) -> Result<String, Trouble> {
    match client.dice.below(5) {
        0 => long_run(client).await,
        1 => endless_run(client).await,
        2 => memory_bomb(client).await,
        3 => many_runs(client).await,
        _ => many_validations(client).await,
    }
}

async fn long_run(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "long run";
    let mut runs = runs(client.channel().await?, &client.world.door.bearer);
    let mebibytes = 64 + client.dice.below(128);
    Ok(run(&mut runs, yaml(transfer(mebibytes))).await?.outcome())
}

/// More memory than a run may take, in a few lines.
async fn memory_bomb(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "memory bomb";
    let mut runs = runs(client.channel().await?, &client.world.door.bearer);
    Ok(run(&mut runs, yaml(BOMB)).await?.outcome())
}

/// More time than a run may take.
async fn endless_run(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "endless run";
    let mut runs = runs(client.channel().await?, &client.world.door.bearer);
    Ok(run(&mut runs, yaml(SPIN)).await?.outcome())
}

async fn many_runs(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "many runs at once";
    let runs = runs(client.channel().await?, &client.world.door.bearer);
    let sizes: Vec<u64> = (0..AT_ONCE).map(|_| 1 + client.dice.below(16)).collect();
    let all = sizes.into_iter().map(|mebibytes| {
        let mut runs = runs.clone();
        async move { run(&mut runs, yaml(transfer(mebibytes))).await }
    });
    for ending in join_all(all).await {
        let outcome = ending?.outcome();
        client.world.tally.count(client.kind, "one of many runs", outcome);
    }
    Ok("all answered".to_owned())
}

/// A transfer of this many mebibytes: about 750 segments each.
pub(crate) fn transfer(mebibytes: u64) -> String {
    format!(
        "scenario: transfer\n\
         hosts: {{client: {{}}, server: {{}}}}\n\
         applications:\n  \
           server: [listen: 80, accept, receive: end]\n  \
           client: [connect: server:80, send: {mebibytes} MiB, close]\n"
    )
}

async fn many_validations(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "many validations at once";
    let bearer = client.world.door.bearer.clone();
    let scenarios = ScenarioServiceClient::with_interceptor(client.channel().await?, bearer);
    let text = costly_text();
    let all = (0..4 * AT_ONCE).map(|number| {
        let (mut scenarios, yaml) = (scenarios.clone(), text.clone());
        async move {
            let mut request = Request::new(ValidateScenarioRequest { yaml, ..Default::default() });
            // HTTP/2 closes the connection if more than 20 calls are taken back before the server has seen them.
            if number % 4 == 0 {
                request.set_timeout(Duration::from_millis(500));
            }
            scenarios.validate_scenario(request).await
        }
    });
    for answer in join_all(all).await {
        let outcome = match answer {
            Ok(_) => "answered".to_owned(),
            // The client itself stops waiting at its deadline.
            Err(status)
                if status.code() == tonic::Code::Cancelled
                    || status.code() == tonic::Code::DeadlineExceeded =>
            {
                "late".to_owned()
            }
            Err(status) => refusal(status)?.outcome(),
        };
        client.world.tally.count(client.kind, "one of many validations", outcome);
    }
    Ok("all answered".to_owned())
}

/// A short text that takes long to check: dozens of steps, in each of a hundred variants.
fn costly_text() -> String {
    let steps = "    - *step\n".repeat(50);
    let rows = |name: &str| (0..10).map(|row| format!("    {name}{row}: {{}}\n")).collect::<String>();
    format!(
        "scenario: costly\nhosts: {{a: {{}}, b: {{}}}}\napplications:\n  b: [listen: 80, accept, hold]\n  a:\n    \
         - connect: b:80\n    - &step {{set: {{nodelay: on}}}}\n{steps}    - hold\nuntil: 1s\n\
         matrix:\n  one:\n{}  other:\n{}",
        rows("v"),
        rows("w")
    )
}
