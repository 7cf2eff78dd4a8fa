//! The server is killed again and again while it works. No run that it accepted is lost, and every watcher that resumes sees the
//! events of a run that nothing disturbed.
//!
//! `KILLS=200 SEED=7 cargo test -p halfopend --test kills -- --nocapture`
#![cfg(all(feature = "history", unix))]
#![allow(clippy::disallowed_methods, reason = "processes outside, in real time")]

mod common;
#[path = "../../history/tests/common/postgres.rs"]
mod postgres;

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{named, yaml};
use halfopen_proto::v1::event::Kind;
use halfopen_proto::v1::history_service_client::HistoryServiceClient;
use halfopen_proto::v1::run_service_client::RunServiceClient;
use halfopen_proto::v1::{
    CreateRunRequest, Event, ExecuteRunRequest, ListRunsRequest, RunState, WatchRunRequest,
};
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::{Rng, SeedableRng};
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tonic::transport::Channel;
use tonic::{Code, Status};

/// How long the runs may take to be over once nobody kills the server any more.
const PATIENCE: Duration = Duration::from_secs(120);
/// How many runs may be under way.
const UNDER_WAY: usize = 24;
/// Those who create runs.
const CREATORS: usize = 4;

/// Several batches of events.
const LONG: &str = "\
scenario: long
title: A thousand times a kibibyte
hosts: {client: {}, server: {}}
applications:
  server: [listen: 80, accept, receive: end]
  client:
    - connect: server:80
    - send: 1 KiB
      every: 1us
      times: 1000
";

/// What is run: short and long.
fn request(dice: &mut Dice) -> ExecuteRunRequest {
    let request = match dice.below(4) {
        0 => yaml(LONG),
        1 => named("dropped-fin"),
        2 => named("three-way-handshake"),
        _ => named("dead-client"),
    };
    ExecuteRunRequest { seed: Some(dice.below(3)), ..request }
}

struct Dice(Pcg64Mcg);

impl Dice {
    fn new(seed: u64, who: u64) -> Dice {
        Dice(Pcg64Mcg::seed_from_u64(seed.rotate_left(32) ^ who))
    }

    fn below(&mut self, end: u64) -> u64 {
        self.0.next_u64() % end
    }
}

/// The server, and where it is.
struct Server {
    history: String,
    process: Child,
    address: watch::Sender<String>,
}

impl Server {
    fn start(history: &str) -> Server {
        let (process, address) = spawn(history);
        Server { history: history.to_owned(), process, address: watch::Sender::new(address) }
    }

    /// Kills it, and starts another. Returns how long that took.
    fn kill(&mut self) -> Duration {
        let killed = Instant::now();
        self.process.kill().expect("it runs");
        self.process.wait().expect("it is ours");
        let (process, address) = spawn(&self.history);
        self.process = process;
        self.address.send_replace(address);
        killed.elapsed()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(history: &str) -> (Child, String) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_halfopend"))
        .args(["--listen", "127.0.0.1:0", "--history", history, "--threads", "2"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary is built");
    let mut line = String::new();
    BufReader::new(process.stdout.as_mut().expect("a pipe")).read_line(&mut line).expect("a line");
    let line: serde_json::Value = serde_json::from_str(&line).expect("it listens");
    let address = format!("http://{}", line["listening"].as_str().expect("an address"));
    (process, address)
}

/// A connection to where the server is.
async fn channel(address: &watch::Receiver<String>) -> Result<Channel, Status> {
    let endpoint = Channel::from_shared(address.borrow().clone()).expect("a URI");
    endpoint.connect().await.map_err(|error| Status::unavailable(error.to_string()))
}

/// A client of the runs that it keeps.
async fn client(address: &watch::Receiver<String>) -> Result<HistoryServiceClient<Channel>, Status> {
    Ok(HistoryServiceClient::new(channel(address).await?))
}

/// Creates a run, however often that takes. Returns its id.
async fn create(address: &watch::Receiver<String>, request: &CreateRunRequest) -> String {
    loop {
        let answer = async { client(address).await?.create_run(request.clone()).await };
        match answer.await {
            Ok(created) => return created.into_inner().run.expect("a run").id,
            Err(status) => again(&status).await,
        }
    }
}

/// Watches a run to its end, however often it has to begin again after the events it has.
async fn watched(address: &watch::Receiver<String>, id: &str) -> Vec<Event> {
    let mut events: Vec<Event> = Vec::new();
    loop {
        let request = WatchRunRequest { id: id.to_owned(), after_sequence: events.len() as u64 };
        let part = async {
            let mut stream = client(address).await?.watch_run(request).await?.into_inner();
            while let Some(message) = stream.message().await? {
                events.extend(message.events);
            }
            Ok(())
        };
        match part.await {
            Ok(()) => return events,
            Err(status) => again(&status).await,
        }
    }
}

/// Waits a moment, if it was because the server was killed.
async fn again(status: &Status) {
    let killed = [Code::Unavailable, Code::Unknown, Code::Cancelled, Code::Internal];
    assert!(killed.contains(&status.code()), "{status:?}");
    sleep(Duration::from_millis(10)).await;
}

/// What was created, by the ids of the runs, and what was seen of each.
type Seen = Arc<Mutex<BTreeMap<String, (ExecuteRunRequest, Vec<Event>)>>>;

async fn survives(history: &str, kills: u64, seed: u64) {
    println!("KILLS={kills} SEED={seed} {history}");
    let mut server = Server::start(history);
    let (seen, room) = (Seen::default(), Arc::new(Semaphore::new(UNDER_WAY)));
    let (stop, stopped) = watch::channel(false);
    let mut creators = JoinSet::new();
    for creator in 0..CREATORS as u64 {
        let (address, seen, room, stopped) =
            (server.address.subscribe(), seen.clone(), room.clone(), stopped.clone());
        creators.spawn(async move {
            let (mut dice, mut watchers) = (Dice::new(seed, creator + 1), JoinSet::new());
            for number in 0.. {
                let place = room.clone().acquire_owned().await.expect("it stays open");
                if *stopped.borrow() {
                    break;
                }
                let run = request(&mut dice);
                let create = CreateRunRequest {
                    run: Some(run.clone()),
                    request_id: format!("{creator}-{number}"),
                    ..CreateRunRequest::default()
                };
                let id = self::create(&address, &create).await;
                let (address, seen) = (address.clone(), seen.clone());
                watchers.spawn(async move {
                    let events = watched(&address, &id).await;
                    let before = seen.lock().await.insert(id, (run, events));
                    assert!(before.is_none(), "two requests, one run");
                    drop(place);
                });
            }
            while let Some(watched) = watchers.join_next().await {
                watched.expect("no panic");
            }
        });
    }
    let mut dice = Dice::new(seed, 0);
    let mut start = Duration::ZERO;
    for _ in 0..kills {
        // On a busy machine, what is to be disturbed takes longer, too.
        let most = 200 + 2 * start.as_millis() as u64;
        sleep(Duration::from_millis(dice.below(most))).await;
        start = server.kill();
    }
    stop.send_replace(true);
    let ended = async {
        while let Some(created) = creators.join_next().await {
            created.expect("no panic");
        }
    };
    timeout(PATIENCE, ended).await.expect("every run that was accepted is over");
    check(&server.address.subscribe(), &*seen.lock().await).await;
}

/// Every run is in the list, once, and everybody has seen the events that it has without a kill.
async fn check(address: &watch::Receiver<String>, seen: &BTreeMap<String, (ExecuteRunRequest, Vec<Event>)>) {
    let mut client = client(address).await.expect("it listens");
    let (mut listed, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListRunsRequest { page_token, ..ListRunsRequest::default() };
        let page = client.list_runs(request).await.expect("a page").into_inner();
        assert!(page.runs.iter().all(|run| run.state() == RunState::Finished), "{page:?}");
        listed.extend(page.runs.into_iter().map(|run| run.id));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    listed.sort();
    assert!(listed.iter().eq(seen.keys()), "{} runs instead of {}", listed.len(), seen.len());
    let mut executing = RunServiceClient::new(channel(address).await.expect("it listens"));
    let mut undisturbed: Vec<(ExecuteRunRequest, Vec<Event>)> = Vec::new();
    for (id, (request, events)) in seen {
        assert!(matches!(events.last().expect("events").kind, Some(Kind::RunFinished(_))));
        if !undisturbed.iter().any(|(known, _)| known == request) {
            let mut stream = executing.execute_run(request.clone()).await.expect("it runs").into_inner();
            let mut executed = Vec::new();
            while let Some(message) = stream.message().await.expect("it goes on") {
                executed.extend(message.events);
            }
            undisturbed.push((request.clone(), executed));
        }
        let (_, executed) = undisturbed.iter().find(|(known, _)| known == request).expect("executed");
        assert!(events == executed, "{id}: {} events instead of {}", events.len(), executed.len());
        assert!(watched(address, id).await == *executed, "{id} afterwards");
    }
    println!("{} runs, all with the same events", seen.len());
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().map(|value| value.parse().expect("a number"))
}

fn kills() -> u64 {
    number("KILLS").unwrap_or(10)
}

fn seed() -> u64 {
    number("SEED").unwrap_or_else(|| u64::from(std::process::id()))
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_in_sqlite() {
    let folder = tempfile::tempdir().expect("a folder");
    let history = folder.path().join("runs.db").display().to_string();
    survives(&history, kills(), seed()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_in_postgresql() {
    let Some(postgres) = postgres::Postgres::start() else { return };
    survives(&postgres.create("kills"), kills().div_ceil(5), seed()).await;
}
