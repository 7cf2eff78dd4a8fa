//! Who closed a connection: TCP sees `close` each time, although the application need not have called it.

use halfopen_proto::v1::cause::Origin;
use halfopen_proto::v1::{Cause, FaultKind, FaultPhase, StepKind, TcpCall};

use super::{Entry, EntryIndex, EntryKind, Fault, Timeline};
use crate::words;

/// Who closed a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closer {
    /// The application, by a call.
    Application,
    /// The kernel, because the program ended without closing.
    Exit,
    /// The kernel, because a fault killed the program.
    Kill,
}

impl Timeline {
    /// Who made the call that caused a transition; `None` if no call of `close`, `shutdown` or `abort` did.
    pub fn closer(&self, transition: EntryIndex) -> Option<Closer> {
        let entry = self.entries.get(transition)?;
        let EntryKind::Transition { cause: Cause { origin: Some(Origin::Call(call)), .. }, .. } = entry.kind
        else {
            return None;
        };
        match TcpCall::try_from(call).unwrap_or_default() {
            TcpCall::Close => {}
            TcpCall::Shutdown | TcpCall::Abort => return Some(Closer::Application),
            TcpCall::Unspecified | TcpCall::Connect | TcpCall::Listen => return None,
        }
        let (before, after) = self.entries.split_at(transition);
        let here = |other: &&Entry| other.host == entry.host;
        let now = |other: &&Entry| other.time == entry.time;
        if before.iter().rev().take_while(now).filter(here).any(kills) {
            return Some(Closer::Kill);
        }
        let is_outside = entry.host.is_some_and(|host| self.outside.contains(&host));
        let closes = |other: &Entry| match other.kind {
            EntryKind::Application { call: StepKind::Close, .. } => other.connection == entry.connection,
            // A relay closes both of its connections.
            EntryKind::Application { call: StepKind::Relay, .. } => true,
            _ => false,
        };
        // With SO_LINGER, it returns later.
        let lingers = entry.host.is_some_and(|host| self.lingering.contains(&(host, entry.connection)));
        let called = is_outside || lingers || after.iter().take_while(now).filter(here).any(closes);
        Some(if called { Closer::Application } else { Closer::Exit })
    }

    /// Why the state changed there, in words: `close()`, `its program was killed`, `received FIN+ACK`.
    pub fn why(&self, transition: EntryIndex) -> String {
        match (self.closer(transition), self.entries.get(transition).map(|entry| &entry.kind)) {
            (Some(Closer::Kill), _) => "its program was killed".to_owned(),
            (Some(Closer::Exit), _) => "its program ended".to_owned(),
            (Some(Closer::Application) | None, Some(EntryKind::Transition { cause, .. })) => {
                words::cause(cause)
            }
            (_, _) => String::new(),
        }
    }
}

fn kills(entry: &Entry) -> bool {
    matches!(entry.kind, EntryKind::Fault(Fault { kind: FaultKind::Kill, phase, .. }) if phase != FaultPhase::End)
}
