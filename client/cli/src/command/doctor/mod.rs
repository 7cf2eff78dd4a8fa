//! `halfopen doctor`: checks the client, the server and whether they are compatible.

mod findings;
mod here;

use std::time::Duration;

use halfopen_client::{Client, ClientError, RunOptions, Source};
use halfopen_proto::v1::{Event, GetServerResponse, ServerLimits};
use halfopen_view::record::{Outcome, RunRecord};
use halfopen_view::words;
use halfopend::Config;
use tokio::time::{Instant, timeout};

use self::findings::{Finding, Findings};
use crate::args::{Form, GlobalArgs};
use crate::exit;
use crate::failure::Failure;
use crate::wall_time::wall_time;

/// How long a server may take to answer a call.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many calls are timed; the fastest is reported.
const CALLS: usize = 5;
/// A small run that shows most of what there is.
const SCENARIO: &str = "dead-client";
/// The version of this program.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The gRPC service that every halfopen server has.
const SERVICE_NAME: &str = "halfopen.v1.RunService";
/// The protocol of this program.
const PROTOCOL: &str = "halfopen.v1";

/// Options of `doctor`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Output format
    #[arg(long, short, value_enum, default_value_t)]
    output: Form,
}

pub(super) async fn execute(global: &GlobalArgs, args: &Args) -> Result<u8, Failure> {
    let mut findings = Findings::new(args.output);
    findings.add(here::program())?;
    findings.add(here::settings(global))?;
    if let Some(mut client) = reach(global, &mut findings).await? {
        let info = introduce(&mut client, global, &mut findings).await?;
        if let Some(info) = info {
            try_a_run(&mut client, global, info.as_ref(), &mut findings).await?;
        }
    }
    findings.add(here::terminal())?;
    Ok(findings.end()?)
}

/// Connects, and calls the health service a few times; `None` if no server can be reached.
async fn reach(global: &GlobalArgs, findings: &mut Findings) -> Result<Option<Client>, Failure> {
    findings.server.clone_from(&global.server);
    let mut client = match global.connect().await {
        Ok(client) => client,
        Err(failure) => {
            findings.add(Finding::of_failure("server", &failure))?;
            return Ok(None);
        }
    };
    let mut fastest = Duration::MAX;
    let mut serving = true;
    for _ in 0..CALLS {
        let start = Instant::now();
        match patiently(client.is_serving()).await {
            Ok(answer) => serving = answer,
            // Another gRPC server, or ours without the health service: the next calls find out.
            Err(Trouble::Client(error)) if error.is_unimplemented() => {}
            Err(trouble) => {
                findings.add(trouble.finding("server"))?;
                return Ok(None);
            }
        }
        fastest = fastest.min(start.elapsed());
    }
    findings.call = Some(fastest);
    let took = format!("a call takes {}", wall_time(fastest));
    findings.add(match &findings.server {
        None => Finding::ok("server", format!("in this process; {took}")),
        Some(_) => {
            let address = client.address();
            let how = if address.starts_with("https://") { "over TLS" } else { "in the clear" };
            Finding::ok("server", format!("{address} answers {how}; {took}"))
        }
    })?;
    findings.add(match serving {
        true => Finding::ok("health", "serving"),
        false => {
            Finding::problem("health", "the server is shutting down and accepts no runs", exit::NO_SERVER)
                .help("start it again, or wait for its replacement")
        }
    })?;
    Ok(Some(client))
}

/// Asks the server to describe itself. The outer `None`: there is no point in going on; the inner: the server does
/// not know the call.
async fn introduce(
    client: &mut Client,
    global: &GlobalArgs,
    findings: &mut Findings,
) -> Result<Option<Option<GetServerResponse>>, Failure> {
    let info = match patiently(client.server()).await {
        Ok(info) => Some(info),
        Err(Trouble::Client(error)) if error.is_unimplemented() => None,
        Err(trouble) => {
            let what = if matches!(trouble, Trouble::Client(ClientError::Refused { .. })) {
                "token"
            } else {
                "calls"
            };
            findings.add(trouble.finding(what))?;
            return Ok(None);
        }
    };
    findings.add(token(global, info.is_some()))?;
    let Some(info) = info else {
        let text = "the server is too old to report its version";
        findings.add(Finding::warning("age", text).help("a run reports it too; use a newer server"))?;
        return Ok(Some(None));
    };
    let right = info.protocol == PROTOCOL;
    if let Some(limits) = &info.limits {
        findings.add(Finding::ok("limits", limits_in_words(limits)))?;
    }
    findings.info = Some(info.clone());
    if global.server.is_none() {
        return Ok(Some(Some(info)));
    }
    findings.add(version(&info))?;
    findings.add(match info.build.as_ref().filter(|build| build.debug) {
        Some(_) => Finding::warning("build", format!("{}, a debug build: runs are slow", knows(&info)))
            .help("build the server with --release"),
        None => Finding::ok("build", knows(&info)),
    })?;
    Ok(right.then_some(Some(info)))
}

fn token(global: &GlobalArgs, answered: bool) -> Finding {
    let given = global.token.is_some();
    match (&global.server, given) {
        (None, true) => Finding::warning("token", "a token is given, but there is no server to send it to")
            .help("give --server, or leave out --token and HALFOPEN_TOKEN"),
        (None, false) => Finding::ok("token", "none needed inside this process"),
        (Some(_), true) if answered => Finding::ok("token", "sent and accepted"),
        (Some(_), true) => Finding::ok("token", "sent"),
        (Some(_), false) => Finding::ok("token", "none given, none required"),
    }
}

fn version(info: &GetServerResponse) -> Finding {
    let version = &info.version;
    if info.protocol != PROTOCOL {
        let text =
            format!("the server ({version}) speaks {}, and the client speaks {PROTOCOL}", info.protocol);
        return Finding::problem("version", text, exit::NO_SERVER).help("use the same version on both sides");
    }
    same_version(version)
}

/// Compares the versions.
fn same_version(version: &str) -> Finding {
    if version == VERSION {
        return Finding::ok("version", format!("{version} on both sides"));
    }
    let text = format!(
        "the server is {version}, the client {VERSION}: the same scenario and seed may give different events, and the \
         client ignores what only a newer server reports"
    );
    Finding::warning("version", text).help("use the same version on both sides")
}

fn limits_in_words(limits: &ServerLimits) -> String {
    let memory = match limits.run_memory_bytes {
        // The server is older than this limit.
        0 => String::new(),
        bytes => format!(" and {} MiB of memory", bytes >> 20),
    };
    format!(
        "{} at once, {} may wait; up to {} may wait for slow readers; a scenario has at most {} KiB, a run {} events{memory}",
        words::count(limits.threads.into(), "run"),
        limits.queue,
        words::count(limits.max_unread_events, "event"),
        limits.scenario_bytes >> 10,
        limits.run_events
    )
}

/// How the server was built, and what it offers.
fn knows(info: &GetServerResponse) -> String {
    let build = info.build.clone().unwrap_or_default();
    format!(
        "{} {}, with {} scenarios and the profiles {}",
        build.operating_system,
        build.architecture,
        info.bundled_scenarios,
        info.profiles.join(", ")
    )
}

/// Runs a bundled scenario there and, if the same result is expected, here.
async fn try_a_run(
    client: &mut Client,
    global: &GlobalArgs,
    info: Option<&GetServerResponse>,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let start = Instant::now();
    let record = match patiently(run(client)).await {
        Ok(record) => record,
        Err(trouble) => {
            findings.add(trouble.finding("run"))?;
            return Ok(());
        }
    };
    let took = wall_time(start.elapsed());
    let version = record.started().map(|started| started.version.clone()).unwrap_or_default();
    if info.is_none() {
        findings.add(same_version(&version))?;
    }
    let digest = here::digest(&record.events);
    let ran = format!("{SCENARIO} {} in {took}", record.outcome().name());
    findings.digest = Some(digest.clone());
    findings.add(if record.outcome() != Outcome::Passed {
        Finding::problem("run", format!("{ran}, but should have passed"), exit::FAILED)
            .help(format!("look at it with `halfopen run {SCENARIO}`"))
    } else if global.server.is_none() {
        Finding::ok("run", format!("{ran}; the digest of its events is {digest}"))
    } else if version != VERSION {
        Finding::ok("run", format!("{ran}; not compared with the client, which has another version"))
    } else {
        compare(&ran, &record.events, &run(&mut GlobalArgs::here(&Config::own())?).await?.events)
    })?;
    Ok(())
}

/// Compares the events of the same run, of the same version, there and here.
fn compare(ran: &str, there: &[Event], here: &[Event]) -> Finding {
    if there == here {
        let digest = here::digest(there);
        return Finding::ok("run", format!("{ran}; the same events on both sides (digest {digest})"));
    }
    let same = there.iter().zip(here).take_while(|(there, here)| there == here).count();
    let text = format!("{ran}, but from event {} on it differs from the run of the client", same + 1);
    Finding::problem("run", text, exit::FAILED).help(
        "the versions have the same number, so one was built from changed sources: build both from the same sources",
    )
}

/// Executes the small run.
async fn run(client: &mut Client) -> Result<RunRecord, ClientError> {
    let options = RunOptions { seed: Some(1), ..RunOptions::default() };
    let mut record = RunRecord::new(SCENARIO.to_owned());
    let mut stream = client.run(&Source::Bundled(SCENARIO.to_owned()), &options).await?;
    while let Some(events) = stream.next().await? {
        record.events.extend(events);
    }
    Ok(record)
}

/// Why a call failed.
#[derive(Debug)]
enum Trouble {
    Client(ClientError),
    TooSlow,
}

impl Trouble {
    fn finding(self, what: &'static str) -> Finding {
        match self {
            Trouble::Client(error) => Finding::of_failure(what, &Failure::Client(error)),
            Trouble::TooSlow => {
                let text = format!("connected, but no answer for {} seconds", PATIENCE.as_secs());
                Finding::problem(what, text, exit::NO_SERVER).help(format!(
                    "check that it is a halfopen server ({SERVICE_NAME}) and that it is not overloaded"
                ))
            }
        }
    }
}

async fn patiently<T>(call: impl Future<Output = Result<T, ClientError>>) -> Result<T, Trouble> {
    match timeout(PATIENCE, call).await {
        Ok(answer) => answer.map_err(Trouble::Client),
        Err(_) => Err(Trouble::TooSlow),
    }
}
