//! `halfopen doctor`: what this program and its server are, and whether they get on.

mod findings;
mod here;

use std::time::Duration;

use halfopen_client::{Client, ClientError, RunOptions, Source};
use halfopen_proto::v1::{Event, GetServerResponse, ServerLimits};
use halfopen_view::record::{Outcome, RunRecord};
use halfopen_view::words;
use tokio::time::{Instant, timeout};

use self::findings::{Finding, Findings};
use crate::args::{Form, GlobalArgs};
use crate::exit;
use crate::failure::Failure;

/// A server that does not answer a call for so long is not well.
const PATIENCE: Duration = Duration::from_secs(10);
/// So often a call is made to see how long one takes.
const CALLS: usize = 5;
/// A small run that shows most of what there is.
const SCENARIO: &str = "dead-client";
/// What this program is.
const VERSION: &str = env!("CARGO_PKG_VERSION");
/// The service that a server must have.
const SERVICE_NAME: &str = "halfopen.v1.RunService";
/// What this program speaks.
const PROTOCOL: &str = "halfopen.v1";

/// How to write what was found.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// How to write what was found
    #[arg(long, short, value_enum, default_value_t)]
    output: Form,
}

pub(super) async fn execute(global: &GlobalArgs, args: &Args) -> Result<u8, Failure> {
    let mut findings = Findings::new(args.output);
    findings.add(here::program())?;
    findings.add(here::settings(global))?;
    if let Some(mut client) = reach(global, &mut findings).await? {
        let told = introduce(&mut client, global, &mut findings).await?;
        if let Some(told) = told {
            try_a_run(&mut client, global, told.as_ref(), &mut findings).await?;
        }
    }
    findings.add(here::terminal())?;
    Ok(findings.end()?)
}

/// Connects, and asks for health some times; `None` if there is nobody to talk to.
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
            // Another server of gRPC, or ours without health: the next calls tell.
            Err(Trouble::Client(error)) if error.is_unimplemented() => {}
            Err(trouble) => {
                findings.add(trouble.finding("server"))?;
                return Ok(None);
            }
        }
        fastest = fastest.min(start.elapsed());
    }
    findings.call = Some(fastest);
    let took = format!("a call takes {:.1} ms", fastest.as_secs_f64() * 1e3);
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
            Finding::problem("health", "the server is shutting down, and takes no runs", exit::NO_SERVER)
                .help("start it again, or wait for the one that takes its place")
        }
    })?;
    Ok(Some(client))
}

/// Asks the server what it is. The outer `None`: it talks to us no further; the inner: it does not know the question.
async fn introduce(
    client: &mut Client,
    global: &GlobalArgs,
    findings: &mut Findings,
) -> Result<Option<Option<GetServerResponse>>, Failure> {
    let told = match patiently(client.server()).await {
        Ok(told) => Some(told),
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
    findings.add(token(global, told.is_some()))?;
    let Some(told) = told else {
        let text = "the server is older than the call that tells its version";
        findings.add(Finding::warning("age", text).help("a run tells it too; take a newer server"))?;
        return Ok(Some(None));
    };
    let right = told.protocol == PROTOCOL;
    if let Some(limits) = &told.limits {
        findings.add(Finding::ok("limits", limits_in_words(limits)))?;
    }
    findings.told = Some(told.clone());
    if global.server.is_none() {
        return Ok(Some(Some(told)));
    }
    findings.add(version(&told))?;
    findings.add(match told.build.as_ref().filter(|build| build.debug) {
        Some(_) => Finding::warning("build", format!("{}, built for debugging: runs are slow", knows(&told)))
            .help("build the server with --release"),
        None => Finding::ok("build", knows(&told)),
    })?;
    Ok(right.then_some(Some(told)))
}

fn token(global: &GlobalArgs, answered: bool) -> Finding {
    let given = global.token.is_some();
    match (&global.server, given) {
        (None, true) => Finding::warning("token", "a token is given, but no server to send it to")
            .help("give --server, or leave out --token and HALFOPEN_TOKEN"),
        (None, false) => Finding::ok("token", "none needed in this process"),
        (Some(_), true) if answered => Finding::ok("token", "sent, and the server takes calls"),
        (Some(_), true) => Finding::ok("token", "sent"),
        (Some(_), false) => Finding::ok("token", "none given, none wanted"),
    }
}

fn version(told: &GetServerResponse) -> Finding {
    let version = &told.version;
    if told.protocol != PROTOCOL {
        let text = format!("the server ({version}) speaks {}, and this program {PROTOCOL}", told.protocol);
        return Finding::problem("version", text, exit::NO_SERVER).help("use the same version on both sides");
    }
    same_version(version)
}

/// Whether the versions match, and what it means if not.
fn same_version(version: &str) -> Finding {
    if version == VERSION {
        return Finding::ok("version", format!("{version} on both sides"));
    }
    let text = format!(
        "the server is {version}, this program {VERSION}: the same scenario and seed may give other events, and a newer \
         server tells things that this program passes over"
    );
    Finding::warning("version", text).help("use the same version on both sides")
}

fn limits_in_words(limits: &ServerLimits) -> String {
    format!(
        "{} at once, {} may wait; {} may wait for readers; a scenario has up to {} KiB, a run {} events",
        words::count(limits.threads.into(), "run"),
        limits.queue,
        words::count(limits.max_unread_events, "event"),
        limits.scenario_octets >> 10,
        limits.run_events
    )
}

/// How it was built, and what it brings along.
fn knows(told: &GetServerResponse) -> String {
    let build = told.build.clone().unwrap_or_default();
    format!(
        "{} {}, with {} scenarios and the profiles {}",
        build.operating_system,
        build.architecture,
        told.bundled_scenarios,
        told.profiles.join(", ")
    )
}

/// Runs a bundled scenario there and, if that should be the same, here.
async fn try_a_run(
    client: &mut Client,
    global: &GlobalArgs,
    told: Option<&GetServerResponse>,
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
    let took = start.elapsed().as_secs_f64() * 1e3;
    let version = record.started().map(|started| started.version.clone()).unwrap_or_default();
    if told.is_none() {
        findings.add(same_version(&version))?;
    }
    let digest = here::digest(&record.events);
    let ran = format!("{SCENARIO} {} in {took:.0} ms", record.outcome().name());
    findings.digest = Some(digest.clone());
    findings.add(if record.outcome() != Outcome::Passed {
        Finding::problem("run", format!("{ran}, and should pass"), exit::FAILED)
            .help(format!("look at it with `halfopen run {SCENARIO}`"))
    } else if global.server.is_none() {
        Finding::ok("run", format!("{ran}; its events have the digest {digest}"))
    } else if version != VERSION {
        Finding::ok("run", format!("{ran}; not compared with one here, which is of another version"))
    } else {
        compare(&ran, &record.events, &run(&mut GlobalArgs::here()?).await?.events)
    })?;
    Ok(())
}

/// Events of the same run, of the same version, there and here.
fn compare(ran: &str, there: &[Event], here: &[Event]) -> Finding {
    if there == here {
        let digest = here::digest(there);
        return Finding::ok("run", format!("{ran}; the same events there and here (digest {digest})"));
    }
    let same = there.iter().zip(here).take_while(|(there, here)| there == here).count();
    let text = format!("{ran}, but from event {} on it is not the run of this program", same + 1);
    Finding::problem("run", text, exit::FAILED).help(
        "the versions are called the same, so one was built from changed sources: build both from the same ones",
    )
}

/// The small run, to its end.
async fn run(client: &mut Client) -> Result<RunRecord, ClientError> {
    let options = RunOptions { seed: Some(1), ..RunOptions::default() };
    let mut record = RunRecord::new(SCENARIO.to_owned());
    let mut stream = client.run(&Source::Bundled(SCENARIO.to_owned()), &options).await?;
    while let Some(events) = stream.next().await? {
        record.events.extend(events);
    }
    Ok(record)
}

/// Why a call came to nothing.
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
                let text =
                    format!("no answer for {} seconds, though there is a connection", PATIENCE.as_secs());
                Finding::problem(what, text, exit::NO_SERVER)
                    .help(format!("is it a halfopen server ({SERVICE_NAME}), and not too busy?"))
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
