//! Clients that take their time to read. One that reads at all gets everything; one that pauses too long is told so.

use std::time::Duration;

use tokio::time::sleep;

use crate::client::{Client, Trouble};
use crate::heavy::transfer;
use crate::run::{Reading, refusal, runs, yaml};

pub(crate) async fn act(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "reading slowly";
    let mut runs = runs(client.channel().await?, &client.world.door.bearer);
    let mebibytes = 1 + client.dice.below(8);
    let mut stream = match runs.execute_run(yaml(transfer(mebibytes))).await {
        Ok(response) => response.into_inner(),
        Err(status) => return Ok(refusal(status)?.outcome()),
    };
    // Longer than the service waits for a reader, once in a while.
    let stops_at = (client.dice.below(4) == 0).then(|| client.dice.below(100));
    let mut reading = Reading::default();
    for message in 0.. {
        if Some(message) == stops_at {
            client.doing = "pausing";
            sleep(Duration::from_secs(20)).await;
        }
        sleep(Duration::from_millis(client.dice.below(100))).await;
        match stream.message().await {
            Ok(Some(message)) => reading.take(&message),
            Ok(None) => return Ok(reading.end()?.outcome()),
            Err(status) => return Ok(refusal(status)?.outcome()),
        }
    }
    unreachable!("a stream ends")
}
