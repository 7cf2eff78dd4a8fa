//! The `halfopen` binary, tried as a user would: exit codes, streams, mistakes, pipes.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{Ended, PROGRAM, halfopen, in_folder, root};
use halfopen_proto::v1::{Event, event::Kind};
use serde_json::Value;

const DEAD: &str = "keepalive: dead: 10 probes, 2h 12m 30s after the last segment, ETIMEDOUT";

fn run(arguments: &[&str]) -> Ended {
    Ended::of(halfopen(arguments).output().unwrap())
}

fn run_text(text: &[u8]) -> Ended {
    let mut command = halfopen(&["run", "-"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It may stop reading before the end of what is too large.
    let _ = child.stdin.take().unwrap().write_all(text);
    Ended::of(child.wait_with_output().unwrap())
}

/// The scenario dead-client with something replaced.
fn changed(from: &str, to: &str) -> Vec<u8> {
    let text = fs::read_to_string(root().join("scenarios/keepalive/dead-client.yaml")).unwrap();
    assert!(text.contains(from), "dead-client has no {from:?}");
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn a_run_that_passes_ends_with_0_and_says_nothing_on_standard_error() {
    let ended = run(&["run", "scenarios/keepalive/dead-client.yaml"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    assert!(ended.out.contains(DEAD), "{}", ended.out);
    assert!(ended.out.lines().all(|line| line.chars().count() <= 100), "{}", ended.out);
    assert!(!ended.out.contains('\x1b'), "no colours in a pipe: {}", ended.out);
}

#[test]
fn the_readme_shows_what_its_first_command_gives() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains(
        "    cargo run --release -- run scenarios/keepalive/dead-client.yaml\n    cargo test --workspace\n"
    ));
    assert!(readme.contains("](docs/dead-client.svg)"));
    let out = run(&["run", "scenarios/keepalive/dead-client.yaml"]).out;
    let verdict = out.lines().last().unwrap();
    assert!(readme.contains(&format!("\n    {verdict}\n")), "the README should show:\n{verdict}");
}

#[test]
fn a_bundled_scenario_runs_by_its_name_and_from_standard_input() {
    let by_name = run(&["run", "dead-client"]);
    assert_eq!(by_name.code, Some(0), "{}", by_name.err);
    let shown = run(&["show", "dead-client"]);
    let with_subject = run(&["run", "keepalive/dead-client"]);
    assert_eq!(by_name.out, with_subject.out, "{}", with_subject.err);
    let piped = run_text(shown.out.as_bytes());
    assert_eq!(piped.code, Some(0), "{}", piped.err);
    assert_eq!(by_name.out, piped.out);
}

#[test]
fn a_broken_expectation_ends_with_1_and_says_what_happened_instead() {
    let ended = run_text(&changed("{error: ETIMEDOUT}", "{error: ECONNRESET}"));
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    for part in ["expected", "ECONNRESET", "actual", "ETIMEDOUT", "standard input:", "failed:"] {
        assert!(ended.out.contains(part), "no {part:?} in:\n{}", ended.out);
    }
}

#[test]
fn a_fault_that_never_happens_ends_with_1_too() {
    let ended =
        run_text(&changed("faults:\n", "faults:\n  - drop: {from: client, flags: RST}\n    first: 1\n"));
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("7 of 7 expectations"), "{}", ended.out);
    assert_eq!(
        ended.out.matches('✗').count(),
        4,
        "3 lost segments are shown, and one problem:\n{}",
        ended.out
    );
}

#[test]
fn wrong_arguments_end_with_2() {
    let empty = tempdir("empty");
    let cases: [(&[&str], &str); 8] = [
        (&[], "Usage"),
        (&["run"], "required"),
        (&["run", "--no-such-option", "dead-client"], "--no-such-option"),
        (&["run", "--seed", "x", "dead-client"], "invalid value"),
        (&["run", "scenarios/no-such-file.yaml"], "there is no file `scenarios/no-such-file.yaml`"),
        (&["run", "dead-clinet"], "did you mean `dead-client`?"),
        (&["run", empty.to_str().unwrap()], "no scenarios in the directory"),
        (&["--server", "ftp://localhost:1", "list"], "only http:// and https:// are supported"),
    ];
    for (arguments, part) in cases {
        run(arguments).assert_refused(arguments, part);
    }
}

#[test]
fn a_mistake_in_a_scenario_ends_with_3_and_is_shown_at_its_place() {
    let cases = [
        (changed("latency:", "latencie:"), "latencie"),
        (changed("power-loss: client", "power-loss: clinet"), "clinet"),
        (changed("20ms", "20 parsecs"), "parsecs"),
        (changed("SYN-RECEIVED", "SYN-RECIEVED"), "SYN-RECIEVED"),
        (changed("hosts:", "hosts: ["), "not YAML"),
    ];
    for (text, part) in cases {
        let ended = run_text(&text);
        assert_eq!(ended.code, Some(3), "{part}: {}", ended.err);
        for part in [part, "standard input:", "^", "mistake"] {
            assert!(ended.err.contains(part), "no {part:?} in:\n{}", ended.err);
        }
        assert_eq!(ended.out, "");
    }
}

#[test]
fn what_is_no_scenario_at_all_ends_with_3_and_no_panic() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    let cases = [
        ("empty", Vec::new(), ""),
        ("binary", vec![0x7f, b'E', b'L', b'F', 0, 1, 2, 255], "not a text file"),
        ("not UTF-8", b"scenario: \xff".to_vec(), "not a text file"),
        ("5 MiB", b"# much\n".repeat(5 << 20 >> 3), "larger than 1 MiB"),
        ("aliases", bomb.into_bytes(), ""),
        ("nesting", "[".repeat(100_000).into_bytes(), ""),
        ("a list", b"- 1\n- 2\n".to_vec(), ""),
    ];
    for (name, text, part) in cases {
        let ended = run_text(&text);
        assert_eq!(ended.code, Some(3), "{name}: {}{}", ended.out, ended.err);
        assert!(ended.err.contains("error") && ended.err.contains(part), "{name}: {}", ended.err);
        assert!(!ended.err.contains("panic"), "{name}: {}", ended.err);
    }
}

#[test]
fn the_schema_is_that_beside_the_scenarios() {
    let kept = include_str!("../../../scenarios/scenario.schema.json");
    let ended = run(&["schema"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    assert!(ended.out == kept, "{}", ended.out);
}

#[test]
fn no_server_ends_with_4_and_says_what_to_do() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    for command in
        [&["run", "dead-client"][..], &["list"], &["validate", "scenarios/keepalive/dead-client.yaml"]]
    {
        let ended = run(&[command, &["--server", &closed]].concat());
        assert_eq!(ended.code, Some(4), "{command:?}: {}", ended.err);
        assert!(ended.err.contains(&closed) && ended.err.contains("halfopen serve"), "{}", ended.err);
        assert!(!ended.out.contains("passed"), "{}", ended.out);
    }
}

#[test]
fn a_run_that_costs_more_than_it_may_ends_with_5_and_says_where_to_raise_the_limit() {
    for (option, limit, part) in [
        ("--max-run-memory", "100kB", "the limit of 100 kB of memory"),
        ("--max-run-connections", "1", "the limit of 1 end of connections"),
        ("--max-run-comparisons", "1", "not judged within 1 comparison"),
    ] {
        let ended = run(&["run", "dead-client", option, limit]);
        assert_eq!(ended.code, Some(5), "{}{}", ended.out, ended.err);
        for part in [part, "raise the limit of the server or the command"] {
            assert!(ended.out.contains(part), "{option}: {}", ended.out);
        }
    }
    let enough = ["run", "dead-client", "--max-run-connections", "2", "--max-run-processor-time", "1min"];
    assert_eq!(run(&enough).code, Some(0));
}

#[test]
fn a_run_at_its_limit_ends_with_5_and_shows_how_far_it_got() {
    let ended = run_text(&changed("expect:", "limits: {virtual-time: 1h}\nexpect:"));
    assert_eq!(ended.code, Some(5), "{}{}", ended.out, ended.err);
    for part in ["SYN-SENT", "unfinished:", "limit"] {
        assert!(ended.out.contains(part), "no {part:?} in:\n{}", ended.out);
    }
}

#[test]
fn a_server_runs_what_this_process_would() {
    let mut serve = halfopen(&["serve", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(serve.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let started: Value = serde_json::from_str(&line).unwrap();
    let address = started["listening"].as_str().unwrap().to_owned();
    let remote =
        Ended::of(halfopen(&["run", "dead-client"]).env("HALFOPEN_SERVER", &address).output().unwrap());
    serve.kill().unwrap();
    serve.wait().unwrap();
    assert_eq!(remote.code, Some(0), "{}", remote.err);
    assert_eq!(remote.out, run(&["run", "dead-client"]).out);
}

#[test]
fn colours_follow_the_option_and_the_environment() {
    let coloured = |arguments: &[&str], variable: Option<(&str, &str)>| {
        let mut command = halfopen(&[&["run", "dead-client"], arguments].concat());
        command.envs(variable);
        Ended::of(command.output().unwrap()).out.contains('\x1b')
    };
    assert!(!coloured(&[], None), "standard output is no terminal");
    assert!(coloured(&["--color", "always"], None));
    assert!(coloured(&["--color", "always"], Some(("NO_COLOR", "1"))), "the option is stronger");
    assert!(coloured(&[], Some(("CLICOLOR_FORCE", "1"))));
    assert!(!coloured(&["--color", "never"], Some(("CLICOLOR_FORCE", "1"))));
    assert!(!coloured(&[], Some(("NO_COLOR", "1"))));
}

#[test]
fn json_is_an_object_for_each_run() {
    let ended = run(&["run", "--output", "json", "--seed", "7", "dead-client", "three-way-handshake"]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    let runs: Vec<Value> = ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[0]["scenario"], "dead-client");
    assert_eq!(runs[0]["seed"], 7);
    assert_eq!(runs[0]["verdict"], "passed");
    assert_eq!(runs[0]["keepalive"][0]["verdict"], "dead");
    assert_eq!(runs[0]["keepalive"][0]["probes"], 10);
    assert_eq!(runs[0]["keepalive"][0]["silenceSeconds"], 7950.0);
    assert_eq!(runs[0]["keepalive"][0]["error"], "ETIMEDOUT");
    assert!(runs[0]["expectations"].as_array().unwrap().iter().all(|result| result["passed"] == true));
    let server = runs[0]["finalStates"].as_array().unwrap().iter().find(|state| state["host"] == "server");
    assert_eq!(server.unwrap()["state"], "CLOSED");
    assert_eq!(runs[1]["scenario"], "three-way-handshake");
}

#[test]
fn ndjson_is_every_event_and_the_same_for_the_same_seed() {
    let arguments = ["run", "--output", "ndjson", "dead-client"];
    let first = run(&arguments);
    assert_eq!(first.code, Some(0), "{}", first.err);
    let events: Vec<Event> = first.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sequence: Vec<u64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(sequence, (1..=events.len() as u64).collect::<Vec<_>>());
    assert!(matches!(events.first().unwrap().kind, Some(Kind::RunStarted(_))));
    assert!(matches!(events.last().unwrap().kind, Some(Kind::RunFinished(_))));
    assert_eq!(run(&arguments).out, first.out);
    // Octets that a capture needs are the capture's own.
    let captures = format!("pcapng={}", tempdir("ndjson").join("captures").display());
    assert_eq!(run(&[&arguments[..], &["--report", &captures]].concat()).out, first.out);
}

#[test]
fn a_drawing_is_of_one_run_and_a_page_of_all_with_their_texts() {
    let drawing = run(&["run", "dead-client", "-o", "svg"]);
    assert_eq!((drawing.code, drawing.out.starts_with("<svg "), drawing.err.as_str()), (Some(0), true, ""));
    let drawn = fs::read_to_string(root().join("docs/dead-client.svg")).unwrap();
    assert_eq!(
        drawing.out, drawn,
        "docs/dead-client.svg is old: write it by `halfopen run dead-client -o svg`"
    );
    let diagram = run(&["run", "dead-client", "-o", "mermaid"]);
    assert!(diagram.out.starts_with("sequenceDiagram\n") && diagram.code == Some(0), "{}", diagram.out);
    let two = run(&["run", "dead-client", "dropped-fin", "-o", "svg"]);
    assert_eq!((two.code, two.out.as_str()), (Some(2), ""));
    assert!(two.err.contains("there are 2: name one, as in `halfopen run dead-client`"), "{}", two.err);

    let page = run(&["run", "dead-client", "scenarios/close/dropped-fin.yaml", "--report", "html=-"]);
    assert_eq!((page.code, page.err.as_str()), (Some(0), ""));
    for text in ["# The client disappears silently", "# The client's FIN", "2 runs: 2 passed"] {
        assert!(page.out.contains(text) || page.out.contains(&text.replace('\'', "&#39;")), "{text}");
    }
}

#[test]
fn a_directory_is_a_line_for_each_scenario_and_a_summary() {
    let ended = run(&["run", "scenarios"]);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    let names: Vec<String> = bundled().iter().flat_map(|(name, variants)| runs_of(name, variants)).collect();
    let (count, lines) = (names.len(), ended.out.lines().collect::<Vec<_>>());
    let summary = format!("{count} runs: {count} passed, ");
    assert!(lines.last().is_some_and(|last| last.starts_with(&summary)), "{}", ended.out);
    let passed: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("passed ")).collect();
    assert_eq!(passed.len(), count);
    for (line, name) in passed.iter().zip(names) {
        assert!(line.contains(&format!(" {name} ")), "{name}: folder by folder:\n{}", ended.out);
    }
}

/// What the runs of a bundled scenario's file are called.
fn runs_of(name: &str, variants: &[String]) -> Vec<String> {
    let file = format!("scenarios/{name}.yaml");
    match variants.is_empty() {
        true => vec![file],
        false => variants.iter().map(|variant| format!("{file}/{variant}")).collect(),
    }
}

/// The bundled scenarios in their order, as `keepalive/dead-client`, and their variants.
fn bundled() -> Vec<(String, Vec<String>)> {
    let list = run(&["list", "--output", "json"]);
    assert_eq!(list.code, Some(0), "{}", list.err);
    let name = |line: &str| {
        let scenario: Value = serde_json::from_str(line).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let variants = scenario["variants"].as_array().into_iter().flatten().map(text).collect();
        (format!("{}/{}", text(&scenario["subject"]), text(&scenario["name"])), variants)
    };
    list.out.lines().map(name).collect()
}

#[test]
fn the_list_is_in_groups_with_titles() {
    let list = run(&["list"]);
    assert_eq!((list.code, list.err.as_str()), (Some(0), ""));
    let groups: Vec<&str> = list.out.split("\n\n").collect();
    let keepalive = groups.iter().find(|group| group.contains("(keepalive)")).unwrap();
    let (title, scenarios) = keepalive.split_once('\n').unwrap();
    assert_eq!(title, "Finding out that the peer is gone (keepalive)");
    assert!(scenarios.lines().all(|line| line.starts_with("  ")), "{keepalive}");
    assert!(scenarios.contains("  dead-client "), "{keepalive}");
    let names = list.out.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   ")).count();
    assert_eq!(names, bundled().len(), "{}", list.out);
    assert!(list.out.contains("  variants: fin-first, reset-first, backend-65s\n"), "{}", list.out);
}

#[test]
fn several_runs_end_with_the_largest_code_and_go_on_after_a_wrong_one() {
    let folder = tempdir("more than one");
    fs::write(folder.join("a.yaml"), "scenario: [").unwrap();
    fs::write(folder.join("b.yaml"), changed("{error: ETIMEDOUT}", "{error: ECONNRESET}")).unwrap();
    fs::write(folder.join("c.yaml"), changed("seconds", "seconds")).unwrap();
    let ended = run(&["run", folder.to_str().unwrap()]);
    assert_eq!(ended.code, Some(3), "{}{}", ended.out, ended.err);
    assert!(ended.out.contains("3 runs: 1 passed, 1 failed, 1 not run"), "{}", ended.out);
    assert!(
        ended.out.contains("more than one/b.yaml' --seed 1"),
        "how to repeat the failed one: {}",
        ended.out
    );
    assert_eq!(
        ended.out.matches("SYN-SENT ").count(),
        1,
        "the ladder of the failed one only:\n{}",
        ended.out
    );
}

/// dead-client with two variants, the second of which fails.
fn with_variants(folder: &str) -> String {
    let file = tempdir(folder).join("pool.yaml");
    let text = fs::read_to_string(root().join("scenarios/keepalive/dead-client.yaml")).unwrap();
    let variants =
        "variants:\n  as-ever: {}\n  deaf: {hosts: {server: {tcp: {keepalive: off}}}, until: 3h}\n";
    fs::write(&file, text + variants).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn every_variant_is_a_run_of_its_own_name() {
    let file = with_variants("variants");
    let ended = run(&["run", &file]);
    assert_eq!(ended.code, Some(1), "{}{}", ended.out, ended.err);
    for part in [
        format!("passed     {file}/as-ever "),
        format!("failed     {file}/deaf "),
        "dead-client/deaf: ".to_owned(),
        format!("    {file}:"),
        format!("repeat it with: halfopen run {file}/deaf --seed 1  # halfopen 0.1.0\n"),
        "2 runs: 1 passed, 1 failed".to_owned(),
    ] {
        assert!(ended.out.contains(&part), "no {part:?} in:\n{}", ended.out);
    }
    let json = run(&["run", "--output", "json", &file]).out;
    let runs: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let seen: Vec<_> = runs.iter().map(|run| (run["variant"].as_str(), run["verdict"].as_str())).collect();
    assert_eq!(seen, [(Some("as-ever"), Some("passed")), (Some("deaf"), Some("failed"))]);
    assert_eq!(runs[1]["run"], format!("{file}/deaf"));
}

#[test]
fn one_variant_is_named_in_two_ways() {
    let file = with_variants("one variant");
    let named = run(&["run", &format!("{file}/as-ever")]);
    assert_eq!((named.code, named.err.as_str()), (Some(0), ""), "{}", named.out);
    assert!(named.out.starts_with("dead-client/as-ever: "), "{}", named.out);
    assert_eq!(run(&["run", &file, "--variant", "as-ever"]).out, named.out);
    for (arguments, part) in [
        (&["run", &format!("{file}/asever")][..], "did you mean `as-ever`?"),
        (&["run", &format!("{file}/deaf"), "--variant", "deaf"], "leave out --variant"),
        (&["run", "dead-client/deaf"], "no variants"),
        (&["run", "dead-clinet/deaf"], "no bundled scenario is named `dead-clinet/deaf`"),
        (&["run", "keepalive/dead-client/deaf"], "no variants"),
        (&["validate", &format!("{file}/dead")], "no variant named `dead`"),
    ] {
        let ended = run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {}{}", ended.out, ended.err);
        assert!(ended.err.contains(part), "{arguments:?}: no {part:?} in:\n{}", ended.err);
    }
    let valid = run(&["validate", &file]);
    assert_eq!(valid.out, format!("valid    {file}  as-ever, deaf\n"), "{}", valid.err);
}

#[test]
fn a_profile_takes_the_place_of_the_scenarios() {
    let ended = run(&["run", "dead-client", "--profile", "freebsd", "--output", "ndjson"]);
    let started: Event = serde_json::from_str(ended.out.lines().next().unwrap()).unwrap();
    let Some(Kind::RunStarted(started)) = started.kind else { panic!("{started:?}") };
    let profiles: Vec<&str> = started.hosts.iter().map(|host| host.profile.as_str()).collect();
    assert_eq!(profiles, ["freebsd"; 2]);

    // What is expected of Linux does not hold, and the command that repeats it says so.
    let other = run(&["run", "rebooted-client", "--profile", "windows"]);
    assert_eq!(other.code, Some(1), "{}{}", other.out, other.err);
    assert!(other.out.contains("--seed 1 --profile windows  # halfopen 0.1.0\n"), "{}", other.out);

    let unknown = run(&["run", "dead-client", "stale-pool-connection", "--profile", "freebds"]);
    assert_eq!(unknown.code, Some(2), "{}", unknown.out);
    assert_eq!(unknown.err.matches("did you mean `freebsd`?").count(), 1, "told once: {}", unknown.err);
}

#[test]
fn a_recording_is_explained_as_its_run_is() {
    let folder = tempdir("recording");
    let file = folder.join("two.ndjson");
    let recorded =
        [run(&["run", "dropped-fin", "-o", "ndjson"]), run(&["run", "dead-client", "-o", "ndjson"])];
    fs::write(&file, recorded.map(|ended| ended.out).concat()).unwrap();
    let file = file.to_str().unwrap();
    let explain =
        |arguments: &[&str]| Ended::of(halfopen(&[&["explain"], arguments].concat()).output().unwrap());
    let both = explain(&[file]);
    assert_eq!((both.code, both.err.as_str()), (Some(0), ""));
    let each = ["dropped-fin", "dead-client"].map(|name| explain(&[name]).out);
    assert_eq!(both.out, each.join("\n"));
    let json = explain(&[file, "-o", "json"]).out;
    let objects: Vec<Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects[1]["scenario"], "dead-client");
    assert_eq!(objects[1]["paragraphs"][1]["subject"], "story");

    for (arguments, expected) in [
        (&[file, "--seed", "2"][..], "--seed has no effect on a recording"),
        (&[file, "--variant", "x"], "--variant has no effect on a recording"),
        (&["no.ndjson"], "cannot read the recording `no.ndjson`"),
        (&["scenarios"], "scenarios: name one"),
        (&["dead-cleint"], "did you mean `dead-client`?"),
        (&["dead-client", "--connection", "0"], "--connection"),
    ] {
        let ended = explain(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}");
        assert!(ended.err.contains(expected), "{arguments:?}: {}", ended.err);
    }
    let none = explain(&["dead-client", "--connection", "7"]);
    assert!(none.out.contains("There is no connection 7: the run had 1 connection."), "{}", none.out);
}

#[test]
fn a_recording_is_shown_as_its_run_was() {
    let folder = tempdir("shown");
    let file = folder.join("one.ndjson");
    fs::write(&file, run(&["run", "dead-client", "-o", "ndjson"]).out).unwrap();
    let file = file.to_str().unwrap();
    for options in [&[][..], &["--timers", "--only", "timers"], &["-o", "svg"], &["-o", "ndjson"]] {
        let [shown, ran] = [file, "dead-client"].map(|what| run(&[&["run", what], options].concat()));
        assert_eq!((shown.code, shown.err.as_str()), (Some(0), ""), "{options:?}");
        assert_eq!(shown.out, ran.out, "{options:?}");
    }
    let two = run(&["run", file, file, "--filter", "dead"]);
    assert_eq!((two.code, two.names().len()), (Some(0), 2), "{}", two.out);
    for (arguments, part) in [
        (&[file, "--seed", "2"][..], "--seed has no effect on a recording"),
        (&[file, "--server", "http://127.0.0.1:1"], "--server has no effect on a recording"),
        (&[file, "dead-client"], "name only recordings, or only scenarios"),
        (&[file, "--filter", "alive"], "the filter matches no run"),
        (&[file, "--report", "pcapng=captures"], "a recording has no packets"),
        (&["no.ndjson"], "cannot read the recording `no.ndjson`"),
    ] {
        run(&[&["run"], arguments].concat()).assert_refused(arguments, part);
    }
}

#[test]
fn the_list_can_be_part_of_it_and_a_variant_is_shown_as_a_scenario() {
    let list = run(&["list", "keepalive", "dropped-fin", "-o", "json"]);
    let all = run(&["list", "-o", "json"]);
    let expected = all.out.lines().filter(|line| {
        let scenario: Value = serde_json::from_str(line).unwrap();
        scenario["subject"] == "keepalive" || scenario["name"] == "dropped-fin"
    });
    assert_eq!(list.out.lines().collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    run(&["list", "keepaliv"]).assert_refused(&["list"], "did you mean `keepalive`?");

    let folder = tempdir("variant");
    let shown = run(&["show", "fin-wait-2-stuck/held"]);
    assert_eq!(shown.code, Some(0), "{}", shown.err);
    fs::write(folder.join("held.yaml"), &shown.out).unwrap();
    let file = folder.join("held.yaml");
    let ended = run(&["diff", file.to_str().unwrap(), "fin-wait-2-stuck/held"]);
    assert!(ended.out.contains("Both runs have the same events"), "{}{}", ended.out, ended.err);
    run(&["show", "fin-wait-2-stuck/no"]).assert_refused(&["show"], "no variant");
    run(&["show", "dead-cleint"]).assert_refused(&["show"], "did you mean `dead-client`?");
    run(&["show", "keepalive"]).assert_refused(&["show"], "scenarios: name one");
}

#[test]
fn a_new_scenario_runs_and_replaces_no_file() {
    let folder = tempdir("new");
    let new = |arguments: &[&str]| {
        Ended::of(in_folder(&folder, PROGRAM, &[&["new"], arguments].concat()).output().unwrap())
    };
    for (arguments, file) in
        [(&["hang"][..], "hang.yaml"), (&["fin.yaml", "--from", "dropped-fin"], "fin.yaml")]
    {
        let ended = new(arguments);
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
        assert!(ended.out.contains(&format!("`halfopen run {file}` runs it")), "{}", ended.out);
        let ended = Ended::of(in_folder(&folder, PROGRAM, &["run", file]).output().unwrap());
        assert_eq!(ended.code, Some(0), "{}{}", ended.out, ended.err);
        assert!(
            ended.out.starts_with(&format!("{}: ", arguments[0].trim_end_matches(".yaml"))),
            "{}",
            ended.out
        );
    }
    new(&["hang.yaml"]).assert_refused(&["new"], "cannot write `hang.yaml`: File exists");
    new(&["a b.yaml"]).assert_refused(&["new"], "cannot name a scenario");
    new(&["x", "--from", "no-such-thing"]).assert_refused(&["new"], "no bundled scenario is named");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 2, "nothing is left of what failed");
}

#[test]
fn keys_are_explained() {
    let top = run(&["doc"]);
    assert!(top.out.contains("applications  ") && top.out.contains("network "), "{}", top.out);
    let one = run(&["doc", "network.latency"]);
    assert_eq!((one.code, one.err.as_str()), (Some(0), ""));
    assert!(one.out.starts_with("network.latency\n"), "{}", one.out);
    run(&["doc", "latancy"]).assert_refused(&["doc"], "did you mean `latency`?");
}

#[test]
fn diff_ends_with_0_where_runs_are_the_same_and_with_1_where_not() {
    let folder = tempdir("diff");
    let file = |name: &str, arguments: &[&str]| {
        let path = folder.join(name).to_str().unwrap().to_owned();
        fs::write(&path, run(&[&["run", "-o", "ndjson"], arguments].concat()).out).unwrap();
        path
    };
    let one = file("one.ndjson", &["dropped-fin"]);
    let two = file("two.jsonl", &["dropped-fin", "dead-client"]);
    let scenario = "scenarios/close/dropped-fin.yaml";
    for (arguments, code, expected) in [
        (&["dead-client", "--seeds", "1,2"][..], 0, "Both runs have the same events: 110 events."),
        (&[&one, "dropped-fin"], 0, "Both runs have the same events"),
        (&[scenario, "dropped-fin", "--seed", "3"], 0, "(seed 3, linux"),
        (&["dropped-fin", "--profiles", "linux,freebsd"], 1, "They differ after 3 events:"),
        (&[&two], 1, "Results that differ"),
        (&["h2-stale-pool"], 1, "h2-stale-pool/none (seed 1"),
        (&["dropped-fin", "lost-last-ack", "-o", "json"], 1, "\"same\":false"),
    ] {
        let ended = run(&[&["diff"], arguments].concat());
        assert_eq!((ended.code, ended.err.as_str()), (Some(code), ""), "{arguments:?}");
        assert!(ended.out.contains(expected), "{arguments:?}: {}", ended.out);
    }
    for (arguments, code, expected) in [
        (&["dead-client"][..], 2, "name another one, or add --seeds N,M or --profiles P,Q"),
        (&["dead-client", "--seeds", "1,2,3"], 2, "--seeds takes two"),
        (&["dead-client", "dropped-fin", "--seeds", "1,2"], 2, "cannot be used with"),
        (
            &["grpc-dead-peer"],
            2,
            "names 3 runs; name two of them, as in `halfopen diff A B`: grpc-dead-peer/none",
        ),
        (&["fin-wait-2-stuck", "dead-client"], 2, "names 2 runs, but only one can be compared"),
        (&[&one], 2, "is a recording of 1 run: name another scenario or recording"),
        (&[&two, &one], 2, "names 2 runs, but only one can be compared: dropped-fin, dead-client"),
        (&["dead-client", "--profiles", "linux,amiga"], 2, "amiga"),
        (&["dead-client", "no-such"], 2, "no bundled scenario is named `no-such`"),
    ] {
        let ended = run(&[&["diff"], arguments].concat());
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.err);
        assert!(ended.err.contains(expected), "{arguments:?}: {}", ended.err);
    }
}

#[test]
fn lines_break_between_words_where_the_terminal_ends() {
    for arguments in [
        &["run", "keepalive-vs-user-timeout/busy+both", "--width", "60"][..],
        &["run", "lost-last-ack", "--width", "60"],
        &["diff", "h2-stale-pool", "--width", "60"],
    ] {
        let ended = run(arguments);
        let too_long = ended.out.lines().find(|line| line.chars().count() > 60);
        assert_eq!(too_long, None, "{arguments:?}");
    }
}

#[test]
fn list_show_and_validate_agree() {
    let names: Vec<String> = bundled().into_iter().map(|(name, _)| name).collect();
    assert!(names.contains(&"keepalive/dead-client".to_owned()), "{names:?}");
    let arguments: Vec<&str> = ["validate"].into_iter().chain(names.iter().map(String::as_str)).collect();
    let valid = run(&arguments);
    assert_eq!((valid.code, valid.err.as_str()), (Some(0), ""));
    assert_eq!(valid.out.lines().filter(|line| line.starts_with("valid ")).count(), names.len());
    assert_eq!(run(&["show", "no-such-scenario"]).code, Some(2));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for output in ["text", "json", "ndjson"] {
        let mut command = halfopen(&["run", "scenarios", "--output", output]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::with_capacity(1, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty());
        let ended = Ended::of(child.wait_with_output().unwrap());
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{output}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_run_at_once_with_130() {
    // A server that takes the connection and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let mut command = halfopen(&["run", "dead-client", "--server", &address]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _connection = silent.accept().unwrap();
    std::thread::sleep(Duration::from_millis(200));
    assert!(child.try_wait().unwrap().is_none(), "it waits for the server");
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    let output = receiver.recv_timeout(Duration::from_secs(5)).expect("it ends at once").unwrap();
    assert_eq!(output.status.code(), Some(130));
}

/// A new, empty folder.
fn tempdir(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}
