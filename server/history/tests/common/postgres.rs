//! A PostgreSQL of the test's own (`apt-get install postgresql`). Without the program, a test says so and does without; with
//! `HALFOPEN_TOOLS=required`, as in `.ci/run`, it fails.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs};

/// A server on a loopback port, stopped when it is dropped.
pub(crate) struct Postgres {
    programs: PathBuf,
    folder: tempfile::TempDir,
    port: u16,
}

impl Postgres {
    /// Starts one, if the program is installed.
    pub(crate) fn start() -> Option<Postgres> {
        let Some(programs) = programs() else {
            let missing = "PostgreSQL is not installed (apt-get install postgresql)";
            assert_ne!(env::var("HALFOPEN_TOOLS").as_deref(), Ok("required"), "{missing}");
            println!("{missing}: tested with SQLite alone");
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        // It refuses to be root, so its user has to get there.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).expect("it is ours");
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("a free port").port();
        let postgres = Postgres { programs, folder, port };
        postgres
            .run("initdb", &["--auth=trust", "--username=halfopen", "--no-sync", "--no-instructions", "-D"]);
        postgres.resume();
        Some(postgres)
    }

    /// A new database, as an address.
    pub(crate) fn create(&self, name: &str) -> String {
        let port = self.port.to_string();
        let created = Command::new(self.programs.join("createdb"))
            .args(["-h", "127.0.0.1", "-p", &port, "-U", "halfopen", name])
            .status();
        assert!(created.expect("createdb starts").success());
        format!("postgres://halfopen@127.0.0.1:{port}/{name}")
    }

    /// Stops it, as a crash would.
    pub(crate) fn crash(&self) {
        self.run("pg_ctl", &["stop", "--mode=immediate", "--silent", "-D"]);
    }

    /// Starts it again.
    pub(crate) fn resume(&self) {
        let options = format!("-o-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories=", self.port);
        let log = format!("--log={}", self.folder.path().join("log").display());
        self.run("pg_ctl", &["start", "--wait", "--silent", &log, &options, "-D"]);
    }

    /// Runs a program whose last argument is the folder of the data.
    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.programs.join(program);
        let mut command = Command::new(if is_root() { "runuser".as_ref() } else { program.as_path() });
        if is_root() {
            command.args(["-u", "postgres", "--"]).arg(&program);
        }
        // The server would keep a pipe open.
        command.args(arguments).arg(self.folder.path().join("data")).current_dir("/");
        let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        assert!(status.expect("it starts").success(), "{arguments:?}");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.crash();
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|id| id.stdout.starts_with(b"0"))
}

/// Where the programs of the newest version are: Debian does not put them in the path.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    folders.sort();
    let path = env::var_os("PATH").unwrap_or_default();
    let mut folders = folders.into_iter().rev().chain(env::split_paths(&path));
    folders.find(|folder| folder.join("initdb").exists())
}
