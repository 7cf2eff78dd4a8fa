//! Clients that do what no client should. The service may refuse them and cut them off, and must not feel it.

use std::time::Duration;

use futures_util::future::join_all;
use halfopen_proto::v1::GetServerRequest;
use halfopen_proto::v1::server_service_client::ServerServiceClient;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, split};
use tokio::time::timeout;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::client::{Client, Trouble};
use crate::dial::{Bearer, Leave};
use crate::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, RST_STREAM, SETTINGS, field, fields, frame,
    message, opening,
};
use crate::run::{named, refusal, runs, yaml};
use crate::silent::{EXECUTE_RUN, call, closed, request};

/// How long one goes on reading what the service says.
const LISTENING: Duration = Duration::from_secs(1);
/// A scenario to be damaged.
const RIGHT: &str = include_str!("../../benches/session.yaml");
/// One that names everything.
const WHOLE: &str = include_str!("../../../scenario/tests/whole.yaml");

pub(crate) async fn act(client: &mut Client) -> Result<String, Trouble> {
    match client.dice.below(12) {
        0 => garbage_instead_of_tls(client).await,
        1 => garbage_instead_of_http(client).await,
        2 => garbage_in_frames(client).await,
        3 => garbage_in_a_call(client).await,
        4 => garbage_in_a_scenario(client).await,
        5 => a_bomb(client).await,
        6 => a_large_request(client).await,
        7 => large_headers(client).await,
        8 => many_resets(client).await,
        9 => a_flood_of_control_frames(client).await,
        10 => guesses(client).await,
        _ => many_watches(client).await,
    }
}

async fn garbage_instead_of_tls(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "garbage instead of TLS";
    let connection = client.world.door.tcp(client.from, Leave::Properly).await?;
    let mut bytes = client.dice.bytes(2_000);
    if client.dice.below(2) == 0 {
        // The type of a handshake record.
        bytes[0] = 22;
    }
    say(connection, &bytes).await
}

async fn garbage_instead_of_http(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "garbage instead of HTTP";
    let connection = client.world.door.tls(client.from, Leave::Properly).await?;
    let bytes = client.dice.bytes(2_000);
    say(connection, &bytes).await
}

/// Frames of any type, with any flags, on any stream.
async fn garbage_in_frames(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "garbage in frames";
    let connection = client.world.door.tls(client.from, Leave::Properly).await?;
    let mut bytes = opening(&[]);
    for _ in 0..1 + client.dice.below(30) {
        let [kind, flags, stream] = [11, 256, 8].map(|end| client.dice.below(end));
        bytes.extend(frame(kind as u8, flags as u8, stream as u32, &client.dice.bytes(60)));
    }
    say(connection, &bytes).await
}

/// A call that was right before some of its bytes were changed.
async fn garbage_in_a_call(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "garbage in a call";
    let connection = client.world.door.tls(client.from, Leave::Properly).await?;
    let mut body = request(&yaml(RIGHT));
    client.dice.damage(&mut body);
    let mut bytes = call(client, &[], &body, END_STREAM);
    if client.dice.below(2) == 0 {
        client.dice.damage(&mut bytes);
    }
    say(connection, &bytes).await
}

async fn garbage_in_a_scenario(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "garbage in a scenario";
    let mut text = client.dice.pick(&[RIGHT, WHOLE]).as_bytes().to_vec();
    client.dice.damage(&mut text);
    refused(client, String::from_utf8_lossy(&text).into_owned()).await
}

/// A short text that means a long one.
async fn a_bomb(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "a bomb";
    let text = match client.dice.below(3) {
        0 => {
            let levels = (1..9).map(|level| {
                format!("l{level}: &l{level} [{}]\n", vec![format!("*l{}", level - 1); 10].join(", "))
            });
            format!("l0: &l0 [x, x, x]\n{}", levels.collect::<String>())
        }
        1 => "[".repeat(100_000),
        _ => "wrong: [\n".repeat(10_000),
    };
    refused(client, text).await
}

/// Runs a text that is probably not a scenario.
async fn refused(client: &mut Client, text: String) -> Result<String, Trouble> {
    let mut runs = runs(client.channel().await?, &client.world.door.bearer);
    match runs.execute_run(yaml(text)).await {
        Ok(response) => {
            let mut stream = response.into_inner();
            let read = async { while let Ok(Some(_)) = stream.message().await {} };
            let _ = timeout(LISTENING, read).await;
            Ok("accepted".to_owned())
        }
        Err(status) => match refusal(status) {
            Ok(ending) => Ok(ending.outcome()),
            Err(trouble) => {
                client.world.tally.broken(format!("{:?}: {}: {trouble}", client.kind, client.doing));
                Err(trouble)
            }
        },
    }
}

/// From a little below to far above the limit, in full or not.
async fn a_large_request(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "a large request";
    let text = "#".repeat((1 + client.dice.below(24) as usize) << 20);
    let mut runs = runs(client.channel().await?, &client.world.door.bearer);
    let time = Duration::from_millis(1 + client.dice.below(2_000));
    match timeout(time, runs.execute_run(yaml(text))).await {
        Ok(Ok(_)) => Ok("accepted".to_owned()),
        Ok(Err(status)) => Ok(format!("{:?}", status.code())),
        Err(_) => Ok("given up".to_owned()),
    }
}

/// In one frame or many, finished or not.
async fn large_headers(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "large headers";
    let connection = client.world.door.tls(client.from, Leave::Properly).await?;
    let large = "x".repeat(1 << client.dice.below(14));
    let mut bytes = opening(&[]);
    bytes.extend(frame(HEADERS, END_STREAM, 1, &fields(EXECUTE_RUN, &large)));
    for _ in 0..client.dice.below(200) {
        bytes.extend(frame(CONTINUATION, 0, 1, &field("x-large", &large)));
    }
    bytes.extend(frame(CONTINUATION, END_HEADERS, 1, &[]));
    say(connection, &bytes).await
}

/// Begins calls and takes them back at once.
async fn many_resets(client: &mut Client) -> Result<String, Trouble> {
    /// CANCEL (RFC 9113 §7).
    const CANCEL: [u8; 4] = [0, 0, 0, 8];
    client.doing = "many resets";
    let connection = client.world.door.tls(client.from, Leave::Abruptly).await?;
    let bearer = client.world.door.bearer.0.to_str().unwrap().to_owned();
    let body = request(&named("dropped-fin"));
    let mut bytes = opening(&[]);
    for stream in (1..2 * (1 + client.dice.below(2_000) as u32)).step_by(2) {
        bytes.extend(frame(HEADERS, END_HEADERS, stream, &fields(EXECUTE_RUN, &bearer)));
        bytes.extend(frame(DATA, END_STREAM, stream, &body));
        bytes.extend(frame(RST_STREAM, 0, stream, &CANCEL));
    }
    say(connection, &bytes).await
}

/// Frames that want an answer, whose answers are read or not.
async fn a_flood_of_control_frames(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "a flood of control frames";
    let mut connection = client.world.door.tls(client.from, Leave::Abruptly).await?;
    let flood = match client.dice.below(3) {
        0 => frame(PING, 0, 0, &[0; 8]),
        1 => frame(SETTINGS, 0, 0, &[]),
        _ => frame(DATA, 0, 1, &[]),
    };
    connection.write_all(&call(client, &[], &message(&[]), 0)).await?;
    let bytes = flood.repeat(20_000);
    if client.dice.below(2) == 0 {
        return say(connection, &bytes).await;
    }
    let _ = timeout(LISTENING, connection.write_all(&bytes)).await;
    Ok("written".to_owned())
}

async fn guesses(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "guessing the token";
    let channel = client.channel().await?;
    let guesses: Vec<Bearer> = (0..10)
        .map(|_| format!("Bearer {:016x}", client.dice.below(u64::MAX)).parse().unwrap())
        .map(Bearer)
        .collect();
    let answers = join_all(guesses.into_iter().map(|guess| {
        let mut server = ServerServiceClient::with_interceptor(channel.clone(), guess);
        async move { server.get_server(GetServerRequest {}).await }
    }));
    for answer in answers.await {
        if answer.is_ok() {
            client.world.tally.broken("a wrong token was accepted".to_owned());
        }
    }
    Ok("refused".to_owned())
}

/// Watches of health need no token.
async fn many_watches(client: &mut Client) -> Result<String, Trouble> {
    client.doing = "many watches of health";
    let health = HealthClient::new(client.world.door.grpc(client.from, Leave::Abruptly).await?);
    let watches = (0..90).map(|_| {
        let mut health = health.clone();
        async move { health.watch(HealthCheckRequest::default()).await }
    });
    let _open = join_all(watches).await;
    Ok("opened".to_owned())
}

/// Says something, and reads for a while what comes back.
async fn say(connection: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) -> Result<String, Trouble> {
    let (reader, mut writer) = split(connection);
    let write = async {
        let _ = writer.write_all(bytes).await;
        let _ = writer.flush().await;
    };
    let (_, read) = tokio::join!(timeout(LISTENING, write), timeout(LISTENING, closed(reader)));
    Ok(if read.is_ok() { "closed" } else { "left open" }.to_owned())
}
