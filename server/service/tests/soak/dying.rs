//! Clients that are killed in the middle.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::{sleep, timeout};
use tonic::Request;

use crate::client::{Client, Trouble};
use crate::dial::Leave;
use crate::frames::END_STREAM;
use crate::heavy::transfer;
use crate::run::{Reading, runs, yaml};
use crate::silent::{call, request};

pub(crate) async fn act(client: &mut Client) -> Result<String, Trouble> {
    match client.dice.below(6) {
        0 => in_the_handshake(client).await,
        1 => in_a_request(client).await,
        2 => before_the_answer(client).await,
        3 => at_the_deadline(client).await,
        4 => by_cancelling(client).await,
        _ => in_a_stream(client).await,
    }
}

/// How one goes.
fn leave(client: &mut Client) -> Leave {
    *client.dice.pick(&[Leave::Properly, Leave::Abruptly])
}

fn transfer_of(client: &mut Client) -> String {
    transfer(1 + client.dice.below(16))
}

async fn in_the_handshake(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "killed in the handshake";
    let leave = leave(client);
    let time = Duration::from_micros(client.dice.below(2_000));
    let _ = timeout(time, client.world.door.tls(client.from, leave)).await;
    Ok("gone".to_owned())
}

async fn in_a_request(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "killed in a request";
    let leave = leave(client);
    let mut connection = client.world.door.tls(client.from, leave).await?;
    let call = call(client, &[], &request(&yaml(transfer(1))), END_STREAM);
    let end = client.dice.below(call.len() as u64) as usize;
    connection.write_all(&call[..end]).await?;
    connection.flush().await?;
    Ok("gone".to_owned())
}

async fn before_the_answer(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "killed before the answer";
    let leave = leave(client);
    let mut connection = client.world.door.tls(client.from, leave).await?;
    let text = transfer_of(client);
    connection.write_all(&call(client, &[], &request(&yaml(text)), END_STREAM)).await?;
    connection.flush().await?;
    sleep(Duration::from_millis(client.dice.below(50))).await;
    Ok("gone".to_owned())
}

async fn in_a_stream(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "killed in a stream";
    let leave = leave(client);
    let channel = client.world.door.grpc(client.from, leave).await?;
    read_a_little(client, channel).await
}

/// The call ends, and the connection stays.
async fn by_cancelling(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "cancelled";
    let channel = client.channel().await?;
    read_a_little(client, channel).await
}

async fn read_a_little(client: &mut Client, channel: tonic::transport::Channel) -> Result<String, Trouble> {
    let mut runs = runs(channel, &client.world.door.bearer);
    let mut stream = runs.execute_run(yaml(transfer_of(client))).await?.into_inner();
    let mut reading = Reading::default();
    for _ in 0..client.dice.below(20) {
        match stream.message().await? {
            Some(message) => reading.take(&message),
            None => break,
        }
    }
    Ok("gone".to_owned())
}

async fn at_the_deadline(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "late";
    let mut runs = runs(client.channel().await?, &client.world.door.bearer);
    let mut call = Request::new(yaml(transfer_of(client)));
    call.set_timeout(Duration::from_millis(1 + client.dice.below(100)));
    let mut stream = runs.execute_run(call).await?.into_inner();
    while stream.message().await?.is_some() {}
    Ok("in time".to_owned())
}
