//! Does what a line says, and shows what comes of it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write as _};
use std::time::Duration;

use halfopen_client::session::{CallError, Calls};
use halfopen_proto::v1::{self, SocketReadiness, TcpState};
use halfopen_view::words;

use super::commands::help;
use super::instruction::Instruction;
use super::screen::Screen;
use crate::exit;

/// Whether the session goes on.
#[derive(Debug)]
pub(super) enum Done {
    GoOn,
    /// With this exit code.
    Ended(u8),
}

/// Why a line was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlayError {
    /// It is wrong.
    #[error("{0}")]
    Wrong(String),
    /// What it waits for never happens.
    #[error("{0}")]
    Unmet(String),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Output(#[from] io::Error),
}

impl PlayError {
    /// Whether the session goes on, so that somebody can try again.
    pub(super) fn can_go_on(&self) -> bool {
        match self {
            PlayError::Wrong(_) | PlayError::Unmet(_) | PlayError::Call(CallError::Refused { .. }) => true,
            PlayError::Call(CallError::Gone(_) | CallError::Client(_)) | PlayError::Output(_) => false,
        }
    }

    /// The same with the number of the line, if the line is why.
    pub(super) fn at(self, line: u64) -> PlayError {
        let text = format!("standard input:{line}: {self}");
        match self {
            PlayError::Wrong(_) | PlayError::Call(CallError::Refused { .. }) => PlayError::Wrong(text),
            PlayError::Unmet(_) => PlayError::Unmet(text),
            PlayError::Call(CallError::Gone(_) | CallError::Client(_)) | PlayError::Output(_) => self,
        }
    }
}

/// An open socket.
#[derive(Clone, Debug)]
pub(super) struct Socket {
    pub(super) host: String,
    /// Its own end.
    pub(super) local: String,
    pub(super) kind: Kind,
    /// What is known to be ready.
    pub(super) ready: SocketReadiness,
    /// Whether its host does not answer, because it is down or suspended.
    pub(super) is_asleep: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Listening,
    Connecting,
    Connected,
    /// It could not connect.
    Failed,
}

/// A session with its open sockets.
pub(super) struct Player {
    pub(super) calls: Calls,
    pub(super) screen: Screen,
    pub(super) sockets: BTreeMap<u32, Socket>,
    /// The virtual time.
    pub(super) now: Duration,
}

impl Player {
    pub(super) fn new(calls: Calls, screen: Screen) -> Player {
        Player { calls, screen, sockets: BTreeMap::new(), now: Duration::ZERO }
    }

    /// What stands before a line: the time.
    pub(super) fn prompt(&self) -> String {
        format!("{}> ", words::duration(self.now))
    }

    /// The numbers of the open sockets.
    pub(super) fn numbers(&self) -> Vec<u32> {
        self.sockets.keys().copied().collect()
    }

    /// Shows a line that nobody saw being written.
    pub(super) fn echo(&mut self, line: &str) -> io::Result<()> {
        self.screen.line(&format!("{}{line}", self.prompt()))
    }

    /// Says who is there.
    pub(super) async fn welcome(&mut self, is_terminal: bool) -> Result<(), PlayError> {
        self.screen.catch_up(&mut self.calls).await?;
        if let Some(started) = self.screen.record().started() {
            let name = words::run(&started.scenario, &started.variant);
            let title = if started.title.is_empty() { String::new() } else { format!(": {}", started.title) };
            let text = format!("{name}{title} (seed {})", started.seed);
            self.screen.line(&text)?;
        }
        for host in self.calls.hosts().to_vec() {
            let whose = if host.outside { "yours" } else { "plays by itself" };
            self.screen.line(&format!("{} {}: {whose}", host.name, host.addresses.join(", ")))?;
        }
        if is_terminal {
            self.screen.line("help lists the commands; Ctrl-D finishes")?;
        }
        Ok(self.screen.draw_new()?)
    }

    /// Does what a line says.
    pub(super) async fn perform(&mut self, instruction: Instruction) -> Result<Done, PlayError> {
        let said = match instruction {
            Instruction::Listen { host, port, options } => self.listen(host, port, options).await?,
            Instruction::Connect { host, to, options } => self.connect(host, to, options).await?,
            Instruction::Accept(socket) => self.accept(socket).await?,
            Instruction::Send { socket, data } => self.send(socket, data).await?,
            Instruction::Receive { socket, max_bytes } => self.receive(socket, max_bytes).await?,
            Instruction::Shutdown(socket) => self.shutdown(socket).await?,
            Instruction::Close(socket) => self.close(socket).await?,
            Instruction::Abort(socket) => self.abort(socket).await?,
            Instruction::Set { socket, options } => self.set(socket, options).await?,
            Instruction::Fault(yaml) => self.fault(yaml).await?,
            Instruction::Lift(fault) => self.lift(fault).await?,
            Instruction::Advance(advance) => {
                self.advance(advance).await?;
                return Ok(Done::GoOn);
            }
            Instruction::Step => {
                self.step().await?;
                return Ok(Done::GoOn);
            }
            Instruction::Finish => return self.finish().await,
            Instruction::Quit => return Ok(Done::Ended(exit::PASSED)),
            Instruction::Sockets => return self.list().await,
            Instruction::Events { last } => return Ok(self.screen.events(last).map(|()| Done::GoOn)?),
            Instruction::Ladder => return Ok(self.screen.ladder().map(|()| Done::GoOn)?),
            Instruction::Explain => return Ok(self.screen.explain().map(|()| Done::GoOn)?),
            Instruction::Export(file) => {
                self.export(file).await?;
                return Ok(Done::GoOn);
            }
            Instruction::Help(name) => {
                help(name).iter().try_for_each(|line| self.screen.line(line))?;
                return Ok(Done::GoOn);
            }
        };
        self.screen.line(&said)?;
        self.show().await?;
        self.look().await?;
        Ok(Done::GoOn)
    }

    /// Shows what has happened.
    pub(super) async fn show(&mut self) -> Result<(), PlayError> {
        self.screen.catch_up(&mut self.calls).await?;
        Ok(self.screen.draw_new()?)
    }

    /// The open socket of that number.
    pub(super) fn socket(&self, number: u32) -> Result<&Socket, PlayError> {
        let none = || PlayError::Wrong(format!("there is no open socket {number}; `sockets` lists them"));
        self.sockets.get(&number).ok_or_else(none)
    }

    /// Lists the open sockets.
    async fn list(&mut self) -> Result<Done, PlayError> {
        if self.sockets.is_empty() {
            self.screen.line("no socket is open: listen, or connect")?;
        }
        for (number, Socket { host, local, .. }) in self.sockets.clone() {
            let request = v1::GetSocketRequest { socket: number, ..Default::default() };
            let what = match self.calls.get_socket(request).await {
                Ok(found) => describe(&found, &local),
                Err(CallError::Refused { message, .. }) => message,
                Err(error) => return Err(error.into()),
            };
            self.screen.line(&format!("socket {number} of {host}: {what}"))?;
        }
        Ok(Done::GoOn)
    }

    /// Writes a scenario that plays the same to a new file, or shows it.
    async fn export(&mut self, file: Option<String>) -> Result<(), PlayError> {
        let v1::ExportSessionResponse { yaml, seed } = self.calls.export().await?;
        let Some(file) = file else {
            return Ok(yaml.lines().try_for_each(|line| self.screen.line(line))?);
        };
        // It may be the scenario that is played.
        let written = File::create_new(&file).and_then(|mut new| new.write_all(yaml.as_bytes()));
        match written {
            Ok(()) => Ok(self.screen.line(&format!("halfopen run {file} --seed {seed} plays the same"))?),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(PlayError::Wrong(format!("there is a file `{file}` already: name another one")))
            }
            Err(error) => Err(PlayError::Wrong(format!("cannot write `{file}`: {error}"))),
        }
    }

    /// Stops what was being done, because somebody pressed Ctrl-C. What has happened has happened.
    pub(super) async fn stop(&mut self) -> Result<Done, PlayError> {
        self.now = words::from_proto(self.calls.state().await?.time.as_ref());
        self.show().await?;
        self.screen.line(&format!("stopped at {}", words::duration(self.now)))?;
        self.look().await?;
        Ok(Done::GoOn)
    }

    /// Plays on to the end, and shows what came of it.
    async fn finish(&mut self) -> Result<Done, PlayError> {
        self.calls.finish_session(v1::FinishSessionRequest::default()).await?;
        self.show().await?;
        self.screen.outcome()?;
        Ok(Done::Ended(exit::of_outcome(self.screen.record().outcome())))
    }
}

/// What the host's TCP knows of a socket, in a line.
fn describe(found: &v1::GetSocketResponse, local: &str) -> String {
    if found.readiness.is_some_and(|ready| ready.gone) {
        return "gone".to_owned();
    }
    let mut text = match found.state() {
        TcpState::Unspecified => "no connection any more".to_owned(),
        TcpState::Listen => format!("LISTEN on {local}"),
        state => format!("{} from {} to {}", words::state(state), found.local, found.peer),
    };
    for (bytes, what) in
        [(found.unread_bytes, "to receive"), (found.unacknowledged_bytes, "not acknowledged")]
    {
        if bytes > 0 {
            text.push_str(&format!(", {} {what}", words::count(bytes, "byte")));
        }
    }
    text
}
