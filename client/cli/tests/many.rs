//! Many runs of the `halfopen` binary: which, in which order, how often, and what ends them.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;
#[path = "../../view/tests/common/mod.rs"]
mod script;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Ended, halfopen};
use halfopen_proto::v1::run_service_server::{RunService, RunServiceServer};
use halfopen_proto::v1::scenario_service_server::{ScenarioService, ScenarioServiceServer};
use halfopen_proto::v1::{
    Event, ExecuteRunRequest, ExecuteRunResponse, GetScenarioRequest, GetScenarioResponse,
    ListScenariosRequest, ListScenariosResponse, ScenarioSummary, StepKind, ValidateScenarioRequest,
    ValidateScenarioResponse, Verdict, event::Kind,
};
use script::{MS, Script, handshake};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::Stream;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Code, Request, Response, Status};
use tonic_types::{ErrorDetails, StatusExt};

fn run(arguments: &[&str]) -> Ended {
    Ended::of(halfopen(&[&["run"], arguments].concat()).output().unwrap())
}

#[test]
fn an_argument_is_a_folder_a_pattern_a_name_or_a_subject() {
    let subject = run(&["close"]);
    assert_eq!((subject.code, subject.err.as_str()), (Some(0), ""), "{}", subject.out);
    let names = subject.names();
    assert!(names.len() > 5 && names.contains(&"close/dropped-fin"), "{names:?}");
    assert_eq!(run(&["close/*"]).names(), names, "a pattern of names");
    let files = |names: &[&str]| -> Vec<String> {
        let file = |name: &&str| match name.splitn(3, '/').collect::<Vec<_>>()[..] {
            [subject, name, variant] => format!("scenarios/{subject}/{name}.yaml/{variant}"),
            _ => format!("scenarios/{name}.yaml"),
        };
        names.iter().map(file).collect()
    };
    for argument in
        ["scenarios/close", "scenarios/clos*", "scenarios/close/*", "scenarios/{close,no}/**/*.yaml"]
    {
        assert_eq!(run(&[argument]).names(), files(&names), "{argument}");
    }
    // What is named twice runs once, where it is named first.
    let twice = run(&["dropped-fin", "close", "close/dropped-fin"]);
    assert_eq!(twice.names()[0], "dropped-fin");
    let rest: Vec<&str> = names.iter().copied().filter(|name| *name != "close/dropped-fin").collect();
    assert_eq!(twice.names()[1..], rest);
}

#[test]
fn what_would_not_do_what_it_says_is_refused() {
    let cases: [(&[&str], &str); 15] = [
        (&["no/such/*.yaml"], "no scenario file and no bundled scenario matches `no/such/*.yaml`"),
        (&["dead["], "`dead[` is not a valid pattern"),
        (&["keepaliv"], "did you mean `keepalive`?"),
        (&["dead-client", "--seeds", "1..2", "--seed", "1"], "cannot be used with"),
        (&["dead-client", "--seeds", "9..2"], "there is no seed in 9..2: write 2..9"),
        (&["dead-client", "--seeds", "1..3,2"], "seed 2 is given twice; --repeat"),
        (&["dead-client", "--seeds", "x"], "`x` is not a seed"),
        (&["dead-client", "--seeds", "0..18446744073709551615"], "more than the 100000"),
        (&["dead-client", "--repeat", "1"], "1 is not in 2.."),
        (&["dead-client", "--jobs", "0"], "invalid value '0'"),
        (&["dead-client", "--filter", "["], "not a valid pattern"),
        (&["dead-client", "--filter", ""], "leave it out"),
        (
            &["dead-client", "--filter", "elephant"],
            "the filter matches no run; the first without it is `dead-client`",
        ),
        (&["dead-client/x", "--variant", "y"], "leave out --variant"),
        (&["dead-client", "--seeds", "1..2", "-o", "svg"], "a drawing shows one run, but there are 2"),
    ];
    for (arguments, part) in cases {
        run(arguments).assert_refused(arguments, part);
    }
}

#[test]
fn results_are_the_same_with_any_number_of_jobs() {
    for output in ["text", "json", "ndjson"] {
        let of = |jobs| run(&["close", "handshake", "dead-client", "-o", output, "--jobs", jobs]);
        let (one, many) = (of("1"), of("7"));
        assert_eq!((one.code, one.err.as_str()), (Some(0), ""));
        assert!(one.out == many.out && one.out.lines().count() > 10, "{output}: the same octets in order");
    }
}

#[test]
fn the_library_is_what_the_list_has() {
    let list = Ended::of(halfopen(&["list", "-o", "json"]).output().unwrap());
    let listed = list.out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let names: Vec<String> =
        listed.map(|json| format!("{}/{}", json["subject"], json["name"]).replace('"', "")).collect();
    let found =
        run(&["--bundled", "-o", "json", "--filter", "loss/*", "--filter", "handshake/*", "--seeds", "1"]);
    let runs: Vec<String> = found
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["run"].to_string())
        .collect();
    assert!(!runs.is_empty() && found.code == Some(0), "{}", found.err);
    for name in names.iter().filter(|name| name.starts_with("loss/") || name.starts_with("handshake/")) {
        assert!(runs.iter().any(|run| run.contains(name.as_str())), "{name} is not in {runs:?}");
    }
}

#[test]
fn seeds_and_repetitions_are_runs_with_names_that_filters_know() {
    let seeds = run(&["dropped-fin", "-o", "json", "--seeds", "1..=3,9", "--repeat", "2"]);
    assert_eq!((seeds.code, seeds.err.as_str()), (Some(0), ""), "{}", seeds.out);
    let runs = |text: &str| -> Vec<(String, u64)> {
        let run = |line: &str| {
            let json: serde_json::Value = serde_json::from_str(line).unwrap();
            (json["run"].as_str().unwrap().to_owned(), json["seed"].as_u64().unwrap())
        };
        text.lines().map(run).collect()
    };
    let all: Vec<(String, u64)> = [1, 2, 3, 9]
        .into_iter()
        .flat_map(|seed| [1, 2].map(|time| (format!("dropped-fin (seed {seed}, {time} of 2)"), seed)))
        .collect();
    assert_eq!(runs(&seeds.out), all);
    let filtered = |filters: &[&str]| {
        let base = &["dropped-fin", "-o", "json", "--seeds", "1..=3,9", "--repeat", "2"];
        let filters = filters.iter().flat_map(|filter| ["--filter", filter]);
        runs(&run(&base.iter().copied().chain(filters).collect::<Vec<_>>()).out)
    };
    assert_eq!(filtered(&["seed 9"]), all[6..]);
    assert_eq!(filtered(&["*2 of 2)"]), [1, 3, 5, 7].map(|index| all[index].clone()));
    assert_eq!(filtered(&["seed 1,", "*[39],*"]), [&all[..2], &all[4..]].concat());
}

#[test]
fn after_a_failure_nothing_else_begins_if_that_is_wanted() {
    let folder = tempdir("fail fast");
    let text = fs::read_to_string("../../scenarios/close/dropped-fin.yaml").unwrap();
    for name in ["a", "c", "d"] {
        fs::write(folder.join(name).with_extension("yaml"), &text).unwrap();
    }
    fs::write(folder.join("b.yaml"), text.replace("{received: 1 KiB}", "{received: 2 KiB}")).unwrap();
    let folder = folder.to_str().unwrap();
    let fast = run(&[folder, "--fail-fast", "--jobs", "1"]);
    assert_eq!(fast.code, Some(1), "{}", fast.out);
    assert!(
        fast.last().starts_with("4 runs: 1 passed, 1 failed, 2 skipped (after the first run that did not"),
        "{}",
        fast.out
    );
    let all = run(&[folder, "--jobs", "1"]);
    assert!(all.last().starts_with("4 runs: 3 passed, 1 failed, "), "{}", all.out);
}

#[test]
fn an_error_that_runs_have_in_common_is_printed_once() {
    let server = Fake::start(|_, _| Answer {
        refusal: Some(Status::unauthenticated("the token is wrong")),
        pause: Duration::ZERO,
        ..Answer::default()
    });
    for options in [&[][..], &["--fail-fast"]] {
        let ended = server.run(&[&["s", "--seeds", "1..8", "--jobs", "4"], options].concat());
        assert_eq!(ended.code, Some(4), "{}", ended.err);
        assert_eq!(ended.err.matches("the token is wrong").count(), 1, "{options:?}: {}", ended.err);
        assert!(
            ended.last().contains("skipped (they would fail with the same error)"),
            "{options:?}: {}",
            ended.out
        );
    }
}

#[test]
fn a_server_that_gives_other_events_for_the_same_seed_is_found_out() {
    let server = Fake::start(|request, call| {
        let other = request.seed == Some(2) && call == 4;
        Answer { events: events(request, if other { 60 } else { 50 }), ..Answer::default() }
    });
    for output in ["text", "json"] {
        server.calls.store(0, Ordering::SeqCst);
        let arguments = ["s", "--seeds", "1..2", "--repeat", "3", "--jobs", "1", "-o", output];
        let ended = server.run(&arguments);
        assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
        assert!(ended.out.contains("the same seed gave different events: event "), "{}", ended.out);
        assert_eq!(ended.out.matches("the same seed gave different events").count(), 1, "{}", ended.out);
        assert!(ended.out.contains("0.120s") && ended.out.contains("0.110s"), "both are told: {}", ended.out);
    }
    server.calls.store(0, Ordering::SeqCst);
    let ended = server.run(&["s", "--seeds", "1..2", "--repeat", "3", "--jobs", "1", "-o", "ndjson"]);
    assert_eq!(ended.code, Some(1), "without all events in memory, too");
}

#[test]
fn as_many_runs_as_jobs_go_on_at_once_and_are_reported_in_order() {
    let server = Fake::start(|request, _| {
        let seed = request.seed.unwrap();
        // The first of each four is the last to end.
        let pause = Duration::from_millis(if seed % 4 == 1 { 150 } else { 10 });
        Answer { events: events(request, 50), pause, ..Answer::default() }
    });
    let ended = server.run(&["s", "--seeds", "1..12", "--jobs", "4", "-o", "ndjson"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    assert_eq!(server.most.load(Ordering::SeqCst), 4, "at once");
    let seeds: Vec<u64> = ended.out.lines().filter_map(seed_of).collect();
    assert_eq!(seeds, (1..=12).collect::<Vec<_>>());
    let alone = server.run(&["s", "--seeds", "1..12", "--jobs", "1", "-o", "ndjson"]);
    assert!(alone.out == ended.out);
}

#[test]
fn many_seeds_are_summed_up_with_those_that_failed() {
    let server = Fake::start(|request, call| Answer {
        refusal: (call == 7).then(|| Status::resource_exhausted("the quota is used up")),
        events: events(request, 50),
        ..Answer::default()
    });
    let ended = server.run(&["s", "--seeds", "1..100", "--jobs", "1"]);
    assert_eq!(ended.code, Some(5), "{}", ended.err);
    let lines: Vec<&str> = ended.out.lines().collect();
    assert!(
        lines[0].starts_with("unfinished s ") && lines[0].contains("99 passed, 1 unfinished"),
        "{}",
        lines[0]
    );
    assert_eq!(lines[1], "  1 run unfinished, seeds 8");
    assert!(lines[2].contains("✗ ") && lines[2].contains("the quota is used up"), "{}", lines[2]);
    assert_eq!(lines.len(), 5, "an empty line and the totals follow: {}", ended.out);

    let few = server.run(&["s", "--seeds", "1..10"]);
    assert_eq!(few.names().len(), 10, "{}", few.out);
}

#[test]
fn a_server_that_is_busy_is_asked_again() {
    let server = Fake::start(|request, call| {
        let busy = || {
            let mut details = ErrorDetails::new();
            details.set_retry_info(Some(Duration::from_millis(20)));
            Status::with_error_details(Code::ResourceExhausted, "256 runs are waiting already", details)
        };
        Answer { refusal: (call < 3).then(busy), events: events(request, 50), ..Answer::default() }
    });
    let ended = server.run(&["s", "--seeds", "1..4", "--jobs", "2"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    assert!(ended.last().starts_with("4 runs: 4 passed"), "{}", ended.out);
    assert_eq!(server.calls.load(Ordering::SeqCst), 7);
}

#[test]
fn what_a_server_refuses_for_good_is_not_asked_again() {
    let server = Fake::start(|request, call| Answer {
        refusal: (call == 1).then(|| Status::resource_exhausted("the quota is used up")),
        events: events(request, 50),
        ..Answer::default()
    });
    let ended = server.run(&["s", "--seeds", "1..3", "--jobs", "1"]);
    assert_eq!(ended.code, Some(5), "{}", ended.out);
    assert!(ended.last().starts_with("3 runs: 2 passed, 1 unfinished"), "{}", ended.out);
    assert!(ended.err.contains("the quota is used up"), "{}", ended.err);
}

#[test]
fn a_server_that_goes_away_ends_it_and_that_is_reported_once() {
    let server = Fake::start(|request, call| Answer {
        refusal: (call >= 2).then(|| Status::unavailable("the server is shutting down")),
        events: events(request, 50),
        ..Answer::default()
    });
    let ended = server.run(&["s", "--seeds", "1..50", "--jobs", "2"]);
    assert_eq!(ended.code, Some(4), "{}{}", ended.out, ended.err);
    assert_eq!(ended.err.matches("shutting down").count(), 1, "{}", ended.err);
    assert!(ended.last().contains("skipped (the server is gone)"), "{}", ended.out);
    assert!(ended.last().starts_with("50 runs: 2 passed"), "{}", ended.out);
}

#[cfg(unix)]
#[test]
fn ctrl_c_writes_what_was_finished_in_order() {
    let server = Fake::start(|request, _| {
        let hangs = matches!(request.seed, Some(3 | 5));
        Answer { events: events(request, 50), hangs, ..Answer::default() }
    });
    for output in ["text", "json"] {
        server.calls.store(0, Ordering::SeqCst);
        let child = server.spawn(&["s", "--seeds", "1..9", "--jobs", "2", "-o", output]);
        // 3 and 5 hang; 4 is over and waits for 3.
        let patience = Instant::now();
        while server.calls.load(Ordering::SeqCst) < 5 && patience.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(200));
        let pressed = Instant::now();
        assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
        let ended = Ended::of(child.wait_with_output().unwrap());
        assert!(pressed.elapsed() < Duration::from_secs(5), "{:?}", pressed.elapsed());
        assert_eq!(ended.code, Some(130), "{}{}", ended.out, ended.err);
        if output == "json" {
            let verdicts: Vec<String> = ended
                .out
                .lines()
                .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
                .map(|run| run["verdict"].as_str().unwrap().to_owned())
                .collect();
            assert_eq!(verdicts[..4], ["passed", "passed", "unfinished", "passed"], "{}", ended.out);
        } else {
            assert!(
                ended.last().starts_with("9 runs: 3 passed, 1 unfinished, 5 skipped (interrupted)"),
                "{}",
                ended.out
            );
        }
    }
}

#[test]
fn times_are_printed_on_standard_error_alone_and_only_if_wanted() {
    let plain = run(&["dropped-fin", "--seeds", "1..4"]);
    let told = run(&["dropped-fin", "--seeds", "1..4", "--slowest", "2"]);
    assert_eq!((plain.err.as_str(), &plain.out), ("", &told.out));
    let lines: Vec<&str> = told.err.lines().collect();
    assert!(lines.len() == 3 && lines[0].starts_with("took "), "{}", told.err);
    assert!(lines[1..].iter().all(|line| line.contains("s  dropped-fin (seed ")), "{}", told.err);
}

fn seed_of(line: &str) -> Option<u64> {
    let event: Event = serde_json::from_str(line).unwrap();
    match event.kind {
        Some(Kind::RunStarted(started)) => Some(started.seed),
        _ => None,
    }
}

/// A run that passes, as far as is asked for.
fn events(request: &ExecuteRunRequest, millis: u32) -> Vec<Event> {
    let mut script = Script::new("s", "A run of a fake", &["client", "server"]);
    if let Some(Kind::RunStarted(started)) = &mut script.events[0].kind {
        started.seed = request.seed.unwrap_or(1);
    }
    handshake(&mut script);
    script.at(60 * MS + MS * millis).call("server", StepKind::Close, 0, "");
    script.finish(Verdict::Passed, &[])
}

/// What a fake does about a request.
#[derive(Default)]
struct Answer {
    refusal: Option<Status>,
    pause: Duration,
    events: Vec<Event>,
    /// Whether the run stops before its last event and never ends.
    hangs: bool,
}

type Behaviour = dyn Fn(&ExecuteRunRequest, usize) -> Answer + Send + Sync;

/// A server whose runs are made up.
struct Fake {
    address: SocketAddr,
    /// How many runs were asked for.
    calls: Arc<AtomicUsize>,
    /// How many runs there were at once, at most.
    most: Arc<AtomicUsize>,
    _runtime: tokio::runtime::Runtime,
}

impl Fake {
    fn start(behaviour: impl Fn(&ExecuteRunRequest, usize) -> Answer + Send + Sync + 'static) -> Fake {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let (calls, most) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let runs = Runs {
            behaviour: Arc::new(behaviour),
            calls: calls.clone(),
            now: Arc::default(),
            most: most.clone(),
        };
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(
            tonic::transport::Server::builder()
                .add_service(RunServiceServer::new(runs))
                .add_service(ScenarioServiceServer::new(Scenarios))
                .serve_with_incoming(TcpListenerStream::new(listener)),
        );
        Fake { address, calls, most, _runtime: runtime }
    }

    fn spawn(&self, arguments: &[&str]) -> Child {
        let address = self.address.to_string();
        halfopen(&[&["run", "--server", &address], arguments].concat()).spawn().unwrap()
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.spawn(arguments).wait_with_output().unwrap())
    }
}

struct Runs {
    behaviour: Arc<Behaviour>,
    calls: Arc<AtomicUsize>,
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

#[tonic::async_trait]
impl RunService for Runs {
    type ExecuteRunStream = Pin<Box<dyn Stream<Item = Result<ExecuteRunResponse, Status>> + Send>>;

    async fn execute_run(
        &self,
        request: Request<ExecuteRunRequest>,
    ) -> Result<Response<Self::ExecuteRunStream>, Status> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let Answer { refusal, pause, mut events, hangs } = (self.behaviour)(request.get_ref(), call);
        if let Some(status) = refusal {
            return Err(status);
        }
        let now = self.now.clone();
        self.most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let (sender, receiver) = mpsc::channel(4);
        tokio::spawn(async move {
            let last = events.split_off(events.len() - 1);
            let _ = sender.send(Ok(ExecuteRunResponse { events, part: None })).await;
            tokio::time::sleep(pause).await;
            if hangs {
                sender.closed().await;
            }
            now.fetch_sub(1, Ordering::SeqCst);
            let _ = sender.send(Ok(ExecuteRunResponse { events: last, part: None })).await;
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

/// Knows one scenario, `s`.
struct Scenarios;

#[tonic::async_trait]
impl ScenarioService for Scenarios {
    async fn list_scenarios(
        &self,
        _: Request<ListScenariosRequest>,
    ) -> Result<Response<ListScenariosResponse>, Status> {
        Ok(Response::new(ListScenariosResponse { scenarios: vec![summary()], ..Default::default() }))
    }

    async fn get_scenario(
        &self,
        _: Request<GetScenarioRequest>,
    ) -> Result<Response<GetScenarioResponse>, Status> {
        Ok(Response::new(GetScenarioResponse { summary: Some(summary()), yaml: String::new() }))
    }

    async fn validate_scenario(
        &self,
        _: Request<ValidateScenarioRequest>,
    ) -> Result<Response<ValidateScenarioResponse>, Status> {
        Err(Status::unimplemented("no text here"))
    }
}

fn summary() -> ScenarioSummary {
    ScenarioSummary { name: "s".to_owned(), subject: "fakes".to_owned(), ..ScenarioSummary::default() }
}

/// A new, empty folder.
fn tempdir(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}
