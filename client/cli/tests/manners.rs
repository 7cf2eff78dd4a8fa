//! How the `halfopen` binary behaves whatever it is asked for: settings, help, streams, signals, shells.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::disallowed_methods, reason = "how long a process takes is a matter of the wall clock")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use common::{Ended, PROGRAM, in_folder, root, unset};

/// Much more than anything takes on a busy machine.
const LONG: Duration = Duration::from_secs(60);

/// The command in that folder, where the environment says nothing.
fn halfopen(folder: &Path, line: &str) -> Command {
    in_folder(folder, PROGRAM, &line.split_whitespace().collect::<Vec<_>>())
}

fn run(folder: &Path, line: &str) -> Ended {
    Ended::of(halfopen(folder, line).output().unwrap())
}

/// A new folder with a scenario, `mine.yaml`, and a folder of one, `scenarios`.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("manners").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("scenarios")).unwrap();
    fs::write(folder.join("mine.yaml"), scenario()).unwrap();
    fs::write(folder.join("scenarios/theirs.yaml"), scenario()).unwrap();
    folder
}

fn scenario() -> String {
    let root = root();
    fs::read_to_string(root.join("scenarios/keepalive/dead-client.yaml")).unwrap()
}

#[test]
fn settings_come_from_arguments_variables_and_the_nearest_file_in_this_order() {
    let folder = folder("settings");
    fs::write(folder.join("halfopen.toml"), "[list]\noutput = 'json'\n").unwrap();
    let below = folder.join("scenarios");
    let is_json = |line: &str, variable: Option<(&str, &str)>| {
        let ended = Ended::of(halfopen(&below, line).envs(variable).output().unwrap());
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{line}");
        ended.out.starts_with('{')
    };
    assert!(is_json("list", None));
    assert!(!is_json("list", Some(("HALFOPEN_OUTPUT", "text"))));
    assert!(is_json("list -o json", Some(("HALFOPEN_OUTPUT", "text"))));
    assert!(!is_json("list --no-config", None));
    let elsewhere = folder.join("scenarios/other.toml");
    fs::write(&elsewhere, "").unwrap();
    assert!(!is_json("list --config other.toml", None));
    assert!(!is_json("list", Some(("HALFOPEN_CONFIG", "other.toml"))));
}

#[test]
fn a_mistake_in_the_file_ends_with_2_and_its_place_but_not_where_shells_ask() {
    let folder = folder("wrong settings");
    fs::write(folder.join("halfopen.toml"), "color = 'never'\n[run]\nsead = 7\n").unwrap();
    let wrong = run(&folder, "run mine.yaml");
    assert_eq!((wrong.code, wrong.out.as_str()), (Some(2), ""));
    assert_eq!(
        wrong.err,
        "error: halfopen.toml:3:1: there is no option `sead` of `run`\nhelp: did you mean `seed`?\n"
    );
    for line in ["completions bash", "man", "--help", "help run", "run --help", "--version"] {
        let ended = run(&folder, line);
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{line}");
    }
}

#[test]
fn an_error_says_which_settings_may_be_why() {
    let folder = folder("why");
    fs::write(folder.join("halfopen.toml"), "[run]\noutput = 'svg'\n").unwrap();
    let ended = run(&folder, "run mine.yaml scenarios");
    assert_eq!(ended.code, Some(2), "{}", ended.err);
    assert!(ended.err.ends_with("help: also set: `output` by halfopen.toml:2:10\n"), "{}", ended.err);
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let folder = folder("colours");
    type Case = (&'static str, &'static [(&'static str, &'static str)], bool);
    let cases: [Case; 8] = [
        ("list", &[], false),
        ("list", &[("CLICOLOR_FORCE", "1")], true),
        ("list", &[("CLICOLOR_FORCE", "1"), ("TERM", "dumb")], true),
        ("list", &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], false),
        ("list", &[("HALFOPEN_COLOR", "always"), ("NO_COLOR", "1")], true),
        ("list --color never", &[("HALFOPEN_COLOR", "always"), ("CLICOLOR_FORCE", "1")], false),
        ("--color always list", &[("NO_COLOR", "1"), ("CLICOLOR", "0"), ("TERM", "dumb")], true),
        ("--help", &[("CLICOLOR_FORCE", "1")], true),
    ];
    for (line, variables, expected) in cases {
        let variables = variables.iter().copied();
        let ended = Ended::of(halfopen(&folder, line).envs(variables.clone()).output().unwrap());
        let coloured = ended.out.contains('\x1b');
        assert_eq!(coloured, expected, "{line} with {:?}", variables.collect::<Vec<_>>());
    }
}

/// What every command writes to standard output, in a folder of [`folder`].
const EVERY_COMMAND: [&str; 10] = [
    "run mine.yaml",
    "session mine.yaml",
    "list",
    "show dead-client",
    "validate mine.yaml",
    "schema",
    "completions zsh",
    "man",
    "help run",
    "--help",
];

#[test]
fn a_reader_that_closes_the_pipe_is_no_error_of_any_command() {
    let folder = folder("closed pipe");
    for line in EVERY_COMMAND {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended =
            Ended::of(halfopen(&folder, line).stdout(writer).stderr(Stdio::piped()).output().unwrap());
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{line}");
    }
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let unheard = halfopen(&folder, "run no-such.yaml").stderr(writer).status().unwrap();
    assert_eq!(unheard.code(), Some(2), "who does not listen to errors gets the code");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_ends_with_5() {
    let folder = folder("full disk");
    for line in EVERY_COMMAND {
        let full = fs::File::create("/dev/full").unwrap();
        let ended = Ended::of(halfopen(&folder, line).stdout(full).stderr(Stdio::piped()).output().unwrap());
        assert_eq!(ended.code, Some(5), "{line}: {}", ended.err);
        assert!(ended.err.contains("cannot write"), "{line}: {}", ended.err);
    }
    let full = fs::File::create("/dev/full").unwrap();
    assert_eq!(halfopen(&folder, "run no-such.yaml").stderr(full).status().unwrap().code(), Some(2));
}

/// The lines of what a child says on standard error, as they come.
fn lines(child: &mut Child) -> Receiver<String> {
    let (send, lines) = channel();
    let reader = std::io::BufReader::new(child.stderr.take().unwrap());
    std::thread::spawn(move || {
        for line in std::io::BufRead::lines(reader).map_while(Result::ok) {
            let _ = send.send(line);
        }
    });
    lines
}

fn wait_for(lines: &Receiver<String>, part: &str) {
    let until = Instant::now() + LONG;
    let mut seen = Vec::new();
    while let Ok(line) = lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
        if line.contains(part) {
            return;
        }
        seen.push(line);
    }
    panic!("no {part:?} in {seen:#?}");
}

/// Sends a signal, and says how it ended and after what time.
#[cfg(unix)]
fn end(mut child: Child, signal: &str) -> (Option<i32>, Duration) {
    let start = Instant::now();
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
    let code = child.wait().unwrap().code();
    (code, start.elapsed())
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_every_command_that_waits_for_a_server() {
    let folder = folder("interrupts");
    // It takes connections and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = silent.local_addr().unwrap().to_string();
    let cases = [
        ("run mine.yaml", "-INT", 130),
        ("run mine.yaml", "-TERM", 143),
        ("list", "-INT", 130),
        ("list", "-TERM", 143),
        ("show dead-client", "-INT", 130),
        ("validate mine.yaml", "-INT", 130),
        ("watch mine.yaml", "-INT", 0),
        ("watch mine.yaml", "-TERM", 0),
    ];
    for (line, signal, code) in cases {
        let mut command = halfopen(&folder, &format!("{line} --server {server}"));
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let _connection = silent.accept().unwrap();
        let (ended, time) = end(child, signal);
        assert_eq!(ended, Some(code), "{line} {signal}");
        // 200 ms, and what a busy machine takes to start a `kill` and to look.
        assert!(time < Duration::from_secs(2), "{line} {signal} took {time:?}");
    }
}

#[test]
fn watch_runs_again_on_every_save_whatever_becomes_of_the_file() {
    let folder = folder("watch");
    let file = folder.join("mine.yaml");
    let mut child = halfopen(&folder, "watch mine.yaml -o json")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = lines(&mut child);
    wait_for(&lines, "watching mine.yaml");
    // As editors save: another file takes the name.
    fs::write(folder.join("mine.yaml~"), scenario().replace("latency:", "latencie:")).unwrap();
    fs::rename(folder.join("mine.yaml~"), &file).unwrap();
    wait_for(&lines, "latencie");
    wait_for(&lines, "watching mine.yaml");
    fs::remove_file(&file).unwrap();
    wait_for(&lines, "there is no file `mine.yaml`");
    wait_for(&lines, "watching mine.yaml");
    fs::write(&file, scenario()).unwrap();
    wait_for(&lines, "watching mine.yaml");
    child.kill().unwrap();
    let out = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(out.matches("\"verdict\":\"passed\"").count(), 2, "first and last: {out}");
    assert!(!out.contains('\x1b'), "nothing is cleared where there is no terminal");
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_to_do() {
    let folder = folder("wrong usage");
    for (line, part) in [
        ("run", "help: for example: halfopen run dead-client\n"),
        ("run mine.yaml --rows x", "help: N is a whole number\n"),
        (
            "run mine.yaml --timers -o json",
            "error: --timers has no effect with --output json, which has no picture\n",
        ),
        ("serve --listen here", "help: ADDRESS is an IP address with a port"),
        ("serve --grace 5", "help: TIME is a number with a unit"),
        ("serve --tls-cert no.pem --tls-key no.pem --listen 127.0.0.1:0", "cannot read `no.pem`"),
        ("lst", "a similar subcommand exists: 'list'"),
        ("dead-client", "help: if that is a scenario: halfopen run dead-client\n"),
        ("completions basch", "a similar value exists: 'bash'"),
        ("watch dead-client", "halfopen show NAME > FILE"),
        ("watch -", "standard input cannot be watched"),
        ("watch no-such.yaml", "there is no file to watch in `no-such.yaml`"),
    ] {
        let ended = run(&folder, line);
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{line}: {}", ended.err);
        assert!(ended.err.contains(part), "{line}: no {part:?} in:\n{}", ended.err);
    }
    // What is set for all cannot know where it is of use.
    fs::write(folder.join("halfopen.toml"), "ca = 'ca.pem'\ntimers = true\n").unwrap();
    for line in ["run mine.yaml -o json", "list"] {
        let ended = run(&folder, line);
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{line}");
    }
}

#[test]
fn a_variable_that_sets_nothing_is_pointed_out() {
    let folder = folder("variables");
    let with =
        |line: &str, name: &str| Ended::of(halfopen(&folder, line).env(name, "1..3").output().unwrap());
    let ended = with("run mine.yaml", "HALFOPEN_SEEDZ");
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    assert!(ended.err.contains("warning: HALFOPEN_SEEDZ sets no option"), "{}", ended.err);
    assert!(ended.err.contains("did you mean HALFOPEN_SEED"), "{}", ended.err);
    for (line, name) in [
        ("list", "HALFOPEN_SEEDS"),
        ("list", "HALFOPEN_LOG"),
        ("man", "HALFOPEN_SEEDZ"),
        ("completions bash", "HALFOPEN_SEEDZ"),
    ] {
        assert_eq!(with(line, name).err, "", "{line} with {name}");
    }
}

#[test]
fn help_has_only_options_that_have_an_effect() {
    let folder = folder("hidden");
    for (command, expected) in [
        ("run", [true, true, true]),
        ("schema", [false, false, true]),
        ("serve", [false, true, true]),
        ("doc", [false, false, true]),
        ("man", [false, false, false]),
        ("completions", [false, false, false]),
    ] {
        let help = run(&folder, &format!("{command} --help")).out;
        let has = ["--server ", "--token ", "--config "].map(|option| help.contains(option));
        assert_eq!(has, expected, "{command}: {help}");
    }
}

#[test]
fn there_is_a_page_of_the_manual_for_every_command() {
    let folder = folder("manual");
    let ended = run(&folder, "man pages/man1");
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    let page = |name: &str| fs::read_to_string(folder.join("pages/man1").join(format!("{name}.1"))).unwrap();
    assert_eq!(page("halfopen"), run(&folder, "man").out);
    assert!(page("halfopen").contains(".SH \"EXIT STATUS\"") && page("halfopen").contains("HALFOPEN_ROWS"));
    for name in commands() {
        let page = page(&format!("halfopen-{name}"));
        assert!(page.contains(".SH EXAMPLES") && page.contains(&format!(".TH halfopen-{name} 1")), "{name}");
    }
}

#[test]
fn every_shell_gets_its_completions() {
    let folder = folder("shells");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = run(&folder, &format!("completions {shell}"));
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{shell}");
        for part in ["validate", "timers"] {
            assert!(ended.out.contains(part), "{shell}: no {part}");
        }
        assert!(!ended.out.contains("no-timers"), "{shell}: what is hidden is not offered");
    }
    let zsh = run(&folder, "completions zsh").out;
    for part in [":_halfopen_scenarios'", "_halfopen_scenarios() {", "(junit= tap= ", "fin-wait-2-stuck/held"]
    {
        assert!(zsh.contains(part) && !zsh.contains(":_users"), "{part}: {zsh}");
    }
    let fish = run(&folder, "completions fish").out;
    assert!(
        fish.contains("using_subcommand run\" -a \"") && fish.contains(" dead-client "),
        "names beside files"
    );
    let Some(bash) = Command::new("bash").arg("--version").output().ok().map(|_| "bash") else { return };
    let script = folder.join("halfopen.bash");
    fs::write(&script, run(&folder, "completions bash").out).unwrap();
    for (words, offered) in [
        ("show dead-c", "dead-client"),
        ("run dead-c", "dead-client"),
        ("run --timers dead-c", "dead-client"),
        ("run min", "mine.yaml"),
        ("run dead-client --ti", "--timers"),
        ("run --output m", "mermaid"),
        ("run --profile free", "freebsd"),
        ("run --report ju", "junit="),
        ("run --only time", "timers"),
        ("run --variant held", "held"),
        ("run fin-wait-2-stuck/h", "fin-wait-2-stuck/held"),
        ("run handsh", "handshake"),
        ("list handsh", "handshake"),
        ("show fin-wait-2-stuck/h", "fin-wait-2-stuck/held"),
        ("doc laten", "latency"),
        ("diff dead-client dead-c", "dead-client"),
    ] {
        let mut last = words.rsplit(' ');
        let (word, before) = (last.next().unwrap(), last.next().unwrap());
        let count = words.split(' ').count();
        let ask = format!(
            "source halfopen.bash; COMP_WORDS=(halfopen {words}); COMP_CWORD={count}; \
             ask=$(complete -p halfopen | sed 's/.*-F \\([^ ]*\\).*/\\1/'); $ask halfopen {word} {before}; echo ${{COMPREPLY[@]}}"
        );
        let asked = Command::new(bash).args(["-c", &ask]).current_dir(&folder).output().unwrap();
        assert_eq!(String::from_utf8(asked.stdout).unwrap().trim_end(), offered, "{words}");
    }
}

/// The names of all commands.
fn commands() -> Vec<String> {
    let help = run(&folder("commands"), "--help").out;
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    let names = commands.lines().filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// The examples that the help of a command has.
#[cfg(unix)]
fn examples(name: &str) -> Vec<String> {
    let help = run(&folder("help"), &format!("{name} --help")).out;
    let examples = help.split("Examples:\n").nth(1).unwrap().lines();
    let lines = examples.filter_map(|line| line.trim().split("  #").next().map(str::to_owned));
    lines.filter(|line| !line.is_empty()).collect()
}

/// A line of a shell where `halfopen` is this one, and all it may write to is in the folder.
#[cfg(unix)]
fn shell(folder: &Path, line: &str) -> Command {
    let own = Path::new(PROGRAM).parent().unwrap().to_owned();
    let known = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths(std::iter::once(own).chain(std::env::split_paths(&known))).unwrap();
    let mut shell = Command::new("sh");
    unset(&mut shell);
    // Signals are for the command itself.
    let exec = if line.contains(';') { "" } else { "exec " };
    shell.args(["-c", &format!("{exec}{line}")]).current_dir(folder).env("PATH", path).env("HOME", folder);
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    shell
}

/// Waits until a server listens, and gives its address.
#[cfg(unix)]
fn address(server: &mut Child) -> String {
    let mut line = String::new();
    let mut out = std::io::BufReader::new(server.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    line.split('"').nth(3).unwrap().to_owned()
}

#[cfg(unix)]
#[test]
fn the_examples_of_the_help_work() {
    let folder = folder("examples");
    for place in [".local/share/bash-completion/completions", ".zfunc", ".config/fish/completions"] {
        fs::create_dir_all(folder.join(place)).unwrap();
    }
    fs::write(folder.join("before.ndjson"), run(&folder, "run mine.yaml --seed 5 -o ndjson").out).unwrap();
    let mut server = shell(&folder, "halfopen serve --listen 127.0.0.1:0").spawn().unwrap();
    let listening = address(&mut server);
    for name in commands() {
        for line in examples(&name) {
            let mut shell = shell(&folder, &line.replace("127.0.0.1:7950", &listening));
            match name.as_str() {
                "serve" => {
                    let mut child = shell.env("HALFOPEN_LISTEN", "127.0.0.1:0").spawn().unwrap();
                    assert!(address(&mut child).starts_with("127.0.0.1:"), "{line}");
                    assert_eq!(end(child, "-INT").0, Some(0), "{line}");
                }
                "watch" => {
                    let mut child = shell.spawn().unwrap();
                    wait_for(&lines(&mut child), "watching");
                    assert_eq!(end(child, "-INT").0, Some(0), "{line}");
                }
                // Not every machine has `man`.
                "man" if line.contains('|') => {}
                _ => {
                    let ended = Ended::of(shell.output().unwrap());
                    let may_differ = name == "diff" && ended.code == Some(1);
                    assert!(ended.code == Some(0) || may_differ, "{line}: {:?}: {}", ended.code, ended.err);
                    assert!(!ended.out.is_empty() || line.contains('>') || name == "man", "{line}");
                }
            }
        }
    }
    assert_eq!(end(server, "-TERM").0, Some(0));
}
