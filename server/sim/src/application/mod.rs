//! What runs on a host, over its TCP.
//!
//! A host knows its application by what it asks of it ([`Application`]), and an application its host by what a turn is given
//! ([`Context`]). The steps of a scenario ([`Programs`]) are one application, somebody outside ([`Outside`]) is another.

mod context;
mod next;
mod outside;
mod programs;
mod relay;
mod running;
mod steps;

use halfopen_scenario::Scenario;
use halfopen_tcp::{ConnectionId, Instant, ListenerId};
use halfopen_trace::{ApplicationResult, CallReturned, ConnectionOpened, StepId};

pub(crate) use context::Context;
pub(crate) use outside::Outside;
pub(crate) use programs::Programs;

/// All processes of a host in one of its lives, as the host sees them.
///
/// The host reports what happened, then gives turns until nobody wants one. It reports to frozen processes too, but gives them no
/// turn until they resume. It closes the sockets of a process that ends or dies. A host that loses power drops its application.
pub(crate) trait Application {
    /// Something happened to a connection: a segment arrived, its state is another, there is an error.
    fn connection_changed(&mut self, connection: ConnectionId);

    /// A connection changed its state: a listener may have one to accept.
    fn listeners_changed(&mut self);

    /// The host's clock shows this.
    fn time_passed(&mut self, now: Instant);

    /// Makes at most one call, so that what TCP does about it is seen before the next; `None` once all wait.
    fn turn(&mut self, context: &mut Context<'_>) -> Option<Turn>;

    /// What the host's clock shows when somebody wants to go on, whatever happens until then.
    fn next_time(&self) -> Option<Instant>;

    /// A process dies. Returns what it had open, for the host to close.
    fn kill(&mut self, process: Process) -> Vec<Socket>;

    /// A process that has died starts again.
    fn start(&mut self, scenario: &Scenario, process: Process);
}

/// A process of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Process {
    /// It runs a program of the scenario: its position there.
    Program(usize),
    /// It is somebody outside.
    Outside,
}

/// What a process has open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Socket {
    Listener(ListenerId),
    Connection(ConnectionId),
}

/// What a turn did.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// The connection it was about.
    pub(crate) connection: Option<ConnectionId>,
    /// Whether it made a call and waits at once.
    pub(crate) called: bool,
    /// It opened that connection.
    pub(crate) opened: Option<Opened>,
    /// The step that began to wait.
    pub(crate) blocked: Option<StepId>,
    /// How the step ended that it ended.
    pub(crate) ended: Option<ApplicationResult>,
    /// What the call from outside, or one of several within a step, returned, if that is to be known.
    pub(crate) returned: Option<CallReturned>,
    /// The process that ended, and what it had open, for the host to close.
    pub(crate) exited: Option<(Process, Vec<Socket>)>,
}

/// Who opened a connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Opened {
    ByProgram(ConnectionOpened),
    /// An application outside, which has this socket of it.
    ByOutside {
        socket: u32,
    },
}
