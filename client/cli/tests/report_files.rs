//! `halfopen run --report`, tried as a user would.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{env, fs};

use common::{Ended, PROGRAM, in_folder};
use serde_json::Value;

fn halfopen(folder: &Path, arguments: &[&str]) -> Command {
    in_folder(folder, PROGRAM, arguments)
}

fn ended(output: Output) -> (Option<i32>, String, String) {
    let Ended { code, out, err } = Ended::of(output);
    (code, out, err)
}

fn run(folder: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    ended(halfopen(folder, &[&["run"], arguments].concat()).output().unwrap())
}

/// A new, empty folder.
fn tempdir(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("report {name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(path.as_ref()).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

/// How many test cases a JUnit report has, and how many failures, errors and skipped ones.
fn junit_counts(document: &roxmltree::Document<'_>) -> [u64; 4] {
    ["tests", "failures", "errors", "skipped"].map(|name| {
        let suites = document.descendants().filter(|node| node.has_tag_name("testsuite"));
        suites.map(|suite| suite.attribute(name).unwrap().parse::<u64>().unwrap()).sum()
    })
}

/// dead-client on a line that loses segments by chance; the second of its variants expects what does not happen.
fn lossy(folder: &Path) -> &'static str {
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scenarios/keepalive/dead-client.yaml");
    let text = read(bundled).replacen("  latency: 20ms\n", "  latency: 20ms\n  loss: 20%\n", 1);
    let (text, _) = text.split_once("expect:").unwrap();
    let text = format!("{text}expect:\n  - server: {{received: 1 KiB}}\nvariants:\n  fine: {{}}\n");
    let deaf = "  deaf: {expect: [{server: {error: ECONNRESET}}, {segments: {from: client, flags: SYN}, count: 99}]}\n";
    fs::write(folder.join("it's lossy.yaml"), text + deaf).unwrap();
    "it's lossy.yaml"
}

#[test]
fn several_reports_of_the_same_runs_are_written_beside_the_results() {
    let folder = tempdir("several");
    let file = lossy(&folder);
    fs::write(folder.join("wrong.yaml"), "scenario: [").unwrap();
    let reports =
        ["junit=out/j.xml", "tap=out/t.tap", "json=out/r.json", "html=out/h.html", "pcapng=out/captures"];
    let asked: Vec<&str> = reports.iter().flat_map(|report| ["--report", report]).collect();
    let runs = [file, "wrong.yaml", "three-way-handshake", "--seed", "7"];
    let (code, out, err) = run(&folder, &[&runs[..], &asked].concat());
    assert_eq!(code, Some(3), "{out}{err}");
    assert!(out.contains("4 runs: "), "{out}");

    let junit = read(folder.join("out/j.xml"));
    let document = roxmltree::Document::parse(&junit).unwrap();
    let root = document.root_element();
    let counts = junit_counts(&document);
    let suites: Vec<_> = root.children().filter_map(|suite| suite.attribute("name")).collect();
    assert_eq!(suites, [file, "wrong.yaml", "three-way-handshake"]);
    let case = document.descendants().find(|node| node.attribute("name") == Some("it's lossy/deaf")).unwrap();
    assert!(case.attribute("time").is_some(), "the wall time is told: {junit}");

    let tap = read(folder.join("out/t.tap"));
    assert!(tap.starts_with("TAP version 13\n") && tap.ends_with("\n1..4\n"), "{tap}");
    let failed = tap.lines().filter(|line| line.starts_with("not ok ")).count();

    let json: Value = serde_json::from_str(&read(folder.join("out/r.json"))).unwrap();
    let (_, lines, _) = run(&folder, &[&runs[..], &["-o", "json"]].concat());
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(json["runs"], Value::Array(lines));
    let number = |name: &str| json["counts"][name].as_u64().unwrap();
    assert_eq!(counts, [4, number("failed"), number("notRun"), 0]);
    assert_eq!(failed as u64, number("failed") + number("notRun"));

    assert!(read(folder.join("out/h.html")).contains("three-way-handshake"));
    let names = |path: &str| {
        let entries = fs::read_dir(folder.join(path)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let captures = names("out/captures");
    assert_eq!(captures.len(), 6, "a merged capture and a folder for each that ran: {captures:?}");
    assert_eq!(names("out/captures/three-way-handshake-seed-7"), ["client.pcapng", "server.pcapng"]);
    assert_eq!(fs::read_dir(folder.join("out")).unwrap().count(), 5, "no temporary file is left");
}

#[cfg(unix)]
#[test]
fn the_command_in_a_report_repeats_the_run() {
    let folder = tempdir("repeat");
    let file = lossy(&folder);
    let arguments =
        [file, "--seed", "7", "--profile", "freebsd", "--report", "junit=j.xml", "--report", "tap=t.tap"];
    let (code, out, err) = run(&folder, &arguments);
    assert_eq!(code, Some(1), "{out}{err}");
    let told = out.lines().find_map(|line| line.strip_prefix("repeat it with: ")).unwrap();
    assert!(told.starts_with("halfopen run ") && told.ends_with("  # halfopen 0.1.0"), "{told}");
    let junit = read(folder.join("j.xml"));
    let document = roxmltree::Document::parse(&junit).unwrap();
    let failure = document.descendants().find(|node| node.has_tag_name("failure")).unwrap().text().unwrap();
    assert!(failure.ends_with(&format!("\nrepeat it with: {told}\n")), "{failure}");
    let tap = read(folder.join("t.tap"));
    assert!(tap.contains(&format!("\n  rerun: \"{}\"\n", told.replace('\\', "\\\\"))), "{tap}");

    let in_shell = |command: &str| {
        let programs = Path::new(PROGRAM).parent().unwrap().display();
        let mut shell = in_folder(&folder, "sh", &["-c", command]);
        shell.env("PATH", format!("{programs}:{}", env::var("PATH").unwrap()));
        ended(shell.output().unwrap())
    };
    let (code, again, err) = in_shell(told);
    assert_eq!(code, Some(1), "{again}{err}");
    assert!(out.contains(again.trim_end()), "the same run again:\n{again}\nand before:\n{out}");
    let (_, other, _) = in_shell(&told.replace("--seed 7", "--seed 8"));
    assert!(!out.contains(other.trim_end()), "the seed matters here: {other}");
}

#[test]
fn what_cannot_be_a_report_is_said_before_anything_runs() {
    let folder = tempdir("wrong");
    fs::create_dir(folder.join("folder")).unwrap();
    fs::write(folder.join("file"), "").unwrap();
    let cases: [(&[&str], &str); 9] = [
        (&["junti=x"], "there is no report kind `junti`; did you mean `junit`? the kinds are junit, tap,"),
        (&["x.xml"], "there is no report kind `x.xml`"),
        (&["junit"], "write KIND=PATH, as in `junit=FILE`"),
        (&["junit=folder"], "`folder` is a directory"),
        (&["junit=file/x.xml"], "the folder `file` cannot be created"),
        (&["pcapng=file"], "`file` is a file: name a folder"),
        (&["junit=a/x", "tap=a/../a/x"], "two reports go to `a/../a/x`"),
        (&["tap=-", "json=-"], "two reports go to `-`"),
        (&["pcapng=-"], "cannot go to standard output"),
    ];
    for (reports, part) in cases {
        let asked: Vec<&str> = reports.iter().flat_map(|report| ["--report", report]).collect();
        let (code, out, err) = run(&folder, &[&["dead-client"], &asked[..]].concat());
        assert_eq!((code, out.as_str()), (Some(2), ""), "{reports:?}: {err}");
        assert!(err.contains(part), "{reports:?}: no {part:?} in: {err}");
    }
    let (code, out, err) = run(&folder, &["dead-client", "--report", "tap=-", "-o", "text"]);
    assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
    assert!(err.contains("both write to standard output"), "{err}");
}

#[test]
fn a_report_may_take_the_place_of_the_results() {
    let (code, out, err) = run(&tempdir("stdout"), &["dead-client", "--report", "tap=-"]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert_eq!(out, "TAP version 13\nok 1 - dead-client\n1..1\n");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_and_the_other_reports_are_written() {
    let folder = tempdir("full");
    let arguments =
        ["dead-client", "--report", "junit=/dev/full", "--report", "tap=t.tap", "--report", "json=/dev/full"];
    let (code, _, err) = run(&folder, &arguments);
    assert_eq!(code, Some(2), "two reports of one file: {err}");
    let (code, out, err) = run(&folder, &arguments[..5]);
    assert_eq!(code, Some(5), "{err}");
    assert!(err.contains("junit=/dev/full: No space left on device"), "{err}");
    assert!(out.contains("passed: 7 of 7 expectations"), "{out}");
    assert_eq!(read(folder.join("t.tap")), "TAP version 13\nok 1 - dead-client\n1..1\n");
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_whole_files_of_what_was_finished() {
    use std::io::{BufRead as _, BufReader};
    let folder = tempdir("interrupted");
    let text = "scenario: endless\nhosts: {client: {}, server: {}}\nnetwork: {latency: 1ms}\napplications:\n  \
                server: [{listen: 80}, accept, {repeat: [{receive: 1 B}, {send: 1 B}]}]\n  \
                client: [{connect: 'server:80'}, {repeat: [{send: 1 B}, {receive: 1 B}]}]\n\
                limits: {events: 10000000}\nuntil: 1000h\nexpect: [{client: {states: [CLOSED, SYN-SENT, ESTABLISHED]}}]\n";
    fs::write(folder.join("endless.yaml"), text).unwrap();
    fs::write(folder.join("j.xml"), "old").unwrap();
    let reports = ["junit=j.xml", "tap=t.tap", "json=r.json", "html=h.html"];
    let asked: Vec<&str> = reports.iter().flat_map(|report| ["--report", report]).collect();
    let runs = ["run", "dead-client", "endless.yaml", "three-way-handshake", "--jobs", "1"];
    let mut command = halfopen(&folder, &[&runs[..], &asked].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert!(line.starts_with("passed "), "{line}");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
    let (code, _, err) = ended(child.wait_with_output().unwrap());
    assert_eq!(code, Some(130), "{err}");

    let junit = read(folder.join("j.xml"));
    let document = roxmltree::Document::parse(&junit).unwrap();
    assert_eq!(junit_counts(&document), [3, 0, 1, 1], "{junit}");
    let tap = read(folder.join("t.tap"));
    assert!(tap.contains("ok 1 - dead-client\nnot ok 2 - endless.yaml\n"), "{tap}");
    assert!(tap.ends_with("\nBail out! interrupted\n"), "{tap}");
    let json: Value = serde_json::from_str(&read(folder.join("r.json"))).unwrap();
    let verdicts: Vec<_> =
        json["runs"].as_array().unwrap().iter().map(|run| run["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["passed", "unfinished", "skipped"]);
    assert!(read(folder.join("h.html")).trim_end().ends_with("</html>"));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 5, "no temporary file is left");
}

#[cfg(unix)]
fn interrupt(child: &std::process::Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

/// Many runs with this report and one in a file, interrupted once the reports are open.
#[cfg(unix)]
fn many_interrupted(folder: &Path, report: &str) -> std::process::Child {
    let runs = ["run", "three-way-handshake", "--seeds", "1..100000"];
    let reports = ["--report", "tap=t.tap", "--report", report];
    let child = halfopen(folder, &[&runs[..], &reports].concat()).spawn().unwrap();
    while fs::read_dir(folder).unwrap().next().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    interrupt(&child);
    child
}

#[cfg(unix)]
#[test]
fn ctrl_c_of_many_runs_leaves_a_whole_report_however_long_it_takes() {
    let folder = tempdir("many");
    let (code, _, err) = ended(many_interrupted(&folder, "junit=j.xml").wait_with_output().unwrap());
    assert_eq!(code, Some(130), "{err}");
    let junit = read(folder.join("j.xml"));
    assert_eq!(junit.matches("<testcase ").count(), 100_000);
    assert!(junit.ends_with("</testsuites>\n"));
}

#[cfg(unix)]
#[test]
fn a_second_ctrl_c_ends_at_once() {
    use std::io::Read as _;
    let mut child = many_interrupted(&tempdir("twice"), "junit=-");
    let mut out = child.stdout.take().unwrap();
    let mut junit = Vec::new();
    // A slow reader, for which the program goes on writing.
    let mut read_some = || {
        std::thread::sleep(std::time::Duration::from_millis(5));
        out.by_ref().take(8192).read_to_end(&mut junit).unwrap() > 0
    };
    for _ in 0..100 {
        assert!(read_some(), "it goes on after Ctrl-C");
    }
    interrupt(&child);
    while read_some() {}
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!junit.ends_with(b"</testsuites>\n"), "not to the end");
}

#[cfg(unix)]
#[test]
fn ctrl_c_while_a_run_is_played_ends_the_play_and_keeps_the_report() {
    use std::io::{BufRead as _, BufReader};
    let folder = tempdir("played");
    let mut command = halfopen(&folder, &["run", "dead-client", "--pace", "1x", "--report", "tap=t.tap"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..4 {
        out.read_line(&mut String::new()).unwrap();
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let (code, _, err) = ended(child.wait_with_output().unwrap());
    assert_eq!((code, err.as_str()), (Some(130), ""));
    assert_eq!(read(folder.join("t.tap")), "TAP version 13\nok 1 - dead-client\n1..1\n");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "no temporary file is left");
}

#[cfg(unix)]
#[test]
fn a_program_that_cannot_write_on_after_ctrl_c_leaves_no_temporary_file() {
    use std::io::Read as _;
    let folder = tempdir("stuck");
    let runs = ["run", "zero-window-forever/no-timeout", "--seeds", "1..100", "-o", "ndjson"];
    let mut command = halfopen(&folder, &[&runs[..], &["--report", "tap=t.tap"]].concat());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Nobody reads on.
    child.stdout.as_mut().unwrap().read_exact(&mut [0; 1000]).unwrap();
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "it is being written");
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let code = child.wait().unwrap().code();
    assert_eq!((code, fs::read_dir(&folder).unwrap().count()), (Some(130), 0));
}
