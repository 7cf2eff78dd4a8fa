//! `halfopen session`: a scenario played by a script.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use common::{Ended, PROGRAM, in_folder};

const TWO: &str =
    "scenario: two\ntitle: Two hosts\nhosts: {client: {}, server: {}}\nnetwork: {latency: 20ms}\n";

/// A folder with the scenario `two.yaml`, and what is added to it.
fn folder(name: &str, more: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("session").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("two.yaml"), format!("{TWO}{more}")).unwrap();
    folder
}

/// Plays a script with these arguments.
fn play_with(folder: &Path, arguments: &[&str], script: &str) -> Ended {
    let mut command = in_folder(folder, PROGRAM, &[&["session"], arguments].concat());
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // A session that ends with a mistake does not read on.
    let _ = child.stdin.take().unwrap().write_all(script.as_bytes());
    Ended::of(child.wait_with_output().unwrap())
}

/// Plays a script in a folder with this addition to the scenario.
fn play(name: &str, more: &str, script: &str) -> Ended {
    play_with(&folder(name, more), &["two.yaml"], script)
}

/// Asserts that the text has these parts, in this order.
fn assert_in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else { panic!("no {part:?}, in order, in:\n{text}") };
        rest = after;
    }
}

#[test]
fn a_script_is_echoed_with_what_comes_of_it() {
    let script = "# a greeting\nlisten server:80\nconnect client server:80\nadvance\nadvance\naccept 1\n\
                  send 2 \"hello\\n\"\nadvance\nreceive 3\nclose 2\nadvance\nreceive 3\nclose 3";
    let ended = play("greeting", "expect: [{server: {ends: CLOSED}}]\n", script);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    assert_in_order(
        &ended.out,
        &[
            "two: Two hosts (seed 1)\nclient 10.0.0.1: yours\nserver 10.0.0.2: yours\n",
            "0s> # a greeting\n0s> listen server:80\nsocket 1 listens on 0.0.0.0:80\n",
            "time ",
            "LISTEN\n",
            "0s> connect client server:80\nsocket 2 connects from 10.0.0.1:32768 to 10.0.0.2:80\n",
            "SYN seq=0",
            "0s> advance\n",
            "SYN seq=0",
            "now 40ms\nsocket 2 is connected\n",
            "40ms> advance\n",
            "now 60ms\na connection waits: accept 1\n",
            "60ms> accept 1\nsocket 3 is connected with 10.0.0.1:32768\n60ms> send",
            "sent 6 bytes\n",
            "now 80ms\nsocket 3 is readable: receive 3\n",
            "received 6 bytes: \"hello\\n\"\n",
            "80ms> close 2\nsocket 2 is closed\n",
            "received the end of the stream\n",
            "✓ server: {ends: CLOSED}\npassed: 1 of 1 expectation",
        ],
    );
    assert_eq!(
        ended.out.matches("time ").count(),
        1,
        "the names stand above the ladder once:\n{}",
        ended.out
    );
}

#[test]
fn the_same_script_prints_the_same() {
    let script = "listen server:80\nconnect client server:80\nadvance 1s\naccept 1\nsend 3 100 kB\nadvance\n";
    let more = "network: {latency: 20ms, loss: 10%}\n";
    let folder = folder("same", "");
    fs::write(folder.join("two.yaml"), TWO.replace("network: {latency: 20ms}\n", more)).unwrap();
    let [one, two] = [(); 2].map(|()| play_with(&folder, &["two.yaml", "--seed", "7"], script));
    assert_eq!((one.code, &one.out), (Some(0), &two.out));
    assert!(one.out.contains("(seed 7)") && one.out.contains("sent "), "{}", one.out);
}

#[test]
fn the_exit_code_says_how_it_ended() {
    let closed = "expect: [{server: {ends: CLOSED}}]\n";
    for (name, more, script, code, err) in [
        ("passed", "", "", 0, ""),
        ("broken", closed, "listen server:80\n", 1, ""),
        ("quit", closed, "listen server:80\nquit\n", 0, ""),
        (
            "wrong",
            "",
            "\nlisen server 80\n",
            2,
            "error: standard input:2: there is no command `lisen`; did you mean `listen`?\n",
        ),
        (
            "refused",
            "",
            "connect clint server:80\n",
            2,
            "error: standard input:1: no host is called \"clint\"; there are client, server\n",
        ),
        (
            "no socket",
            "",
            "receive 3",
            2,
            "error: standard input:1: there is no open socket 3; `sockets` lists them\n",
        ),
        ("past", "", "advance 5s\nadvance until 1s", 2, "error: standard input:2: it is 5s already"),
        ("no fault", "", "lift 1", 2, "error: standard input:1: "),
        (
            "no folder",
            "",
            "export none/mine.yaml",
            2,
            "error: standard input:1: cannot write `none/mine.yaml`: ",
        ),
        ("bad fault", "", "fault {drop: FINN}", 2, "error: standard input:1: "),
        (
            "never",
            "",
            "advance until segment RST",
            1,
            "error: standard input:1: what `advance until` waits for did not happen\n",
        ),
        (
            "late",
            "",
            "advance 5s until segment RST",
            1,
            "error: standard input:1: what `advance until` waits for did not happen\n",
        ),
        ("limit", "limits: {virtual-time: 1s}\n", "advance 5s", 5, ""),
        ("invalid", "until: never\n", "", 3, "error: "),
    ] {
        let ended = play(name, more, script);
        assert_eq!(ended.code, Some(code), "{name}: {}{}", ended.out, ended.err);
        assert!(
            ended.err.starts_with(err) && ended.err.is_empty() == err.is_empty(),
            "{name}: {}",
            ended.err
        );
    }
}

#[test]
fn a_limit_is_named() {
    let ended = play("limited", "limits: {virtual-time: 1s}\n", "advance 5s");
    assert!(ended.out.contains("now 1s: not over at the limit of 1s of virtual time"), "{}", ended.out);
}

#[test]
fn what_names_no_scenario_is_refused() {
    let folder = folder("nameless", "");
    for (arguments, part) in [
        (&["-"][..], "standard input has the commands"),
        (&["three.yaml"], "there is no file `three.yaml`"),
        (&["no-such-thing"], "no bundled scenario"),
        (&["keepalive"], "name one"),
        (&["two.yaml", "--variant", "big"], "big"),
        (&["two.yaml", "--profile", "beos"], "beos"),
    ] {
        play_with(&folder, arguments, "").assert_refused(arguments, part);
    }
}

#[test]
fn a_bundled_scenario_plays_its_own_hosts() {
    let folder = folder("bundled", "");
    let ended = play_with(&folder, &["dead-client"], "connect client server:80\n");
    assert_eq!(ended.code, Some(2), "{}", ended.err);
    assert!(ended.out.contains("client 10.0.0.1: plays by itself"), "{}", ended.out);
    let ended = play_with(&folder, &["dead-client"], "advance until keepalive server\n");
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    assert!(ended.out.contains("now 2h 0m 0."), "{}", ended.out);
}

#[test]
fn a_dead_peer_a_refusal_and_a_full_buffer_are_said() {
    let script = "listen server:80\nconnect client server:81\nconnect client server:80\nadvance 1s\naccept 1\n\
                  accept 1\nreceive 3\nsend 3 1 MiB\nsend 3 1 B\nfault {power-loss: server}\nadvance 1s\nsockets\n\
                  set 3 {user-timeout: 5s}\nadvance\nreceive 3\n";
    let ended = play("dead", "", script);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    assert_in_order(
        &ended.out,
        &[
            "socket 2 cannot connect: ECONNREFUSED\n",
            "socket 3 is connected\n",
            "accept 1\nsocket 4 is connected",
            "accept: EAGAIN (no connection waits: advance)\n",
            "receive: EAGAIN (nothing has arrived: advance)\n",
            " of 1048576 bytes: the send buffer is full, advance\n",
            "send: EAGAIN (the send buffer is full: advance)\n",
            "added fault 1\n",
            "socket 1 is gone: its process was killed, or its host lost power\n",
            "socket 4 is gone",
            "socket 3 of client: ESTABLISHED from 10.0.0.1:",
            "not acknowledged\n",
            "socket 3 has failed: receive 3 says why\n",
            "receive: ETIMEDOUT\n",
        ],
    );
}

#[test]
fn time_passes_step_by_step() {
    let script = "listen server:80\nconnect client server:80\nstep\nstep\nstep\nstep\n";
    let ended = play("steps", "", script);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    assert_in_order(
        &ended.out,
        &[
            "now 20ms\n",
            "now 40ms\nsocket 2 is connected\n",
            "now 60ms\na connection waits: accept 1\n",
            "now 60ms: nothing can happen any more unless you do something\n",
        ],
    );
}

#[test]
fn help_explains_all_commands_or_one() {
    let ended = play("help", "", "help\nhelp advance\nhelp close\nquit\n");
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    assert_in_order(
        &ended.out,
        &[
            "0s> help\nlisten HOST:PORT [{OPTIONS}]",
            "\nquit ",
            "\n\nOPTIONS are keepalive, nodelay,",
            "\n  segment FIN ",
            "0s> help advance\nadvance [TIME] [until WHAT]  let time pass",
            "\n  segment FIN ",
            "0s> help close\nclose SOCKET  close it\n0s> quit\n",
        ],
    );
}

#[test]
fn lists_and_pictures_show_everything_so_far() {
    let script =
        "sockets\nlisten server:80\nconnect client server:80\nadvance 1s\nevents 1\nladder\nexplain\nquit\n";
    let ended = play("lists", "", script);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    assert_in_order(
        &ended.out,
        &[
            "no socket is open: listen, or connect\n",
            "events 1\n",
            "ladder\n",
            "SYN-RECEIVED",
            "explain\n",
            "Summary\n",
        ],
    );
}

#[test]
fn a_session_is_exported_and_plays_the_same() {
    let folder = folder("exported", "expect: [{server: {received: 5 B}}]\n");
    let script = "listen server:80\nconnect client server:80\nadvance 1s\naccept 1\nfault partition: [client, server]\n\
                  send 2 hello\nadvance 1s\nlift 1\nadvance 10s\nreceive 3\nexport\nexport mine.yaml\n";
    let ended = play_with(&folder, &["two.yaml", "--seed", "7"], script);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    let parts =
        ["fault 1 is lifted\n", "received 5 bytes", "> export\n", "calls:\n", "--seed 7 plays the same\n"];
    assert_in_order(&ended.out, &parts);
    let replayed =
        Ended::of(in_folder(&folder, PROGRAM, &["run", "mine.yaml", "--seed", "7"]).output().unwrap());
    assert_eq!((replayed.code, replayed.err.as_str()), (Some(0), ""), "{}", replayed.out);
    let verdict = |text: &str| text.lines().last().unwrap().to_owned();
    assert_eq!(verdict(&replayed.out), verdict(&ended.out));
    let again = play_with(&folder, &["two.yaml"], "export mine.yaml\n");
    assert_eq!(again.code, Some(2));
    assert!(again.err.contains("there is a file `mine.yaml` already"), "{}", again.err);
}

/// A server, and its address.
fn serve(folder: &Path) -> (Child, String) {
    let mut server = in_folder(folder, PROGRAM, &["serve", "--listen", "127.0.0.1:0"]).spawn().unwrap();
    let line = BufReader::new(server.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    (server, line.split('"').nth(3).unwrap().to_owned())
}

fn end(mut server: Child) {
    server.kill().unwrap();
    server.wait().unwrap();
}

#[test]
fn a_server_elsewhere_plays_too() {
    let folder = folder("server", "");
    let (server, address) = serve(&folder);
    let script = "listen server:80\nconnect client server:80\nadvance\n";
    let ended = play_with(&folder, &["two.yaml", "--server", &address], script);
    end(server);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.out);
    assert_eq!(ended.out, play_with(&folder, &["two.yaml"], script).out);
    let gone = play_with(&folder, &["two.yaml", "--server", &address], script);
    assert_eq!(gone.code, Some(4), "{}", gone.err);
}

#[test]
fn a_server_that_goes_away_is_reported() {
    let folder = folder("gone", "");
    let (server, address) = serve(&folder);
    let mut command = in_folder(&folder, PROGRAM, &["session", "two.yaml", "--server", &address]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut script = child.stdin.take().unwrap();
    script.write_all(b"listen server:80\n").unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.find(|line| line.as_ref().unwrap().contains("socket 1 listens")).unwrap().unwrap();
    end(server);
    // It may have noticed already, and read no more.
    let _ = script.write_all(b"connect client server:80\n");
    let ended = Ended::of(child.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(4), "{}", ended.err);
    assert!(ended.err.contains(&address), "{}", ended.err);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_script() {
    let folder = folder("interrupted", "");
    let mut command = in_folder(&folder, PROGRAM, &["session", "two.yaml"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.find(|line| line.as_ref().unwrap().contains("server 10.0.0.2")).unwrap().unwrap();
    signal(&child, nix::sys::signal::Signal::SIGINT);
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[cfg(unix)]
fn signal(child: &Child, signal: nix::sys::signal::Signal) {
    let pid = nix::unistd::Pid::from_raw(child.id().try_into().unwrap());
    nix::sys::signal::kill(pid, signal).unwrap();
}

/// A person at a terminal.
#[cfg(unix)]
struct Person {
    child: Child,
    keys: fs::File,
    terminal: std::os::fd::OwnedFd,
    screen: std::sync::mpsc::Receiver<u8>,
    /// What is on the screen and was not expected yet.
    seen: String,
}

#[cfg(unix)]
impl Person {
    fn at(folder: &Path) -> Person {
        let size = nix::pty::Winsize { ws_row: 40, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = nix::pty::openpty(&size, None).unwrap();
        let side = || Stdio::from(pty.slave.try_clone().unwrap());
        let mut command = in_folder(folder, PROGRAM, &["session", "two.yaml", "--color", "never"]);
        command.stdin(side()).stdout(side()).stderr(side()).env("TERM", "xterm");
        let child = command.spawn().unwrap();
        let keys = fs::File::from(pty.master);
        let (send, screen) = std::sync::mpsc::channel();
        let master = keys.try_clone().unwrap();
        std::thread::spawn(move || {
            let octets = std::io::Read::bytes(master);
            octets.map_while(Result::ok).try_for_each(|octet| send.send(octet))
        });
        Person { child, keys, terminal: pty.slave, screen, seen: String::new() }
    }

    /// Types, and waits until a text is seen.
    fn types(&mut self, keys: &str, expected: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.sees(expected);
    }

    fn sees(&mut self, expected: &str) {
        assert!(self.sees_within(Duration::from_secs(60), expected), "no {expected:?}: {}", self.seen);
    }

    /// Whether a text is seen before nothing has changed for so long.
    fn sees_within(&mut self, patience: Duration, expected: &str) -> bool {
        loop {
            if let Some((_, rest)) = self.seen.split_once(expected) {
                self.seen = rest.to_owned();
                return true;
            }
            match self.screen.recv_timeout(patience) {
                Ok(octet) => self.seen.push(octet.into()),
                Err(_) => return false,
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn at_a_terminal_lines_are_edited_completed_and_remembered_and_mistakes_are_forgiven() {
    let mut person = Person::at(&folder("terminal", ""));
    person.sees("0s> ");
    person.types("lis\ts\t80\r", "socket 1 listens on 0.0.0.0:80");
    person.types("connect client s\t80\r", "socket 2 connects");
    person.sees("0s> ");
    person.types("garbage", "garbage");
    // What is typed ahead of Ctrl-C is lost with the line.
    person.types("\x03", "0s> ");
    person.types("\x1b[A\r", "socket 3 connects");
    person.types("acept 1\r", "did you mean `accept`?");
    person.keys.write_all(b"\xff\r").unwrap();
    person.sees("the line is not UTF-8");
    person.types("advance\r", "now 40ms");
    person.sees("40ms> ");
    person.types("\x04", "passed: 0 of 0 expectations");
    assert_eq!(person.child.wait().unwrap().code(), Some(0));
}

#[cfg(unix)]
#[test]
fn lines_that_are_pasted_are_done_one_by_one() {
    let mut person = Person::at(&folder("pasted", ""));
    person.sees("0s> ");
    person
        .types("listen server:80\nconnect client server:80\nadvance 1s\naccept 1\n", "socket 3 is connected");
    person.types("quit\r", "quit");
    assert_eq!(person.child.wait().unwrap().code(), Some(0));
}

/// A person in a session that goes on for minutes.
#[cfg(unix)]
fn busy(name: &str) -> Person {
    let mut person = Person::at(&folder(name, "limits: {virtual-time: 8760h, events: 10000000}\n"));
    person.sees("0s> ");
    person.types("listen server:80\nconnect client server:80 keepalive: {idle: 1s}\n", "socket 2 connects");
    person.types("advance 1s\n", "1s> ");
    person
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_session_that_finishes() {
    let mut person = busy("finishing");
    person.types("\x04", "\n");
    let ended = (0..600).find_map(|_| {
        signal(&person.child, nix::sys::signal::Signal::SIGINT);
        person.sees_within(Duration::from_millis(100), "passed");
        person.child.try_wait().unwrap()
    });
    assert_eq!(ended.unwrap().code(), Some(130), "{}", person.seen);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_an_advance_and_not_the_session() {
    let mut person = busy("stopped");
    person.types("advance until segment RST\n", "RST");
    // It is not known when it has begun.
    let stops = (0..600).any(|_| {
        signal(&person.child, nix::sys::signal::Signal::SIGINT);
        person.sees_within(Duration::from_millis(100), "stopped at ")
    });
    assert!(stops, "{}", person.seen);
    person.types("sockets\r", "socket 2 of client: ESTABLISHED");
    person.types("quit\r", "quit");
    assert_eq!(person.child.wait().unwrap().code(), Some(0));
}

#[cfg(unix)]
#[test]
fn sigterm_ends_a_session_and_leaves_the_terminal_as_it_was() {
    let mut person = Person::at(&folder("terminated", ""));
    person.sees("0s> ");
    person.types("hal", "l");
    let flags = |terminal| nix::sys::termios::tcgetattr(terminal).unwrap().local_flags;
    let line_by_line = nix::sys::termios::LocalFlags::ICANON;
    assert!(!flags(&person.terminal).contains(line_by_line), "it is edited");
    signal(&person.child, nix::sys::signal::Signal::SIGTERM);
    assert_eq!(person.child.wait().unwrap().code(), Some(143));
    assert!(flags(&person.terminal).contains(line_by_line));
}
