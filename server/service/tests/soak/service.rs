//! The service: a process of the real binary, and what it holds.

use std::fmt;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};

use crate::client::Kind;
use crate::dial::Door;

const TOKEN: &str = "a-token-that-nobody-guesses";
/// How long the service gives open runs after SIGTERM, and how long it may take with everything else.
const GRACE: &str = "5s";
const STOPPING: Duration = Duration::from_secs(20);
/// The number of the latest lines of the log that are kept.
const LOG: usize = 200;

/// A process of the service, with TLS and a token. Its limits for clients that are silent are short, and those for runs low.
pub(crate) struct Service {
    process: Child,
    address: SocketAddr,
    certified: CertifiedKey<KeyPair>,
    log: Arc<Mutex<Vec<String>>>,
}

/// What a process holds.
#[derive(Clone, Copy)]
pub(crate) struct Held {
    /// Resident memory of its own, in bytes. The pages of its file, of which ever more are touched, are not among it: the system
    /// takes them back when it likes.
    pub(crate) memory: u64,
    pub(crate) descriptors: usize,
    pub(crate) threads: usize,
    /// The processor time it has used.
    processor: Duration,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Held { memory, descriptors, threads, processor } = self;
        let (mebibytes, tenths) = (memory >> 20, ((memory * 10) >> 20) % 10);
        write!(
            f,
            "{mebibytes}.{tenths} MiB, {descriptors} descriptors, {threads} threads, {} s of processor time",
            processor.as_secs()
        )
    }
}

impl Service {
    pub(crate) fn start() -> Service {
        let certified =
            generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("soak");
        fs::create_dir_all(&folder).unwrap();
        let (certificate, key) = (folder.join("certificate.pem"), folder.join("key.pem"));
        fs::write(&certificate, certified.cert.pem()).unwrap();
        fs::write(&key, certified.signing_key.serialize_pem()).unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_halfopend"))
            .args(["--listen", "127.0.0.1:0", "--grace", GRACE])
            .args(["--silence", "20s", "--request-time", "5s", "--max-pause", "15s"])
            .args(["--max-run-memory", "128MiB", "--max-memory", "1GiB", "--max-run-processor-time", "1s"])
            .args([Path::new("--tls-cert"), &certificate, Path::new("--tls-key"), &key])
            .env("HALFOPEN_TOKEN", TOKEN)
            .env("HALFOPEN_LOG", "warn,halfopend::port=debug")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let line: serde_json::Value = serde_json::from_str(&line).expect("it listens");
        let address = line["listening"].as_str().unwrap().parse().unwrap();
        let log = Arc::default();
        keep(&mut process, Arc::clone(&log));
        Service { process, address, certified, log }
    }

    /// How to reach it.
    pub(crate) fn door(&self) -> Door {
        Door::new(self.address, &self.certified.cert, TOKEN)
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        self.process.try_wait().unwrap().is_none()
    }

    /// What it holds now; nothing once it is gone.
    pub(crate) fn held(&self) -> Held {
        let folder = format!("/proc/{}", self.process.id());
        let status = fs::read_to_string(format!("{folder}/status")).unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0)
        };
        let stat = fs::read_to_string(format!("{folder}/stat")).unwrap_or_default();
        // The name of the program, in parentheses, is the second field; user and system time are the 14th and 15th.
        let times = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
        let ticks: u64 = times.filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
        Held {
            memory: field("RssAnon:") << 10,
            descriptors: fs::read_dir(format!("{folder}/fd")).map_or(0, Iterator::count),
            threads: field("Threads:") as usize,
            // A tick is a hundredth of a second on every Linux.
            processor: Duration::from_millis(10 * ticks),
        }
    }

    /// What it holds once that no longer changes.
    pub(crate) async fn settled(&self) -> Held {
        let mut before = self.held();
        loop {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let held = self.held();
            if (held.memory, held.descriptors) == (before.memory, before.descriptors) {
                return held;
            }
            before = held;
        }
    }

    /// Asks it to stop. Returns what is broken: how it ended, and what it should not have logged.
    pub(crate) fn stop(&mut self) -> Vec<String> {
        let mut broken = Vec::new();
        if self.is_alive() {
            let sent = Command::new("kill").args(["-TERM", &self.process.id().to_string()]).status().unwrap();
            assert!(sent.success());
        }
        let patience = Instant::now() + STOPPING;
        while self.is_alive() && Instant::now() < patience {
            thread::sleep(Duration::from_millis(50));
        }
        match self.process.try_wait().unwrap() {
            Some(status) if status.success() => {}
            Some(status) => broken.push(format!("the service crashed: {status}")),
            None => broken.push(format!("the service has not stopped {STOPPING:?} after SIGTERM")),
        }
        let log = self.log.lock().unwrap();
        broken.extend(log.iter().filter(|line| is_bug(line)).cloned());
        if !broken.is_empty() {
            println!("the end of the log:\n{}", log.join("\n"));
        }
        broken
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It is gone already, unless the test panicked.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Keeps the latest lines of the log, and all that should not be there.
fn keep(process: &mut Child, log: Arc<Mutex<Vec<String>>>) {
    let said = BufReader::new(process.stderr.take().unwrap());
    thread::spawn(move || {
        for line in said.lines().map_while(Result::ok) {
            if line.contains("the connection ended") && Kind::of(&line).is_some_and(Kind::must_be_served) {
                println!("{line}");
            }
            let mut log = log.lock().unwrap();
            if log.len() >= LOG
                && let Some(dull) = log.iter().position(|line| !is_bug(line))
            {
                log.remove(dull);
            }
            if log.len() < 2 * LOG {
                log.push(line);
            }
        }
    });
}

fn is_bug(line: &str) -> bool {
    line.contains("panicked") || line.contains(" ERROR ")
}
