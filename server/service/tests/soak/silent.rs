//! Clients that say nothing, or stop in the middle. The service must notice them: each waits until its connection is closed.

use std::time::Duration;

use halfopen_proto::v1::ExecuteRunRequest;
use prost::Message;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;

use crate::client::{Client, Trouble};
use crate::dial::Leave;
use crate::frames::{DATA, END_HEADERS, END_STREAM, HEADERS, NO_WINDOW, fields, frame, message, opening};
use crate::heavy::transfer;
use crate::run::yaml;

/// The beginning of a TLS handshake: a record of 512 bytes (RFC 8446 §5.1) that never arrives.
const HALF_A_HANDSHAKE: [u8; 8] = [22, 3, 1, 2, 0, 1, 0, 1];
pub(crate) const EXECUTE_RUN: &str = "/halfopen.v1.RunService/ExecuteRun";

pub(crate) async fn act(client: &mut Client) -> Result<String, Trouble> {
    match client.dice.below(7) {
        0 => before_tls(client, "silent from the start", &[]).await,
        1 => before_tls(client, "silent in the handshake", &HALF_A_HANDSHAKE).await,
        2 => after_tls(client, "silent after the handshake", &[]).await,
        3 => after_tls(client, "silent after the preface", &opening(&[])).await,
        4 => {
            let unfinished = call(client, &[], &message(&[0; 100])[..50], 0);
            after_tls(client, "silent in a request", &unfinished).await
        }
        5 => {
            let request = request(&yaml(transfer(4)));
            let call = call(client, &NO_WINDOW, &request, END_STREAM);
            after_tls(client, "silent after a request", &call).await
        }
        _ => reads_nothing(client).await,
    }
}

/// The beginning of a connection, and one call.
pub(crate) fn call(client: &Client, settings: &[u8], body: &[u8], flags: u8) -> Vec<u8> {
    let bearer = client.world.door.bearer.0.to_str().unwrap();
    [
        opening(settings),
        frame(HEADERS, END_HEADERS, 1, &fields(EXECUTE_RUN, bearer)),
        frame(DATA, flags, 1, body),
    ]
    .concat()
}

pub(crate) fn request(request: &ExecuteRunRequest) -> Vec<u8> {
    message(&request.encode_to_vec())
}

async fn before_tls(client: &mut Client, doing: &'static str, bytes: &[u8]) -> Result<String, Trouble> {
    client.doing = doing;
    let mut connection = client.world.door.tcp(client.from, Leave::Properly).await?;
    connection.write_all(bytes).await?;
    closed(connection).await
}

async fn after_tls(client: &mut Client, doing: &'static str, bytes: &[u8]) -> Result<String, Trouble> {
    client.doing = doing;
    let mut connection = client.world.door.tls(client.from, Leave::Properly).await?;
    connection.write_all(bytes).await?;
    closed(connection).await
}

/// Asks for more than the buffers of the kernel hold, with windows that never fill, and reads none of it.
async fn reads_nothing(client: &mut Client) -> Result<String, Trouble> {
    /// SETTINGS_INITIAL_WINDOW_SIZE: the largest.
    const OPEN_WINDOW: [u8; 6] = [0, 4, 0x7f, 0xff, 0xff, 0xff];
    client.doing = "reading nothing";
    let mut connection = client.world.door.tls(client.from, Leave::Properly).await?;
    let call = call(client, &OPEN_WINDOW, &request(&yaml(transfer(16))), END_STREAM);
    connection.write_all(&call).await?;
    // The window of the connection.
    let update = frame(8, 0, 0, &0x7fff_0000_u32.to_be_bytes());
    connection.write_all(&update).await?;
    sleep(Duration::from_secs(30)).await;
    closed(connection).await
}

/// Reads, without a word, until the service closes the connection.
pub(crate) async fn closed(mut connection: impl AsyncRead + Unpin) -> Result<String, Trouble> {
    let mut buffer = vec![0; 16 * 1024];
    while connection.read(&mut buffer).await.is_ok_and(|bytes| bytes > 0) {}
    Ok("closed".to_owned())
}
