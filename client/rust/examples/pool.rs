//! hyper on both ends. The server loses power while the connection is in the client's pool; two hours later the client uses it
//! again. Without TCP_USER_TIMEOUT that request takes a quarter of an hour to fail, with it ten seconds. The example takes a moment.
//!
//! `cargo run -p halfopen-client --example pool`

use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;

use halfopen_client::session::{Session, SessionOptions};
use halfopen_client::{Client, Source};
use halfopen_proto::v1;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

const SCENARIO: &str = "scenario: pool\nhosts: {client: {}, server: {}}\nnetwork: {latency: 20ms}\n";

/// Two hours, in which the connection is idle.
const IDLE: Duration = Duration::from_secs(7200);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // A service inside this process; `Client::connect` uses one over the network.
    let service = halfopend::Service::new(&halfopend::Config::default())?;
    let client = Client::new(service.connect(), "this process".to_owned());
    for user_timeout in [None, Some(Duration::from_secs(10))] {
        let (error, waited) = use_a_dead_connection(&client, user_timeout).await?;
        println!("with a user timeout of {user_timeout:?}: {error} after {waited:?}");
    }
    Ok(())
}

/// How a request over a connection fails whose server has lost power, and after which time.
async fn use_a_dead_connection(
    client: &Client,
    user_timeout: Option<Duration>,
) -> Result<(String, Duration), Box<dyn Error>> {
    let source = Source::Text { file: "pool.yaml".to_owned(), text: SCENARIO.to_owned() };
    let mut session = Session::create(client, &source, &SessionOptions::default()).await?;
    let server = session.host("server");
    session.spawn(async move {
        if let Err(error) = serve(&server).await {
            eprintln!("the server failed: {error}");
        }
    });

    let (host, clock) = (session.host("client"), session.clock());
    let connected = async move {
        let stream = host.connect("server:80").await?;
        if let Some(timeout) = user_timeout {
            let user_timeout = Some(halfopen_proto::Duration { seconds: timeout.as_secs() as i64, nanos: 0 });
            stream.set_options(v1::SocketOptions { user_timeout, ..Default::default() }).await?;
        }
        Ok::<_, Box<dyn Error>>(handshake(TokioIo::new(stream)).await?)
    };
    let (mut requests, connection) = session.run(connected).await??;
    session.spawn(async move {
        // Its error is that of the request, too.
        let _ = connection.await;
    });

    let answer = session.run(get(&mut requests)).await??;
    assert_eq!(answer, "hello");
    session.inject("{power-loss: server}").await?;
    let waits = session.clock();
    session.run(waits.sleep(IDLE)).await?;
    let began = clock.now();
    match session.run(get(&mut requests)).await? {
        Ok(answer) => Err(format!("a dead server answered {answer:?}").into()),
        Err(error) => Ok((chain(&error), clock.now() - began)),
    }
}

async fn serve(server: &halfopen_client::session::Host) -> Result<(), Box<dyn Error>> {
    let stream = server.listen(80).await?.accept().await?;
    let hello =
        |_: Request<Incoming>| async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("hello")))) };
    http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(hello)).await?;
    Ok(())
}

async fn get(requests: &mut SendRequest<Full<Bytes>>) -> Result<String, hyper::Error> {
    let request = Request::get("/").header("host", "server").body(Full::default()).expect("it is right");
    let body = requests.send_request(request).await?.collect().await?.to_bytes();
    Ok(String::from_utf8_lossy(&body).into_owned())
}

/// An error with its causes.
fn chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
